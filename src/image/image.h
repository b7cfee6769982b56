/* image.h - a picture file as 8-bit sRGB, and back. */
#ifndef GVM_IMAGE_IMAGE_H
#define GVM_IMAGE_IMAGE_H

#include "geoviewmatch.h"
#include "image/exif.h"
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

/* A picture (height, width, 3) as the bytes of a JPEG or PNG file, to be given to g_free; NULL where libvips had not
 * the memory. */
void *image_encode_jpeg(size_t *size, const uint8_t *rgb, int width, int height);
void *image_encode_png(size_t *size, const uint8_t *rgb, int width, int height);
void *image_encode_png_alpha(size_t *size, const uint8_t *rgba, int width, int height); /* (height, width, 4) */

/* Write a picture (height, width, 3) as JPEG, colours at half the resolution, and read it again, in place. quality:
 * 1..100. GVM_OK, or GVM_MEMORY, the picture then as it was. */
gvm_status image_recompress(uint8_t *rgb, int width, int height, int quality);

/* Write a PNG file, whole or not at all: rgb (height, width, 3), sRGB. GVM_OK, GVM_FILE or GVM_MEMORY; GVM_IMAGE
 * where libvips does not start. */
gvm_status image_write_png(const char *path, const uint8_t *rgb, int width, int height, gvm_error *err);

/* Resize the box [left, top, right, bottom] of a picture, in pixels and parts of them, to (H, W):
 * bilinear, with antialiasing where it shrinks. Equals Image.resize((W, H), BILINEAR, box) of
 * Pillow 10 bit for bit, and of releases that sometimes do columns before rows within one level.
 *
 *   out   (H, W, 3)
 *   in    (h, w, 3); left < right, top < bottom; where the box goes beyond the picture, its edge goes on
 *
 * Returns GVM_OK or GVM_MEMORY; the caller has the file's name for the sentence. */
gvm_status image_resize(uint8_t *out, int H, int W, const uint8_t *in, int h, int w, const double box[4]);

/* By which rule a picture comes to a network's size: a network sees well only through the one that it learned with. */
enum resize {
    RESIZE_OWN,   /* image_resize */
    RESIZE_OPENCV /* image_resize_opencv */
};

/* The same box to the same size without antialiasing: output i of n is a mix of the two samples beside
 * start + (i + 1/2) (end - start) / n - 1/2, the box's outermost repeated. Equals cv2.resize with INTER_LINEAR_EXACT,
 * of the whole picture or of whole pixels of it, bit for bit. */
gvm_status image_resize_opencv(uint8_t *out, int H, int W, const uint8_t *in, int h, int w, const double box[4]);

#endif
