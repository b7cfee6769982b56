/* imagery_parts.h - shared by imagery.c (places), imagery_cells.c (places of weights with several zooms) and cut.c
 * (pixels). */
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
    int no_alpha;              /* a band that is marked as alpha but is none, or 0 */
    int width, height;         /* pixels */
    double own_m;              /* ground size of a pixel, metres */
    struct grid grid;
    int reduce;     /* factor by which its resolution is reduced first */
    double pixel_m; /* ground size of the pixels cut from it */
    size_t pieces;  /* number of pieces of the sources before it */
    size_t places;
    long long bytes; /* of its files */
    char stamp[STAMP + 1];
};

struct imagery {
    const gvm_model *model;
    const char *kind; /* "raster", "tiles" or "xyz" */
    const char *crs;  /* for rasters without a coordinate system, or NULL */
    int alpha;        /* as the options have it */
    bool tms;         /* rows of web-map tiles count from the south */
    const char *path; /* of the list or the folder */
    double tile_m, stride_m;
    struct raster_source *rasters;
    size_t raster_count;
    struct cell_area area; /* the area to index */
    bool by_cells;         /* for weights of several zooms */

    struct mosaic *mosaic; /* of the rasters, for such weights */
    struct mosaic_source *cell_sources;
    struct cell_plan cells;

    struct place *files; /* pictures that are a tile each */
    char **paths;        /* of these files */
    size_t file_count;
    char stamp[STAMP + 1]; /* of the list and the pictures */
    size_t pieces, places;
    struct names names;
};

/* imagery_cells.c's part: plan the cells that the rasters cover; describe and report them; cut a block of them; the
 * approximate memory of a thread for a block. */
gvm_status cells_plan(struct imagery *imagery, const gvm_map_options *options, gvm_error *err);
void cells_free(struct imagery *imagery);
void cells_describe(json_t **all, const struct imagery *imagery);
json_t *cells_describe_box(const struct imagery *imagery, size_t source);
bool cells_note(gvm_error *note, bool *warning, const struct imagery *imagery, size_t number);
void cells_cut(struct piece *piece, struct cutter *cutter, const struct imagery *imagery, size_t number);
size_t cells_cut_bytes(const struct imagery *imagery);

/* Note that a band marked as alpha is read as a colour; returns false if there is none. */
bool raster_note_alpha(gvm_error *note, const struct imagery *imagery, const struct raster_source *raster);

/* Index of the raster of a piece or, with by_place, of a place. */
size_t imagery_raster(const struct imagery *imagery, size_t number, bool by_place);

/* List the pictures z/x/y.jpg (or .jpeg, .png, .webp) of a folder, at the zoom with a tile size nearest to ground_m.
 * Fails with GVM_FILE, GVM_FORMAT (there are none) or GVM_MEMORY. */
gvm_status xyz_list(struct place **places, size_t *count, struct names *names, const char *folder, bool tms,
                    double ground_m, gvm_error *err);

/* Find out whether the rows of a folder of web-map tiles count from the south, from its tilemapresource.xml,
 * metadata.json or tiles.json; false if there is none. Fails with GVM_FORMAT if the tiles have another projection or
 * the file cannot be read. */
gvm_status tms_find(bool *tms, const char *folder, gvm_error *err);

/* The hints with which a raster was read when the map was built, from `imagery` and one of its `sources` in a job. */
struct raster_hints hints_of_job(const json_t *imagery, const json_t *source);

/* The position of a Web Mercator tile; returns false if there is no such tile. */
bool xyz_place(struct place *place, long z, long x, long y);

/* The latitude of the northern edge of Web Mercator row y; y may be fractional. tiles: 2^zoom. */
double xyz_lat(double y, double tiles);

/* Choose the steps for reading a raster with pixels of own_m metres for pictures with pixels of wanted_m: a third to
 * three quarters of wanted_m if the raster is that fine, and a multiple of the raster's own step, since GDAL warps
 * these ten times faster. */
void raster_source_steps(struct raster_source *source, double own_m, double wanted_m);

/* Cut some tiles (size: H, W) from the raster that the cutter has open, with a single read. */
gvm_status cut_block(struct cut_tile *tiles, int count, struct cutter *c, const struct raster_source *source,
                     const int size[2], gvm_error *err);

#endif
