/* imagery.h - what a map is built from, as tiles in a fixed order: places of rasters, a list, or a folder of web-map
 * tiles. A place is where a tile may be; its tile is cut when its turn comes. */
#ifndef GVM_IMAGERY_IMAGERY_H
#define GVM_IMAGERY_IMAGERY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/panorama.h"
#include "imagery/cells.h"
#include "imagery/grid.h"
#include "imagery/tiles.h"

/* A tile with its place on the ground. */
struct place {
    double lat, lon;    /* of its centre */
    double metres;      /* of its side */
    double box[4];      /* west, south, east, north in degrees, those of longitude perhaps beyond 180 */
    const char *source; /* the file it is out of; lives as long as the imagery */
};

struct imagery;

/* Look at all sources that the options name: each raster opens and lies somewhere, each line of a list is good.
 * To be freed with imagery_free. */
gvm_status imagery_open(struct imagery **imagery, const gvm_map_options *options, const gvm_model *model,
                        gvm_error *err);
void imagery_free(struct imagery *imagery); /* NULL is fine */

size_t imagery_places(const struct imagery *imagery); /* how many */

/* What it is, a sentence for each of its sources, numbered from 0; false beyond the last. *warning: it is not as the
 * file says. */
bool imagery_note(gvm_error *note, bool *warning, const struct imagery *imagery, size_t number);

/* What it is and how it is cut, so that two runs can be told to do the same, with the sizes and stamps of its files, so
 * that a change can be told; a new reference. NULL: no memory. */
json_t *imagery_describe(const struct imagery *imagery);

/* Places come in pieces, which can be cut at once on several threads. */
size_t imagery_pieces(const struct imagery *imagery);
size_t imagery_find(const struct imagery *imagery, size_t place); /* the piece that holds it */
int imagery_piece_most(const struct imagery *imagery);            /* places in the largest */
bool imagery_is_shared(const struct imagery *imagery);            /* tiles share pictures */
size_t imagery_cut_bytes(const struct imagery *imagery); /* that a thread takes to cut one, beside its pixels */

struct cut_tile {
    struct place place;
    gvm_status status; /* GVM_OK, or why it cannot be read */
    bool empty;        /* nothing is there, or less than half of it; of a cell, nothing in its finest picture */
    bool partly;       /* a cell of whose pictures more than a tenth shows nothing */
    struct cell group[MAX_ZOOMS]; /* picture k is that of all tiles with this group; of weights that share pictures */
    uint8_t *pixels;              /* (pictures, H, W, 3), the caller's */
};

/* A piece that was cut; tiles and their pixels are the caller's, for imagery_piece_most places. */
struct piece {
    struct cut_tile *tiles;
    int count;
    size_t before; /* places before its first */
    size_t source; /* which of the sources it is out of, for saying a failure once */
    gvm_error err; /* of the first tile that cannot be read */
};

/* What a thread has open while it cuts; starts zero, ends with cutter_close. */
struct cutter {
    struct raster *raster;
    size_t source; /* which it is */
    uint8_t *rgba; /* pixels of a block */
    uint8_t *rgb;
    size_t room; /* of rgba, in pixels */
    struct zoom_cutter *zooms;
};

void imagery_cut(struct piece *piece, struct cutter *cutter, const struct imagery *imagery, size_t number);
void cutter_close(struct cutter *cutter);

/* Threads that cut pieces ahead, taken in order by one. */
struct piece_ring;

/* Start to cut at a piece. ahead: how many places should be ready at a time, at least. GVM_MEMORY. */
gvm_status piece_ring_open(struct piece_ring **ring, const struct imagery *imagery, const gvm_model *model,
                           size_t first, size_t ahead, gvm_error *err);

/* Wait for the next piece, which is good until the next call; NULL after the last. */
const struct piece *piece_ring_next(struct piece_ring *ring);

/* Also before the end. NULL is fine. */
void piece_ring_free(struct piece_ring *ring);

#endif
