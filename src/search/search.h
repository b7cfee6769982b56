/* search.h - search among some of a map's tiles. */
#ifndef GVM_SEARCH_SEARCH_H
#define GVM_SEARCH_SEARCH_H

#include "map/map.h"

/* Among which of a map's tiles to search, and what to keep of all their scores. */
struct search_among {
    const size_t *items; /* (count) places in the map's list, rising; NULL: all tiles, and count is not read */
    size_t count;
    float *kept;         /* (fields, tiles) out: each tile's best score over the queries of a field and over what stands
                            there already, which is -INFINITY at first; NULL: not wanted */
    const size_t *field; /* (n) of each query: where its scores go */
};

/* gvm_map_search, but for queries of any length up to 1, as a mean of features has. *count is 0, and no error, where
 * there is no tile. */
gvm_status map_search(gvm_hit *hits, int max_hits, int *count, const gvm_map *map, const gvm_model *model,
                      const struct search_among *among, const float *features, size_t n, gvm_error *err);

/* The tiles whose centres lie within within_m metres of a place, of which there are *found; to be freed. NULL: there is
 * not the memory. */
size_t *map_near(size_t *found, const gvm_map *map, double lat, double lon, double within_m);

/* GVM_ARGUMENT for max_hits < 1, GVM_MISMATCH for a map of other weights than the model's, if it is not NULL. */
gvm_status search_check(const gvm_map *map, const gvm_model *model, int max_hits, gvm_error *err);

#endif
