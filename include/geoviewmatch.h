/* geoviewmatch.h - geolocates street-level pictures by matching them against georeferenced overhead imagery
 * (GeoViewMatch, Remote Sensing 2024, 16, 678).
 *
 * Errors: every call that can fail returns a gvm_status and, if it fails, writes one sentence for a person into the
 * caller's gvm_error (which may be NULL). The library never exits and never prints.
 *
 * Memory: what a call `_open`s is freed by its `_free`, which accepts NULL; text that a call allocates by gvm_free.
 * All other memory is the caller's, and no call keeps a pointer to it unless it says so.
 *
 * Growth: a struct whose first member is `size` may get further members at its end. The caller sets size to its sizeof
 * and everything else that it does not set to zero, which is the default:
 *
 *     gvm_map_options options = {.size = sizeof options, .tiles = "tiles.csv"};
 *
 * A call reads, or writes, no more than size bytes of it. GVM_ARGUMENT if size is not set, or if a member is not zero
 * that this version of the library does not know. Structs without size, enumerators and functions do not change within
 * one MAJOR.MINOR, which is the shared library's name. */
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

/* Of this header; gvm_version tells the library's. */
#define GVM_VERSION_MAJOR 0
#define GVM_VERSION_MINOR 2
#define GVM_VERSION_PATCH 0

typedef enum gvm_status {
    GVM_OK = 0,
    GVM_ARGUMENT, /* a value outside its documented range */
    GVM_FILE,     /* a file that cannot be read or written */
    GVM_IMAGE,    /* a file that is not a picture, or not one that the method takes */
    GVM_FORMAT,   /* weights, a configuration or a list whose content is not what it must be */
    GVM_MISMATCH, /* two things that do not belong together, as weights and a map made with others */
    GVM_MEMORY,   /* not enough memory */
    GVM_DEVICE,   /* a compute device that is missing or failed */
    GVM_PANORAMA  /* a picture that does not seem to be a full panorama; `panorama` takes it as one */
} gvm_status;

typedef struct gvm_error {
    char text[512]; /* one sentence, UTF-8, no line break; empty while nothing failed */
} gvm_error;

/* ------------------------------------------------------------------ the process */

/* Of the library that runs, as "MAJOR.MINOR.PATCH"; valid for the life of the process. */
GVM_API const char *gvm_version(void);

/* Free text that the library allocated. NULL is fine. */
GVM_API void gvm_free(void *text);

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
    GVM_STREET, /* a full panorama, north at its centre column, east to the right of it; or any photo, if the weights
                   take photos (gvm_view_about) */
    GVM_AERIAL  /* a square picture from above, north up; or several of one place */
} gvm_view;

/* A trained network, read-only after opening: any number of sessions on any number of threads share it. */
typedef struct gvm_model gvm_model;

typedef struct gvm_model_info {
    size_t size;
    int features;         /* numbers a picture becomes (9,216 for the paper's network) */
    long long parameters; /* of the whole network; what both views share counts once */
    char fingerprint[17]; /* of configuration and weights, 16 hexadecimal digits */
    double score_scale;   /* factor on the cosine that makes the logits of the softmax that the weights learned with; 0:
                             they learned with none, and scores make no probability */
    char source[512];     /* UTF-8: what was imported, from where; empty if the file does not tell */
    char licence[256];    /* UTF-8: as whoever imported it stated; likewise */
} gvm_model_info;

typedef enum gvm_projection {
    GVM_EQUIRECTANGULAR, /* columns are 360 degrees of heading, rows elevations */
    GVM_NADIR,           /* a square of the ground */
    GVM_PERSPECTIVE      /* an ordinary photo, of any heading and field of view */
} gvm_projection;

/* What pictures of a view look like to a network. */
typedef struct gvm_view_info {
    size_t size;
    gvm_projection projection;
    int height, width;    /* pixels of the network's input */
    double elevation_low; /* equirectangular: lowest and highest row, degrees above the horizon; else 0 */
    double elevation_high;
    double ground_m; /* nadir: the side on the ground, metres, of the finest picture if there are several; else 0 */
    int zoom_count;  /* nadir: 0, or how many pictures of one place make a feature, the finest first */
    double zooms[4]; /* metres that a pixel of each covers */
    double bearing;  /* of those pictures: degrees clockwise from north that point up */
    double cell_m;   /* with zooms: side of a cell of a map, metres; else 0 */
} gvm_view_info;

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

