/* pictures.h - the pictures of a data set at the network's size: out of its files, out of a cache of them (cache.h),
 * or, the aerial ones of photos, cut out of rasters. */
#ifndef GVM_DATA_PICTURES_H
#define GVM_DATA_PICTURES_H

#include <stdint.h>

#include "data/dataset.h"
#include "image/panorama.h"
#include "imagery/zooms.h"
#include "network/config.h"

struct cache;
struct cutters;

/* What is needed to get at a data set's pictures. All of it must outlive what uses it. */
struct pictures {
    const struct dataset *data;
    struct picture_shape street, aerial; /* the network's inputs */
    const struct cache *cache;           /* NULL: read from their files */
    struct cutters *cutters;             /* of a data set with rasters: what cuts its aerial pictures; else NULL */
};

/* Whether the data set has the kind of aerial pictures that the network takes. GVM_ARGUMENT. */
gvm_status pictures_check(const struct dataset *data, const struct config *config, gvm_error *err);

/* The pictures of a data set as a network takes them, without a cache. To be freed with pictures_close, also on
 * failure. As pictures_check and mosaic_open; GVM_MEMORY. */
gvm_status pictures_open(struct pictures *p, const struct dataset *data, const struct config *config, gvm_error *err);
void pictures_close(struct pictures *p);

/* Keep the imagery in memory. Does nothing if it takes more than a quarter of the available memory, or leaves less than
 * `needed` bytes. Before anything is cut. As mosaic_keep. */
gvm_status pictures_keep(struct pictures *p, double needed, gvm_error *err);

/* Picture i of a split, one of the data set's two; of a cell all its pictures, around its centre.
 *
 *   pixels  out: (H, W, 3) of its view, or (pictures, H, W, 3); in the cache, or in room
 *   room    as much, the caller's
 *   i       a query for GVM_STREET, a tile for GVM_AERIAL
 *
 * Returns GVM_OK, as cache_load (cache_file.h) or as pictures_cut. A picture that was broken when the cache was made is
 * tried again. Any number of threads may call. */
gvm_status pictures_read(const uint8_t **pixels, uint8_t *room, const struct pictures *p, const struct split *split,
                         gvm_view view, int i, gvm_error *err);

/* Of a data set with rasters: the pictures (pictures, H, W, 3) of any place, with a bearing that points up. Any number
 * of threads may call. As zoom_tile_cut. */
gvm_status pictures_cut(uint8_t *pixels, const struct pictures *p, double lat, double lon, double bearing,
                        gvm_error *err);

/* The rasters of a data set that has some, for pictures of these zooms; as mosaic_open. To be closed also on failure.
 */
struct rasters {
    struct mosaic *mosaic;
    struct mosaic_source *sources;
};

gvm_status rasters_open(struct rasters *rasters, const struct dataset *dataset, const double *zooms, int zoom_count,
                        gvm_error *err);
void rasters_close(struct rasters *rasters);

#endif
