/* geoviewmatch.h - says where a street picture was taken, by matching it against
 * GPS-tagged overhead pictures (GeoViewMatch, Remote Sensing 2024, 16, 678).
 *
 * Every call that can fail returns a gvm_status and, if it fails, writes one
 * sentence for a person into the caller's gvm_error (which may be NULL). The
 * library never exits and never prints. */
#ifndef GEOVIEWMATCH_H
#define GEOVIEWMATCH_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define GVM_API __attribute__((visibility("default")))
#else
#define GVM_API
#endif

typedef enum gvm_status {
    GVM_OK = 0,
    GVM_ARGUMENT, /* a value outside its documented range */
    GVM_FILE,     /* a file that cannot be read or written */
    GVM_IMAGE,    /* a file that is not a picture, or not one that the method takes */
    GVM_FORMAT,   /* weights, a configuration or a list whose content is not what it must be */
    GVM_MISMATCH, /* two things that do not belong together, as weights and a map made with others */
    GVM_MEMORY,   /* not enough memory */
    GVM_DEVICE    /* a compute device that is missing or failed */
} gvm_status;

typedef struct gvm_error {
    char text[512]; /* one sentence, UTF-8, no line break; empty while nothing failed */
} gvm_error;

/* ------------------------------------------------------------------ the process */

/* Of the library that runs, as "MAJOR.MINOR.PATCH"; valid for the life of the process. */
GVM_API const char *gvm_version(void);

/* How many threads a call computes with, for the whole process: from 1 to 64, or to four a core on a machine of more
 * than 16 (1,024 at most); the default is one a core (or OMP_NUM_THREADS). Threads come from libgomp, which keeps one
 * team per calling thread and aborts the process if it cannot create one: keep the number of calling threads small.
 *
 * GVM_ARGUMENT for another number, and while any session is open or a gvm_map_search runs, because buffers are sized by
 * the thread count. */
GVM_API gvm_status gvm_set_threads(int count, gvm_error *err);
GVM_API int gvm_threads(void); /* the number in force */

/* Where models compute that are opened after the call: on the CPU, which is the default and computes in float32, or on
 * an NVIDIA GPU. There maps and products are bfloat16 (GVM_BF16, the default), or float32 with products in TF32
 * (GVM_TF32) or in float32 throughout (GVM_FP32); weights, norms, softmax and features are float32 in any case. The
 * precision is ignored on the CPU. A model stays where it was opened. Whatever computes on a GPU returns GVM_DEVICE if
 * that fails, besides the statuses in its own description.
 *
 * Returns GVM_OK, GVM_ARGUMENT for a number that names none, or GVM_DEVICE with what is missing: the module
 * libgeoviewmatch_cuda.so beside the library, CUDA's libraries, the driver, or a GPU. */
typedef enum gvm_device { GVM_CPU, GVM_CUDA } gvm_device;
typedef enum gvm_precision { GVM_BF16, GVM_TF32, GVM_FP32 } gvm_precision;
GVM_API gvm_status gvm_set_device(gvm_device device, gvm_precision precision, gvm_error *err);

/* The instruction set that was picked when the library started: "plain", "avx2" or "avx512"; valid for the life of
 * the process. */
GVM_API const char *gvm_instructions(void);

/* ------------------------------------------------------------------ weights */

typedef enum gvm_view {
    GVM_STREET, /* a full panorama, north at its centre column, east to the right of it */
    GVM_AERIAL  /* a square picture from above, north up */
} gvm_view;

/* A trained network, read-only after opening: any number of sessions on any number of threads share it. */
typedef struct gvm_model gvm_model;

/* What a checkpoint says of itself. */
typedef struct gvm_model_info {
    int street_height, street_width; /* pixels of the network's street input */
    int aerial_height, aerial_width; /* pixels of its aerial input */
    int features;                    /* numbers a picture becomes (9,216 for the paper's network) */
    double ground_m;                 /* side of an aerial picture on the ground, metres */
    double elevation_low;            /* lowest and highest row of a street input, degrees above the horizon */
    double elevation_high;
    long long parameters; /* of the whole network, both views and the projection head */
    char fingerprint[17]; /* of configuration and weights, 16 hexadecimal digits */
} gvm_model_info;

/* Open a checkpoint (safetensors with the key `config`; docs/model.md has the names). Strict: a missing,
 * extra or misshapen tensor, or a number that is not finite, is an error that names it.
 *
 *   path    NULL for the weights that are built in: a small network that learned on drawn towns
 *   model   out: to be freed with gvm_model_free; NULL on failure
 *
 * Returns GVM_OK, GVM_FILE, GVM_FORMAT or GVM_MEMORY. */
