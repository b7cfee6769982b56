/* geoviewmatch.h - geolocates street-level pictures by matching them against georeferenced overhead imagery
 * (GeoViewMatch, Remote Sensing 2024, 16, 678).
 *
 * Errors: every call that can fail returns a gvm_status and, on failure, writes one sentence for a person into the
 * caller's gvm_error (which may be NULL). The library never exits and never prints.
 *
 * Memory: objects from an `_open` call are freed by the matching `_free`, which accepts NULL; allocated text by
 * gvm_free. All other memory is the caller's, and no call keeps a pointer to it unless documented.
 *
 * Growth: a struct whose first member is `size` may get further members at its end. The caller sets size to its sizeof
 * and all members it does not use to zero, which is the default:
 *
 *     gvm_map_options options = {.size = sizeof options, .tiles = "tiles.csv"};
 *
 * A call reads or writes at most size bytes of it. It returns GVM_ARGUMENT if size is not set, or if a member unknown
 * to this version of the library is not zero. Structs without size, enumerators and functions do not change within one
 * MAJOR.MINOR, which is the shared library's soname. */
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

/* Version of this header; gvm_version returns the library's. */
#define GVM_VERSION_MAJOR 0
#define GVM_VERSION_MINOR 2
#define GVM_VERSION_PATCH 0

typedef enum gvm_status {
    GVM_OK = 0,
    GVM_ARGUMENT, /* a value outside its documented range */
    GVM_FILE,     /* a file that cannot be read or written */
    GVM_IMAGE,    /* a file that is not a picture, or an unsupported one */
    GVM_FORMAT,   /* invalid content of weights, a configuration, a list or a map */
    GVM_MISMATCH, /* two things that do not belong together, such as weights and a map made with others */
    GVM_MEMORY,   /* out of memory */
    GVM_DEVICE,   /* a missing or failed compute device */
    GVM_PANORAMA  /* a picture that does not seem to be a full panorama; `panorama` overrides this */
} gvm_status;

typedef struct gvm_error {
    char text[512]; /* one sentence, UTF-8, no line break; empty without an error */
} gvm_error;

/* ------------------------------------------------------------------ the process */

/* Version of the running library, "MAJOR.MINOR.PATCH"; valid for the life of the process. */
GVM_API const char *gvm_version(void);

/* Free text that the library allocated. Accepts NULL. */
GVM_API void gvm_free(void *text);

/* Number of threads that a call computes with, for the whole process: 1 to 64, or up to four per core on machines with
 * more than 16 cores (at most 1,024); default: one per core (or OMP_NUM_THREADS). Threads come from libgomp, which
 * keeps one team per calling thread and aborts the process if it cannot create one: keep the number of calling threads
 * small.
 *
 * Returns GVM_ARGUMENT for another number, and while a session is open or a gvm_map_search is running, because buffers
 * are sized by the thread count. */
GVM_API gvm_status gvm_set_threads(int count, gvm_error *err);
GVM_API int gvm_threads(void); /* the current number */

/* The device of models opened after the call: the CPU (the default), which computes in float32, or an NVIDIA GPU. On
 * the GPU, activations and matrix products are bfloat16 (GVM_BF16, the default), or float32 with products in TF32
 * (GVM_TF32) or in float32 (GVM_FP32); weights, norms, softmax and features are always float32. The precision is
 * ignored on the CPU. A model stays on its device. All calls that compute on a GPU return GVM_DEVICE if that fails,
 * besides the statuses documented with them.
 *
 * Returns GVM_OK, GVM_ARGUMENT for an invalid value, or GVM_DEVICE, naming what is missing: the module
 * libgeoviewmatch_cuda.so beside the library, the CUDA libraries, the driver, or a GPU. */
typedef enum gvm_device { GVM_CPU, GVM_CUDA } gvm_device;
typedef enum gvm_precision { GVM_BF16, GVM_TF32, GVM_FP32 } gvm_precision;
GVM_API gvm_status gvm_set_device(gvm_device device, gvm_precision precision, gvm_error *err);

/* The instruction set selected at startup: "plain", "avx2" or "avx512"; valid for the life of the process. */
GVM_API const char *gvm_instructions(void);

/* ------------------------------------------------------------------ weights */

typedef enum gvm_view {
    GVM_STREET, /* a full panorama, north at its centre column, east to the right of it; or any photo, if the weights
                   take photos (gvm_view_about) */
    GVM_AERIAL  /* a square picture from above, north up; or several of one place */
} gvm_view;

/* A trained network, read-only after opening: any number of sessions and threads may share it. */
typedef struct gvm_model gvm_model;

typedef struct gvm_model_info {
    size_t size;
    int features;         /* length of a feature (9,216 for the paper's network) */
    long long parameters; /* of the whole network; shared ones count once */
    char fingerprint[17]; /* of configuration and weights, 16 hexadecimal digits */
    double score_scale;   /* factor from cosine to logit in the softmax that the weights were trained with; 0: trained
                             without one, and scores make no probability */
    char source[512];     /* UTF-8: what was imported, from where; empty if unknown */
    char licence[256];    /* UTF-8: as stated at import; empty if unknown */
} gvm_model_info;

typedef enum gvm_projection {
    GVM_EQUIRECTANGULAR, /* columns are 360 degrees of heading, rows are elevations */
    GVM_NADIR,           /* a square of the ground */
    GVM_PERSPECTIVE      /* an ordinary photo with any heading and field of view */
} gvm_projection;

/* The network's input for a view. */
typedef struct gvm_view_info {
    size_t size;
    gvm_projection projection;
    int height, width;    /* pixels of the network's input */
    double elevation_low; /* equirectangular: elevations of the lowest and highest row, degrees; else 0 */
    double elevation_high;
    double ground_m; /* nadir: side on the ground, metres, of the finest picture if there are several; else 0 */
    int zoom_count;  /* nadir: 0, or the number of pictures of one place that make a feature, finest first */
    double zooms[4]; /* ground sample distance of each, metres per pixel */
    double bearing;  /* direction that is up in those pictures, degrees clockwise from north */
    double cell_m;   /* with zooms: side of a cell of a map, metres; else 0 */
    int masked;      /* equirectangular: 1 if its inputs say which parts are seen: each is (height, width, 3) pixels and
                        then (height / 4, width / 4) bytes, 1 for a patch of 4 x 4 pixels that is seen, else 0 */
    size_t bytes;    /* of one input; with zooms of all pictures of a place */
} gvm_view_info;

