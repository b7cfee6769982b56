/* imagery_parts.h - what imagery.c (which places), imagery_cells.c (those of weights of several zooms) and cut.c (their
 * pixels) share. */
#ifndef GVM_IMAGERY_IMAGERY_PARTS_H
#define GVM_IMAGERY_IMAGERY_PARTS_H

#include "base/json_put.h"
#include "imagery/cells.h"
#include "imagery/imagery.h"
#include "imagery/zooms.h"
#include "raster/raster.h"

enum { STAMP = 32 /* hexadecimal digits of a hash of files' sizes and times, and of some bytes */ };

/* A raster to be cut. */
struct raster_source {
    const char *path;
    struct raster_hints hints; /* how it is read */
    int no_alpha;              /* its band that is marked as alpha and is none, or 0 */
    int width, height;         /* pixels */
    double own_m;              /* that one of them covers */
    struct grid grid;
    int reduce;     /* its pixels that are taken together first */
    double pixel_m; /* of the pixels that are cut out of it */
    size_t pieces;  /* of the sources before it */
    size_t places;
    long long bytes; /* of its files */
    char stamp[STAMP + 1];
};

struct imagery {
    const gvm_model *model;
    const char *kind; /* "raster", "tiles" or "xyz" */
    const char *crs;  /* of rasters that do not say, or NULL */
    int alpha;        /* as the options have it */
    bool tms;         /* rows of web-map tiles count from the south */
    const char *path; /* of the list or the folder */
    double tile_m, stride_m;
    struct raster_source *rasters;
    size_t raster_count;
    struct cell_area area; /* where tiles are wanted */
    bool by_cells;         /* for weights of several zooms */

    struct mosaic *mosaic; /* of the rasters, for such weights */
    struct mosaic_source *cell_sources;
    struct cell_plan cells;

    struct place *files; /* pictures that are a tile each */
    char **paths;        /* where they lie */
    size_t file_count;
    char stamp[STAMP + 1]; /* of the list and the pictures */
    size_t pieces, places;
    struct names names;
};

/* The cells that the rasters cover, which were looked at; what is put down of them and said of them; a block of them,
 * and about how much memory a thread takes for one. */
gvm_status cells_plan(struct imagery *imagery, const gvm_map_options *options, gvm_error *err);
void cells_free(struct imagery *imagery);
void cells_describe(json_t **all, const struct imagery *imagery);
json_t *cells_describe_box(const struct imagery *imagery, size_t source);
bool cells_note(gvm_error *note, bool *warning, const struct imagery *imagery, size_t number);
void cells_cut(struct piece *piece, struct cutter *cutter, const struct imagery *imagery, size_t number);
size_t cells_cut_bytes(const struct imagery *imagery);

/* That a band which is marked as alpha is taken for a colour; false if that is not so. */
bool raster_note_alpha(gvm_error *note, const struct imagery *imagery, const struct raster_source *raster);

/* Which raster a piece is out of, or which holds a place. */
size_t imagery_raster(const struct imagery *imagery, size_t number, bool by_place);

/* The pictures z/x/y.jpg (or .jpeg, .png, .webp) of a folder, of the zoom whose tiles are nearest in size to ground_m.
 * GVM_FILE, GVM_FORMAT (none there), GVM_MEMORY. */
gvm_status xyz_list(struct place **places, size_t *count, struct names *names, const char *folder, bool tms,
                    double ground_m, gvm_error *err);

/* Whether the rows of a folder of web-map tiles count from the south, by tilemapresource.xml or the metadata.json or
 * tiles.json in it; false if none is there. GVM_FORMAT for tiles of another projection, or a file that cannot be read.
 */
gvm_status tms_find(bool *tms, const char *folder, gvm_error *err);

/* How a raster was read when it was built into a map: `imagery` and one of its `sources` in the map's jobs. */
struct raster_hints hints_of_job(const json_t *imagery, const json_t *source);

/* The place of a web-mercator tile; false for an address that there is not. */
bool xyz_place(struct place *place, long z, long x, long y);

/* The latitude of a row of web-mercator tiles: of its northern edge, or of what lies between two. tiles: 2^zoom. */
double xyz_lat(double y, double tiles);

/* How to read a raster of pixels of own_m metres for pictures whose pixels cover wanted_m: in pixels of a third to
 * three quarters of those, if the raster is so fine, and in the raster's own steps, which GDAL warps ten times faster
 * than others. */
void raster_source_steps(struct raster_source *source, double own_m, double wanted_m);

/* Read and cut some tiles (size: H, W) of the raster that the cutter has open, with one read. */
gvm_status cut_block(struct cut_tile *tiles, int count, struct cutter *c, const struct raster_source *source,
                     const int size[2], gvm_error *err);

#endif