GVM_API gvm_status gvm_model_open(gvm_model **model, const char *path, gvm_error *err);

/* Free a model that no session uses any more. NULL is fine. */
GVM_API void gvm_model_free(gvm_model *model);

/* A copy: it outlives the model. model must not be NULL. */
GVM_API gvm_model_info gvm_model_about(const gvm_model *model);

/* ------------------------------------------------------------------ pictures to features */

/* The memory in which a model runs. One thread at a time uses a session. */
typedef struct gvm_session gvm_session;

/*   session    out: to be freed with gvm_session_free, before its model; NULL on failure
 *   max_batch  pictures that pass through the network together, 1..256; 16 is a good choice.
 *              Memory is taken for that many.
 *
 * Returns GVM_OK, GVM_ARGUMENT or GVM_MEMORY. gvm_session_free(NULL) is fine. */
GVM_API gvm_status gvm_session_open(gvm_session **session, const gvm_model *model, int max_batch, gvm_error *err);
GVM_API void gvm_session_free(gvm_session *session);

/* Features of n pictures that already have the network's size.
 *
 *   features  out: (n, features) float32, row-major, each row of length 1; the caller's
 *   pixels    (n, height, width, 3) 8-bit sRGB, row-major, of the view's input size
 *   n         any number >= 0; passed through the network max_batch at a time
 *
 * Returns GVM_OK, GVM_ARGUMENT, GVM_MEMORY, or GVM_FORMAT if the model's output for a picture is not finite or all
 * zero; the other rows are written then too. Same input, machine, max_batch and thread count: same bits. */
GVM_API gvm_status gvm_embed_pixels(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels,
                                    size_t n, gvm_error *err);

/* Read a picture file (JPEG, PNG, WebP, TIFF, and HEIC if libvips reads it; at most 256 megapixels and 65,535 a side)
 * into the network's input.
 *
 *   pixels   out: (height, width, 3) of the view's input size; the caller's
 *   heading  for a street picture: degrees clockwise from north in which its centre column looks, any finite
 *            number; NULL to take what the picture says of itself (XMP GPano, else EXIF), else north.
 *            Ignored for an aerial one.
 *   panorama 1: take a street picture as a full panorama, whatever it says of itself and whatever its shape; 0: only
 *            if it is one. Ignored for an aerial one.
 *
 * A street picture must be a full panorama: one that says so (XMP GPano), or one that is at least 1.9 times as wide as
 * high, says nothing of a camera (EXIF) and has a data set's shape or edges that join; and not of one colour. What it
 * shows above or below the weights' elevation band is cut off. An aerial picture that is not square is cut to its
 * central square.
 *
 * The first call in a process, also by way of the functions below, starts libvips for all of it: its cache of
 * operations is turned off, and its loaders that are not made for untrusted files are blocked.
 *
 * Returns GVM_OK, GVM_FILE, GVM_IMAGE, GVM_ARGUMENT or GVM_MEMORY. May be called from any thread; one picture
 * waits for others if they would have more than 512 megapixels together. */
GVM_API gvm_status gvm_load_picture(const gvm_model *model, gvm_view view, unsigned char *pixels, const char *path,
                                    const double *heading, int panorama, gvm_error *err);

/* What a picture file says of its camera. Only its header is read. */
typedef struct gvm_photo_info {
    int has_place, has_heading; /* 0 or 1: whether it says so */
    double lat, lon;            /* EXIF, WGS84 degrees */
    double heading;          /* degrees clockwise from north in which the centre column looks: XMP GPano, else EXIF */
    int heading_is_magnetic; /* 1: from magnetic north (EXIF), which lies up to 30 degrees off true north */
} gvm_photo_info;

/* Returns GVM_OK, GVM_FILE or GVM_IMAGE. */
GVM_API gvm_status gvm_photo_about(gvm_photo_info *info, const char *path, gvm_error *err);

/* Called for each of `count` files, in order, on the calling thread, soon after the network is through with it:
 * its number, GVM_OK or why it failed, and the sentence, which names the file (empty for GVM_OK). err is never NULL
 * and lives only during the call. The session is at work: done must neither use nor free it. */
typedef void gvm_file_done(void *user, size_t index, size_t count, gvm_status status, const gvm_error *err);

