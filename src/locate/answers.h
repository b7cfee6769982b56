/* answers.h - the tiles that a search found, made into places. */
#ifndef GVM_LOCATE_ANSWERS_H
#define GVM_LOCATE_ANSWERS_H

#include <stdbool.h>

#include "geoviewmatch.h"

/* How many hits a search must give for so many answers: several tiles become one, and the margin looks past them. */
int raw_hits_for(int max_hits);

/* Sort hits, and keep each tile once, with its best score and its mean heading; returns how many stay. Those that it
 * kept may go through it again. */
size_t answers_sort(gvm_hit *raw, size_t count);

/* Answers, best first; returns how many.
 *
 *   answers  out: room for max_hits
 *   margin   out: the first answer's score less that of the best tile beyond its radius; NaN where there is none
 *   raw      (count) tiles in any order, with their scores and headings; a tile may come once for each heading. They
 *            go through answers_sort
 *   reach    metres to which an answer's tiles lie from its best one; 0: as far as they overlap with it
 *   merge    make one answer of tiles within reach; else each tile is one of its own */
int answers_make(gvm_hit *answers, int max_hits, double *margin, gvm_hit *raw, size_t count, double reach, bool merge);

#endif
