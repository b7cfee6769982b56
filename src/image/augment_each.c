/* augment_each.c - Sample4Geo's augmentations of a single picture. Ranges that Sample4Geo does not state are the
 * defaults of albumentations. */
#include "image/augment_parts.h"
#include "image/image.h"

#include <assert.h>
#include <string.h>

enum { MAX_SIDE = 7, MAX_HOLES = 25 };

/* Indices of the draws. */
enum draw {
    RECOMPRESS,
    QUALITY,
    COLOUR,
    ORDER,
    FACTOR = ORDER + 3,
    FOCUS = FACTOR + 4,
    SHARP,
    STRENGTH,
    LIGHTNESS,
    SIDE,
    SIGMA,
    ANGLE = SIGMA + 2,
    SHAPE,
    HOLES = SHAPE + 2,
    GRID,
    COUNT,
    NOISE = 32,
    HOLE = NOISE + MAX_SIDE * MAX_SIDE,
    END = HOLE + 4 * MAX_HOLES
};

static float between(const struct dice *dice, int draw, float low, float high)
{
    return low + (high - low) * dice_uniform(dice, draw);
}

/* Brightness, contrast, saturation and hue, in random order. */
static void colour(uint8_t *pixels, int H, int W, const struct augmentation *a, const struct dice *dice)
{
    static void (*const change[4])(uint8_t *, int, int, float) = {augment_brightness, augment_contrast,
                                                                  augment_saturation, augment_hue};
    int order[4] = {0, 1, 2, 3};
    for (int i = 3; i > 0; i--) {
        int j = dice_int(dice, ORDER + i - 1, 0, i), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
    for (int i = 0; i < 4; i++) {
        int k = order[i];
        float most = k < 3 ? a->shift : a->hue, by = between(dice, FACTOR + k, -most, most);
        change[k](pixels, H, W, k < 3 ? 1 + by : by);
    }
}

/* A rotated generalised Gaussian of 3, 5 or 7 pixels a side, multiplied by noise. */
static gvm_status blur(uint8_t *pixels, int H, int W, const struct dice *dice)
{
    float kernel[MAX_SIDE * MAX_SIDE], sum = 0;
    int side = 2 * dice_int(dice, SIDE, 1, MAX_SIDE / 2) + 1;
    const double sigma[2] = {between(dice, SIGMA, 0.2f, 1), between(dice, SIGMA + 1, 0.2f, 1)};
    bool pointed = dice_uniform(dice, SHAPE) < 0.5f;
    double shape = pointed ? between(dice, SHAPE + 1, 0.5f, 1) : between(dice, SHAPE + 1, 1, 8);
    augment_bell(kernel, side, sigma, between(dice, ANGLE, -1, 1) * 1.57079632679489661923, shape);
    for (int k = 0; k < side * side; k++) sum += kernel[k] *= between(dice, NOISE + k, 0.9f, 1.1f);
    for (int k = 0; k < side * side; k++) kernel[k] /= sum;
    return augment_filter(pixels, H, W, kernel, side);
}

static gvm_status sharpen(uint8_t *pixels, int H, int W, const struct dice *dice)
{
    float kernel[9];
    augment_sharp(kernel, between(dice, STRENGTH, 0.2f, 0.5f), between(dice, LIGHTNESS, 0.5f, 1));
    return augment_filter(pixels, H, W, kernel, 3);
}

void augment_hole(uint8_t *pixels, int H, int W, const int box[4])
{
    int right = box[2] < W ? box[2] : W, bottom = box[3] < H ? box[3] : H;
    for (int y = box[1]; y < bottom && box[0] < right; y++)
        memset(pixels + ((size_t)y * (size_t)W + (size_t)box[0]) * 3, 0, 3 * (size_t)(right - box[0]));
}

/* The cell's side is a tenth of the width; the hole is at its upper left, with `ratio` of its side. */
void augment_grid(uint8_t *pixels, int H, int W, float ratio)
{
    int unit = W / 10 > 2 ? W / 10 : 2, hole = (int)((float)unit * ratio);
    hole = hole < 1 ? 1 : hole > unit - 1 ? unit - 1 : hole;
    for (int y = 0; y < H; y += unit)
        for (int x = 0; x < W; x += unit) augment_hole(pixels, H, W, (const int[4]){x, y, x + hole, y + hole});
}

/* 10 to 25 rectangles whose sides are 0.1 to 0.2 of the height. */
static void coarse(uint8_t *pixels, int H, int W, const struct dice *dice)
{
    int count = dice_int(dice, COUNT, 10, MAX_HOLES);
    for (int i = 0; i < count; i++) {
        int draw = HOLE + 4 * i, h = dice_int(dice, draw, H / 10, H / 5), w = dice_int(dice, draw + 1, H / 10, H / 5);
        if (w > W) w = W;
        int top = dice_int(dice, draw + 2, 0, H - h), left = dice_int(dice, draw + 3, 0, W - w);
        augment_hole(pixels, H, W, (const int[4]){left, top, left + w, top + h});
    }
}

gvm_status augment_each(uint8_t *pixels, int H, int W, float grid, const struct augmentation *a,
                        const struct dice *dice)
{
    static_assert((int)END <= (int)EACH_DRAWS, "two pictures would share draws");
    gvm_status status = GVM_OK;
    if (dice_uniform(dice, RECOMPRESS) < a->jpeg)
        status = augment_jpeg(pixels, W, H, dice_int(dice, QUALITY, a->quality[0], a->quality[1]));
    if (dice_uniform(dice, COLOUR) < a->colour) colour(pixels, H, W, a, dice);
    if (status == GVM_OK && dice_uniform(dice, FOCUS) < a->focus)
        status = (dice_uniform(dice, SHARP) < 0.5f ? sharpen : blur)(pixels, H, W, dice);
    if (status != GVM_OK || dice_uniform(dice, HOLES) >= a->holes) return status;
    if (dice_uniform(dice, GRID) < 0.5f)
        augment_grid(pixels, H, W, grid);
    else
        coarse(pixels, H, W, dice);
    return GVM_OK;
}
