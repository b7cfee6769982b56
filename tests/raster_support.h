/* raster_support.h - rasters made with GDAL whose colours encode the position */
#ifndef GVM_TESTS_RASTER_SUPPORT_H
#define GVM_TESTS_RASTER_SUPPORT_H

#include <gdal.h>

enum { RASTER_SIDE = 120 /* pixels */ };

/* Zero members mean the default: a GeoTIFF of 8-bit RGB without a CRS. */
struct raster_recipe {
    const char *crs;    /* input for OSRSetFromUserInput; NULL for none */
    double place[6];    /* GDAL's geotransform; all zero for none */
    const char *driver; /* "GTiff" */
    const char *source; /* copy this existing file instead of drawing */
    GDALDataType type;  /* GDT_Byte */
    int bands;          /* 3; 1: a ramp along the columns; 2, 4: alpha last; 5: alpha last, after an extra band */
    int scale, offset;  /* a sample is offset + scale * colour; scale 0 means 1 */
    int palette;        /* 1: one band with a colour table; 2: transparent in the left half */
    int nodata;         /* left half void by 1 no-data 0, 2 a mask, 3 alpha; 4: alpha of all shades, like infrared */
    int opaque;         /* maximum of alpha; 0: the type's maximum */
    const char *option; /* creation option of the GeoTIFF, NAME=VALUE */
};

/* Red is twice the column, green twice the row, blue 100. */
void make_raster(const char *name, const struct raster_recipe *recipe);

/* Set a geotransform: centre of the raster at (x, y), square pixels of size `pixel`, rotated anticlockwise. */
void place_raster(double place[6], double x, double y, double pixel, double degrees);

#endif