/* Open a checkpoint (safetensors with the key `config`; see docs/model.md for the names). Strict: a missing or extra
 * tensor, a wrong shape or a number that is not finite is an error that names the tensor.
 *
 *   path   NULL for the built-in weights: a small network trained on drawn towns
 *   model  out: to be freed with gvm_model_free; NULL on failure
 *
 * Returns GVM_OK, GVM_FILE, GVM_FORMAT or GVM_MEMORY. */
GVM_API gvm_status gvm_model_open(gvm_model **model, const char *path, gvm_error *err);

/* Free a model that no session uses any more. Accepts NULL. */
GVM_API void gvm_model_free(gvm_model *model);

/* GVM_OK, or GVM_ARGUMENT for a struct without size or an invalid view. */
GVM_API gvm_status gvm_model_about(const gvm_model *model, gvm_model_info *info, gvm_error *err);
GVM_API gvm_status gvm_view_about(const gvm_model *model, gvm_view view, gvm_view_info *info, gvm_error *err);

/* ------------------------------------------------------------------ pictures */

/* A decoded picture: 8-bit sRGB, rotated by its EXIF orientation. Read-only after opening; any number of threads may
 * share it.
 *
 * The first call in a process that reads a picture initialises libvips for the whole process: its operation cache is
 * disabled, and loaders unfit for untrusted files are blocked. All pictures in memory have at most 512 megapixels
 * together. A call waits for other threads' gvm_picture_free, so a thread must free its picture before it opens the
 * next one. */
typedef struct gvm_picture gvm_picture;

typedef struct gvm_picture_options {
    size_t size;
    const char *path;        /* a file: JPEG, PNG, WebP, TIFF, and HEIC if libvips reads it; or */
    const void *bytes;       /* a file's bytes in memory, which may be freed after the call; not HEIC */
    size_t byte_count;       /* number of bytes */
    const char *name;        /* with bytes: names the picture in errors; NULL: "the picture" */
    long long max_pixels;    /* with bytes: a larger picture is GVM_IMAGE; 0: 256 megapixels, the limit in any case */
    double seconds;          /* with bytes: timeout for decoding and waiting, then GVM_IMAGE; 0: no limit */
    int (*stop)(void *user); /* with bytes: called now and then, on any thread; 1 stops with GVM_IMAGE; or NULL */
    void *user;
    int header_only; /* with path: 1: read only the header, for gvm_picture_about; no pixels */
} gvm_picture_options;

/*   picture  out: to be freed with gvm_picture_free; NULL on failure
 *
 * A picture has at most 256 megapixels and 65,535 pixels a side. Returns GVM_OK, GVM_ARGUMENT (invalid options, or
 * options of bytes with a path and vice versa), GVM_FILE, GVM_IMAGE (unsupported, corrupt, or a decompression bomb) or
 * GVM_MEMORY. Any thread. */
GVM_API gvm_status gvm_picture_open(gvm_picture **picture, const gvm_picture_options *options, gvm_error *err);
GVM_API void gvm_picture_free(gvm_picture *picture);

/* A picture's metadata on its camera. */
typedef struct gvm_photo_info {
    int has_place, has_heading; /* 0 or 1 */
    double lat, lon;            /* EXIF, WGS84 degrees */
    double heading;             /* of the centre column, degrees clockwise from north: XMP GPano, else EXIF */
    int heading_is_magnetic;    /* 1: from magnetic north (EXIF), which is up to 30 degrees off true north */
} gvm_photo_info;

typedef struct gvm_picture_info {
    size_t size;
    int height, width; /* pixels */
    gvm_photo_info photo;
} gvm_picture_info;

/* GVM_OK, or GVM_ARGUMENT for a struct without size. */
GVM_API gvm_status gvm_picture_about(const gvm_picture *picture, gvm_picture_info *info, gvm_error *err);

/* How a street picture's camera maps directions to pixels. */
typedef enum gvm_lens {
    GVM_LENS_FOUND,    /* as an option: as detected */
    GVM_LENS_PINHOLE,  /* straight lines stay straight, except for radial distortion */
    GVM_LENS_FISHEYE,  /* the distance from the picture's centre is proportional to the angle from the axis */
    GVM_LENS_CYLINDER, /* columns are headings, as in a phone's panorama by sweep */
    GVM_LENS_SPHERE    /* equirectangular: a full or partial panorama */
} gvm_lens;

/* The source of a value of gvm_camera. */
typedef enum gvm_source {
    GVM_SOURCE_NONE,         /* unknown: the value is 0 */
    GVM_SOURCE_OPTION,       /* gvm_camera_options */
    GVM_SOURCE_GPANO,        /* XMP GPano */
    GVM_SOURCE_XMP,          /* XMP of Pix4D's or DJI's programs: Camera, drone-dji */
    GVM_SOURCE_EXIF,         /* EXIF */
    GVM_SOURCE_ACCELERATION, /* the acceleration vector in an iPhone's EXIF */
    GVM_SOURCE_SHAPE,        /* the picture's shape and content, those of a full panorama */
    GVM_SOURCE_CALIBRATION,  /* a table of action cameras' lenses */
    GVM_SOURCE_FOCAL_35MM,   /* EXIF: 35 mm equivalent focal length */
    GVM_SOURCE_FOCAL_PLANE,  /* EXIF: focal length and resolution of the focal plane */
    GVM_SOURCE_SENSOR_TABLE, /* EXIF: focal length; and a table of cameras' sensors */
    GVM_SOURCE_ASSUMED       /* a usual value, as nothing is known */
} gvm_source;

/* What the caller knows of a camera. All zero: nothing. */
typedef struct gvm_camera_options {
    size_t size;
    double fov;            /* horizontal field of view in degrees, 1..360, below 170 for a pinhole; 0: as found */
    double focal_35mm;     /* 35 mm equivalent focal length, 1..5000 mm; 0: as found */
    const double *heading; /* of the picture's centre, degrees clockwise from true north, -360..360; NULL: as found */
    const double *pitch;   /* degrees above the horizon, -90..90 */
    const double *roll;    /* degrees clockwise as seen by the photographer, -180..180 */
    const double *distortion; /* k1, k2 of a pinhole: r -> r (1 + k1 r^2 + k2 r^4), each -2..2 */
    gvm_lens lens;
} gvm_camera_options;

