/* imagery.h - the source imagery of a map as tiles in a fixed order: rasters, a list of pictures, or a folder of
 * web-map tiles. A place is a position at which there may be a tile; the tile is cut later. */
#ifndef GVM_IMAGERY_IMAGERY_H
#define GVM_IMAGERY_IMAGERY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/panorama.h"
#include "imagery/cells.h"
#include "imagery/grid.h"
#include "imagery/tiles.h"

/* A tile's position on the ground. */
struct place {
    double lat, lon;    /* of its centre */
    double metres;      /* of its side */
    double box[4];      /* west, south, east, north in degrees; longitudes may be beyond 180 */
    const char *source; /* the file that it is cut from; lives as long as the imagery */
};

struct imagery;

/* Open and check all sources in the options: each raster must open and be georeferenced, each line of a list must be
 * valid. The caller frees the imagery with imagery_free. */
gvm_status imagery_open(struct imagery **imagery, const gvm_map_options *options, const gvm_model *model,
                        gvm_error *err);
void imagery_free(struct imagery *imagery); /* accepts NULL */

size_t imagery_places(const struct imagery *imagery); /* how many */

/* A sentence that describes source `number` (from 0); returns false beyond the last. *warning: the sentence is a
 * warning that the source is read differently from what its file declares. */
bool imagery_note(gvm_error *note, bool *warning, const struct imagery *imagery, size_t number);

/* The sources and how they are cut, to recognise a run that does the same job, with the sizes and stamps of the files,
 * to detect changes. Returns a new reference, or NULL if out of memory. */
json_t *imagery_describe(const struct imagery *imagery);

/* Places are grouped into pieces, which several threads can cut at the same time. */
size_t imagery_pieces(const struct imagery *imagery);
size_t imagery_find(const struct imagery *imagery, size_t place); /* the piece that holds it */
int imagery_piece_most(const struct imagery *imagery);            /* places in the largest */
bool imagery_is_shared(const struct imagery *imagery);            /* tiles share pictures */
size_t imagery_cut_bytes(const struct imagery *imagery); /* memory of a thread to cut a piece, without its pixels */

struct cut_tile {
    struct place place;
    gvm_status status;            /* GVM_OK, or why it cannot be read */
    bool empty;                   /* less than half of the tile is valid; of a cell: nothing of its finest picture is */
    bool partly;                  /* a cell with more than a tenth of its pictures void */
    struct cell group[MAX_ZOOMS]; /* shared pictures: tiles with the same group[k] share picture k */
    uint8_t *pixels;              /* (pictures, H, W, 3), the caller's */
};

/* A piece that was cut. The caller owns the tiles and their pixels, with room for imagery_piece_most places. */
struct piece {
    struct cut_tile *tiles;
    int count;
    size_t before; /* places before its first */
    size_t source; /* index of its source, so that a failure is reported once for each source */
    gvm_error err; /* of the first tile that cannot be read */
};

/* A thread's open files and buffers while it cuts; zero-initialised, closed with cutter_close. */
struct cutter {
    struct raster *raster;
    size_t source; /* index of the open source */
    uint8_t *rgba; /* pixels of a block */
    uint8_t *rgb;
    size_t room; /* of rgba, in pixels */
    struct zoom_cutter *zooms;
};

void imagery_cut(struct piece *piece, struct cutter *cutter, const struct imagery *imagery, size_t number);
void cutter_close(struct cutter *cutter);

/* Threads that cut pieces ahead, taken in order by one. */
struct piece_ring;

/* Start cutting at a piece. ahead: the least number of places to keep ready. Fails with GVM_MEMORY. */
gvm_status piece_ring_open(struct piece_ring **ring, const struct imagery *imagery, const gvm_model *model,
                           size_t first, size_t ahead, gvm_error *err);

/* Wait for the next piece, valid until the next call; NULL after the last. */
const struct piece *piece_ring_next(struct piece_ring *ring);

/* May be called before the last piece. Accepts NULL. */
void piece_ring_free(struct piece_ring *ring);

#endif
