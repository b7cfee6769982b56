/* view.c - see view.h: light, sky and sensor. */
#include "world/view.h"

#include <math.h>

#include "base/random.h"

static int lower(float x)
{
    int i = (int)x;
    return i - ((float)i > x);
}

float grain(float x, float y, uint32_t seed)
{
    int i = lower(x), j = lower(y);
    float s = x - (float)i, t = y - (float)j;
    s = s * s * (3 - 2 * s);
    t = t * t * (3 - 2 * t);
    uint32_t u = (uint32_t)i, v = (uint32_t)j;
    float a = hash_unit(u, v, seed), b = hash_unit(u + 1, v, seed);
    float c = hash_unit(u, v + 1, seed), d = hash_unit(u + 1, v + 1, seed);
    float low = a + s * (b - a), high = c + s * (d - c);
    return low + t * (high - low);
}

void view_draw(struct view *view, enum when when, uint64_t seed, uint64_t pair)
{
    static const unsigned char grass[4][3] = {{108, 130, 68}, {100, 120, 66}, {140, 134, 90}, {108, 114, 70}};
    static const unsigned char meadow[4][3] = {{120, 136, 78}, {124, 128, 78}, {162, 148, 100}, {128, 120, 80}};
    struct dice d = {.seed = seed, .stream = (uint64_t)(0xa0 + (int)when) << 56, .index = pair * 64};
    *view = (struct view){.when = when};
    view->seed = (uint32_t)dice_pick(&d, 1 << 30);
    float high = dice_roll(&d, 24, 62) * PI / 180, azimuth = dice_roll(&d, 95, 265) * PI / 180;
    view->sun = (struct vector){cosf(high) * sinf(azimuth), cosf(high) * cosf(azimuth), sinf(high)};
    view->clouds = dice_roll(&d, 0, 1);
    float bright = 1 - 0.75f * larger(0, view->clouds - 0.6f) / 0.4f, warm = 1 - high / 1.1f;
    float power = 2.7f * bright;
    view->sunlight = (struct colour){power, power * (0.96f - 0.06f * warm), power * (0.9f - 0.22f * warm)};
    float sky = 0.5f + 0.55f * (1 - bright);
    view->skylight =
        (struct colour){sky * (0.86f + 0.12f * (1 - bright)), sky * 0.97f, sky * (1.15f - 0.15f * (1 - bright))};
    view->air = mix((struct colour){0.66f, 0.74f, 0.84f}, (struct colour){0.8f, 0.8f, 0.8f}, dice_roll(&d, 0, 1));
    view->zenith = mix((struct colour){0.12f, 0.27f, 0.58f}, (struct colour){0.5f, 0.56f, 0.64f}, 1 - bright);
    view->haze = dice_roll(&d, 0.35f, 0.95f);
    view->season = dice_pick(&d, 4);
    const unsigned char *g = grass[view->season], *m = meadow[view->season];
    float tone = dice_roll(&d, 0.85f, 1.12f);
    view->grass = times(srgb(g[0], g[1], g[2]), tone);
    view->meadow = times(srgb(m[0], m[1], m[2]), tone);
    float gain = dice_roll(&d, 0.78f, 1.22f);
    view->gain.r = gain * dice_roll(&d, 0.91f, 1.09f);
    view->gain.g = gain * dice_roll(&d, 0.96f, 1.04f);
    view->gain.b = gain * dice_roll(&d, 0.91f, 1.09f);
    view->contrast = dice_roll(&d, 0.86f, 1.16f);
    view->noise = dice_roll(&d, 0.8f, 3.2f);
}

/* A shoulder for highlights, the square root of 8-bit pictures, contrast, noise. */
void view_develop(unsigned char *pixel, const struct view *view, struct colour light, uint32_t n)
{
    float in[3] = {light.r * view->gain.r, light.g * view->gain.g, light.b * view->gain.b};
    for (int k = 0; k < 3; k++) {
        uint32_t h = hash(n, (uint32_t)k, view->seed);
        float three = (float)(h & 1023) + (float)(h >> 10 & 1023) + (float)(h >> 20 & 1023); /* deviation 512 */
        float v = 255 * sqrtf(1 - expf(-1.15f * in[k]));
        v = 128 + view->contrast * (v - 128) + view->noise * (three - 1534.5f) / 512;
        pixel[k] = (unsigned char)(smaller(larger(v, 0), 255) + 0.5f);
    }
}

struct colour view_sky(const struct view *view, struct vector d)
{
    float up = larger(d.z, 0), t = 1 - (1 - up) * (1 - up);
    struct colour sky = mix(view->air, view->zenith, t * 0.9f);
    float near = larger(d.x * view->sun.x + d.y * view->sun.y + d.z * view->sun.z, 0);
    near *= near * near;
    float glow = near * near * near * near * 0.5f;
    sky.r += glow;
    sky.g += glow * 0.95f;
    sky.b += glow * 0.8f;
    if (up < 0.02f) return sky;
    float u = d.x / (up + 0.12f) * 1.4f, v = d.y / (up + 0.12f) * 1.4f;
    float c = 0.55f * grain(u, v, view->seed) + 0.3f * grain(2.1f * u, 2.1f * v, view->seed + 1) +
              0.15f * grain(4.7f * u, 4.7f * v, view->seed + 2);
    float cover = smaller(larger((c - 0.78f + 0.62f * view->clouds) * 4, 0), 1) * smaller(1, up * 6);
    float tone = 0.95f - 0.35f * larger(0, c - 0.45f) - 0.2f * larger(0, view->clouds - 0.6f);
    return mix(sky, (struct colour){tone, tone, tone * 1.02f}, 0.85f * cover);
}

struct colour view_light(const struct view *view, struct colour c, struct vector n, float lit)
{
    float sun = lit * larger(0, n.x * view->sun.x + n.y * view->sun.y + n.z * view->sun.z);
    float sky = 0.62f + 0.38f * n.z, ground = 0.16f * (1 - n.z);
    return (struct colour){c.r * (sun * view->sunlight.r + sky * view->skylight.r + ground * 0.9f),
                           c.g * (sun * view->sunlight.g + sky * view->skylight.g + ground * 0.9f),
                           c.b * (sun * view->sunlight.b + sky * view->skylight.b + ground * 0.75f)};
}