enum { GVM_CAMERA_WARNINGS = 16 };

/* The camera of a street picture: its metadata and the options, put together. */
typedef struct gvm_camera {
    size_t size;
    gvm_lens lens;                  /* not GVM_LENS_FOUND */
    int width, height;              /* pixels of the upright picture */
    int orientation;                /* EXIF's, 1..8, already applied; 0: none */
    double fov, fov_vertical;       /* degrees, through the picture's centre */
    double focal_px;                /* pixels at the centre; of a sphere, cylinder or fisheye: pixels a radian */
    double focal_35mm;              /* EXIF's, mm; 0: none */
    double k1, k2;                  /* of a pinhole */
    double heading;                 /* of the picture's centre, degrees clockwise from north, 0..360 */
    double pitch;                   /* degrees above the horizon */
    double roll;                    /* degrees clockwise */
    int heading_is_magnetic;        /* 1: it was from magnetic north; the declination is added if the place is known */
    double declination;             /* degrees, positive to the east; 0 if the place is unknown */
    double year;                    /* of the declination: when the picture was taken, else now; 0: none */
    double full_width, full_height; /* of a sphere: pixels of the full circle, */
    double left, top;               /* and the picture's place in it */
    gvm_source lens_from, fov_from, heading_from, pitch_from, roll_from;
    int warning_count;                         /* what may be wrong, */
    const char *warnings[GVM_CAMERA_WARNINGS]; /* a sentence each, valid for the life of the process */
    char maker[32], model[32];                 /* EXIF's, may be truncated; empty: none */
} gvm_camera;

/* The camera of a street picture. Metadata that contradict each other or the picture are not used, with a warning.
 *
 *   camera   out: size is set by the caller
 *   options  NULL: none
 *
 * A panorama without XMP GPano is recognised only if the picture has pixels. Returns GVM_OK, GVM_ARGUMENT (a struct
 * without size, an option out of range, or options that make no camera) or GVM_MEMORY. */
GVM_API gvm_status gvm_picture_camera(const gvm_picture *picture, const gvm_camera_options *options, gvm_camera *camera,
                                      gvm_error *err);

/* Names a source as above: "gpano", "focal_35mm"; "unknown" for NONE and invalid values. Valid for the life of the
 * process. */
GVM_API const char *gvm_source_name(gvm_source source);

/* Resize the whole picture, bilinear, with antialiasing if it shrinks.
 *
 *   pixels  out: (height, width, 3) sRGB; height, width >= 1
 *
 * Returns GVM_OK, GVM_ARGUMENT (also for a picture without pixels) or GVM_MEMORY. */
GVM_API gvm_status gvm_picture_scale(const gvm_picture *picture, unsigned char *pixels, int height, int width,
                                     gvm_error *err);

/* How to treat a street picture: the `panorama` of calls, questions and jobs. */
enum {
    GVM_AS_FOUND,    /* as detected */
    GVM_AS_PANORAMA, /* as a full panorama, whatever its metadata and shape */
    GVM_AS_PHOTO     /* as a photo with weights for photos or any camera; as detected with other weights */
};

/* How a street picture becomes the network's input. */
typedef struct gvm_street_options {
    size_t size;
    int room;                         /* capacity of pixels, in inputs */
    int panorama;                     /* GVM_AS_FOUND, ... */
    const double *heading;            /* as in gvm_picture_fit; takes precedence over the camera's */
    const gvm_camera_options *camera; /* what is known of its camera, for weights that take cameras; NULL: nothing */
} gvm_street_options;

/* Convert a street picture to the network's input, as gvm_picture_views does.
 *
 * Weights for panoramas whose input is masked (gvm_view_info) take any camera's picture: it is put where a panorama
 * would show it, its centre at its heading, and the rest is unseen. Its camera is gvm_picture_camera's. A full
 * level panorama becomes the same input as with other weights for panoramas. Refused are a picture of less than 25
 * degrees, and one that shows nothing of the weights' elevation range.
 *
 *   camera  out: the camera that was used; lens is GVM_LENS_FOUND if these weights use none. NULL: not wanted
 *
 * Returns as gvm_picture_views, or as gvm_picture_camera. */
GVM_API gvm_status gvm_picture_street(const gvm_picture *picture, const gvm_model *model, unsigned char *pixels,
                                      const gvm_street_options *options, gvm_camera *camera, int *count,
                                      gvm_error *err);

/* Convert a picture to the network's input.
 *
 *   pixels    out: one input, (height, width, 3) of the view's input size (gvm_view_info says how many bytes)
 *   heading   for a panorama that stays one: heading of its centre column, degrees clockwise from north, any finite
 *             number; NULL for the picture's own (XMP GPano, else EXIF), else north. Ignored for an aerial picture, and
 *             by weights for photos
 *   panorama  GVM_AS_FOUND, ...; ignored for an aerial picture
 *
 * Weights for panoramas (GVM_EQUIRECTANGULAR) take full panoramas and, if their input is masked, any camera's picture
 * (gvm_picture_street). Full panoramas are pictures with XMP GPano, or at least 1.9 times as
 * wide as high, without camera EXIF, and with the shape of a data set or matching left and right edges. Rows outside
 * the weights' elevation range are cut off.
 *
 * Weights for photos (GVM_PERSPECTIVE) take any picture with sides of at least 32 pixels, none more than 10 times the
 * other; it is fitted whole, centred on black. They take views of a full panorama (gvm_picture_views): a picture with
 * XMP GPano, or with the shape of a data set, without camera EXIF, and whose left and right edges match; at 2:1 its
 * bottom row must also be a single point.
 *
 * Neither takes a picture of one colour. Weights whose street view is GVM_NADIR, a drone's, take any picture, like an
 * aerial one. An aerial picture that is not square is cropped to its central square; weights with zooms take no single
 * aerial picture.
 *
 * Returns GVM_OK, GVM_PANORAMA, GVM_IMAGE (too small; of one colour; outside the elevation range), GVM_ARGUMENT (also
 * for a full panorama with weights for photos) or GVM_MEMORY. */
GVM_API gvm_status gvm_picture_fit(const gvm_picture *picture, const gvm_model *model, gvm_view view,
                                   unsigned char *pixels, const double *heading, int panorama, gvm_error *err);

