/* strip.c - see strip.h */
#include "image/strip.h"

#include <string.h>

#include "image/panorama.h"

struct strip strip_of(double draw, double fov, double noise, int W)
{
    int shift = (int)(draw * W * noise / 360), count = (int)(fov / 360 * W);
    count = count < 1 ? 1 : count > W ? W : count;
    return (struct strip){(W - shift % W) % W, count};
}

struct strip strip_turn(uint8_t *pixels, struct strip strip, double heading, int H, int W)
{
    double turn = heading + 360.0 * (W / 2 - strip.first - strip.count / 2) / W;
    panorama_turn(pixels, H, W, turn);
    return (struct strip){(strip.first + panorama_columns(turn, W)) % W, strip.count};
}

/* Whether column j is in the strip. */
static bool has(struct strip strip, int j, int W)
{
    return (j - strip.first + W) % W < strip.count;
}

void strip_cut(uint8_t *pixels, struct strip strip, const uint8_t colour[3], int H, int W)
{
    for (int j = 0; j < W; j++)
        for (int i = 0; i < H && !has(strip, j, W); i++)
            memcpy(pixels + ((size_t)i * (size_t)W + (size_t)j) * 3, colour, 3);
}
