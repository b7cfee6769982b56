/* geoviewmatch.h - says where a street picture was taken, by matching it against
 * GPS-tagged overhead pictures (GeoViewMatch, Remote Sensing 2024, 16, 678).
 *
 * Every call that can fail returns a gvm_status and, where it fails, writes one
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

/* Of the library that runs, as "MAJOR.MINOR.PATCH"; lives for ever. */
GVM_API const char *gvm_version(void);

/* How many threads a call computes with, for the whole process: from 1 to 64, or to four a core on a machine of more
 * than 16 (1,024 at most); the default is one a core (or OMP_NUM_THREADS). They are threads of GNU's OpenMP runtime,
 * which keeps a team of its own for each thread of the caller's, and which ends the process where the system lets it
 * start no more: the limit is there for that, so let only a few of your threads call at once.
 *
 * GVM_ARGUMENT for another number, and while any session is open or a gvm_map_search runs: memory was taken for so
 * many threads. */
GVM_API gvm_status gvm_set_threads(int count, gvm_error *err);
GVM_API int gvm_threads(void); /* the number in force */

/* The instruction set that was picked when the library started: "plain", "avx2" or "avx512"; lives for ever. */
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

/* Open a checkpoint (safetensors with the key `config`; MODEL.md has the names). Strict: a missing,
 * extra or misshapen tensor, or a number that is not finite, is an error that names it.
 *
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
 * Returns GVM_OK, GVM_ARGUMENT, GVM_MEMORY, or GVM_FORMAT where the weights make of a picture numbers that are not
 * finite or all zero; the other rows are written then too.
 * Same input, machine, max_batch and thread count: same bits. */
GVM_API gvm_status gvm_embed_pixels(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels,
                                    size_t n, gvm_error *err);

/* Read a picture file (JPEG, PNG, WebP, TIFF; at most 256 megapixels and 65,535 a side) into the network's input.
 *
 *   pixels   out: (height, width, 3) of the view's input size; the caller's
 *   heading  for a street picture: degrees clockwise from north in which its centre column looks, any finite
 *            number; NULL to take what the picture says of itself (XMP GPano), else north. Ignored for an
 *            aerial one.
 *
 * A street picture must be a full panorama: one that says so (XMP GPano) or is at least 1.9 times as wide
 * as high. What it shows above or below the weights' elevation band is cut off. An aerial picture that is
 * not square is cut to its central square.
 *
 * The first call in a process, also by way of the functions below, starts libvips for all of it: its cache of
 * operations is turned off, and its loaders that are not made for untrusted files are blocked.
 *
 * Returns GVM_OK, GVM_FILE, GVM_IMAGE, GVM_ARGUMENT or GVM_MEMORY. May be called from any thread; one picture
 * waits for others where they would have more than 512 megapixels together. */
GVM_API gvm_status gvm_load_picture(const gvm_model *model, gvm_view view, unsigned char *pixels, const char *path,
                                    const double *heading, gvm_error *err);

/* Called for each of `count` files, in order, on the calling thread, soon after the network is through with it:
 * its number, GVM_OK or why it failed, and the sentence, which names the file (empty for GVM_OK). err is never NULL
 * and lives only during the call. The session is at work: done must neither use nor free it. */
typedef void gvm_file_done(void *user, size_t index, size_t count, gvm_status status, const gvm_error *err);

/* Features of picture files, read ahead on other threads while the network computes.
 *
 *   features  out: (n, features) float32; the row of a file that failed holds zeros
 *   headings  (n) as in gvm_load_picture, NaN for none; NULL for none at all
 *   done      may be NULL
 *
 * A file that fails does not stop the others. Returns GVM_OK where every file has its features, else the first
 * failure with its sentence; GVM_ARGUMENT for no view, GVM_MEMORY also where no file could be begun. Same files,
 * machine, max_batch and thread count: same bits. */
GVM_API gvm_status gvm_embed_files(gvm_session *session, gvm_view view, float *features, const char *const *paths,
                                   const double *headings, size_t n, gvm_file_done *done, void *user, gvm_error *err);

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
 *          its side covers on the ground (the weights' own where empty or absent)
 *   done   called for each tile, in order; may be NULL
 *
 * A tile that cannot be read is left out and reported to done; a list without one good tile is GVM_IMAGE.
 * Returns GVM_OK, GVM_FILE, GVM_FORMAT (a line that is not so, with its number), GVM_IMAGE or GVM_MEMORY. */
GVM_API gvm_status gvm_map_from_tiles(gvm_map **map, gvm_session *session, const char *tiles, gvm_file_done *done,
                                      void *user, gvm_error *err);

/* NULL is fine. What hits say of tiles goes with it. */
GVM_API void gvm_map_free(gvm_map *map);
GVM_API size_t gvm_map_count(const gvm_map *map); /* tiles in it */

typedef struct gvm_hit {
    double lat, lon;  /* of the tile's centre, WGS84 degrees */
    double radius_m;  /* half the tile's side on the ground; a corner is 1.42 times as far from the centre */
    double score;     /* cosine similarity, -1..1 */
    const char *tile; /* path of the tile's picture as the list gives it; lives as long as the map */
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

/* The same among the tiles whose centres lie within so many metres of a place (a great circle on the mean sphere).
 *
 *   lat, lon  WGS84 degrees; within_m >= 0, also infinite
 *   count     out: max_hits, or all those tiles where there are fewer: 0, and GVM_OK, where there is none
 *
 * Returns what gvm_map_search returns; GVM_ARGUMENT also for what is no place or no distance. */
GVM_API gvm_status gvm_map_search_near(const gvm_map *map, const gvm_model *model, gvm_hit *hits, int max_hits,
                                       int *count, const float *features, size_t n, double lat, double lon,
                                       double within_m, gvm_error *err);

/* Say where one street picture was taken: gvm_load_picture, gvm_embed_pixels and gvm_map_search in one.
 *
 *   hits   out: best first; room for max_hits (>= 1)
 *   count  out: how many were written: max_hits, or all tiles of a smaller map; 0 on failure
 *
 * Returns what those three return. */
GVM_API gvm_status gvm_locate(gvm_session *session, const gvm_map *map, const char *photo, const double *heading,
                              gvm_hit *hits, int max_hits, int *count, gvm_error *err);

#ifdef __cplusplus
}
#endif

#endif