enum { GVM_PANORAMA_VIEWS = 8 };

/* Convert a street picture to the network's inputs: one as with gvm_picture_fit or, for a full panorama with weights
 * for photos, GVM_PANORAMA_VIEWS views of a level camera, 75 degrees wide and 45 degrees apart, the first along its
 * centre column. A panorama's score with a tile is the mean of its views' scores, (1 / K) sum_k f_k . g = ((1 / K)
 * sum_k f_k) . g: the views' mean feature, which is shorter than 1, represents all of them.
 *
 *   pixels  out: (count, height, width, 3), each of gvm_view_info.bytes; NULL: only return count
 *   room    capacity of pixels, in inputs
 *   count   out: 1 or GVM_PANORAMA_VIEWS; 0 on failure
 *
 * Returns as gvm_picture_fit; GVM_ARGUMENT also if room is too small. */
GVM_API gvm_status gvm_picture_views(const gvm_picture *picture, const gvm_model *model, unsigned char *pixels,
                                     int room, const double *heading, int panorama, int *count, gvm_error *err);

/* Which weights take a picture as detected, unless it is of one colour.
 *
 *   panoramas  out: 1 if weights for panoramas take it, else 0
 *   photos     out: number of inputs for weights for photos, 1 or GVM_PANORAMA_VIEWS; 0 if they do not take it
 *
 * Returns GVM_OK, GVM_ARGUMENT (a picture without pixels) or GVM_MEMORY. */
GVM_API gvm_status gvm_picture_suits(const gvm_picture *picture, int *panoramas, int *photos, gvm_error *err);

/* The part of a picture that gvm_picture_fit takes, with the same heading and panorama. For a photo, and a panorama
 * that lacks rows of the weights' elevation range, the part extends beyond the picture. GVM_ARGUMENT if a photo is put
 * on the canvas of a panorama, of which it is no rectangle. */
typedef struct gvm_part {
    double left, top, right, bottom; /* in the picture's pixels */
    int turn; /* column x of the part, brought to the input's width, is column x + turn of the input, all round */
} gvm_part;

GVM_API gvm_status gvm_picture_part(const gvm_picture *picture, const gvm_model *model, gvm_view view, gvm_part *part,
                                    const double *heading, int panorama, gvm_error *err);

/* gvm_picture_open, gvm_picture_fit and gvm_picture_free for a file. */
GVM_API gvm_status gvm_load_picture(const gvm_model *model, gvm_view view, unsigned char *pixels, const char *path,
                                    const double *heading, int panorama, gvm_error *err);

/* ------------------------------------------------------------------ pictures to features */

/* A model's working memory. Only one thread at a time may use a session. */
typedef struct gvm_session gvm_session;

/*   session    out: to be freed with gvm_session_free, before its model; NULL on failure
 *   max_batch  batch size, 1..256; 16 is a good choice. Determines the memory used.
 *
 * Returns GVM_OK, GVM_ARGUMENT or GVM_MEMORY. gvm_session_free accepts NULL. */
GVM_API gvm_status gvm_session_open(gvm_session **session, const gvm_model *model, int max_batch, gvm_error *err);
GVM_API void gvm_session_free(gvm_session *session);

/* Compute the features of n pictures of the network's input size.
 *
 *   features  out: (n, features) float32, row-major, each row of length 1; the caller's
 *   pixels    (n, height, width, 3) 8-bit sRGB, row-major, of the view's input size; (n, zoom_count, height, width, 3)
 *             if the view has zooms; if it is masked, each input with its visibility (gvm_view_info)
 *   n         any number >= 0; processed in batches of max_batch
 *
 * Returns GVM_OK, GVM_ARGUMENT, GVM_MEMORY, or GVM_FORMAT if the model's output for a picture is not finite or all
 * zero; the other rows are still written. Results are bit-identical for the same input, machine, max_batch and thread
 * count. */
GVM_API gvm_status gvm_embed_pixels(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels,
                                    size_t n, gvm_error *err);

/* Called for each of `count` files, in order, on the calling thread, soon after it was processed: its number, its
 * status, and the error, which names the file (empty for GVM_OK). err is never NULL and is valid only during the call.
 * The session is in use: done must neither use nor free it. */
typedef void gvm_file_done(void *user, size_t index, size_t count, gvm_status status, const gvm_error *err);

typedef struct gvm_embed_job {
    size_t size;
    gvm_view view;
    const char *const *paths; /* (count) */
    size_t count;
    const double *headings; /* (count) as in gvm_picture_fit, NaN: none; NULL: none for all */
    int panorama;           /* as in gvm_picture_fit, for all of them */
    float *features;        /* out: (count, features) of length 1, or the mean of a panorama's views, which is shorter
                               (gvm_picture_views); the row of a file that failed holds zeros */
    gvm_file_done *done;    /* may be NULL */
    void *user;
    int *views; /* out: (count) inputs of each file: 1, GVM_PANORAMA_VIEWS, or 0 if it failed; or NULL */
    const gvm_camera_options *const *cameras; /* (count) as in gvm_street_options, each may be NULL; NULL: none */
    gvm_camera *const *used; /* out: (count) the camera of each street picture, with size; valid if it did not fail; or
                                NULL */
} gvm_embed_job;

/* Compute the features of picture files, which are read ahead on other threads while the network computes.
 *
 * A file that fails does not stop the others. Returns GVM_OK if every file has its features, else the first failure and
 * its error; GVM_ARGUMENT for an invalid view, GVM_MEMORY also if no file could be started. Results are bit-identical
 * for the same files, machine, max_batch and thread count. */
GVM_API gvm_status gvm_embed_files(gvm_session *session, const gvm_embed_job *job, gvm_error *err);

/* Compute a heat map of a picture of the network's input size.
 *
 *   stage   1..4: the mean over the channels of that stage's map, stage 4's after the final norm.
 *           0: the multi-scale feature; each position's share of the cosine similarity with `other`. The values of all
 *           pixels sum to that similarity, to 1 for the picture with itself; some may be negative.
 *   map     out: (height, width) of the view's input size, row-major, in the network's own units; bilinearly
 *           interpolated from the stages' coarser maps; (zoom_count, height, width) if the view has zooms. Undefined on
 *           failure
 *   pixels  (height, width, 3), or several, as in gvm_embed_pixels
 *   other   (features) such as that of the matched tile, or the mean of a panorama's views; NULL: the picture's own.
 *           Ignored for stages 1..4
 *
 * Returns GVM_OK, GVM_ARGUMENT, GVM_MEMORY or GVM_FORMAT, as gvm_embed_pixels. */
