/* chance.h - probabilities of tiles and answers: a softmax over the scores of all tiles that were searched.
 *
 *     p_c = exp(k s_c) / (sum over tiles exp(k s) + exp(e))
 *
 * s is a cosine, k = score_scale / T turns cosines into logits, and e = b / T is the logit of "not on this map". T and
 * b are the map's calibration; without it T is 1 and the term exp(e) is left out. */
#ifndef GVM_LOCATE_CHANCE_H
#define GVM_LOCATE_CHANCE_H

#include "map/map.h"

/* Scores of all tiles that were searched for a photo. */
struct score_field {
    const gvm_map *map;
    const float *scores; /* (count) cosines */
    const size_t *items; /* (count) their indices in the map; NULL: all tiles of the map */
    size_t count;
    double sharpness; /* k; 0: the scores make no probability */
    double elsewhere; /* e; -INFINITY: none */
};

/* Set the field's k and e from the map's calibration and the model's score scale. */
void chance_scale(struct score_field *field, const gvm_map *map, double score_scale);

/* Refine answers of cells that do not overlap: an answer moves from its best cell's centre to the mean of the centres
 * nearer than `reach` metres, weighted by p. */
void chance_places(gvm_hit *hits, int count, double reach, const struct score_field *field);

/* Fill in the probabilities of a photo's answers; count >= 1.
 *
 *   p      (count) out: each answer's sum of p over the tiles nearer than `reach` metres to its best tile that are in
 * no better answer; reach 0: the best tile's p alone. May be NULL
 *
 * All are NaN if the scores make no probability. Fails with GVM_MEMORY. */
gvm_status chance_find(gvm_chance *chance, double *p, const gvm_hit *hits, int count, double reach,
                       const struct score_field *field, gvm_error *err);

/* p of each tile of the map; NaN for tiles that were not searched.
 *
 *   scores  (tiles) NaN for tiles that were not searched */
void chance_all(float *p, const float *scores, const gvm_map *map, double score_scale);

#endif
