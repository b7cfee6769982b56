/* raster_parts.h - shared by raster.c (the file), raster_bands.c (bands), raster_extent.c (covered parts),
 * raster_place.c (georeference), raster_read.c and raster_pixels.c (pixels). */
#ifndef GVM_RASTER_RASTER_PARTS_H
#define GVM_RASTER_RASTER_PARTS_H

#include <gdal.h>
#include <stdbool.h>
#include <string.h>

#include "raster/raster.h"
#include "raster/rects.h"

/* Converts between longitude and latitude and the raster's pixels. */
struct locator {
    void *inner;     /* GDAL's, from raster pixels to longitude and latitude */
    double turn;     /* width of 360 degrees in pixels, in a projection that repeats itself to the east; else 0 */
    double width;    /* of the raster */
    double place[6]; /* GDAL's geotransform of the picture that is read */
};

enum {
    VIEWS = 12, /* the file, an expanded palette, masks, the covered parts, the picture's bands, a reduced resolution,
                   or the bands alone and warped */
    VALID = 6   /* validity bands */
};

struct raster {
    GDALDatasetH views[VIEWS]; /* the file, then views, each of the one before it */
    int view_count;
    GDALDatasetH data; /* the last of them, which is read */
    const char *where; /* the file's name in error messages */
    char *name;
    char *crs; /* in WKT; CPLFree */
    int width, height;
    struct raster_hints hints;
    int bands[3], band_count; /* 3, or 1 for grey */
    int first;                /* the first of them in the file, or the palette's band */
    int alpha;                /* the file's band that is marked as such, or 0 */
    int valid_count;          /* validity bands behind those of the picture; 0 if no-data marks void pixels */
    bool any;                 /* a pixel is valid if any of the first band_count validity bands (no-data masks) is */
    bool premultiplied;       /* by alpha */
    bool warped;              /* it is read on another grid than its file's */
    GDALDataType type;
    double nodata[3]; /* of its bands */
    int low, high;    /* 16-bit samples that become 0 and 255 */
    struct locator locator;
};

/* All of these are called between gdal_listen and gdal_ignore (gdal.h). */

/* Fails with GVM_FILE if GDAL would read anything but regular files for this raster. */
gvm_status raster_check_files(const char *path, const char *where, gvm_error *err);

/* Choose the picture's bands and its validity bands, and read them from now on through a view that has them in order.
 */
gvm_status raster_choose_bands(struct raster *raster, gvm_error *err);

/* The covered parts of a band; *all, and no parts, if all of it may be covered. The caller frees them with rects_free.
 */
gvm_status raster_extent(struct rects *parts, bool *all, GDALDatasetH file, const char *path, int band, gvm_error *err);

/* Returns true if the driver reads tables of tiles: GDAL reads missing tiles as transparent. NULL: no driver. */
static inline bool raster_is_table(GDALDriverH driver)
{
    const char *name = driver != NULL ? GDALGetDriverShortName(driver) : "";
    return strcmp(name, "MBTiles") == 0 || strcmp(name, "GPKG") == 0;
}

/* Make a lazy view of the data that are read now, by gdal_translate's options; the caller owns it.
 *
 *   what  for the error message: what the view could not be */
gvm_status raster_make_view(GDALDatasetH *view, const struct raster *raster, const char *const *options,
                            const char *what, gvm_error *err);

/* Read from now on through this view, which is closed with the raster. */
static inline void raster_take_view(struct raster *r, GDALDatasetH view)
{
    r->data = r->views[r->view_count++] = view;
    r->width = GDALGetRasterXSize(view);
    r->height = GDALGetRasterYSize(view);
}

/* Read the pixels (H, W, 4) of a part (left, top, right, bottom) of `data` as 8 bits; `data` is the raster, or a
 * picture warped from it with the same bands. Returns false if out of memory or if the part cannot be read. */
bool raster_take(uint8_t *rgba, GDALDatasetH data, const struct raster *raster, const int bands[3], const int part[4]);

/* Fill in the locator; fails if the raster is not georeferenced. */
gvm_status raster_find_place(struct raster *raster, const char *crs, gvm_error *err);

/* Choose the picture that is read next: its western and northern edge and its steps, in degrees. */
void locator_aim(struct locator *locator, const double view[4]);

/* Transform pixels of that picture to or from the raster's, with the signature of GDAL's transformers. */
int locator_transform(void *locator, int to_raster, int n, double *x, double *y, double *z, int *good);

#endif