GVM_API gvm_status gvm_heatmap(gvm_session *session, gvm_view view, int stage, float *map, const unsigned char *pixels,
                               const float *other, gvm_error *err);

/* ------------------------------------------------------------------ maps */

/* Aerial tiles with their positions and features, stored as float16. Read-only after opening; any number of threads may
 * share it. */
typedef struct gvm_map gvm_map;

/* Build a map from a list of tiles.
 *
 *   map    out: to be freed with gvm_map_free; NULL on failure. It does not depend on session and model
 *   tiles  a CSV file, UTF-8, with the header image,lat,lon or image,lat,lon,metres (in any order): an aerial picture
 *          (its path relative to the list's folder), its centre in WGS84 degrees, and its side on the ground in metres
 *          (the weights' if empty or absent)
 *   done   called for each tile, in order; may be NULL
 *
 * A tile that cannot be read is left out and reported to done; a list without a readable tile is GVM_IMAGE. Returns
 * GVM_OK, GVM_FILE, GVM_FORMAT (an invalid line, with its number), GVM_IMAGE or GVM_MEMORY. */
GVM_API gvm_status gvm_map_from_tiles(gvm_map **map, gvm_session *session, const char *tiles, gvm_file_done *done,
                                      void *user, gvm_error *err);

/* A georeferenced raster's extent and size. */
typedef struct gvm_raster_info {
    size_t size;
    double west, south, east, north; /* WGS84 degrees; if it spans the antimeridian, east or west is beyond 180 */
    double pixel_m;                  /* finest ground sample distance, metres */
    int height, width;               /* pixels */
} gvm_raster_info;

/* Returns GVM_OK, GVM_ARGUMENT, GVM_FILE (it cannot be read), GVM_FORMAT (not a raster, not georeferenced, or an
 * unsupported sample type) or GVM_MEMORY. */
GVM_API gvm_status gvm_raster_about(const char *path, gvm_raster_info *info, gvm_error *err);

/* The sources of a map: exactly one of rasters, a list, or a folder of web-map tiles. */
typedef struct gvm_map_options {
    size_t size;
    /* Georeferenced rasters in any projection: GeoTIFF (also cloud-optimised), VRT, MBTiles, GeoPackage, JPEG 2000, and
     * georeferenced JPEG, PNG and WebP; 8 or 16 bits; grey, RGB, more bands, or a palette. Local files only. Their
     * tiles are cut north up. */
    const char *const *rasters;
    size_t raster_count;
    double tile_m;   /* tile size on the ground, 1..20,000 metres; 0: the weights' */
    double stride_m; /* distance between the centres of adjacent tiles, metres; 0: half a tile */
    const char *crs; /* coordinate system of rasters without one, or with a local one, such as "EPSG:25832"; or NULL */
    int alpha; /* a band marked as alpha is 1: a mask; -1: a colour, ignored; 0: a mask unless it has many values, as
                  infrared has */

    const char *tiles; /* a list as gvm_map_from_tiles takes it */
    const char *xyz;   /* a folder of web-map tiles, z/x/y.jpg, .png or .webp; of several zoom levels the one nearest to
                          the weights' tile size */
    int tms; /* rows of these tiles count from the south (TMS): 1: yes; 0: if a tilemapresource.xml, metadata.json or
                tiles.json in the folder says so */
    int add; /* 1: add to an existing map; 0: make a new map, or finish one */

    /* Index only the part of the rasters within within_m metres of a place (WGS84 degrees); 0: all of them. Cells are
     * selected by their centres, other tiles by the blocks of 4 x 4 that touch the square around the place. */
    double near_lat, near_lon, within_m;

    /* 1: cells, of weights with three or four zooms, share the coarsest picture in groups of 4 x 4, around their
     * centre, and the next one in groups of 2 x 2. This is 1.7 times less work, but features differ: compare recalls
     * first. Such cells have a lattice of their own. */
    int share;
} gvm_map_options;

/* Progress of building a map. A place is a potential tile. */
typedef struct gvm_map_progress {
    size_t size;
    size_t places;    /* of all sources */
    size_t done;      /* finished, including earlier runs */
    size_t resumed;   /* finished in earlier runs */
    size_t tiles;     /* in the map */
    size_t removed;   /* removed from the map since */
    size_t empty;     /* places with less than half a tile of imagery; cells with none in the finest zoom */
    size_t failed;    /* places that could not be read */
    const char *note; /* a sentence about the plan, before the first tile; NULL otherwise */
    size_t partly;    /* cells with more than a tenth of their pictures empty (white) */
} gvm_map_progress;

/* Called on the calling thread now and then, and with `failure` if something cannot be read or is interpreted
 * differently than its file declares: once for each raster, and for each picture of a list or a folder; first for
 * failures of earlier runs. failure is NULL otherwise. Must not use the session. */
typedef void gvm_map_watch(void *user, const gvm_map_progress *progress, const gvm_error *failure);

/* Build a map as two files, MAP.gpkg (a GeoPackage with a polygon for each tile) and MAP.features beside it.
 *
 *   path      ends in .gpkg
 *   progress  out, may be NULL: the final progress; done == resumed if the map was already complete
 *   watch     may be NULL
 *
 * Resumable: if the process is killed at any moment, the map keeps what was committed. The same call continues and ends
 * with the same tiles, bit-identical on the same machine with the same max_batch and thread count. If the map is
 * complete, the same call does nothing; with add it rebuilds sources that lack tiles, because they were removed or
 * could not be read, and replaces the old tiles once complete. Unreadable places are left out and counted.
 *
 * The first call in a process, also of the functions below, registers GDAL's drivers for these formats and disables
 * GDAL's network file systems for the whole process.
 *
 * Returns GVM_OK, GVM_ARGUMENT (invalid options; a map of other sources, without add), GVM_FILE, GVM_IMAGE (no place
 * has a tile: the map is unchanged), GVM_FORMAT (a raster without georeference or with unsupported samples, an invalid
 * list or map), GVM_MISMATCH (a map made with other weights, or whose two files do not belong together) or GVM_MEMORY.
 */
