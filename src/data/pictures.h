/* pictures.h - the pictures of a data set at the network's size: from files, from a cache (cache.h) or, for the aerial
 * pictures of photos, cut from rasters. */
#ifndef GVM_DATA_PICTURES_H
#define GVM_DATA_PICTURES_H

#include <stdint.h>

#include "data/dataset.h"
#include "image/panorama.h"
#include "imagery/zooms.h"
#include "network/config.h"

struct cache;
struct cutters;

/* Access to a data set's pictures. All members must outlive its users. */
struct pictures {
    const struct dataset *data;
    struct picture_shape street, aerial; /* the network's inputs */
    const struct cache *cache;           /* NULL: read from their files */
    struct cutters *cutters;             /* of a data set with rasters; else NULL */
    struct picture_shape whole;          /* of the aerial pictures as they are read, if only their inner part is used
                                            (pictures_inner); else zero */
};

/* Fails with GVM_ARGUMENT if the data set's kind does not suit the network. */
gvm_status pictures_check(const struct dataset *data, const struct config *config, gvm_error *err);

/* Open the pictures of a data set for a network, without a cache. The caller closes them with pictures_close, also on
 * failure. Fails as pictures_check or mosaic_open, or with GVM_MEMORY. */
gvm_status pictures_open(struct pictures *p, const struct dataset *data, const struct config *config, gvm_error *err);
void pictures_close(struct pictures *p);

/* Use only the inner part of the aerial picture files, `inner` of their side (0.5..1; not of cells). They are then read
 * and cached so large that this part has the network's size. */
void pictures_inner(struct pictures *p, double inner);

/* Keep the imagery in memory. Does nothing if it takes more than a quarter of the available memory, or would leave less
 * than `needed` bytes. Call it before anything is cut. Fails as mosaic_keep. */
gvm_status pictures_keep(struct pictures *p, double needed, gvm_error *err);

/* Picture i of one of the data set's splits; for a cell, all its pictures around its centre.
 *
 *   pixels  out: (H, W, 3) of its view, or (pictures, H, W, 3); points into the cache or to room
 *   room    buffer of that size
 *   i       a query for GVM_STREET, a tile for GVM_AERIAL
 *
 * Fails as cache_load (cache_file.h) or pictures_cut. A picture that was unreadable when the cache was made is tried
 * again. Thread-safe. */
gvm_status pictures_read(const uint8_t **pixels, uint8_t *room, const struct pictures *p, const struct split *split,
                         gvm_view view, int i, gvm_error *err);

/* A tile's part elsewhere than in the middle, with pictures_inner.
 *
 *   at  position of the part: 0, 0 is the upper left corner of the whole picture, 1, 1 the lower right one */
gvm_status pictures_read_part(const uint8_t **pixels, uint8_t *room, const struct pictures *p,
                              const struct split *split, int i, const double at[2], gvm_error *err);

/* The aerial pictures (pictures, H, W, 3) at any position, with `bearing` pointing up; only for a data set with
 * rasters. Thread-safe. Fails as zoom_tile_cut. */
gvm_status pictures_cut(uint8_t *pixels, const struct pictures *p, double lat, double lon, double bearing,
                        gvm_error *err);

/* Open the rasters of a data set for pictures of these zooms. The caller closes them, also on failure. Fails as
 * mosaic_open. */
struct rasters {
    struct mosaic *mosaic;
    struct mosaic_source *sources;
};

gvm_status rasters_open(struct rasters *rasters, const struct dataset *dataset, const double *zooms, int zoom_count,
                        gvm_error *err);
void rasters_close(struct rasters *rasters);

#endif