/* GVM_OK, or GVM_ARGUMENT for a struct without size, or no view. */
GVM_API gvm_status gvm_model_about(const gvm_model *model, gvm_model_info *info, gvm_error *err);
GVM_API gvm_status gvm_view_about(const gvm_model *model, gvm_view view, gvm_view_info *info, gvm_error *err);

/* ------------------------------------------------------------------ pictures */

/* A picture that was decoded: 8-bit sRGB, turned as EXIF says. Read-only after opening; any number of threads share it.
 *
 * The first call in a process that reads a picture starts libvips for all of it: its cache of operations is turned off,
 * and its loaders that are not made for untrusted files are blocked. All pictures in memory have at most 512 megapixels
 * together: a call waits for others' gvm_picture_free, so a thread must free its picture before it opens the next. */
typedef struct gvm_picture gvm_picture;

typedef struct gvm_picture_options {
    size_t size;
    const char *path;        /* of a file: JPEG, PNG, WebP, TIFF, and HEIC if libvips reads it; or */
    const void *bytes;       /* a file's bytes in memory, which may go once the call returns; not HEIC */
    size_t byte_count;       /* of them */
    const char *name;        /* of bytes: names the picture in sentences; NULL: "the picture" */
    long long max_pixels;    /* of bytes: a picture with more is GVM_IMAGE; 0: 256 megapixels, which hold in any case */
    double seconds;          /* of bytes: for decoding and waiting, beyond which it is GVM_IMAGE; 0: no limit */
    int (*stop)(void *user); /* of bytes: asked now and then, on any thread; 1 ends it with GVM_IMAGE; or NULL */
    void *user;
    int header_only; /* of path: 1: only its header is read; it can be asked what it is, and has no pixels */
} gvm_picture_options;

/*   picture  out: to be freed with gvm_picture_free; NULL on failure
 *
 * A picture has at most 256 megapixels and 65,535 a side. Returns GVM_OK, GVM_ARGUMENT (options; one of bytes with a
 * path, or the other way round), GVM_FILE, GVM_IMAGE
 * (no such picture, broken, or made to keep a decoder busy) or GVM_MEMORY. Any thread. */
GVM_API gvm_status gvm_picture_open(gvm_picture **picture, const gvm_picture_options *options, gvm_error *err);
GVM_API void gvm_picture_free(gvm_picture *picture);

/* What a picture says of its camera. */
typedef struct gvm_photo_info {
    int has_place, has_heading; /* 0 or 1: whether it says so */
    double lat, lon;            /* EXIF, WGS84 degrees */
    double heading;          /* degrees clockwise from north in which the centre column looks: XMP GPano, else EXIF */
    int heading_is_magnetic; /* 1: from magnetic north (EXIF), which lies up to 30 degrees off true north */
} gvm_photo_info;

typedef struct gvm_picture_info {
    size_t size;
    int height, width; /* pixels */
    gvm_photo_info photo;
} gvm_picture_info;

/* GVM_OK, or GVM_ARGUMENT for a struct without size. */
GVM_API gvm_status gvm_picture_about(const gvm_picture *picture, gvm_picture_info *info, gvm_error *err);

/* The whole picture at another size, bilinear and with antialiasing where it shrinks.
 *
 *   pixels  out: (height, width, 3) sRGB; height, width >= 1
 *
 * Returns GVM_OK, GVM_ARGUMENT (also for a picture without pixels) or GVM_MEMORY. */
GVM_API gvm_status gvm_picture_scale(const gvm_picture *picture, unsigned char *pixels, int height, int width,
                                     gvm_error *err);

/* How to take a street picture: the `panorama` of calls, questions and jobs. */
enum {
    GVM_AS_FOUND,    /* as what it is */
    GVM_AS_PANORAMA, /* as a full panorama, whatever it says of itself and whatever its shape */
    GVM_AS_PHOTO     /* as a photo by weights for photos, and as found by those for panoramas */
};

/* Make a picture the network's input.
 *
 *   pixels   out: (height, width, 3) of the view's input size
 *   heading  for a panorama that stays one: degrees clockwise from north in which its centre column looks, any finite
 *            number; NULL to take what the picture says of itself (XMP GPano, else EXIF), else north. Not read
 *            for an aerial picture, nor by weights for photos
 *   panorama of a street picture; not read for an aerial one
 *
 * Weights for panoramas (GVM_EQUIRECTANGULAR) take full panoramas: one that says so (XMP GPano), or one that is at
 * least 1.9 times as wide as high, says nothing of a camera (EXIF) and has a data set's shape or edges that join. What
 * it shows above or below the weights' elevation band is cut off.
 *
 * Weights for photos (GVM_PERSPECTIVE) take any picture with sides of 32 pixels at least, none more than 10 times
 * the other: whole, in the middle of black. A full panorama is what they see views of, gvm_picture_views: one that
 * says so, or one of a data set's shape that says nothing of a camera, and whose edges, of 2:1 also its foot, look like
 * it.
 *
 * Neither takes a picture of one colour. Weights whose street view is GVM_NADIR, a drone's, take any picture, as an
 * aerial one. An aerial picture that is not square is cut to its central square; weights with zooms take none.
 *
 * Returns GVM_OK, GVM_PANORAMA, GVM_IMAGE (too small; of one colour; nothing of the elevation band), GVM_ARGUMENT (also
 * for a full panorama and weights for photos) or GVM_MEMORY. */
