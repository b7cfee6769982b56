/* search.h - exact search over all or some of a map's tiles. */
#ifndef GVM_SEARCH_SEARCH_H
#define GVM_SEARCH_SEARCH_H

#include "map/map.h"

/* The tiles to search, and whether to keep all their scores. */
struct search_among {
    const size_t *items; /* (count) ascending indices in the map; NULL: all tiles, and count is ignored */
    size_t count;
    float *kept;         /* (fields, tiles) in and out: each tile's best score over the queries of a field; the caller
                            sets it to -INFINITY first; NULL: not kept */
    const size_t *field; /* (n) each query's field in `kept` */
};

/* gvm_map_search for queries of any length up to 1, such as the mean of several features. If there are no tiles, *count
 * is 0 and that is not an error. */
gvm_status map_search(gvm_hit *hits, int max_hits, int *count, const gvm_map *map, const gvm_model *model,
                      const struct search_among *among, const float *features, size_t n, gvm_error *err);

/* Indices of the *found tiles whose centres are within within_m metres of a position; the caller frees them. NULL if
 * out of memory. */
size_t *map_near(size_t *found, const gvm_map *map, double lat, double lon, double within_m);

/* Fails with GVM_ARGUMENT if max_hits < 1, or GVM_MISMATCH if the map was made with other weights than `model`'s (NULL:
 * not checked). */
gvm_status search_check(const gvm_map *map, const gvm_model *model, int max_hits, gvm_error *err);

#endif
