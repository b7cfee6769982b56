/* fuzz_canvas.c - a small picture of any camera, also of none, on a panorama's canvas: it ends with a picture or one
 * sentence, and nothing is read or written outside of the two. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/canvas.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    uint8_t width, height, out_width, out_height, flags, lens;
    int16_t low, high;                                            /* tenths of degrees */
    double sizes[2], focal, bend[2], pose[3], full[2], corner[2]; /* sizes: only with a flag */
} __attribute__((packed));

static struct camera camera_of(const struct input *in, const struct image *image)
{
    struct camera c = {.lens = (enum lens)(in->lens % 4),
                       .width = image->width,
                       .height = image->height,
                       .focal = in->focal,
                       .k1 = in->bend[0],
                       .k2 = in->bend[1],
                       .heading = in->pose[0],
                       .pitch = in->pose[1],
                       .roll = in->pose[2],
                       .full_width = in->full[0],
                       .full_height = in->full[1],
                       .left = in->corner[0],
                       .top = in->corner[1]};
    if (in->flags & 1) c.width = in->sizes[0];
    if (in->flags & 2) c.height = in->sizes[1];
    return c;
}

/* The lens's functions return finite numbers or false for any camera, and invert each other for a valid one. */
static void check_projection(const struct camera *c, const struct image *image)
{
    double x, y, azimuth, elevation, px = image->width * 0.3, py = image->height * 0.6;
    if (camera_project(&x, &y, c, 30, 10) && !(isfinite(x) && isfinite(y))) abort();
    if (!camera_direction(&azimuth, &elevation, c, px, py)) return;
    if (!(fabs(azimuth) <= 180.000001 && fabs(elevation) <= 90.000001)) abort();
    if (camera_check(c, "input", NULL) != GVM_OK || !camera_project(&x, &y, c, azimuth, elevation)) return;
    bool poles = c->lens == LENS_SPHERE || c->lens == LENS_FISHEYE || fabs(elevation) > 89.9;
    if (!poles && hypot(x - px, y - py) > 1e-3) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in;
    gvm_error err = {""};
    if (size < sizeof in) return -1;
    memcpy(&in, data, sizeof in);
    struct image image = {.width = 1 + in.width % 48, .height = 1 + in.height % 48};
    const struct picture_shape shape = {.height = 4 + in.out_height % 6 * 4,
                                        .width = 4 + in.out_width % 12 * 4,
                                        .elevation = {in.low / 10.0, in.high / 10.0},
                                        .masked = in.flags & 4,
                                        .unseen = {1, 2, 3}};
    size_t bytes = (size_t)image.width * (size_t)image.height * 3, rest = size - sizeof in;
    const struct camera camera = camera_of(&in, &image);
    uint8_t *out = malloc(picture_bytes(&shape));
    image.pixels = malloc(bytes);
    if (out == NULL || image.pixels == NULL) abort();
    for (size_t i = 0; i < bytes; i++) image.pixels[i] = rest > 0 ? data[sizeof in + i % rest] : (uint8_t)(i * 37);
    gvm_status status = photo_canvas_fit(out, &shape, &camera, in.flags & 8, &image, "input", &err);
    if ((status == GVM_OK) != (err.text[0] == '\0') || status == GVM_MEMORY) abort();
    if (status == GVM_OK && shape.masked)
        for (size_t n = 0; n < seen_bytes(&shape); n++)
            if (picture_seen(out, &shape)[n] > 1) abort();
    check_projection(&camera, &image);
    free(image.pixels);
    free(out);
    return 0;
}