/* Features of picture files, read ahead on other threads while the network computes.
 *
 *   features  out: (n, features) float32; the row of a file that failed holds zeros
 *   headings  (n) as in gvm_load_picture, NaN for none; NULL for none at all
 *   panorama  as in gvm_load_picture, for all of them
 *   done      may be NULL
 *
 * A file that fails does not stop the others. Returns GVM_OK if every file has its features, else the first
 * failure with its sentence; GVM_ARGUMENT for no view, GVM_MEMORY also if no file could be begun. Same files,
 * machine, max_batch and thread count: same bits. */
GVM_API gvm_status gvm_embed_files(gvm_session *session, gvm_view view, float *features, const char *const *paths,
                                   const double *headings, int panorama, size_t n, gvm_file_done *done, void *user,
                                   gvm_error *err);

/* What the network looks at in one picture that already has its size.
 *
 *   stage   1..4: the mean over the channels of that stage's map, stage 4's after the final norm.
 *           0: the multi-scale feature; each position's share of the cosine similarity with `other`. The values of
 *           all pixels add up to that similarity, to 1 for the picture with itself; some may be negative.
 *   map     out: (height, width) of the view's input size, row-major, in the network's own units; from the stages'
 *           coarser maps by bilinear interpolation. Void on failure
 *   pixels  (height, width, 3) as in gvm_embed_pixels
 *   other   (features) of length 1, as of the tile that the picture is matched with; NULL: the picture's own. Not
 *           read for a stage of 1..4
 *
 * Returns GVM_OK, GVM_ARGUMENT, GVM_MEMORY or GVM_FORMAT, as gvm_embed_pixels. */
GVM_API gvm_status gvm_heatmap(gvm_session *session, gvm_view view, int stage, float *map, const unsigned char *pixels,
                               const float *other, gvm_error *err);

/* ------------------------------------------------------------------ where a picture was taken */

/* Aerial tiles with their places and features, which are kept as float16. Read-only after opening; any number of
 * threads share it. */
typedef struct gvm_map gvm_map;

/* Embed the tiles of a list and make a map of them.
 *
 *   map    out: to be freed with gvm_map_free; NULL on failure. It outlives session and model
 *   tiles  a CSV file, UTF-8, with the header image,lat,lon or image,lat,lon,metres (in any order): an aerial
 *          picture (its path relative to the list's folder), the WGS84 degrees of its centre, and the metres
 *          its side covers on the ground (the weights' own if empty or absent)
 *   done   called for each tile, in order; may be NULL
 *
 * A tile that cannot be read is left out and reported to done; a list without one good tile is GVM_IMAGE.
 * Returns GVM_OK, GVM_FILE, GVM_FORMAT (a line that is not so, with its number), GVM_IMAGE or GVM_MEMORY. */
GVM_API gvm_status gvm_map_from_tiles(gvm_map **map, gvm_session *session, const char *tiles, gvm_file_done *done,
                                      void *user, gvm_error *err);

/* What a map is built from: rasters, or a list, or a folder; exactly one of the three. Zero is the default of the
 * rest. */
typedef struct gvm_map_options {
    /* Georeferenced pictures of any projection: GeoTIFF (also cloud-optimised), VRT, MBTiles, GeoPackage, JPEG 2000,
     * JPEG, PNG and WebP with their place; 8 or 16 bits; grey, RGB, more bands, or a palette. Files of this machine
     * only. Their tiles are cut north up. */
    const char *const *rasters;
    size_t raster_count;
    double tile_m;   /* side of a tile on the ground, 1..20,000 metres; 0: the weights' own */
    double stride_m; /* metres from one tile's centre to the next's; 0: half a tile */
    const char *crs; /* coordinate system of rasters that do not say, or say one that is none of the Earth's, as
                      * "EPSG:25832"; or NULL */
    int alpha;       /* the band that is marked as alpha: 1 is a mask, -1 is a colour that is left out, 0 is a mask
                      * unless it has all shades, as infrared has */

    const char *tiles; /* a list as gvm_map_from_tiles takes it */
    const char *xyz;   /* a folder of web-map tiles, z/x/y.jpg, .png or .webp; of several zooms the one whose tiles are
                        * nearest in size to the weights' */
    int tms; /* rows of these tiles count from the south (TMS): 1 yes, 0 if a tilemapresource.xml, metadata.json
              * or tiles.json in the folder says so */
    int add; /* to a map that there is: 0 for a new map, or to finish one */
} gvm_map_options;

/* How far a building is. A place is where a tile may be. */
typedef struct gvm_map_progress {
    size_t places;    /* of all sources */
    size_t done;      /* of them, those of earlier runs included */
    size_t resumed;   /* those of earlier runs */
    size_t tiles;     /* that are in the map by now */
    size_t removed;   /* that were, and were taken out since */
    size_t empty;     /* places where nothing is, or less than half a tile */
    size_t failed;    /* places that could not be read */
    const char *note; /* a sentence about what is to be done, before the first tile; NULL otherwise */
} gvm_map_progress;