GVM_API gvm_status gvm_picture_fit(const gvm_picture *picture, const gvm_model *model, gvm_view view,
                                   unsigned char *pixels, const double *heading, int panorama, gvm_error *err);

enum { GVM_PANORAMA_VIEWS = 8 };

/* Make a street picture the network's inputs: one as gvm_picture_fit does or, of a full panorama for weights for
 * photos, GVM_PANORAMA_VIEWS views of a level camera, 75 degrees wide and 45 apart, the first along its centre column.
 * A panorama's score with a tile is the mean of its views' scores, (1 / K) sum_k f_k . g = ((1 / K) sum_k f_k) . g: the
 * views' mean feature, which is shorter than 1, stands for all of them.
 *
 *   pixels  out: (count, height, width, 3); NULL: only count is wanted
 *   room    inputs that pixels has room for
 *   count   out: 1 or GVM_PANORAMA_VIEWS; 0 on failure
 *
 * Returns as gvm_picture_fit, GVM_ARGUMENT also for too little room. */
GVM_API gvm_status gvm_picture_views(const gvm_picture *picture, const gvm_model *model, unsigned char *pixels,
                                     int room, const double *heading, int panorama, int *count, gvm_error *err);

/* Which weights take a picture as found, unless it is of one colour.
 *
 *   panoramas  out: 1 if weights for panoramas take it, 0 if they do not
 *   photos     out: how many inputs weights for photos make of it, 1 or GVM_PANORAMA_VIEWS; 0 if they do not take it
 *
 * Returns GVM_OK, GVM_ARGUMENT (a picture without pixels) or GVM_MEMORY. */
GVM_API gvm_status gvm_picture_suits(const gvm_picture *picture, int *panoramas, int *photos, gvm_error *err);

/* Which part of a picture gvm_picture_fit takes, with the same heading and panorama. Of a photo, and of a panorama that
 * lacks rows of the weights' band, the input shows more than there is: the part goes on beyond the picture. */
typedef struct gvm_part {
    double left, top, right, bottom; /* in the picture's pixels */
    int turn; /* column x of the part, brought to the input's width, is column x + turn of the input, all round */
} gvm_part;

GVM_API gvm_status gvm_picture_part(const gvm_picture *picture, const gvm_model *model, gvm_view view, gvm_part *part,
                                    const double *heading, int panorama, gvm_error *err);

/* gvm_picture_open, gvm_picture_fit and gvm_picture_free of a file. */
GVM_API gvm_status gvm_load_picture(const gvm_model *model, gvm_view view, unsigned char *pixels, const char *path,
                                    const double *heading, int panorama, gvm_error *err);

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
 *   pixels    (n, height, width, 3) 8-bit sRGB, row-major, of the view's input size; (n, zoom_count, height, width, 3)
 *             if the view has zooms
 *   n         any number >= 0; passed through the network max_batch at a time
 *
 * Returns GVM_OK, GVM_ARGUMENT, GVM_MEMORY, or GVM_FORMAT if the model's output for a picture is not finite or all
 * zero; the other rows are written then too. Same input, machine, max_batch and thread count: same bits. */
GVM_API gvm_status gvm_embed_pixels(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels,
                                    size_t n, gvm_error *err);

/* Called for each of `count` files, in order, on the calling thread, soon after the network is through with it:
 * its number, GVM_OK or why it failed, and the sentence, which names the file (empty for GVM_OK). err is never NULL
 * and lives only during the call. The session is at work: done must neither use nor free it. */
typedef void gvm_file_done(void *user, size_t index, size_t count, gvm_status status, const gvm_error *err);

