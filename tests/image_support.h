/* image_support.h - pictures made by libvips in the test's folder (folder_support.h). */
#ifndef GVM_TESTS_IMAGE_SUPPORT_H
#define GVM_TESTS_IMAGE_SUPPORT_H

#include <vips/vips.h>

#include "folder_support.h"
#include "image/image.h"

/* What a file may say besides its pixels. */
struct extra {
    int orientation;
    const char *xmp;
    const char *const *exif; /* names (GPSLatitude, ...) and values in turn, then NULL; for JPEG */
    VipsInterpretation meaning;
    const void *icc;
    size_t icc_size;
};

/* name may carry a saver's options: "a.png[palette]" */
void save(const char *name, const void *pixels, int w, int h, int bands, VipsBandFormat format, struct extra extra);

/* Read one that must be good. */
struct image load(const char *name);

/* A refusal is one line that names the file and says part. */
void expect_sentence(const gvm_error *err, const char *name, const char *part);

/* A picture that is not read: no pixels, the status, and such a sentence. */
void expect_refusal(const char *name, gvm_status status, const char *part);

/* Each channel within the tolerance. */
void expect_pixel(const struct image *image, int x, int y, const int rgb[3], int tolerance);

/* The first half of another file's bytes; and whole.* of noise with half.* of it: jpg, png, webp, tif. */
void write_half(const char *name, const char *of);
void write_broken(void);

/* Decode a file's bytes as a request's are; *size: how many there are. */
gvm_status decode_limited(size_t *size, const char *name, struct image_limit limit, gvm_error *err);

#endif
