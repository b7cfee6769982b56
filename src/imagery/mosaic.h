/* mosaic.h - what mosaic.c (which rasters, and where), zoom_levels.c (their pixels, halved), zoom_sample.c (a picture
 * out of those) and zooms.c (all of a place) share: see zooms.h. */
#ifndef GVM_IMAGERY_MOSAIC_H
#define GVM_IMAGERY_MOSAIC_H

#include <ogr_srs_api.h>
#include <string.h>

#include "imagery/zooms.h"
#include "raster/rects.h"

struct window;

enum {
    MAX_LEVELS = 16, /* of a layer: level l has pixels of 2^l a side */
    BLUR_MOST = 33   /* weights of a blur; 9 suffice unless pixels are 2^17 times finer than a zoom's */
};

/* A raster in its layer. */
struct member {
    size_t source;
    int x, y; /* of its first pixel among the layer's */
    int width, height;
};

/* Rasters that are read as one, on one grid of pixels. */
struct layer {
    char *crs;                   /* WKT */
    double west, north, unit[2]; /* its corner, and a pixel's width and height, in the units of its system */
    int width, height;           /* pixels */
    struct member *members;      /* (member_count); the first lies on top */
    size_t member_count;
    struct rects parts;    /* where something may be, from the top down */
    int *reach;            /* (parts.count) the lowest end of a part and those before it */
    double middle[2];      /* latitude and longitude */
    double pixel_m;        /* side of a pixel on the ground there */
    int levels[MAX_ZOOMS]; /* from which each zoom's pictures are made */
    struct window *kept;   /* (MAX_LEVELS) those levels as a whole, in memory; NULL: they are read */
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

/* Between places and a layer's coordinates. One thread at a time. */
struct way {
    OGRCoordinateTransformationH there, back;
};

bool way_open(struct way *way, const char *crs);
void way_close(struct way *way);

/* Latitude and longitude to x and y, in place; false where the system has none. */
bool way_there(const struct way *way, double *lat, double *lon);
bool way_back(const struct way *way, double *x, double *y);

/* Pixels of a level to a metre, along the latitude and the longitude, over a diagonal of 25 of them. */
bool layer_density(double density[2], const struct layer *layer, const struct way *way, double lat, double lon,
                   int level);

/* The level for a zoom: the coarsest whose pixels are smaller than half of the wanted ones, else the finest. */
int layer_level(const struct layer *layer, const struct way *way, double lat, double lon, double zoom);

/* A rectangle of a level's pixels, which may lie beyond the layer. Empty unless x0 < x1. */
struct window {
    long x0, y0, x1, y1;
    uint8_t *rgba; /* (y1 - y0, x1 - x0, 4): laid over white; alpha is how much of a pixel something covers */
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

/* The rasters that a thread has open. */
struct opened;
struct opened *opened_new(const struct mosaic *mosaic); /* NULL: no memory */
void opened_free(struct opened *opened);                /* NULL is fine */

/* Read the layer's pixels once and fill the windows of all levels, (MAX_LEVELS), whose memory they get here; to be
 * freed with free. GVM_FILE, GVM_MEMORY; the memory is freed then. */
gvm_status levels_read(struct window *windows, struct opened *opened, size_t layer, gvm_error *err);

void windows_free(struct window *windows); /* (MAX_LEVELS), and the array itself; NULL is fine */

/* A picture to be made out of a level. */
struct aim {
    double row, col;       /* of the place, in the level's pixels */
    double scale;          /* of them to a pixel of the picture */
    double angle;          /* radians that the picture is turned by */
    int radius;            /* of the blur; 0: none */
    int kernel[BLUR_MOST]; /* (2 radius + 1), of sum 256 */
};

/* Whole weights of a Gaussian, 4 ceil(sigma) + 1 of sum 256, each rounded with what is left over of those before, from
 * the ends inwards. Returns their radius; 0 for a sigma of 0 or less. */
int blur_kernel(int kernel[BLUR_MOST], double sigma);

/* The pixels that a picture of this size is sampled from. */
struct window aim_window(const struct aim *aim, const int size[2]);

/* Blur what `out` is to hold; `in` reaches as far around it as the blur. The memory is the caller's. */
void blur(struct window *out, const struct window *in, const int *kernel, int radius, uint32_t *row);

/* What a picture shows. */
struct shown {
    long long alpha; /* the sum of its pixels' */
    long white;      /* pixels whose three channels are all more than 240 */
};

/* Pixels (H, W, 3) out of a window that was blurred. */
struct shown sample(uint8_t *pixels, const struct window *from, const struct aim *aim, const int size[2]);

#endif
