/* answers.h - merges the tiles found by a search into answers. */
#ifndef GVM_LOCATE_ANSWERS_H
#define GVM_LOCATE_ANSWERS_H

#include <stdbool.h>

#include "geoviewmatch.h"

/* Number of hits that the search must return for max_hits answers: several tiles become one answer, and the margin
 * needs a tile beyond the first answer. */
int raw_hits_for(int max_hits);

/* Sort hits and keep each tile once, with its best score and its mean heading. Returns how many are kept. Idempotent.
 */
size_t answers_sort(gvm_hit *raw, size_t count);

/* Make answers, best first; returns how many.
 *
 *   answers  out: room for max_hits
 *   margin   out: the first answer's score minus the best score of a tile beyond its radius; NaN if there is none
 *   raw      (count) tiles in any order, with their scores and headings, each once for each heading; sorted by
 *            answers_sort
 *   reach    distance within which tiles join an answer's best tile, metres; 0: if they overlap with it
 *   merge    false: each tile is an answer of its own */
int answers_make(gvm_hit *answers, int max_hits, double *margin, gvm_hit *raw, size_t count, double reach, bool merge);

#endif
