/* image.h - decodes picture files to 8-bit sRGB */
#ifndef GVM_IMAGE_IMAGE_H
#define GVM_IMAGE_IMAGE_H

#include "geoviewmatch.h"
#include "image/exif.h"
#include "image/resize.h"
#include "image/xmp.h"

#include <stdbool.h>
#include <stdint.h>

struct image {
    int width, height;
    uint8_t *pixels;    /* (height, width, 3) sRGB */
    struct gpano gpano; /* all zero if the file has none */
    struct exif exif;   /* the same */
    struct attitude attitude;
    int64_t held; /* share of the global memory budget; image_free returns it */
};

/* Limits for decoding a picture. */
struct image_limit {
    long long pixels; /* from the header; image_load's own limit applies too */
    double until;     /* CLOCK_MONOTONIC in seconds, when decoding or waiting for memory is abandoned; or INFINITY */
    bool (*stop)(void *user); /* called regularly, on any thread: true cancels decoding; may be NULL */
    void *user;
};

/* Decode a JPEG, PNG, WebP or TIFF file (the first picture of several), or a HEIC file if libvips supports it,
 * recognised by its content. At most 256 megapixels and 65,535 pixels a side. EXIF orientation is applied.
 *
 *   image   out: free it with image_free; empty on failure
 *
 * Returns GVM_OK, GVM_FILE (cannot be read), GVM_IMAGE (not such a picture, too large, damaged, truncated, or crafted
 * to keep a decoder busy) or GVM_MEMORY.
 *
 * Thread-safe; each call uses its own thread and one of libvips's. All decoded pictures together have at most 512
 * megapixels, fewer if their decoders need more memory. A call waits until others call image_free, so a thread must
 * free its picture before it loads the next. The first call initialises libvips for the process, without its operation
 * cache and without the loaders that libvips considers unsafe for untrusted files. */
gvm_status image_load(struct image *image, const char *path, gvm_error *err);

/* Read the header only: as image_load, with pixels NULL. */
gvm_status image_about(struct image *image, const char *path, gvm_error *err);

/* As image_load, from a file's bytes in memory, which must stay valid during the call. No HEIC.
 *
 *   limit  GVM_IMAGE if it is exceeded
 *   where  names the picture in error messages */
gvm_status image_decode(struct image *image, const void *bytes, size_t size, const struct image_limit *limit,
                        const char *where, gvm_error *err);

void image_free(struct image *image);

#endif
