/* camera_support.c - see camera_support.h */
#include "camera_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct image picture_of(int width, int height, const struct said *picture, const struct said *exif,
                        const struct said *gps, const char *xmp)
{
    struct image image = {.width = width, .height = height};
    struct xmp read = {.guid = ""};
    uint8_t block[4096];
    size_t size = exif_block(block, true, picture, exif, gps);
    exif_read_block(&image.exif, block, size);
    if (xmp != NULL) xmp_read(&read, xmp, strlen(xmp));
    image.gpano = read.gpano;
    image.attitude = read.attitude;
    return image;
}

struct camera_facts read_camera(const struct image *image, const gvm_camera_options *user)
{
    struct camera_facts facts;
    gvm_error err = {""};
    if (camera_read(&facts, image, user, "photo", &err) != GVM_OK) fail_msg("%s", err.text);
    assert_int_equal(camera_check(&facts.camera, "photo", NULL), GVM_OK);
    return facts;
}
