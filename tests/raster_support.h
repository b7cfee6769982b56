/* raster_support.h - rasters for the tests, made with GDAL, whose colours tell where in them one is. */
#ifndef GVM_TESTS_RASTER_SUPPORT_H
#define GVM_TESTS_RASTER_SUPPORT_H

#include <gdal.h>

enum { RASTER_SIDE = 120 /* pixels */ };

/* What is not given is zero: a GeoTIFF of 8-bit RGB. */
struct raster_recipe {
    const char *crs;    /* as OSRSetFromUserInput takes it; NULL for none */
    double place[6];    /* GDAL's geotransform; all zero for none */
    const char *driver; /* "GTiff" */
    const char *source; /* a copy of this file, made before, rather than what follows */
    GDALDataType type;  /* GDT_Byte */
    int bands;          /* 3; 1: a ramp along the columns; 2, 4: alpha last; 5: alpha last and a band before it */
    int scale, offset;  /* a sample is offset + scale * colour; scale 0 is 1 */
    int palette;        /* a band of numbers, whose colours are looked up; 2: those of the left half are transparent */
    int nodata;    /* the left half is void: 1 no-data 0, 2 a mask, 3 alpha; 4: alpha has all shades, as infrared */
    int opaque;    /* the most that alpha is; 0: what its type holds */
    int overviews; /* a GeoTIFF has some */
    const char *option; /* of the GeoTIFF, NAME=VALUE */
};

/* Red is twice the column, green twice the row, blue 100. */
void make_raster(const char *name, const struct raster_recipe *recipe);

/* A geotransform: the middle of the raster at (x, y), square pixels of so many units, turned anticlockwise. */
void place_raster(double place[6], double x, double y, double pixel, double degrees);

#endif
