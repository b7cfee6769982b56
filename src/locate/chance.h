/* chance.h - how probable places are: a softmax over the scores of all tiles that were searched.
 *
 *     p_c = exp(k s_c) / (sum over tiles exp(k s) + exp(e))
 *
 * s is a cosine, k = score_scale / T the factor that makes logits of cosines, and e = b / T the logit of "not on this
 * map". T and b are the map's once somebody has fitted them; before that T is 1 and the last term is left out. */
#ifndef GVM_LOCATE_CHANCE_H
#define GVM_LOCATE_CHANCE_H

#include "map/map.h"

/* What was found of all tiles that were searched for a photo. */
struct score_field {
    const gvm_map *map;
    const float *scores; /* (count) cosines */
    const size_t *items; /* (count) their places in the map's list; NULL: all tiles of the map */
    size_t count;
    double sharpness; /* k; 0: the scores make no probability */
    double elsewhere; /* e; -INFINITY: none */
};

/* The field's k and e for a map, and weights whose scores are scaled so. */
void chance_scale(struct score_field *field, const gvm_map *map, double score_scale);

/* Place answers of cells that do not overlap: an answer goes from its best tile's centre to the mean of the centres
 * nearer than `reach` metres to that one, each weighted by its p. */
void chance_places(gvm_hit *hits, int count, double reach, const struct score_field *field);

/* Fill in what holds for the answers of a photo, of which there is at least one.
 *
 *   p      (count) out: of each answer the sum over its tiles, those nearer than `reach` metres to its best tile and in
 *          no better answer; 0 metres: its best tile alone. NULL: not wanted
 *
 * GVM_MEMORY. Where the scores make no probability, all is NaN. */
gvm_status chance_find(gvm_chance *chance, double *p, const gvm_hit *hits, int count, double reach,
                       const struct score_field *field, gvm_error *err);

/* p of each tile of the map; NaN where it was not searched.
 *
 *   scores  (tiles) NaN where one was not searched */
void chance_all(float *p, const float *scores, const gvm_map *map, double score_scale);

#endif
