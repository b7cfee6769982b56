/* image.h - a picture file as 8-bit sRGB, and back. */
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
    struct gpano gpano; /* all zero where the file says nothing */
    struct exif exif;   /* the same */
    int64_t held;       /* of the memory that all threads share; image_free gives it back */
};

/* What a picture may cost. */
struct image_limit {
    long long pixels; /* by its header; image_load's own limit holds besides */
    double until;     /* seconds of CLOCK_MONOTONIC at which decoding, or waiting for memory, ends; INFINITY: none */
    bool (*stop)(void *user); /* asked now and then, on any thread: true ends it too; NULL: never */
    void *user;
};

/* Read a JPEG, PNG, WebP or TIFF file (the first picture of several), or a HEIC one if libvips can, known by its
 * content and not by its name, of at most 256 megapixels and 65,535 a side, turned as EXIF says.
 *
 *   image   out: to be given to image_free; empty on failure
 *
 * Returns GVM_OK, GVM_FILE (cannot be read), GVM_IMAGE (not such a picture, too large, broken or
 * cut short, or made to take a decoder for ever) or GVM_MEMORY. Any number of threads may read at once; each uses no
 * thread but its own and one of libvips's. All pictures in memory have at most 512 megapixels together, fewer if
 * decoding takes more memory: a call waits for others' image_free, so a thread must free its picture before it reads
 * the next. The first call starts libvips for the whole process: no operation cache, and nothing that libvips holds
 * unfit for untrusted files. */
gvm_status image_load(struct image *image, const char *path, gvm_error *err);

/* The same without the pixels, which stay NULL: only the file's header is read. */
gvm_status image_about(struct image *image, const char *path, gvm_error *err);

/* As image_load, from a file's bytes in memory, which must stay while it runs; not HEIC.
 *
 *   limit  beyond which it is GVM_IMAGE
 *   where  names the picture in sentences */
gvm_status image_decode(struct image *image, const void *bytes, size_t size, const struct image_limit *limit,
                        const char *where, gvm_error *err);

void image_free(struct image *image);

#endif
