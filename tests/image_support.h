/* image_support.h - pictures made by libvips in the test's folder (folder_support.h) */
#ifndef GVM_TESTS_IMAGE_SUPPORT_H
#define GVM_TESTS_IMAGE_SUPPORT_H

#include <vips/vips.h>

#include "folder_support.h"
#include "image/image.h"

/* Metadata of a file. */
struct extra {
    int orientation;
    const char *xmp;
    const char *const *exif; /* alternating names (GPSLatitude, ...) and values, then NULL; for JPEG */
    VipsInterpretation meaning;
    const void *icc;
    size_t icc_size;
};

/* name may have options of the saver: "a.png[palette]" */
void save(const char *name, const void *pixels, int w, int h, int bands, VipsBandFormat format, struct extra extra);

/* Load a valid picture; fails the test otherwise. */
struct image load(const char *name);

/* Expects a single line that names the file and contains `part`. */
void expect_sentence(const gvm_error *err, const char *name, const char *part);

/* Expects a refused picture: no pixels, this status, and such a message. */
void expect_refusal(const char *name, gvm_status status, const char *part);

/* Expects each channel within the tolerance. */
void expect_pixel(const struct image *image, int x, int y, const int rgb[3], int tolerance);

/* write_half: the first half of another file's bytes. write_broken: whole.* of noise and the first half of each as
 * half.*, for jpg, png, webp, tif. */
void write_half(const char *name, const char *of);
void write_broken(void);

/* Decode a file's bytes as those of a request; *size: their number. */
gvm_status decode_limited(size_t *size, const char *name, struct image_limit limit, gvm_error *err);

#endif
