/* resize_skimage.c - Gaussian filter, then bilinear, with black outside, as scikit-image computes it
 *
 * With s = (end - start) / n input samples per output, a direction that shrinks is first filtered by a Gaussian with
 * standard deviation (s - 1) / 2, truncated at int(4 deviation + 1/2) samples, rows before columns. Output i is
 * interpolated at start + (i + 1/2) s - 1/2. Both steps treat the outside of the picture as black, so its edges become
 * darker. Sums are in double; the filter's output and the result are rounded to float32.
 *
 * The filters are evaluated only at the positions that outputs need: 2 H rows and, in these, 2 W columns, whatever the
 * picture's size. */
#include "image/image.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One direction of the resize. */
struct axis {
    int reach;       /* of the Gaussian, in samples; 0: no filter */
    double *weights; /* (reach + 1) from the centre outwards */
    int *first;      /* (n) the sample before an output, >= -1 */
    double *part;    /* (n) weight of the next sample, 0..1 */
};

/* An input row after both filters, at the columns next to each output. */
struct row {
    int y;      /* NO_ROW if empty */
    float *mix; /* (W, 2, 3) */
};

enum { NO_ROW = INT_MIN, PIECE = 512 /* values summed at a time, so that they stay in the L1 cache */ };

static void axis_free(struct axis *axis)
{
    free(axis->weights);
    free(axis->first);
    free(axis->part);
}

static bool axis_init(struct axis *axis, int n, double start, double end)
{
    double scale = (end - start) / n, deviation = fmax(0, (scale - 1) / 2), sum = 1;
    assert(scale < 1 << 24);
    axis->reach = (int)(4 * deviation + 0.5);
    axis->weights = malloc(sizeof(double) * ((size_t)axis->reach + 1));
    axis->first = malloc(sizeof(int) * (size_t)n);
    axis->part = malloc(sizeof(double) * (size_t)n);
    if (!axis->weights || !axis->first || !axis->part) return false;
    axis->weights[0] = 1;
    for (int k = 1; k <= axis->reach; k++) {
        axis->weights[k] = exp(-0.5 * k * k / (deviation * deviation));
        sum += 2 * axis->weights[k];
    }
    for (int k = 0; k <= axis->reach; k++) axis->weights[k] /= sum;
    for (int i = 0; i < n; i++) {
        double at = start + ((i + 0.5) * scale - 0.5);
        axis->first[i] = (int)floor(at);
        axis->part[i] = at - floor(at);
    }
    return true;
}

static void extremes(uint8_t *low, uint8_t *high, const uint8_t *in, size_t n)
{
    uint8_t least = 255, most = 0;
    for (size_t i = 0; i < n; i++) {
        least = in[i] < least ? in[i] : least;
        most = in[i] > most ? in[i] : most;
    }
    *low = least;
    *high = most;
}

/* out (n) = row y of in (h, n), filtered vertically. The bytes of two rows at the same distance are added first. */
static void mix_rows(float *out, const uint8_t *in, int h, size_t n, int y, const struct axis *axis)
{
    for (size_t from = 0; from < n; from += PIECE) {
        int count = n - from < PIECE ? (int)(n - from) : PIECE;
        const uint8_t *middle = in + (size_t)y * n + from;
        double sum[PIECE];
        for (int j = 0; j < count; j++) sum[j] = axis->weights[0] * middle[j];
        for (int k = 1; k <= axis->reach; k++) {
            const uint8_t *above = y - k >= 0 ? middle - (size_t)k * n : NULL;
            const uint8_t *below = y + k < h ? middle + (size_t)k * n : NULL;
            double weight = axis->weights[k];
            if (above != NULL && below != NULL) {
                for (int j = 0; j < count; j++) sum[j] += weight * (above[j] + below[j]);
            } else if (above != NULL || below != NULL) {
                const uint8_t *one = above != NULL ? above : below;
                for (int j = 0; j < count; j++) sum[j] += weight * one[j];
            }
        }
        for (int j = 0; j < count; j++) out[from + (size_t)j] = (float)sum[j];
    }
}

