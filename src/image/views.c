/* views.c - see views.h
 *
 * A pixel at (x, y), right of and above the view's centre, is seen along (x, y, f), f = W / 2 / tan(width / 2). With
 * the camera pitched up, the direction has up = f sin pitch + y cos pitch and ahead = f cos pitch - y sin pitch, so its
 * azimuth is atan2(x, ahead) and its elevation atan2(up, hypot(x, ahead)). Views differ only by a shift of the
 * panorama's columns, so the angles of a sample are computed once for all views.
 *
 * A pixel is the mean of `samples` squared bilinear samples: at least 2, and enough that they are at most two panorama
 * pixels apart, so that no panorama pixel is skipped. Rows beyond the panorama repeat its first or last one. */
#include "image/views.h"

#include <math.h>

#include "base/error.h"
#include "image/fit.h"

static const struct view_lens usual = {.width = 75, .pitch = 0}; /* like the main camera of a phone */

enum { LEAST_SAMPLES = 2, MOST_SAMPLES = 8 };

/* The panorama to sample. */
struct source {
    const uint8_t *pixels;
    int h, w;
    double top, rows; /* elevation of the upper edge in degrees; rows per degree downwards */
};

/* Column and row, as integer and fraction. */
struct spot {
    int column;
    double right;
    const uint8_t *upper, *lower;
    double down;
};

static struct spot spot_at(const struct source *s, double azimuth, double elevation)
{
    double row = fmin(fmax((s->top - elevation) * s->rows - 0.5, 0), s->h - 1), down = floor(row);
    double column = (azimuth / 360 + 0.5) * s->w - 0.5, left = floor(column);
    size_t wide = 3 * (size_t)s->w, y = (size_t)down;
    return (struct spot){.column = (int)left,
                         .right = column - left,
                         .upper = s->pixels + y * wide,
                         .lower = s->pixels + (y + 1 < (size_t)s->h ? y + 1 : y) * wide,
                         .down = row - down};
}

/* sum (3) += the panorama at a position shifted right by `turn` of the circle. */
static void add_sample(double sum[3], const struct source *s, const struct spot *spot, double turn)
{
    double moved = spot->right + turn * s->w, whole = floor(moved), b = moved - whole, a = spot->down;
    int left = (spot->column + (int)whole) % s->w;
    if (left < 0) left += s->w;
    int right = left + 1 < s->w ? left + 1 : 0;
    const uint8_t *p = spot->upper + (size_t)left * 3, *q = spot->upper + (size_t)right * 3;
    const uint8_t *u = spot->lower + (size_t)left * 3, *v = spot->lower + (size_t)right * 3;
    for (int c = 0; c < 3; c++) sum[c] += (1 - a) * ((1 - b) * p[c] + b * q[c]) + a * ((1 - b) * u[c] + b * v[c]);
}

void views_cut(uint8_t *out, int count, int H, int W, const struct view_lens *lens, const struct image *panorama)
{
    const double degree = M_PI / 180;
    double high, low, f = W / 2.0 / tan(lens->width / 2 * degree), s = sin(lens->pitch * degree);
    double c = cos(lens->pitch * degree), step = panorama->width / (2 * M_PI * f);
    int n = (int)fmin(fmax(ceil(step / 2), LEAST_SAMPLES), MOST_SAMPLES);
    panorama_elevation(&high, &low, panorama);
    const struct source source = {.pixels = panorama->pixels,
                                  .h = panorama->height,
                                  .w = panorama->width,
                                  .top = high,
                                  .rows = panorama->height / (high - low)};
    size_t each = (size_t)H * (size_t)W * 3;
    for (int i = 0; i < H * W; i++) {
        int row = i / W, column = i % W;
        double sums[PANORAMA_VIEWS][3] = {0};
        for (int k = 0; k < n * n; k++) {
            int below = k / n, right = k % n;
            double x = column + (right + 0.5) / n - W / 2.0, y = H / 2.0 - (row + (below + 0.5) / n);
            double up = f * s + y * c, ahead = f * c - y * s;
            const struct spot spot = spot_at(&source, atan2(x, ahead) / degree, atan2(up, hypot(x, ahead)) / degree);
            for (int v = 0; v < count; v++) add_sample(sums[v], &source, &spot, (double)v / count);
        }
        for (int v = 0; v < count; v++)
            for (int j = 0; j < 3; j++) out[v * each + 3 * (size_t)i + j] = (uint8_t)rint(sums[v][j] / (n * n));
    }
}

gvm_status views_fit(uint8_t *out, const struct picture_shape *shape, enum circle circle, struct image *image,
                     const char *where, gvm_error *err)
{
    int H = shape->height, W = shape->width;
    gvm_status status = circle_check(image, circle, where, err);
    if (status != GVM_OK) return status;
    views_cut(out, PANORAMA_VIEWS, H, W, &usual, image);
    return fit_content(out, (size_t)PANORAMA_VIEWS * (size_t)H * (size_t)W, where, err);
}
