/* overlay.c - see overlay.h */
#include "image/overlay.h"

#include <math.h>
#include <stddef.h>

/* From 0 to 1: dark blue, blue, cyan, yellow, red, dark red. Each channel is a trapezium around its own place. */
void heat_colour(float rgb[3], float t)
{
    for (int c = 0; c < 3; c++) rgb[c] = 255 * fminf(1, fmaxf(0, 1.5f - fabsf(4 * t - (float)(3 - c))));
}

void overlay(uint8_t *out, const uint8_t *pixels, const float *heat, int H, int W)
{
    size_t n = (size_t)H * (size_t)W;
    float low = heat[0], high = heat[0], rgb[3];
    for (size_t i = 1; i < n; i++) {
        low = fminf(low, heat[i]);
        high = fmaxf(high, heat[i]);
    }
    for (size_t i = 0; i < n; i++) {
        heat_colour(rgb, high > low ? (heat[i] - low) / (high - low) : 0);
        for (int c = 0; c < 3; c++) out[3 * i + c] = (uint8_t)(((float)pixels[3 * i + c] + rgb[c]) / 2 + 0.5f);
    }
}