typedef struct gvm_embed_job {
    size_t size;
    gvm_view view;
    const char *const *paths; /* (count) */
    size_t count;
    const double *headings; /* (count) as in gvm_picture_fit, NaN for none; NULL for none at all */
    int panorama;           /* as in gvm_picture_fit, for all of them */
    float *features;        /* out: (count, features) of length 1, or the mean of a panorama's views, which is shorter
                               (gvm_picture_views); the row of a file that failed holds zeros */
    gvm_file_done *done;    /* may be NULL */
    void *user;
    int *views; /* out: (count) inputs of each file: 1, GVM_PANORAMA_VIEWS, or 0 if it failed; NULL: not wanted */
} gvm_embed_job;

/* Features of picture files, read ahead on other threads while the network computes.
 *
 * A file that fails does not stop the others. Returns GVM_OK if every file has its features, else the first
 * failure with its sentence; GVM_ARGUMENT for no view, GVM_MEMORY also if no file could be begun. Same files,
 * machine, max_batch and thread count: same bits. */
GVM_API gvm_status gvm_embed_files(gvm_session *session, const gvm_embed_job *job, gvm_error *err);

/* What the network looks at in one picture that already has its size.
 *
 *   stage   1..4: the mean over the channels of that stage's map, stage 4's after the final norm.
 *           0: the multi-scale feature; each position's share of the cosine similarity with `other`. The values of
 *           all pixels add up to that similarity, to 1 for the picture with itself; some may be negative.
 *   map     out: (height, width) of the view's input size, row-major, in the network's own units; from the stages'
 *           coarser maps by bilinear interpolation; (zoom_count, height, width) if the view has zooms. Void on failure
 *   pixels  (height, width, 3), or several, as in gvm_embed_pixels
 *   other   (features) as of the tile that the picture is matched with, or the mean of a panorama's views; NULL: the
 *           picture's own. Not read for a stage of 1..4
 *
 * Returns GVM_OK, GVM_ARGUMENT, GVM_MEMORY or GVM_FORMAT, as gvm_embed_pixels. */
GVM_API gvm_status gvm_heatmap(gvm_session *session, gvm_view view, int stage, float *map, const unsigned char *pixels,
                               const float *other, gvm_error *err);

/* ------------------------------------------------------------------ maps */

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

/* Where a georeferenced picture lies. */
typedef struct gvm_raster_info {
    size_t size;
    double west, south, east, north; /* WGS84 degrees; if it spans the antimeridian, east or west is beyond 180 */
    double pixel_m;                  /* side of its smallest pixel on the ground, metres */
    int height, width;               /* pixels */
} gvm_raster_info;

/* Returns GVM_OK, GVM_ARGUMENT, GVM_FILE (it cannot be read), GVM_FORMAT (no raster, without a place, or with samples
 * of another type) or GVM_MEMORY. */
GVM_API gvm_status gvm_raster_about(const char *path, gvm_raster_info *info, gvm_error *err);

/* What a map is built from: rasters, or a list, or a folder; exactly one of the three. */
typedef struct gvm_map_options {
    size_t size;
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

    /* Index only the part of the rasters within within_m metres of a place (WGS84 degrees); 0: all of them. Cells are
     * kept by their centres, other weights' tiles by the blocks of 4 x 4 that touch the square around the place. */
    double near_lat, near_lon, within_m;

    /* 1: cells, of weights with three or four zooms, share the coarsest picture in groups of 4 x 4, around their
     * middle, and the next one in groups of 2 x 2. The work becomes 1.7 times less, and features differ: compare
     * recalls before. Such cells lie on a lattice of their own. */
    int share;
} gvm_map_options;