GVM_API gvm_status gvm_map_build(const char *path, gvm_session *session, const gvm_map_options *options,
                                 gvm_map_progress *progress, gvm_map_watch *watch, void *user, gvm_error *err);

/* Remove the tiles with centres in an area from a map: "WEST,SOUTH,EAST,NORTH" in degrees (west > east: across the
 * antimeridian), or a polygon or multipolygon in WKT, longitude first.
 *
 *   removed  out: number of tiles removed
 *
 * Returns as gvm_map_open, or GVM_ARGUMENT if the text is not an area. */
GVM_API gvm_status gvm_map_remove(const char *path, const char *area, size_t *removed, gvm_error *err);

enum { GVM_MAP_EMPTY = 1 /* also open a map without tiles, such as one whose tiles were all removed */ };

/* Open a map made by gvm_map_build. Its features are memory-mapped: MAP.features may grow meanwhile, but must not be
 * overwritten or truncated by others. An incomplete map opens with the tiles it has.
 *
 *   map    out: to be freed with gvm_map_free; NULL on failure
 *   model  must have made the map, else GVM_MISMATCH with both fingerprints; NULL: not checked
 *   flags  0 or GVM_MAP_EMPTY
 *
 * Returns GVM_OK, GVM_ARGUMENT, GVM_FILE, GVM_FORMAT (not a map, from a newer version, corrupt, or without tiles),
 * GVM_MISMATCH (also if MAP.features belongs to another map) or GVM_MEMORY. */
GVM_API gvm_status gvm_map_open(gvm_map **map, const char *path, const gvm_model *model, unsigned flags,
                                gvm_error *err);

/* Accepts NULL. Frees the `tile` strings of hits. */
GVM_API void gvm_map_free(gvm_map *map);

typedef struct gvm_map_info {
    size_t size;
    size_t tiles;
    double west, south, east, north; /* around the tiles' centres, degrees; east < west if they span the antimeridian */
    int features;                    /* length of a tile's feature */
    double ground_m;                 /* default side of a tile, metres */
    char fingerprint[17];            /* of the weights that made it */
    int complete;                    /* 0 if building it was interrupted */
    size_t missing;                  /* places of its imagery not processed yet; 0 if complete */
    const char *path;                /* of its file or list; valid as long as the map */
    double temperature; /* T of its tiles' probabilities, fitted to photos of known places; 0: not fitted, T is 1 */
    double elsewhere;   /* b, the score of "not on this map", fitted with T; NaN: none, every photo is assumed to be on
                           the map */
} gvm_map_info;

/* GVM_OK, or GVM_ARGUMENT for a struct without size. Takes time in proportion to the number of tiles. */
GVM_API gvm_status gvm_map_about(const gvm_map *map, gvm_map_info *info, gvm_error *err);
GVM_API size_t gvm_map_count(const gvm_map *map); /* number of tiles */

typedef struct gvm_hit {
    double lat, lon;    /* of the tile's centre or the answer's place, WGS84 degrees */
    double half_tile_m; /* half the tile's side on the ground; a corner is 1.42 times as far from the centre */
    double score;       /* cosine similarity, -1..1 */
    double heading; /* of the picture's centre column, 0..360; 0 from gvm_map_search; NaN if the weights take photos of
                       any heading */
    const char *tile; /* path of its picture as in the list, or of its raster; valid as long as the map */
    size_t number;    /* the tile's number in the map, 0..gvm_map_count - 1; of an answer, its best tile's */
} gvm_hit;

/* A tile of the map as a hit without score; half_tile_m is never zero.
 *
 *   number  0..gvm_map_count - 1, else GVM_ARGUMENT */
GVM_API gvm_status gvm_map_tile(const gvm_map *map, size_t number, gvm_hit *tile, gvm_error *err);

/* Its feature, (features) of length 1, as stored: rounded to float16. GVM_OK or GVM_ARGUMENT. */
GVM_API gvm_status gvm_map_feature(const gvm_map *map, size_t number, float *feature, gvm_error *err);

/* The area covered by the tiles, to within a twentieth of a tile, as a GeoJSON MultiPolygon (RFC 7946).
 *
 *   geojson  out: to be freed with gvm_free; NULL on failure
 *
 * Returns GVM_OK or GVM_MEMORY. */
GVM_API gvm_status gvm_map_outline(const gvm_map *map, char **geojson, gvm_error *err);

/* The build jobs of the map, a JSON array with an object for each gvm_map_build that added to it: sources, options and
 * progress. Keys may be added. `[]` for a map from a list.
 *
 *   json  out: to be freed with gvm_free; NULL on failure */
GVM_API gvm_status gvm_map_jobs(const gvm_map *map, char **json, gvm_error *err);

/* Find a tile's picture or raster: at its original path, at the same path relative to the map, or beside the map.
 *
 *   path    out: to be freed with gvm_free; NULL on failure
 *   source  a hit's `tile`
 *
 * Returns GVM_OK, GVM_FILE (not found) or GVM_MEMORY. */
GVM_API gvm_status gvm_map_source(const gvm_map *map, char **path, const char *source, gvm_error *err);

typedef struct gvm_search {
    size_t size;
    const float *features; /* (count, features) as from gvm_embed_files */
    size_t count;          /* pictures */
    int max_hits;          /* per picture, >= 1 */
    double lat, lon;       /* within_m > 0: only tiles whose centres lie within within_m metres of this place, WGS84 */
    double within_m;       /* degrees; a great circle on the mean sphere. 0: all tiles */
} gvm_search;

/* Find the tiles with the most similar features, best first; exact search.
 *
 *   model  that made the features; a map of another model is GVM_MISMATCH; NULL: not checked
 *   hits   out: room for count * max_hits; those of picture i start at hits + i * max_hits
 *   found  out: number of hits of each picture: max_hits, or all tiles searched if they are fewer; 0 on failure
 *
 * Tiles with equal scores keep the map's order. Returns GVM_OK, GVM_ARGUMENT (a row that is zero, such as that of a
 * failed file, or longer than 1; an invalid place or distance), GVM_MISMATCH or GVM_MEMORY. */
GVM_API gvm_status gvm_map_search(const gvm_map *map, const gvm_model *model, const gvm_search *search, gvm_hit *hits,
                                  int *found, gvm_error *err);

