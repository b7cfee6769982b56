/* strip.c - see strip.h */
#include "image/strip.h"

#include <string.h>

struct strip strip_of(double draw, double fov, double noise, int W)
{
    int shift = (int)(draw * W * noise / 360), count = (int)(fov / 360 * W);
    count = count < 1 ? 1 : count > W ? W : count;
    return (struct strip){(W - shift % W) % W, count};
}

struct strip strip_turn(uint8_t *pixels, struct strip strip, double heading, const struct picture_shape *shape)
{
    const int W = shape->width;
    const int middle = strip.first + strip.count / 2, columns = W / 2 - middle;
    double turn = heading + 360.0 * columns / W;
    panorama_turn(pixels, shape, turn);
    return (struct strip){(strip.first + panorama_columns(turn, W)) % W, strip.count};
}

static bool has_column(struct strip strip, int j, int W)
{
    return (j - strip.first + W) % W < strip.count;
}

void strip_cut(uint8_t *pixels, struct strip strip, const struct picture_shape *shape)
{
    const int H = shape->height, W = shape->width, across = W / SEEN_PATCH;
    for (int j = 0; j < W; j++)
        for (int i = 0; i < H && !has_column(strip, j, W); i++)
            memcpy(pixels + ((size_t)i * (size_t)W + (size_t)j) * 3, shape->unseen, 3);
    uint8_t *seen = picture_seen(pixels, shape);
    for (int x = 0; x < across && shape->masked; x++) {
        int columns = 0;
        for (int j = 0; j < SEEN_PATCH; j++) columns += has_column(strip, x * SEEN_PATCH + j, W);
        for (int y = 0; y < H / SEEN_PATCH && 2 * columns < SEEN_PATCH; y++)
            seen[(size_t)y * (size_t)across + (size_t)x] = 0;
    }
}
