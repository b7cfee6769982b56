/* mosaic.h - shared by mosaic.c (layers), zoom_levels.c (pyramid levels), zoom_sample.c (sampling a picture from a
 * level) and zooms.c (all pictures of a place): see zooms.h. */
#ifndef GVM_IMAGERY_MOSAIC_H
#define GVM_IMAGERY_MOSAIC_H

#include <ogr_srs_api.h>
#include <string.h>

#include "imagery/zooms.h"
#include "raster/rects.h"

struct window;

enum {
    MAX_LEVELS = 16, /* pyramid levels; a pixel of level l covers 2^l x 2^l of the layer's */
    BLUR_MOST = 33   /* weights of a blur; 9 suffice unless pixels are 2^17 times finer than a zoom's */
};

/* A raster of a layer. */
struct member {
    size_t source;
    int x, y; /* the layer's column and row of its first pixel */
    int width, height;
};

/* Rasters on one pixel grid that are read as one. */
struct layer {
    char *crs;                   /* WKT */
    double west, north, unit[2]; /* the corner and a pixel's width and height, in the units of `crs` */
    int width, height;           /* pixels */
    struct member *members;      /* (member_count); the first lies on top */
    size_t member_count;
    struct rects parts;    /* covered parts, from the top down */
    int *reach;            /* (parts.count) the largest y1 of a part and those before it */
    double middle[2];      /* latitude and longitude */
    double pixel_m;        /* ground size of a pixel in the middle */
    int levels[MAX_ZOOMS]; /* the level that each zoom's pictures are sampled from */
    struct window *kept;   /* (MAX_LEVELS) whole levels in memory; NULL: levels are read when needed */
};

struct mosaic {
    const struct mosaic_source *sources;
    size_t source_count;
    double (*boxes)[4]; /* (source_count) west, south, east, north */
    double zooms[MAX_ZOOMS];
    int zoom_count;
    struct layer *layers;
    size_t layer_count;
    struct way *ways; /* (layer_count) of mosaic_covers */
};

/* Transforms between latitude and longitude and a layer's coordinates. One thread at a time. */
struct way {
    OGRCoordinateTransformationH there, back;
};

bool way_open(struct way *way, const char *crs);
void way_close(struct way *way);

/* Latitude and longitude to x and y, in place; returns false if the point has no coordinates in the layer's system. */
bool way_there(const struct way *way, double *lat, double *lon);
bool way_back(const struct way *way, double *x, double *y);

/* Pixels of the layer per metre of latitude and of longitude, measured over a diagonal of 25 pixels. */
bool layer_density(double density[2], const struct layer *layer, const struct way *way, double lat, double lon,
                   int level);

/* The level for a zoom: the coarsest with pixels smaller than half the wanted size, or else the finest. */
int layer_level(const struct layer *layer, const struct way *way, double lat, double lon, double zoom);

/* A rectangle of a level's pixels; it may extend beyond the layer. Empty unless x0 < x1. */
struct window {
    long x0, y0, x1, y1;
    uint8_t *rgba; /* (y1 - y0, x1 - x0, 4): composited over white; alpha is the covered share of the pixel */
};

static inline size_t window_pixels(const struct window *w)
{
    return w->x0 < w->x1 && w->y0 < w->y1 ? (size_t)(w->x1 - w->x0) * (size_t)(w->y1 - w->y0) : 0;
}

static inline void window_take_in(struct window *w, const struct window *other)
{
    if (window_pixels(other) == 0) return;
    bool first = window_pixels(w) == 0;
    w->x0 = first || other->x0 < w->x0 ? other->x0 : w->x0;
    w->y0 = first || other->y0 < w->y0 ? other->y0 : w->y0;
    w->x1 = first || other->x1 > w->x1 ? other->x1 : w->x1;
    w->y1 = first || other->y1 > w->y1 ? other->y1 : w->y1;
}

/* A thread's open rasters. */
struct opened;
struct opened *opened_new(const struct mosaic *mosaic); /* NULL: no memory */
void opened_free(struct opened *opened);                /* accepts NULL */

/* Read the layer's pixels once and fill the windows (MAX_LEVELS) of all levels. Allocates their pixels, which the
 * caller frees with free. Fails with GVM_FILE or GVM_MEMORY, and then frees them itself. */
gvm_status levels_read(struct window *windows, struct opened *opened, size_t layer, gvm_error *err);

void windows_free(struct window *windows); /* (MAX_LEVELS), and the array itself; accepts NULL */

/* How a picture is sampled from a level. */
struct aim {
    double row, col;       /* the position in the level's pixels */
    double scale;          /* level pixels to a pixel of the picture */
    double angle;          /* rotation of the picture, radians */
    int radius;            /* of the blur; 0: none */
    int kernel[BLUR_MOST]; /* (2 radius + 1), of sum 256 */
};

/* Integer weights of a Gaussian, 4 ceil(sigma) + 1 of them with the sum 256. They are rounded from the ends inwards,
 * and each carries the rounding error of those before. Returns the radius; 0 if sigma <= 0. */
int blur_kernel(int kernel[BLUR_MOST], double sigma);

/* The window from which a picture of this size is sampled. */
struct window aim_window(const struct aim *aim, const int size[2]);

/* Blur `in` into `out`; `in` extends beyond `out` by the radius. The caller allocates both. */
void blur(struct window *out, const struct window *in, const int *kernel, int radius, uint32_t *row);

/* Statistics of a picture. */
struct shown {
    long long alpha; /* sum of alpha over its pixels */
    long white;      /* pixels whose three channels are all more than 240 */
};

/* Sample pixels (H, W, 3) from a blurred window. */
struct shown sample(uint8_t *pixels, const struct window *from, const struct aim *aim, const int size[2]);

#endif
