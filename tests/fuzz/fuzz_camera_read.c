/* fuzz_camera_read.c - a picture's camera from any EXIF, any XMP and any options: it must be one that camera_check
 * accepts, unless an option is refused with a sentence */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/camera_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Followed by `exif` bytes of EXIF and by XMP. */
struct input {
    uint16_t width, height, exif;
    uint8_t given, lens; /* given: a bit for each option; the last: pixels */
    double fov, focal_35mm, heading, pitch, roll, bent[2];
} __attribute__((packed));

/* All bytes in memory of exactly their size. */
static void read_metadata(struct image *image, const struct input *in, const uint8_t *rest, size_t size)
{
    struct xmp xmp = {.guid = ""};
    size_t exif = in->exif < size ? in->exif : size;
    uint8_t *copy = malloc(size + 1);
    if (copy == NULL) abort();
    memcpy(copy, rest, size);
    exif_read_block(&image->exif, copy, exif);
    xmp_read(&xmp, (const char *)copy + exif, size - exif);
    free(copy);
    image->gpano = xmp.gpano;
    image->attitude = xmp.attitude;
    if (xmp.exif.has_place) exif_set_place(&image->exif, xmp.exif.lat, xmp.exif.lon);
}

static void check(const struct camera_facts *f, const struct image *image)
{
    gvm_camera out;
    const struct camera *c = &f->camera;
    if (camera_check(c, "input", NULL) != GVM_OK) abort();
    if (!(c->heading >= 0 && c->heading < 360 && fabs(c->pitch) <= 90 && fabs(c->roll) <= 180)) abort();
    if ((f->heading_from == GVM_SOURCE_NONE && c->heading != 0) || f->doubts >= 1u << DOUBTS) abort();
    camera_describe(&out, f, image);
    if (!(out.fov > 0 && out.fov <= 360 && out.fov_vertical > 0 && out.fov_vertical <= 360)) abort();
    if (!(fabs(out.declination) <= 180) || out.fov_from == GVM_SOURCE_NONE || out.focal_px <= 0) abort();
    for (int i = 0; i < out.warning_count; i++)
        if (out.warnings[i] == NULL) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in;
    struct camera_facts facts;
    gvm_error err = {""};
    if (size < sizeof in) return -1;
    memcpy(&in, data, sizeof in);
    const double heading = in.heading, pitch = in.pitch, roll = in.roll, bent[] = {in.bent[0], in.bent[1]};
    const gvm_camera_options user = {.size = sizeof user,
                                     .fov = in.given & 1 ? in.fov : 0,
                                     .focal_35mm = in.given & 2 ? in.focal_35mm : 0,
                                     .heading = in.given & 4 ? &heading : NULL,
                                     .pitch = in.given & 8 ? &pitch : NULL,
                                     .roll = in.given & 16 ? &roll : NULL,
                                     .distortion = in.given & 32 ? bent : NULL,
                                     .lens = (gvm_lens)(in.lens % 6)};
    struct image image = {.width = 1 + in.width % 65535, .height = 1 + in.height % 65535};
    if (in.given & 128) {
        image.width = 1 + in.width % 40;
        image.height = 1 + in.height % 20;
        image.pixels = calloc((size_t)image.width * (size_t)image.height, 3);
        if (image.pixels == NULL) abort();
    }
    read_metadata(&image, &in, data + sizeof in, size - sizeof in);
    gvm_status status = camera_read(&facts, &image, &user, "input", &err);
    bool plain = (in.given & 63) == 0 && in.lens % 6 == 0;
    if ((status == GVM_OK) != (err.text[0] == '\0') || (plain && status != GVM_OK)) abort();
    if (status == GVM_OK) check(&facts, &image);
    free(image.pixels);
    return 0;
}
