/* augment_parts.h - what the files of augmentation share: drawing by place, and Sample4Geo's changes of one picture. */
#ifndef GVM_IMAGE_AUGMENT_PARTS_H
#define GVM_IMAGE_AUGMENT_PARTS_H

#include "base/random.h"
#include "image/augment.h"

/* Draws of one picture or pair: draw k is number first + k of the stream. */
struct dice {
    uint64_t seed, stream, first;
};

static inline float dice_uniform(const struct dice *dice, int draw)
{
    return random_uniform(dice->seed, dice->stream, dice->first + (uint64_t)draw);
}

/* A whole number of low..high, each as likely. */
static inline int dice_int(const struct dice *dice, int draw, int low, int high)
{
    return low + (int)(dice_uniform(dice, draw) * (float)(high - low + 1));
}

/* The index i of a row of n, mirrored at its ends without repeating them, as often as it takes. */
static inline int mirrored(int i, int n)
{
    int period = 2 * (n - 1);
    if (n == 1) return 0;
    i = (i % period + period) % period;
    return i < n ? i : period - i;
}

enum { EACH_DRAWS = 256 }; /* that augment_each takes */

/* jpeg, colour, focus and holes of `amounts`, in this order, to one picture (H, W, 3) in place. grid: of its holes.
 * GVM_OK or GVM_MEMORY. */
gvm_status augment_each(uint8_t *pixels, int H, int W, float grid, const struct augmentation *amounts,
                        const struct dice *dice);

/* Write a picture (height, width, 3) as JPEG, colours at half the resolution, and read it again, in place. quality:
 * 1..100. GVM_OK, or GVM_MEMORY, the picture then as it was. */
gvm_status augment_jpeg(uint8_t *rgb, int width, int height, int quality);

#endif