/* Called on the calling thread now and then, and with a sentence if something cannot be read or is not taken as its
 * file has it: once for each raster, and for each picture of a list or a folder; first for what earlier runs could not
 * read. failure is NULL otherwise. Must not use the session. */
typedef void gvm_map_watch(void *user, const gvm_map_progress *progress, const gvm_error *failure);

/* Build a map into two files, MAP.gpkg (a GeoPackage, with a polygon for each tile) and MAP.features beside it.
 *
 *   path      ends in .gpkg
 *   progress  out, may be NULL: how it ended; done == resumed if the map was complete already
 *   watch     may be NULL
 *
 * A process that ends at any moment leaves a map that holds what it had committed: the same call goes on there and
 * ends with the same tiles and, with the same machine, max_batch and thread count, the same bits. If the map is
 * complete, the same call does nothing; with add it builds anew what lacks tiles, because they were taken out or could
 * not be read, and replaces the old tiles once it is whole. What cannot be read is left out
 * and counted.
 *
 * The first call in a process, also of the functions below, registers GDAL's drivers for such rasters, and takes its
 * network file systems away for all of the process.
 *
 * Returns GVM_OK, GVM_ARGUMENT (options; a map of other sources, without add), GVM_FILE, GVM_IMAGE (no place has a
 * tile: the map is as it was), GVM_FORMAT (a raster without a place or with other samples, a list or a map that is not
 * one), GVM_MISMATCH (a map made with other weights, or whose two files do not belong together) or GVM_MEMORY. */
GVM_API gvm_status gvm_map_build(const char *path, gvm_session *session, const gvm_map_options *options,
                                 gvm_map_progress *progress, gvm_map_watch *watch, void *user, gvm_error *err);

/* Take the tiles out of a map whose centres lie in an area: "WEST,SOUTH,EAST,NORTH" in degrees (west > east goes across
 * 180 degrees), or a polygon or multipolygon in WKT, longitude first.
 *
 *   removed  out: how many
 *
 * Returns what gvm_map_open does, or GVM_ARGUMENT if the text is no area. */
GVM_API gvm_status gvm_map_remove(const char *path, const char *area, size_t *removed, gvm_error *err);

/* Open a map that gvm_map_build made. Its features are mapped into memory, not read: MAP.features may grow meanwhile,
 * but must not be replaced or shortened by others. A map whose building was interrupted opens with the tiles it has.
 *
 *   map    out: to be freed with gvm_map_free; NULL on failure
 *   model  whose map it must be, else GVM_MISMATCH with both fingerprints; NULL for any
 *
 * Returns GVM_OK, GVM_FILE, GVM_FORMAT (not a map, from a newer version, damaged, or without a tile), GVM_MISMATCH
 * (also where MAP.features belongs to another map) or GVM_MEMORY. */
GVM_API gvm_status gvm_map_open(gvm_map **map, const char *path, const gvm_model *model, gvm_error *err);

typedef struct gvm_map_info {
    size_t tiles;
    double west, south, east, north; /* around the tiles' centres, degrees; east < west if they span 180 degrees */
    int features;                    /* numbers a tile */
    double ground_m;                 /* side of a tile unless its source says another, metres */
    char fingerprint[17];            /* of the weights that made it */
    int complete;                    /* 0 if its building was interrupted */
    size_t missing;                  /* places of its imagery that were not looked at yet; 0 if it is complete */
} gvm_map_info;

/* A copy: it outlives the map. map must not be NULL. */
GVM_API gvm_map_info gvm_map_about(const gvm_map *map);

/* NULL is fine. What hits say of tiles goes with it. */
GVM_API void gvm_map_free(gvm_map *map);
GVM_API size_t gvm_map_count(const gvm_map *map); /* tiles in it */

typedef struct gvm_hit {
    double lat, lon;    /* of the tile's centre, or of an answer's place; WGS84 degrees */
    double half_tile_m; /* half the tile's side on the ground; a corner is 1.42 times as far from the centre */
    double score;       /* cosine similarity, -1..1 */
    double heading;     /* in which the picture's centre column looks, 0..360; 0 from gvm_map_search */
    const char *tile;   /* path of its picture as the list gives it, or of its raster; lives as long as the map */
    size_t number;      /* the tile's among the map's, 0..gvm_map_count - 1; of an answer, that of its best tile */
} gvm_hit;

