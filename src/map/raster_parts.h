/* raster_parts.h - what raster.c (which bands), raster_place.c (where) and raster_read.c (pixels) share. */
#ifndef GVM_MAP_RASTER_PARTS_H
#define GVM_MAP_RASTER_PARTS_H

#include <gdal.h>
#include <stdbool.h>

#include "map/raster.h"

/* Where a place lies in the raster, in pixels. */
struct locator {
    void *inner;     /* GDAL's, from raster pixels to longitude and latitude */
    double turn;     /* pixels of 360 degrees, in a projection that repeats itself to the east; else 0 */
    double width;    /* of the raster */
    double place[6]; /* of the picture that is read: GDAL's geotransform */
};

enum { VIEWS = 4 /* the file, a palette laid out as bands, the bands of the picture, pixels taken together */ };

struct raster {
    GDALDatasetH views[VIEWS]; /* the file, and views of it, each of the one before */
    int view_count;
    GDALDatasetH data; /* the last of them, which is read */
    const char *where; /* names the file in sentences */
    char *name;
    int width, height;
    int bands[3], band_count; /* 3, or 1 for grey */
    int valid;                /* a band like the others that is 255 where something is; 0 where no-data says that */
    GDALDataType type;
    double nodata[3]; /* of its bands */
    int low, high;    /* of 16-bit samples: what becomes 0 and 255 */
    struct locator locator;
};

/* Fill in the locator; a sentence where the raster lies nowhere. */
gvm_status raster_find_place(struct raster *raster, const char *crs, gvm_error *err);

/* Choose the picture that is read next: its western and northern edge and its steps, in degrees. */
void locator_aim(struct locator *locator, const double view[4]);

/* Between pixels of that picture and of the raster, as GDAL's transformers do. */
int locator_transform(void *locator, int to_raster, int n, double *x, double *y, double *z, int *good);

#endif
