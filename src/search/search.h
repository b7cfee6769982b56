/* search.h - search among some of a map's tiles. */
#ifndef GVM_SEARCH_SEARCH_H
#define GVM_SEARCH_SEARCH_H

#include "map/map.h"

/* gvm_map_search among the `item_count` tiles of the map's list that `items` names, rising; NULL: among all of them,
 * and item_count is not read. *count is 0, and no error, where there is no tile. */
gvm_status map_search(gvm_hit *hits, int max_hits, int *count, const gvm_map *map, const gvm_model *model,
                      const size_t *items, size_t item_count, const float *features, size_t n, gvm_error *err);

/* GVM_ARGUMENT for max_hits < 1, GVM_MISMATCH for a map of other weights than the model's, if it is not NULL. */
gvm_status search_check(const gvm_map *map, const gvm_model *model, int max_hits, gvm_error *err);

#endif