/* The map's imagery at a hit, north up: for a raster the square of 2 half_tile_m around the hit's place, for a tile
 * from a list the whole tile, for a cell of weights with zooms the ground of its finest picture.
 *
 *   pixels  out: (side, side, 3) sRGB; the caller's
 *   side    1..4096; if it is the input size of the weights that the map was opened with, a tile from a list is resized
 *           as in gvm_picture_fit
 *
 * Returns GVM_OK; GVM_FILE if the imagery is missing, GVM_FORMAT or GVM_IMAGE if it has changed, GVM_ARGUMENT or
 * GVM_MEMORY. Any number of threads may call it. */
GVM_API gvm_status gvm_map_picture(const gvm_map *map, const gvm_hit *hit, unsigned char *pixels, int side,
                                   gvm_error *err);

/* The map's imagery as web-map tiles. */
typedef struct gvm_imagery gvm_imagery;

/* Find the sources of a map: its rasters, each opened once for its extent, or its pictures. Missing or unreadable ones
 * are left out. The map must outlive it; any number of threads may share it. GVM_OK or GVM_MEMORY. */
GVM_API gvm_status gvm_imagery_open(gvm_imagery **imagery, const gvm_map *map, gvm_error *err);
GVM_API void gvm_imagery_free(gvm_imagery *imagery);
GVM_API int gvm_imagery_exists(const gvm_imagery *imagery); /* 1: some of it exists now */

typedef enum gvm_coverage { GVM_COVERS_NOTHING, GVM_COVERS_PART, GVM_COVERS_ALL } gvm_coverage;

/* The web-mercator tile x, y of a zoom, counted from the north.
 *
 *   rgba      out: (side, side, 4) sRGB, transparent without imagery
 *   coverage  out: how much of the tile is covered; GVM_COVERS_NOTHING also if it would have to read too much: more
 *             than 64 megapixels of rasters without overviews, or 64 pictures
 *
 * Returns GVM_OK, GVM_ARGUMENT (no such tile), GVM_FILE or GVM_MEMORY. */
GVM_API gvm_status gvm_imagery_tile(const gvm_imagery *imagery, unsigned char *rgba, gvm_coverage *coverage, long zoom,
                                    long x, long y, int side, gvm_error *err);

/* Watches the file of a map's features, which is memory-mapped: modifying that file changes the answers, and truncating
 * it kills the process (SIGBUS). For programs only: it handles that signal for the whole process, and there can be only
 * one. Missing pages are then read as zeros. */
typedef struct gvm_map_guard gvm_map_guard;

/* Watch a map, which must outlive it. A map from a list never changes.
 *
 *   values  1: also check the values, for which all are read once; 0: only their existence
 *
 * Returns GVM_OK, GVM_FILE or GVM_MEMORY. */
GVM_API gvm_status gvm_map_guard_open(gvm_map_guard **guard, const gvm_map *map, int values, gvm_error *err);
GVM_API void gvm_map_guard_free(gvm_map_guard *guard);

/* Whether everything read so far was unmodified: GVM_OK, or GVM_FILE. Added rows are not a change. Any thread; with
 * `values`, reads the features again if the file was written to. */
GVM_API gvm_status gvm_map_guard_check(gvm_map_guard *guard, gvm_error *err);

/* ------------------------------------------------------------------ locating pictures */

/* A street picture to locate, and how. */
typedef struct gvm_question {
    const char *photo; /* its path; of a picture in memory, its name for errors */
    double heading; /* of its centre column, degrees clockwise from north. NaN: from the picture (XMP, else EXIF; from
                       magnetic north: the best of it and of one step to either side), if it has none as if
                       infinite; infinite: estimated by trying 16 headings, or as many as the weights were trained
                       for. Ignored by weights for photos, which neither need nor estimate one */
    double lat, lon, within_m; /* within_m > 0: only tiles whose centres lie within within_m metres of this place; NaN,
                                  NaN: the picture's GPS position */
    int panorama;              /* as in gvm_picture_fit */
    const gvm_camera_options *camera; /* as in gvm_street_options; its heading counts if the one above is NaN. NULL:
                                         nothing is known */
} gvm_question;

/* The result besides the hits. */
typedef struct gvm_found {
    gvm_photo_info info; /* as in gvm_located */
    int count;           /* number of hits */
    int heading_found;   /* 1: the hits' headings were estimated, in steps of 22.5 degrees or of the weights' own */
    double margin; /* the first hit's score minus that of the best tile that cannot be part of it; NaN if there is none.
                      The program marks an answer weak if it is below 0.05: on drawn towns with the built-in weights,
                      92% of the other answers were within 25 m (66% with estimated headings). Other weights and maps
                      need another limit */
} gvm_found;

enum { GVM_RADII = 3 };

/* Probabilities of a photo's answers. p of a tile is exp(score_scale score / T), divided by the sum of this over all
 * tiles searched plus exp(b / T) (gvm_model_info, gvm_map_info). */
typedef struct gvm_chance {
    int known;                /* 1; 0: these weights' scores make no probability, and the rest is NaN */
    int calibrated;           /* 1: the map has T and b; 0: T is 1, and p ranks tiles but is overconfident */
    double within[GVM_RADII]; /* sum of p of the tiles with centres within 25, 50, 100 m of the first answer */
    double radius_90;         /* metres around it within which p sums to 0.9; NaN if all tiles sum to less */
} gvm_chance;

enum { GVM_BEST_TILES = 5 };

/* A street picture and its result. Pointers are the caller's. */
typedef struct gvm_located {
    size_t size;
    const gvm_question *question;
    unsigned char *pixels; /* (height, width, 3), the network's input (gvm_view_info.bytes): north at its centre, once
                              located by the best tile's heading; (views, height, width, 3) of a panorama with weights
                              for photos */
    double heading;        /* rotation of pixels in degrees (NaN: weights for photos), */
    int turn;              /* and in columns, as in gvm_part */
    gvm_photo_info info;   /* the picture's metadata */
    gvm_status status;     /* GVM_OK, or the status of its failure */
    gvm_error err;         /* the error, which names the picture */
    gvm_hit *hits;         /* out: room for max_hits, best first */
    gvm_found *found;      /* out */
    float *feature;        /* out: (features) of the final pixels; or NULL */
    gvm_hit tiles[GVM_BEST_TILES]; /* out: the best tiles, each once, unmerged, */
    int tile_count;                /* out: and their number */
    double *p; /* out: room for max_hits, p of each answer: the sum over its tiles, a shared tile counting for the
                  better answer; NaN: none. Or NULL */
    gvm_chance *chance; /* out; or NULL */
    float *scores; /* out: (gvm_map_count) of each tile, the best of several headings; NaN if not searched. Or NULL */
    int room;      /* capacity of pixels, in inputs; 0: 1 */
    int views;     /* inputs in pixels, as from gvm_picture_views; their mean feature is searched for */
    gvm_camera *camera; /* out: the camera that was used, with size, as in gvm_picture_street; its heading_from is
                           GVM_SOURCE_NONE if the heading is estimated. Or NULL */
} gvm_located;

