/* photo.c - see photo.h
 *
 * The size is truncated to whole pixels, not rounded. If the black border is odd, its larger half is below and right.
 * The added 1e-6 keeps a photo with the input's aspect ratio from losing a row to rounding. */
#include "image/photo.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "image/fit.h"

enum { LEAST_SIDE = 32 /* pixels */, LONGEST = 10 /* times the short side */ };

struct photo_place photo_place(const struct picture_shape *shape, int height, int width)
{
    int H = shape->height, W = shape->width;
    double scale = fmin((double)H / height, (double)W / width) + 1e-6;
    int h = (int)(height * scale), w = (int)(width * scale);
    h = h < 1 ? 1 : h < H ? h : H; /* if the input has less than LONGEST pixels, or the photo over a million */
    w = w < 1 ? 1 : w < W ? w : W;
    return (struct photo_place){.top = (H - h) / 2, .left = (W - w) / 2, .height = h, .width = w};
}

gvm_status photo_check(int height, int width, const char *where, gvm_error *err)
{
    int low = height < width ? height : width, high = height < width ? width : height;
    if (low < LEAST_SIDE)
        return fail(err, GVM_IMAGE, "%s: %d x %d pixels are too few; expected at least %d a side", where, width, height,
                    LEAST_SIDE);
    if (high > LONGEST * (int64_t)low)
        return fail(err, GVM_IMAGE,
                    "%s: %d x %d is too elongated for a photo; expected a side of at most %d times the other", where,
                    width, height, LONGEST);
    return GVM_OK;
}

/* Move the pixels (place.height, place.width, 3) from the start of the input to their position and fill the border with
 * black. */
static void centre(uint8_t *out, const struct picture_shape *shape, const struct photo_place *place)
{
    size_t row = (size_t)place->width * 3, wide = (size_t)shape->width * 3, end = (size_t)shape->height * wide;
    for (int y = place->height; y-- > 0;) { /* backwards, so that no row is overwritten */
        size_t to = (size_t)(place->top + y) * wide + (size_t)place->left * 3;
        memmove(out + to, out + (size_t)y * row, row);
        memset(out + to + row, 0, end - to - row);
        end = to;
    }
    memset(out, 0, end);
}

gvm_status photo_fit(uint8_t *out, const struct picture_shape *shape, const struct image *image, const char *where,
                     gvm_error *err)
{
    const double whole[4] = {0, 0, image->width, image->height};
    const struct photo_place p = photo_place(shape, image->height, image->width);
    gvm_status status = photo_check(image->height, image->width, where, err);
    if (status == GVM_OK) status = fit_box(out, p.height, p.width, shape->resize, image, whole, where, err);
    if (status == GVM_OK) status = fit_content(out, (size_t)p.height * (size_t)p.width, where, err);
    if (status == GVM_OK) centre(out, shape, &p);
    return status;
}

gvm_status photo_load(uint8_t *out, const struct picture_shape *shape, const char *path, gvm_error *err)
{
    struct image image;
    gvm_status status = image_load(&image, path, err);
    if (status != GVM_OK) return status;
    status = photo_fit(out, shape, &image, path_tail(path), err);
    image_free(&image);
    return status;
}