/* How far a building is. A place is where a tile may be. */
typedef struct gvm_map_progress {
    size_t size;
    size_t places;    /* of all sources */
    size_t done;      /* of them, those of earlier runs included */
    size_t resumed;   /* those of earlier runs */
    size_t tiles;     /* that are in the map by now */
    size_t removed;   /* that were, and were taken out since */
    size_t empty;     /* places where nothing is, or less than half a tile; of cells, nothing in the finest zoom */
    size_t failed;    /* places that could not be read */
    const char *note; /* a sentence about what is to be done, before the first tile; NULL otherwise */
    size_t partly;    /* of the cells made, those of whose pictures more than a tenth shows nothing (white) */
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

enum { GVM_MAP_EMPTY = 1 /* open a map without a tile, too, as one whose tiles were all taken out */ };

/* Open a map that gvm_map_build made. Its features are mapped into memory, not read: MAP.features may grow meanwhile,
 * but must not be replaced or shortened by others. A map whose building was interrupted opens with the tiles it has.
 *
 *   map    out: to be freed with gvm_map_free; NULL on failure
 *   model  whose map it must be, else GVM_MISMATCH with both fingerprints; NULL for any
 *   flags  0 or GVM_MAP_EMPTY
 *
 * Returns GVM_OK, GVM_ARGUMENT, GVM_FILE, GVM_FORMAT (not a map, from a newer version, damaged, or without a tile),
 * GVM_MISMATCH (also where MAP.features belongs to another map) or GVM_MEMORY. */
GVM_API gvm_status gvm_map_open(gvm_map **map, const char *path, const gvm_model *model, unsigned flags,
                                gvm_error *err);

/* NULL is fine. What hits say of tiles goes with it. */
GVM_API void gvm_map_free(gvm_map *map);

typedef struct gvm_map_info {
    size_t size;
    size_t tiles;
    double west, south, east, north; /* around the tiles' centres, degrees; east < west if they span 180 degrees */
    int features;                    /* numbers a tile */
    double ground_m;                 /* side of a tile unless its source says another, metres */
    char fingerprint[17];            /* of the weights that made it */
    int complete;                    /* 0 if its building was interrupted */
    size_t missing;                  /* places of its imagery that were not looked at yet; 0 if it is complete */
    const char *path;                /* of its file, or of the list; lives as long as the map */
    double temperature; /* T of the probabilities of its tiles, fitted on photos of known places; 0: nobody has, and T
                           is taken as 1 */
    double elsewhere;   /* b, the score of "not on this map", fitted with T; NaN: none, and every photo counts as taken
                           on the map */
} gvm_map_info;

/* GVM_OK, or GVM_ARGUMENT for a struct without size. Takes time by the number of tiles. */
GVM_API gvm_status gvm_map_about(const gvm_map *map, gvm_map_info *info, gvm_error *err);
GVM_API size_t gvm_map_count(const gvm_map *map); /* tiles in it */

typedef struct gvm_hit {
    double lat, lon;    /* of the tile's centre, or of an answer's place; WGS84 degrees */
    double half_tile_m; /* half the tile's side on the ground; a corner is 1.42 times as far from the centre */
    double score;       /* cosine similarity, -1..1 */
    double heading;     /* in which the picture's centre column looks, 0..360; 0 from gvm_map_search; NaN if the weights
                           take photos of any heading, which tell none */
    const char *tile;   /* path of its picture as the list gives it, or of its raster; lives as long as the map */
    size_t number;      /* the tile's among the map's, 0..gvm_map_count - 1; of an answer, that of its best tile */
} gvm_hit;

/* A tile of the map as a hit without score; half_tile_m is its own, never zero.
 *
 *   number  0..gvm_map_count - 1, else GVM_ARGUMENT */
GVM_API gvm_status gvm_map_tile(const gvm_map *map, size_t number, gvm_hit *tile, gvm_error *err);

/* Its feature, (features) of length 1, as the map keeps it: rounded to float16. GVM_OK or GVM_ARGUMENT. */
GVM_API gvm_status gvm_map_feature(const gvm_map *map, size_t number, float *feature, gvm_error *err);

/* The area that the tiles cover, to within a twentieth of one, as a GeoJSON MultiPolygon (RFC 7946).
 *
 *   geojson  out: to be freed with gvm_free; NULL on failure
 *
 * Returns GVM_OK or GVM_MEMORY. */
GVM_API gvm_status gvm_map_outline(const gvm_map *map, char **geojson, gvm_error *err);

/* What was built into the map, a JSON array with an object for each gvm_map_build that added to it: its sources, how
 * they were cut, how far it is. For people and programs to look at; keys may be added. `[]` for a map from a list.
 *
 *   json  out: to be freed with gvm_free; NULL on failure */
GVM_API gvm_status gvm_map_jobs(const gvm_map *map, char **json, gvm_error *err);

/* Where a tile's picture or raster lies now: where it was when the map was made, or as far from the map as then, or
 * beside the map.
 *
 *   path    out: to be freed with gvm_free; NULL on failure
 *   source  a hit's `tile`
 *
 * Returns GVM_OK, GVM_FILE (it is gone) or GVM_MEMORY. */
GVM_API gvm_status gvm_map_source(const gvm_map *map, char **path, const char *source, gvm_error *err);

typedef struct gvm_search {
    size_t size;
    const float *features; /* (count, features) rows as gvm_embed_files gives them */
    size_t count;          /* pictures */
    int max_hits;          /* for each, >= 1 */
    double lat, lon;       /* within_m > 0: only tiles whose centres lie within within_m metres of this place, WGS84 */
    double within_m;       /* degrees; a great circle on the mean sphere. 0: all tiles */
} gvm_search;

/* The tiles whose features are most similar to a picture's, best first; exact search.
 *
 *   model  that made the features, so that a map of another is GVM_MISMATCH; NULL: not checked
 *   hits   out: room for count * max_hits; those of picture i start at hits + i * max_hits
 *   found  out: how many hits each picture has: max_hits, or all tiles if there are fewer, none if there are none;
 *          0 on failure
 *
 * Of equal scores the tile that stands first in the list comes first. Returns GVM_OK, GVM_ARGUMENT (a row that is zero,
 * as that of a file that failed, or longer than 1; no place or distance), GVM_MISMATCH or GVM_MEMORY. */
GVM_API gvm_status gvm_map_search(const gvm_map *map, const gvm_model *model, const gvm_search *search, gvm_hit *hits,
                                  int *found, gvm_error *err);

/* What the map's imagery shows at a hit, north up: for a raster the square of 2 half_tile_m around the hit's place, for
 * a picture of its own that whole tile, for a cell of weights with zooms the ground of its finest picture.
 *
 *   pixels  out: (side, side, 3) sRGB; the caller's
 *   side    1..4096; if it is that of the input of the weights which the map was opened with, a tile of a picture of
 * its own is resized as they take it, as in gvm_picture_fit
 *
 * Returns GVM_OK; GVM_FILE if the imagery is no longer there, GVM_FORMAT or GVM_IMAGE if it is another,
 * GVM_ARGUMENT or GVM_MEMORY. Any number of threads may call. */
GVM_API gvm_status gvm_map_picture(const gvm_map *map, const gvm_hit *hit, unsigned char *pixels, int side,
                                   gvm_error *err);

/* The map's imagery as the tiles of a web map. */
typedef struct gvm_imagery gvm_imagery;

/* Find the sources of a map: its rasters, each opened once to see where it lies, or its pictures. One that is gone or
 * cannot be read is left out. The map must outlive it; any number of threads share it. GVM_OK or GVM_MEMORY. */
GVM_API gvm_status gvm_imagery_open(gvm_imagery **imagery, const gvm_map *map, gvm_error *err);
GVM_API void gvm_imagery_free(gvm_imagery *imagery);
GVM_API int gvm_imagery_exists(const gvm_imagery *imagery); /* 1: some of it is there, now */

typedef enum gvm_coverage { GVM_COVERS_NOTHING, GVM_COVERS_PART, GVM_COVERS_ALL } gvm_coverage;

/* The web-mercator tile x, y of a zoom, counted from the north.
 *
 *   rgba      out: (side, side, 4) sRGB, transparent if the imagery has nothing there
 *   coverage  out: how much of it is there; nothing, too, if the tile spans more than is read at once: rasters without
 *             overviews of 64 megapixels, 64 pictures
 *
 * Returns GVM_OK, GVM_ARGUMENT (there is no such tile), GVM_FILE or GVM_MEMORY. */
GVM_API gvm_status gvm_imagery_tile(const gvm_imagery *imagery, unsigned char *rgba, gvm_coverage *coverage, long zoom,
                                    long x, long y, int side, gvm_error *err);

/* Watches the file of a map's features, which are read from it as they are needed: whoever writes into that file
 * changes the answers, and whoever cuts it ends the process (SIGBUS). For programs: it takes that signal for the whole
 * process, and there is one at a time. Pages that are gone are then read as zeros. */
typedef struct gvm_map_guard gvm_map_guard;

/* Watch a map, which must outlive it; one from a list is never changed.
 *
 *   values  1: its values, too, for which all are read once; 0: only whether they are there
 *
 * Returns GVM_OK, GVM_FILE or GVM_MEMORY. */
GVM_API gvm_status gvm_map_guard_open(gvm_map_guard **guard, const gvm_map *map, int values, gvm_error *err);
GVM_API void gvm_map_guard_free(gvm_map_guard *guard);

/* Whether all that was read up to now is the map as it was: GVM_OK, or GVM_FILE with a sentence. Rows that were added
 * are no change. Any thread; with `values` reads the features again once the file was written to. */
GVM_API gvm_status gvm_map_guard_check(gvm_map_guard *guard, gvm_error *err);

/* ------------------------------------------------------------------ where a picture was taken */

/* What to ask of a street picture. */
typedef struct gvm_question {
    const char *photo; /* its path; of a picture in memory, its name for sentences */
    double heading;    /* degrees clockwise from north in which its centre column looks. NaN: as the picture says
                          (XMP, else EXIF; from magnetic north: the best of it and of 22.5 degrees to either side),
                          and if it says nothing as if infinite; infinite: to be found, by trying 16 headings. Not
                          read by weights for photos, which neither need nor tell one */
    double lat, lon, within_m; /* within_m > 0: only tiles whose centres lie within within_m metres of this place;
                                  NaN, NaN: of the picture's own GPS position */
    int panorama;              /* as in gvm_picture_fit */
} gvm_question;

/* What came of it besides the hits. */
typedef struct gvm_found {
    gvm_photo_info info; /* what the picture says of itself */
    int count;           /* hits */
    int heading_found;   /* 1: the hits' headings were found by trying, to 22.5 degrees */
    double margin;       /* the first hit's score less that of the best tile which could be no part of it; NaN
                            if there is none. The program calls an answer weak if it is below 0.05: of drawn towns'
                            other answers, with the built-in weights, 92% lay within 25 m (66% if headings had to be
                            found). Other weights and maps need a limit of their own */
} gvm_found;

enum { GVM_RADII = 3 };

/* How probable a photo's answers are, p of a tile being exp(score_scale score / T) over the sum of this over all tiles
 * that were searched, and exp(b / T) (gvm_model_info, gvm_map_info). */
typedef struct gvm_chance {
    int known;                /* 1; or 0, and NaN in the rest: these weights' scores make no probability */
    int calibrated;           /* 1: the map has T and b; 0: T is 1, and p says which tile rather than how sure */
    double within[GVM_RADII]; /* sum of p of the tiles with their centres within 25, 50, 100 m of the first answer */
    double radius_90;         /* metres around it within which they hold 0.9; NaN if all of them hold less */
} gvm_chance;

enum { GVM_BEST_TILES = 5 };

/* A street picture and what came of it. Pointers are the caller's. */
typedef struct gvm_located {
    size_t size;
    const gvm_question *question;
    unsigned char *pixels; /* (height, width, 3) as the network takes it: turned so that north is at its centre, once
                              located with the heading by which the best tile was found; (views, height, width, 3) of
                              a panorama for weights for photos */
    double heading;        /* by which pixels are turned, degrees (NaN: weights for photos), */
    int turn;              /* and columns: as in gvm_part */
    gvm_photo_info info;   /* what the picture says of itself */
    gvm_status status;     /* GVM_OK, or why it could not be read or located */
    gvm_error err;         /* the sentence, which names it */
    gvm_hit *hits;         /* out: room for max_hits, best first */
    gvm_found *found;      /* out */
    float *feature;        /* out: (features), of pixels as they are then; NULL: not wanted */
    gvm_hit tiles[GVM_BEST_TILES]; /* out: the best tiles, each once and as the map has it, */
    int tile_count;                /* out: this many */
    double *p; /* out: room for max_hits, of each answer: the sum over its tiles, a tile that two share counting
                  for the better one; NaN: none. NULL: not wanted */
    gvm_chance *chance; /* out; NULL: not wanted */
    float *scores;      /* out: (gvm_map_count) of each tile, of several headings the best; NaN for one that was not
                           searched. NULL: not wanted */
    int room;           /* inputs that pixels has room for; 0: 1 */
    int views;          /* inputs in pixels, as gvm_picture_views says: their mean feature was searched for */
} gvm_located;

/* Make a picture ready to be located: fills in pixels, views, heading, info, status and err from the question and room.
 * Returns the status: GVM_OK, GVM_ARGUMENT (no place, no GPS position), or as gvm_picture_views. Any thread. */
GVM_API gvm_status gvm_located_prepare(gvm_located *photo, const gvm_picture *picture, const gvm_model *model);

/* Locates pictures that are in memory. Belongs to the thread that uses the session, which, as the map, must outlive it.
 *
 *   max_hits  for a picture, at most; >= 1
 *
 * Returns GVM_OK, GVM_ARGUMENT, GVM_MISMATCH (a map made with other weights) or GVM_MEMORY. */
typedef struct gvm_locator gvm_locator;
GVM_API gvm_status gvm_locator_open(gvm_locator **locator, gvm_session *session, const gvm_map *map, int max_hits,
                                    gvm_error *err);
GVM_API void gvm_locator_free(gvm_locator *locator);

/* Locate those of `count` pictures, at most the session's max_batch, that were prepared and whose status is GVM_OK;
 * each one's status and err say what came of it. One with no tile near its place is GVM_ARGUMENT.
 *
 *   max_hits    1..the locator's
 *   each_tile   0: tiles that overlap with a better one are a part of its answer, whose place is their mean, weighted
 *               by their scores; of a map of cells, those nearer than 1.5 cells to it, weighted by p. 1: each tile is
 *               an answer of its own
 *
 * Returns GVM_OK, or GVM_ARGUMENT before any is touched. */
GVM_API gvm_status gvm_locator_run(gvm_locator *locator, gvm_located *const *photos, size_t count, int max_hits,
                                   int each_tile, gvm_error *err);

/* Called while a photo is decoded, on any thread and for several photos at once; it must not wait for others. */
typedef void gvm_photo_opened(void *user, size_t index, const gvm_picture *picture);

/* Called for each photo, in order, on the calling thread, once it is located or has failed; what `photo` points to,
 * but for hits and found, lives only during the call. The session is at rest and may be used. */
typedef void gvm_photo_done(void *user, size_t index, size_t count, const gvm_located *photo);

typedef struct gvm_locate_job {
    size_t size;
    const gvm_question *questions; /* (count) */
    size_t count;
    int max_hits;             /* >= 1 */
    int each_tile;            /* as in gvm_locator_run */
    gvm_hit *hits;            /* out: (count, max_hits) best first; those of question i start at hits + i * max_hits */
    gvm_found *found;         /* out: (count) */
    gvm_photo_opened *opened; /* may be NULL */
    gvm_photo_done *done;     /* may be NULL */
    void *user;
    double *p;           /* out: (count, max_hits) as in gvm_located; NULL: not wanted */
    gvm_chance *chances; /* out: (count); NULL: not wanted */
    int scores;          /* 1: the photo that `done` gets has the scores of all tiles */
} gvm_locate_job;

/* Say where street pictures were taken: their files are read ahead on other threads, each once.
 *
 * A picture that fails does not stop the others; one with no tile near its place is GVM_ARGUMENT. Returns GVM_OK if
 * all have hits, else the first failure; GVM_ARGUMENT, GVM_MISMATCH (a map made with other weights) or GVM_MEMORY
 * before any has begun. */
GVM_API gvm_status gvm_locate_files(gvm_session *session, const gvm_map *map, const gvm_locate_job *job,
                                    gvm_error *err);

/* All scores of a photo as a picture of the ground. */
typedef struct gvm_field gvm_field;

typedef struct gvm_field_options {
    size_t size;
    const float *scores; /* (gvm_map_count) of gvm_located */
    double score_scale;  /* of the weights (gvm_model_info): with a band of p; 0: without */
    size_t max_pixels;   /* larger pixels are taken, with the best tile of each, where it would have more; 0: 2^25 */
} gvm_field_options;

typedef struct gvm_field_info {
    size_t size;
    int width, height;               /* pixels */
    double west, south, east, north; /* its edges, WGS84 degrees; east may pass 180 */
    int has_p;                       /* there is a band of p */
    int calibrated;                  /* as in gvm_chance */
    double score_low, score_high;    /* of all tiles with a score; NaN if there is none */
    double p_high;
    double pixel_m; /* height of a pixel on the ground, metres */
} gvm_field_info;

/* Make the field: rows of equal latitude from the north, columns of equal longitude from the west, a pixel as large as
 * the tiles stand apart, which has the nearest tile's score. A tile's centre lies in a pixel that has its own score,
 * unless two lie in one: then it has the better one's.
 *
 *   field  out: to be freed with gvm_field_free; NULL on failure
 *
 * Returns GVM_OK, GVM_ARGUMENT (no tile has a score) or GVM_MEMORY. */
GVM_API gvm_status gvm_field_open(gvm_field **field, const gvm_map *map, const gvm_field_options *options,
                                  gvm_error *err);
GVM_API void gvm_field_free(gvm_field *field); /* NULL is fine */
GVM_API gvm_status gvm_field_about(const gvm_field *field, gvm_field_info *info, gvm_error *err);

/* (height, width) cosine similarities, or p, as float32 from the north-west corner; NaN where no tile is. They live as
 * long as the field; p is NULL if it has none. */
GVM_API const float *gvm_field_scores(const gvm_field *field);
GVM_API const float *gvm_field_p(const gvm_field *field);

/* The field as a GeoTIFF in memory, EPSG:4326, float32, nodata NaN: band 1 the scores, band 2 p if it has one, with
 * descriptions and statistics.
 *
 *   bytes  out: (size), to be freed with gvm_free; NULL on failure
 *
 * Returns GVM_OK, GVM_FILE (GDAL's reason) or GVM_MEMORY. */
GVM_API gvm_status gvm_field_tiff(const gvm_field *field, void **bytes, size_t *size, gvm_error *err);

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