/* out (3) = column x of a row (w, 3), which has `reach` black columns on either side. */
static void mix_columns(float out[3], const float *row, int w, int x, const struct axis *axis)
{
    double sum[3] = {0};
    if (x >= 0 && x < w) {
        const float *middle = row + 3 * (size_t)x;
        for (int c = 0; c < 3; c++) sum[c] = axis->weights[0] * (double)middle[c];
        for (int k = 1; k <= axis->reach; k++)
            for (int c = 0; c < 3; c++)
                sum[c] += axis->weights[k] * ((double)middle[c - 3 * k] + (double)middle[c + 3 * k]);
    }
    for (int c = 0; c < 3; c++) out[c] = (float)sum[c];
}

/* Filter one row of the input; wide: scratch for it, between its black columns. */
static void make_row(struct row *row, float *wide, int y, const uint8_t *in, int h, int w, int W,
                     const struct axis *rows, const struct axis *columns)
{
    if (row->y == y) return;
    row->y = y;
    if (y < 0 || y >= h) {
        memset(row->mix, 0, sizeof(float) * 6 * (size_t)W);
        return;
    }
    float *inner = wide + 3 * (size_t)columns->reach;
    mix_rows(inner, in, h, 3 * (size_t)w, y, rows);
    for (int x = 0; x < W; x++)
        for (int side = 0; side < 2; side++)
            mix_columns(row->mix + 6 * (size_t)x + (size_t)side * 3, inner, w, columns->first[x] + side, columns);
}

/* out (W, 3): interpolate two rows; `part` is the weight of the lower one. */
static void between(uint8_t *out, const struct row *upper, const struct row *lower, double part, int W,
                    const struct axis *columns, uint8_t low, uint8_t high)
{
    const float *a = upper->mix, *b = lower->mix;
    for (int x = 0; x < W; x++, a += 6, b += 6)
        for (int c = 0; c < 3; c++) {
            double left = a[c] * (1 - part) + b[c] * part, right = a[c + 3] * (1 - part) + b[c + 3] * part;
            float value = (float)(left * (1 - columns->part[x]) + right * columns->part[x]);
            *out++ = (uint8_t)fminf(fmaxf(value, low), high); /* truncated, not rounded */
        }
}

gvm_status image_resize_skimage(uint8_t *out, int H, int W, const uint8_t *in, int h, int w, const double box[4])
{
    assert(H > 0 && W > 0 && h > 0 && w > 0 && box[0] < box[2] && box[1] < box[3]);
    struct axis columns = {0}, rows = {0};
    struct row kept[2] = {{.y = NO_ROW}, {.y = NO_ROW}};
    float *wide = NULL, *mixes = NULL;
    uint8_t low, high;
    gvm_status status = GVM_MEMORY;
    if (!axis_init(&columns, W, box[0], box[2]) || !axis_init(&rows, H, box[1], box[3])) goto done;
    wide = calloc(3 * ((size_t)w + 2 * (size_t)columns.reach), sizeof *wide);
    mixes = malloc(2 * sizeof(float) * 6 * (size_t)W);
    if (wide == NULL || mixes == NULL) goto done;
    for (size_t i = 0; i < 2; i++) kept[i].mix = mixes + i * 6 * (size_t)W;
    extremes(&low, &high, in, 3 * (size_t)w * (size_t)h);
    for (int y = 0; y < H; y++) {
        int first = rows.first[y];
        struct row *upper = &kept[first & 1], *lower = &kept[(first + 1) & 1];
        make_row(upper, wide, first, in, h, w, W, &rows, &columns);
        make_row(lower, wide, first + 1, in, h, w, W, &rows, &columns);
        between(out + (size_t)y * W * 3, upper, lower, rows.part[y], W, &columns, low, high);
    }
    status = GVM_OK;
done:
    axis_free(&columns);
    axis_free(&rows);
    free(wide);
    free(mixes);
    return status;
}
