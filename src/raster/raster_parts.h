/* raster_parts.h - what raster.c (the file), raster_bands.c (which bands), raster_extent.c (which parts),
 * raster_place.c (where), raster_read.c and raster_pixels.c (pixels) share. */
#ifndef GVM_RASTER_RASTER_PARTS_H
#define GVM_RASTER_RASTER_PARTS_H

#include <gdal.h>
#include <stdbool.h>
#include <string.h>

#include "raster/raster.h"
#include "raster/rects.h"

/* Where a place lies in the raster, in pixels. */
struct locator {
    void *inner;     /* GDAL's, from raster pixels to longitude and latitude */
    double turn;     /* pixels of 360 degrees, in a projection that repeats itself to the east; else 0 */
    double width;    /* of the raster */
    double place[6]; /* of the picture that is read: GDAL's geotransform */
};

enum {
    VIEWS = 12, /* the file, a palette laid out as bands, masks, what is covered, the picture's bands, pixels taken
                   together, or the bands alone and warped */
    VALID = 6   /* bands that say where something is */
};

struct raster {
    GDALDatasetH views[VIEWS]; /* the file, and views of it, each of the one before */
    int view_count;
    GDALDatasetH data; /* the last of them, which is read */
    const char *where; /* names the file in sentences */
    char *name;
    char *crs; /* in WKT; CPLFree */
    int width, height;
    struct raster_hints hints;
    int bands[3], band_count; /* 3, or 1 for grey */
    int first;                /* of them in the file, or the palette's */
    int alpha;                /* the file's band that is marked as such, or 0 */
    int valid_count;    /* bands behind those of the picture, each 255 where something is; 0 if no-data says that */
    bool any;           /* of the first band_count of them, one is enough: the masks of no-data */
    bool premultiplied; /* by alpha */
    bool warped;        /* it is read on another grid than its file's */
    GDALDataType type;
    double nodata[3]; /* of its bands */
    int low, high;    /* of 16-bit samples: what becomes 0 and 255 */
    struct locator locator;
};

/* All of them while somebody listens (gdal.h). */

/* GVM_FILE if GDAL would read something else than regular files for it. */
gvm_status raster_check_files(const char *path, const char *where, gvm_error *err);

/* Find out which bands make the picture and which parts of it are void, and read them from now on through a view that
 * has them in order. */
gvm_status raster_choose_bands(struct raster *raster, gvm_error *err);

/* The parts of a file that hold something in a band; *all, and none, if that may be all of it. To be freed with
 * rects_free. */
gvm_status raster_extent(struct rects *parts, bool *all, GDALDatasetH file, const char *path, int band, gvm_error *err);

/* Whether a file holds tables of tiles: GDAL itself reads what they do not cover as transparent. NULL: no driver. */
static inline bool raster_is_table(GDALDriverH driver)
{
    const char *name = driver != NULL ? GDALGetDriverShortName(driver) : "";
    return strcmp(name, "MBTiles") == 0 || strcmp(name, "GPKG") == 0;
}

/* A view of what is read now that gdal_translate's options make, and which reads that when it is read; the caller's.
 * what: what it is not, for a sentence. */
gvm_status raster_make_view(GDALDatasetH *view, const struct raster *raster, const char *const *options,
                            const char *what, gvm_error *err);

/* Read from now on through this view, which is closed with the raster. */
static inline void raster_take_view(struct raster *r, GDALDatasetH view)
{
    r->data = r->views[r->view_count++] = view;
    r->width = GDALGetRasterXSize(view);
    r->height = GDALGetRasterYSize(view);
}

/* The pixels (H, W, 4) of a part (left, top, right, bottom) of `data` as 8 bits: of the raster, whose bands these are,
 * or of a picture that was warped out of it. False without memory, or if it cannot be read. */
bool raster_take(uint8_t *rgba, GDALDatasetH data, const struct raster *raster, const int bands[3], const int part[4]);

/* Fill in the locator; a sentence where the raster lies nowhere. */
gvm_status raster_find_place(struct raster *raster, const char *crs, gvm_error *err);

/* Choose the picture that is read next: its western and northern edge and its steps, in degrees. */
void locator_aim(struct locator *locator, const double view[4]);

/* Between pixels of that picture and of the raster, as GDAL's transformers do. */
int locator_transform(void *locator, int to_raster, int n, double *x, double *y, double *z, int *good);

#endif
