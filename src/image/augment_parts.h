/* augment_parts.h - shared by the files of augmentation: random draws by index, and Sample4Geo's single-picture steps
 */
#ifndef GVM_IMAGE_AUGMENT_PARTS_H
#define GVM_IMAGE_AUGMENT_PARTS_H

#include "base/random.h"
#include "image/augment.h"

/* Draws for one picture or pair: draw k is number first + k of the stream. */
struct dice {
    uint64_t seed, stream, first;
};

static inline float dice_uniform(const struct dice *dice, int draw)
{
    return random_uniform(dice->seed, dice->stream, dice->first + (uint64_t)draw);
}

/* A uniform integer in low..high, inclusive. */
static inline int dice_int(const struct dice *dice, int draw, int low, int high)
{
    return low + (int)(dice_uniform(dice, draw) * (float)(high - low + 1));
}

/* Index i reflected into 0..n-1 without repeating the ends, any number of times. */
static inline int mirrored(int i, int n)
{
    int period = 2 * (n - 1);
    if (n == 1) return 0;
    i = (i % period + period) % period;
    return i < n ? i : period - i;
}

enum { EACH_DRAWS = 256 }; /* draws reserved for augment_each */

/* Apply jpeg, colour, focus and holes of `amounts`, in this order, to a picture (H, W, 3) in place. grid: the hole's
 * side over its cell's. Returns GVM_OK or GVM_MEMORY. */
gvm_status augment_each(uint8_t *pixels, int H, int W, float grid, const struct augmentation *amounts,
                        const struct dice *dice);

/* Brightness, contrast and saturation by factors of 1 - amount to 1 + amount, in random order, as torchvision's
 * ColorJitter. Uses four draws from `first` on. */
void augment_jitter(uint8_t *pixels, int H, int W, float amount, const struct dice *dice, int first);

/* Compress a picture (height, width, 3) as JPEG with chroma subsampling and decompress it, in place. quality: 1..100.
 * Returns GVM_OK, or GVM_MEMORY with the picture unchanged. */
gvm_status augment_jpeg(uint8_t *rgb, int width, int height, int quality);

#endif
