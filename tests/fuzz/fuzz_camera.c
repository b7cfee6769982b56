/* fuzz_camera.c - a small picture with any metadata, as each kind of network takes it: whatever size and heading its
 * metadata name, nothing is read or written outside of it. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/panorama.h"
#include "image/photo.h"
#include "image/views.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    uint8_t width, height, out_width, out_height, flags, circle, resize, kind;
    int16_t low, high, heading;           /* tenths of degrees */
    double full[2], at[2], part[2], look; /* GPano's */
    double focal, exif_heading;
} __attribute__((packed));

/* In the range that xmp_read lets through. */
static double pixels(double x)
{
    return x >= 1 && x <= 1e7 ? x : 0;
}

static void fill(struct image *image, const struct input *in, const uint8_t *rest, size_t size)
{
    bool sized = in->flags & 1;
    *image = (struct image){.width = 1 + in->width % 48, .height = 1 + in->height % 48};
    image->gpano = (struct gpano){.full_width = sized ? pixels(in->full[0]) : 0,
                                  .full_height = sized ? pixels(in->full[1]) : 0,
                                  .left = pixels(in->at[0]),
                                  .top = pixels(in->at[1]),
                                  .width = sized ? pixels(in->part[0]) : 0,
                                  .height = sized ? pixels(in->part[1]) : 0,
                                  .has_left = in->flags & 2,
                                  .has_heading = (in->flags & 4) && fabs(in->look) <= 3600,
                                  .equirectangular = in->flags & 8};
    if (image->gpano.has_heading) image->gpano.heading = in->look;
    image->exif = (struct exif){.sweep = in->flags & 16,
                                .has_heading = in->exif_heading >= 0 && in->exif_heading <= 360,
                                .has_focal = in->flags & 32,
                                .focal_35mm = in->focal >= 0 && in->focal < 1e5 ? in->focal : 0};
    if (image->exif.has_heading) image->exif.heading = in->exif_heading;
    size_t bytes = (size_t)image->width * (size_t)image->height * 3;
    image->pixels = malloc(bytes);
    if (image->pixels == NULL) abort();
    for (size_t i = 0; i < bytes; i++) image->pixels[i] = size > 0 ? rest[i % size] : (uint8_t)(i * 37);
}

/* out: room for PANORAMA_VIEWS pictures, of just that size */
static void fit(uint8_t *out, const struct picture_shape *shape, struct image *image, const struct input *in)
{
    gvm_error err = {""};
    gvm_status status = GVM_OK;
    double box[4], heading = in->heading / 10.0;
    int turn;
    enum circle circle = (enum circle)(in->circle % (CIRCLE_DOUBTED + 1));
    const double *given = in->flags & 64 ? &heading : NULL;
    if (in->kind % 4 == 0) {
        status = panorama_fit(out, shape, given, circle, image, "input", &err);
        panorama_seen(box, &turn, shape, given, image);
        if (status == GVM_OK && (turn < 0 || turn >= shape->width || !(box[1] < box[3]))) abort();
    } else if (in->kind % 4 == 1) {
        status = views_fit(out, shape, circle, image, "input", &err);
    } else if (in->kind % 4 == 2) {
        status = photo_fit(out, shape, image, "input", &err);
    } else {
        status = aerial_fit(out, box, shape, image, "input", &err);
        if (!(box[0] >= 0 && box[0] < box[2] && box[1] >= 0 && box[1] < box[3])) abort();
    }
    if ((status == GVM_OK) != (err.text[0] == '\0')) abort();
    gvm_photo_info said = photo_said(image);
    if (!(said.heading >= -1e-9 && said.heading <= 360)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in;
    struct image image;
    if (size < sizeof in) return -1;
    memcpy(&in, data, sizeof in);
    fill(&image, &in, data + sizeof in, size - sizeof in);
    const struct picture_shape shape = {.height = 1 + in.out_height % 24,
                                        .width = 1 + in.out_width % 24,
                                        .elevation = {in.low / 10.0, in.high / 10.0},
                                        .resize = (enum resize)(in.resize % (RESIZE_SKIMAGE + 1))};
    bool views = in.kind % 4 == 1;
    uint8_t *out = malloc((size_t)shape.height * (size_t)shape.width * 3 * (views ? PANORAMA_VIEWS : 1));
    if (out == NULL) abort();
    fit(out, &shape, &image, &in);
    free(out);
    free(image.pixels);
    return 0;
}