/* Prepare a picture to be located: fills in pixels, views, heading, info, status and err from the question and room.
 * Returns the status: GVM_OK, GVM_ARGUMENT (an invalid place, no GPS position), or as gvm_picture_views. Any thread. */
GVM_API gvm_status gvm_located_prepare(gvm_located *photo, const gvm_picture *picture, const gvm_model *model);

/* Locates pictures in memory. Only the session's thread may use it. The session and the map must outlive it.
 *
 *   max_hits  most hits per picture; >= 1
 *
 * Returns GVM_OK, GVM_ARGUMENT, GVM_MISMATCH (a map made with other weights) or GVM_MEMORY. */
typedef struct gvm_locator gvm_locator;
GVM_API gvm_status gvm_locator_open(gvm_locator **locator, gvm_session *session, const gvm_map *map, int max_hits,
                                    gvm_error *err);
GVM_API void gvm_locator_free(gvm_locator *locator);

/* Locate those of `count` prepared pictures, at most the session's max_batch, whose status is GVM_OK, and set their
 * status and err. A picture with no tile near its place is GVM_ARGUMENT.
 *
 *   max_hits   1..the locator's
 *   each_tile  0: tiles that overlap with a better one are merged into its answer, whose place is their mean, weighted
 *              by their scores; on a map of cells, those nearer than 1.5 cells, weighted by p. 1: each tile is a
 *              separate answer
 *
 * Returns GVM_OK, or GVM_ARGUMENT before any is touched. */
GVM_API gvm_status gvm_locator_run(gvm_locator *locator, gvm_located *const *photos, size_t count, int max_hits,
                                   int each_tile, gvm_error *err);

/* Called while a photo is decoded, on any thread and for several photos at once; it must not block. */
typedef void gvm_photo_opened(void *user, size_t index, const gvm_picture *picture);

/* Called for each photo, in order, on the calling thread, once it is located or has failed. Everything that `photo`
 * points to, except hits and found, is valid only during the call. The session is idle and may be used. */
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
    double *p;           /* out: (count, max_hits) as in gvm_located; or NULL */
    gvm_chance *chances; /* out: (count); or NULL */
    int scores;          /* 1: pass the scores of all tiles to `done` */
} gvm_locate_job;

/* Locate street pictures. Their files are read ahead on other threads, each once.
 *
 * A picture that fails does not stop the others; one with no tile near its place is GVM_ARGUMENT. Returns GVM_OK if all
 * have hits, else the first failure; GVM_ARGUMENT, GVM_MISMATCH (a map made with other weights) or GVM_MEMORY before
 * any has started. */
GVM_API gvm_status gvm_locate_files(gvm_session *session, const gvm_map *map, const gvm_locate_job *job,
                                    gvm_error *err);

/* All scores of a photo as a georeferenced raster. */
typedef struct gvm_field gvm_field;

typedef struct gvm_field_options {
    size_t size;
    const float *scores; /* (gvm_map_count) of gvm_located */
    double score_scale;  /* of the weights (gvm_model_info): adds a band of p; 0: no band of p */
    size_t max_pixels;   /* limit, met by larger pixels that have their best tile's score; 0: 2^25 */
} gvm_field_options;

typedef struct gvm_field_info {
    size_t size;
    int width, height;               /* pixels */
    double west, south, east, north; /* its edges, WGS84 degrees; east may pass 180 */
    int has_p;                       /* whether there is a band of p */
    int calibrated;                  /* as in gvm_chance */
    double score_low, score_high;    /* range of all tiles with a score; NaN if none */
    double p_high;
    double pixel_m; /* height of a pixel on the ground, metres */
} gvm_field_info;

/* Compute the field: rows of equal latitude from the north, columns of equal longitude from the west, pixels as large
 * as the distance between tiles, with the nearest tile's score. The pixel at a tile's centre has that tile's score, or
 * the best one's if it contains several centres.
 *
 *   field  out: to be freed with gvm_field_free; NULL on failure
 *
 * Returns GVM_OK, GVM_ARGUMENT (no tile has a score) or GVM_MEMORY. */
GVM_API gvm_status gvm_field_open(gvm_field **field, const gvm_map *map, const gvm_field_options *options,
                                  gvm_error *err);
GVM_API void gvm_field_free(gvm_field *field); /* accepts NULL */
GVM_API gvm_status gvm_field_about(const gvm_field *field, gvm_field_info *info, gvm_error *err);

/* (height, width) cosine similarities, or p, as float32 from the north-west corner; NaN without a tile. Valid as long
 * as the field; p is NULL if it has none. */
GVM_API const float *gvm_field_scores(const gvm_field *field);
GVM_API const float *gvm_field_p(const gvm_field *field);

/* The field as a GeoTIFF in memory, EPSG:4326, float32, nodata NaN: band 1 the scores, band 2 p if it has one, with
 * descriptions and statistics.
 *
 *   bytes  out: (size), to be freed with gvm_free; NULL on failure
 *
 * Returns GVM_OK, GVM_FILE (GDAL's reason) or GVM_MEMORY. */
GVM_API gvm_status gvm_field_tiff(const gvm_field *field, void **bytes, size_t *size, gvm_error *err);

/* Locate one picture, with overlapping tiles merged. The margin is the first hit's score minus the second's.
 *
 *   heading  NULL: as NaN above
 *   count    out: number of hits written; 0 on failure */
GVM_API gvm_status gvm_locate(gvm_session *session, const gvm_map *map, const char *photo, const double *heading,
                              gvm_hit *hits, int max_hits, int *count, gvm_error *err);

#ifdef __cplusplus
}
#endif

#endif
