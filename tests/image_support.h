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

#endif
