/* augment_pair.c - see augment.h: the draws for a pair and the steps applied to its pictures. */
#include "image/augment_parts.h"
#include "image/panorama.h"

#include <stdlib.h>
#include <string.h>

/* Indices of the draws for a pair. */
enum draw {
    TURN,
    ORDER,
    BRIGHTNESS,
    CONTRAST,
    SATURATION,
    GREY,
    BLUR,
    SIGMA,
    MIRROR,
    STREET,
    SPIN = 13,
    SPIN_BY,
    DRAWS = 16
};

void augment_jitter(uint8_t *pixels, int H, int W, float amount, const struct dice *dice, int first)
{
    static void (*const change[3])(uint8_t *, int, int, float) = {augment_brightness, augment_contrast,
                                                                  augment_saturation};
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const int *order = orders[(int)(dice_uniform(dice, first) * 6)];
    for (int i = 0; i < 3; i++)
        change[order[i]](pixels, H, W, 1 - amount + 2 * amount * dice_uniform(dice, first + 1 + order[i]));
}

/* Rotate by 1, 2 or 3 quarter turns anticlockwise; roll the panorama to the left. */
static gvm_status spin(uint8_t *street, uint8_t *aerial[2], const int sizes[4], int quarters)
{
    size_t bytes[2] = {(size_t)sizes[0] * (size_t)sizes[1] * 3, (size_t)sizes[2] * (size_t)sizes[3] * 3};
    uint8_t *copy = malloc(bytes[0] > bytes[1] ? bytes[0] : bytes[1]);
    if (copy == NULL) return GVM_MEMORY;
    memcpy(copy, street, bytes[0]);
    augment_roll(street, copy, sizes[0], sizes[1], 4 - quarters);
    for (int i = 0; i < 2 && aerial[i] != NULL; i++) {
        memcpy(copy, aerial[i], bytes[1]);
        augment_turn(aerial[i], copy, sizes[2], sizes[3], 4 - quarters);
    }
    free(copy);
    return GVM_OK;
}

/* Quarter turns of the first turn, and of the final one. */
static int first_quarters(const struct augmentation *a, const int sizes[4], const struct dice *dice)
{
    int quarters = a->turn ? (int)(dice_uniform(dice, TURN) * 4) : 0;
    return sizes[2] == sizes[3] ? quarters : quarters & 2;
}

static int last_quarters(const struct augmentation *a, const int sizes[4], const struct dice *dice)
{
    if (dice_uniform(dice, SPIN) >= a->spin) return 0;
    return sizes[2] == sizes[3] ? dice_int(dice, SPIN_BY, 1, 3) : 2;
}

static struct dice pair_dice(uint64_t seed, uint64_t epoch, uint64_t index)
{
    return (struct dice){seed, UINT64_C(0x617567) << 40 | epoch, index * DRAWS}; /* "aug": a separate stream */
}

void augment_seen(uint8_t *seen_out, const uint8_t *seen, const int sizes[4], const struct augmentation *a,
                  uint64_t seed, uint64_t epoch, uint64_t index)
{
    const struct dice dice = pair_dice(seed, epoch, index);
    int H = sizes[0] / SEEN_PATCH, W = sizes[1] / SEEN_PATCH;
    int right = (W * first_quarters(a, sizes, &dice) + 2) / 4,
        then = (W * (4 - last_quarters(a, sizes, &dice)) + 2) / 4;
    bool mirror = dice_uniform(&dice, MIRROR) < a->mirror;
    for (int y = 0; y < H; y++, seen_out += W, seen += W)
        for (int x = 0; x < W; x++) {
            int at = (x + right) % W;
            if (mirror) at = W - 1 - at;
            seen_out[(at + then) % W] = seen[x];
        }
}

gvm_status augment_pair(uint8_t *street_out, uint8_t *strong, uint8_t *weak, const uint8_t *street,
                        const uint8_t *aerial, const int sizes[4], const struct augmentation *a, uint64_t seed,
                        uint64_t epoch, uint64_t index)
{
    int H = sizes[2], W = sizes[3];
    uint8_t *plain = weak != NULL ? weak : strong;
    const struct dice dice = pair_dice(seed, epoch, index);
    int quarters = first_quarters(a, sizes, &dice);
    augment_roll(street_out, street, sizes[0], sizes[1], quarters);
    augment_turn(plain, aerial, H, W, quarters);
    if (dice_uniform(&dice, MIRROR) < a->mirror) {
        augment_mirror(street_out, sizes[0], sizes[1]);
        augment_mirror(plain, H, W);
    }
    if (a->street > 0) augment_jitter(street_out, sizes[0], sizes[1], a->street, &dice, STREET);
    if (weak != NULL) memcpy(strong, weak, (size_t)H * (size_t)W * 3);
    if (a->jitter > 0) augment_jitter(strong, H, W, a->jitter, &dice, ORDER);
    if (dice_uniform(&dice, GREY) < a->grey) augment_grey(strong, H, W);
    gvm_status status = GVM_OK;
    if (dice_uniform(&dice, BLUR) < a->blur)
        status = augment_blur(strong, H, W, a->sigma[0] + (a->sigma[1] - a->sigma[0]) * dice_uniform(&dice, SIGMA));

    struct dice each = {seed, UINT64_C(0x733467) << 40 | epoch, index * 2 * EACH_DRAWS}; /* "s4g" */
    if (status == GVM_OK) status = augment_each(street_out, sizes[0], sizes[1], a->grid[0], a, &each);
    each.first += EACH_DRAWS;
    if (status == GVM_OK) status = augment_each(strong, H, W, a->grid[1], a, &each);
    quarters = last_quarters(a, sizes, &dice);
    if (status != GVM_OK || quarters == 0) return status;
    return spin(street_out, (uint8_t *[2]){strong, weak}, sizes, quarters);
}
