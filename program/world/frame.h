/* frame.h - positions of an orthophoto's pixels on the map and in the town. Relies on GDAL and PROJ. */
#ifndef GVM_WORLD_FRAME_H
#define GVM_WORLD_FRAME_H

#include "geoviewmatch.h"
#include "world/ortho.h"
#include "world/town.h"

enum { FRAME_BLOCK = 256 /* pixels a side; less at the right and lower border */ };

/* Metres east and north of the town's centre. */
struct metres {
    double x, y;
};

struct frame {
    int epsg;                /* the projection's number */
    double left, top, pixel; /* in its units */
    int size, blocks;        /* pixels and blocks a side */
    struct metres *corners;  /* (blocks + 1, blocks + 1) the blocks' corners in the town */
};

/* A square around the town's centre. Free it with frame_free, which accepts a zero frame.
 *
 * GVM_OK, GVM_FILE (PROJ's database is missing) or GVM_MEMORY. */
gvm_status frame_open(struct frame *frame, const struct world_options *options, const struct ortho_options *ortho,
                      gvm_error *err);
void frame_free(struct frame *frame);

/* The first pixel of a block; the picture's end for number `blocks`. */
int frame_pixel(const struct frame *frame, int block);

/* The point of the town under (u, v) of a block: parts of its width and height from its upper left corner. */
struct point frame_point(const struct frame *frame, int block_row, int block_column, double u, double v);

/* The picture's corners, counter-clockwise. */
void frame_corners(struct point corner[4], const struct frame *frame);

#endif
