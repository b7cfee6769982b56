/* augment_place.c - see augment.h: augments a photo and the pictures of its place. */
#include "image/augment_parts.h"

#include <stdlib.h>
#include <string.h>

static bool is_black(const uint8_t *from, size_t step, int count)
{
    for (; count > 0; count--, from += step)
        if (from[0] | from[1] | from[2]) return false;
    return true;
}

/* Left, top, right, bottom of the content inside black rows and columns at the edges. */
static void find_content(int box[4], const uint8_t *pixels, int H, int W)
{
    size_t row = (size_t)W * 3;
    int top = 0, bottom = H, left = 0, right = W;
    while (top < bottom && is_black(pixels + (size_t)top * row, 3, W)) top++;
    while (bottom > top && is_black(pixels + (size_t)(bottom - 1) * row, 3, W)) bottom--;
    while (left < right && is_black(pixels + 3 * (size_t)left, row, H)) left++;
    while (right > left && is_black(pixels + 3 * (size_t)(right - 1), row, H)) right--;
    memcpy(box, (const int[4]){left, top, right, bottom}, 4 * sizeof *box);
}

/* Copy the box to a contiguous picture, or back. */
static void move_box(uint8_t *own, uint8_t *pixels, int W, const int box[4], bool back)
{
    size_t bytes = 3 * (size_t)(box[2] - box[0]);
    for (int y = box[1]; y < box[3]; y++, own += bytes) {
        uint8_t *row = pixels + ((size_t)y * (size_t)W + (size_t)box[0]) * 3;
        memcpy(back ? row : own, back ? own : row, bytes);
    }
}

static gvm_status vary_photo(uint8_t *photo, int H, int W, const struct augmentation *a, const struct dice *dice)
{
    int box[4];
    find_content(box, photo, H, W);
    int height = box[3] - box[1], width = box[2] - box[0];
    if (height < 1 || width < 1) return GVM_OK;
    uint8_t *own = malloc((size_t)height * (size_t)width * 3);
    if (own == NULL) return GVM_MEMORY;
    move_box(own, photo, W, box, false);
    gvm_status status = augment_each(own, height, width, a->grid[0], a, dice);
    move_box(own, photo, W, box, true);
    free(own);
    return status;
}

gvm_status augment_place(uint8_t *photo, uint8_t *aerial, const int sizes[4], int pictures,
                         const struct augmentation *a, uint64_t seed, uint64_t epoch, uint64_t index)
{
    struct dice dice = {seed, UINT64_C(0x733467) << 40 | epoch, index * 2 * EACH_DRAWS}; /* "s4g" */
    gvm_status status = vary_photo(photo, sizes[0], sizes[1], a, &dice);
    dice.first += EACH_DRAWS;
    size_t each = (size_t)sizes[2] * (size_t)sizes[3] * 3;
    for (int i = 0; i < pictures && status == GVM_OK; i++)
        status = augment_each(aerial + (size_t)i * each, sizes[2], sizes[3], a->grid[1], a, &dice);
    return status;
}