/* The tiles whose features are most similar to a picture's, best first; exact search.
 *
 *   hits      out: room for n * max_hits (max_hits >= 1); those of picture i start at hits + i * max_hits
 *   count     out: how many hits each picture has: max_hits, or all tiles of a smaller map; 0 on failure
 *   features  (n, features), rows of length 1, as gvm_embed_files gives them, for n pictures
 *
 * Of equal scores the tile that stands first in the list comes first. Returns GVM_OK, GVM_ARGUMENT (a row
 * whose length is not 1, as that of a file that failed), GVM_MISMATCH (a map of another model) or GVM_MEMORY. */
GVM_API gvm_status gvm_map_search(const gvm_map *map, const gvm_model *model, gvm_hit *hits, int max_hits, int *count,
                                  const float *features, size_t n, gvm_error *err);

/* The same among the tiles whose centres lie within within_m metres of a place (a great circle on the mean sphere).
 *
 *   lat, lon  WGS84 degrees; within_m >= 0, also infinite
 *   count     out: max_hits, or the number of those tiles if they are fewer; 0, with GVM_OK, if there are none
 *
 * Returns what gvm_map_search returns; GVM_ARGUMENT also for what is no place or no distance. */
GVM_API gvm_status gvm_map_search_near(const gvm_map *map, const gvm_model *model, gvm_hit *hits, int max_hits,
                                       int *count, const float *features, size_t n, double lat, double lon,
                                       double within_m, gvm_error *err);

/* What the map's imagery shows at a hit, north up: for a raster the square of 2 half_tile_m around the hit's place, for
 * a picture of its own that whole tile.
 *
 *   pixels  out: (side, side, 3) sRGB; the caller's
 *   side    1..4096
 *
 * Returns GVM_OK; GVM_FILE if the imagery is no longer there, GVM_FORMAT or GVM_IMAGE if it is another,
 * GVM_ARGUMENT or GVM_MEMORY. Any number of threads may call. */
GVM_API gvm_status gvm_map_picture(const gvm_map *map, const gvm_hit *hit, unsigned char *pixels, int side,
                                   gvm_error *err);

/* What to ask of a street picture. */
typedef struct gvm_question {
    const char *photo; /* its path */
    double heading;    /* degrees clockwise from north in which its centre column looks. NaN: as the picture says
                          (XMP, else EXIF; from magnetic north: the best of it and of 22.5 degrees to either side),
                          and if it says nothing as if infinite; infinite: to be found, by trying 16 headings */
    double lat, lon, within_m; /* within_m > 0: only tiles whose centres lie within within_m metres of this place */
    int panorama;              /* as in gvm_load_picture */
} gvm_question;

/* What came of it besides the hits. */
typedef struct gvm_found {
    gvm_photo_info info; /* what the picture says of itself */
    int count;           /* hits */
    int heading_found;   /* 1: the hits' headings were found by trying, to 22.5 degrees */
    double margin;       /* the first hit's score less that of the best tile which does not overlap with its own; NaN
                            if there is none. The program calls an answer weak if it is below 0.05: of drawn towns'
                            other answers, with the built-in weights, 92% lay within 25 m (66% if headings had to be
                            found). Other weights and maps need a limit of their own */
} gvm_found;

/* Say where street pictures were taken.
 *
 *   questions  (n)
 *   merge      1: tiles that overlap with a better one are a part of its answer, whose place is their mean, weighted by
 *              their scores; 0: each tile is an answer of its own
 *   hits       out: room for n * max_hits (max_hits >= 1), best first; those of question i start at hits + i * max_hits
 *   found      out: (n)
 *   done       called for each picture, in order, once its hits stand; may be NULL
 *
 * A picture that fails does not stop the others; one with no tile near its place is GVM_ARGUMENT. Returns GVM_OK if
 * all have hits, else the first failure; GVM_ARGUMENT, GVM_MISMATCH (a map made with other weights) or GVM_MEMORY
 * before any has begun. */
GVM_API gvm_status gvm_locate_files(gvm_session *session, const gvm_map *map, const gvm_question *questions, size_t n,
                                    int merge, gvm_hit *hits, int max_hits, gvm_found *found, gvm_file_done *done,
                                    void *user, gvm_error *err);

/* The same for one picture, with overlapping tiles merged. The margin is the first hit's score less the second's.
 *
 *   heading  NULL: as NaN above
 *   count    out: how many hits were written; 0 on failure */
GVM_API gvm_status gvm_locate(gvm_session *session, const gvm_map *map, const char *photo, const double *heading,
                              gvm_hit *hits, int max_hits, int *count, gvm_error *err);

#ifdef __cplusplus
}
#endif

#endif
