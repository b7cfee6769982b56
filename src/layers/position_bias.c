/* position_bias.c - the continuous, log-spaced position bias of Swin V2 (section 3.3, equation 5) and the masks of
 * shifted windows
 *
 * The offset between two tokens of a window, in rows and columns, has P = (2 window - 1)^2 values. Each passes through
 * a small MLP, 2 to 512 to heads, and 16 sigmoid. The bias of n = window^2 tokens takes its n^2 values per head from
 * that table. */
#include <math.h>

#include "layers/layer.h"
#include "layers/position_bias.h"

enum { HIDDEN = POSITION_HIDDEN };

static int offsets(int window)
{
    return (2 * window - 1) * (2 * window - 1);
}

size_t position_scratch(int window, int heads)
{
    return (size_t)offsets(window) * (2 + 2 * HIDDEN + 2 * heads);
}

uint64_t position_bias_products(int window, int heads)
{
    return (uint64_t)offsets(window) * HIDDEN * (2 + (uint64_t)heads);
}

/* Sections of the scratch. */
struct table {
    float *offset;  /* (P, 2) sign(t) log2(|t| + 1) / log2(8), t = offset / (window - 1) * 8 */
    float *hidden;  /* (P, 512) */
    float *logit;   /* (P, heads) */
    float *dlogit;  /* (P, heads) */
    float *dhidden; /* (P, 512) */
    int P;
};

static struct table lay_out(float *scratch, const struct attention *w)
{
    struct table t = {.offset = scratch, .P = offsets(w->window)};
    t.hidden = t.offset + (size_t)t.P * 2;
    t.logit = t.hidden + (size_t)t.P * HIDDEN;
    t.dlogit = t.logit + (size_t)t.P * w->heads;
    t.dhidden = t.dlogit + (size_t)t.P * w->heads;
    return t;
}

static float spaced(int offset, int window)
{
    float t = (float)offset / (float)(window > 1 ? window - 1 : 1) * 8;
    return copysignf(log2f(fabsf(t) + 1) / 3, t);
}

static void run_mlp(const struct table *t, const struct attention *w)
{
    int side = 2 * w->window - 1;
    const float *w1 = w->cpb_w1->data, *b1 = w->cpb_b1->data;
    for (int p = 0; p < t->P; p++) {
        float dy = spaced(p / side - (w->window - 1), w->window), dx = spaced(p % side - (w->window - 1), w->window);
        t->offset[(size_t)p * 2] = dy;
        t->offset[(size_t)p * 2 + 1] = dx;
        float *hidden = t->hidden + (size_t)p * HIDDEN;
        for (size_t k = 0; k < HIDDEN; k++) {
            float h = w1[2 * k] * dy + w1[2 * k + 1] * dx + b1[k];
            hidden[k] = h > 0 ? h : 0;
        }
    }
    gemm('N', 'T', t->P, w->heads, HIDDEN, t->hidden, HIDDEN, w->cpb_w2->data, HIDDEN, 0, t->logit, w->heads);
}

/* Index of the offset between tokens i and j, out of P. */
static int offset_index(int i, int j, int window)
{
    int dy = i / window - j / window + window - 1, dx = i % window - j % window + window - 1;
    return dy * (2 * window - 1) + dx;
}

static float sigmoid16(float x)
{
    return 16 / (1 + expf(-x));
}

void position_bias(float *bias, float *scratch, const struct attention *w)
{
    struct table t = lay_out(scratch, w);
    run_mlp(&t, w);
    for (int i = 0; i < t.P * w->heads; i++) t.logit[i] = sigmoid16(t.logit[i]);
    int n = w->window * w->window, np = round_up(n, 16);
    for (int h = 0; h < w->heads; h++)
        for (int i = 0; i < n; i++, bias += np) {
            for (int j = 0; j < n; j++) bias[j] = t.logit[offset_index(i, j, w->window) * w->heads + h];
            for (int j = n; j < np; j++) bias[j] = -1e30f;
        }
}

void position_bias_backward(float *scratch, const float *dbias, const struct attention *w)
{
    struct table t = lay_out(scratch, w);
    run_mlp(&t, w);
    int heads = w->heads, n = w->window * w->window, np = round_up(n, 16);
    memset(t.dlogit, 0, (size_t)t.P * heads * sizeof *t.dlogit);
    for (int h = 0; h < heads; h++)
        for (int i = 0; i < n; i++, dbias += np)
            for (int j = 0; j < n; j++) t.dlogit[offset_index(i, j, w->window) * heads + h] += dbias[j];
    for (int i = 0; i < t.P * heads; i++) {
        float s = sigmoid16(t.logit[i]);
        t.dlogit[i] *= s * (1 - s / 16);
    }
    gemm('T', 'N', heads, HIDDEN, t.P, t.dlogit, heads, t.hidden, HIDDEN, 1, w->cpb_w2->grad, HIDDEN);
    gemm('N', 'N', t.P, HIDDEN, heads, t.dlogit, heads, w->cpb_w2->data, HIDDEN, 0, t.dhidden, HIDDEN);
    float *dw1 = w->cpb_w1->grad, *db1 = w->cpb_b1->grad;
    for (int p = 0; p < t.P; p++)
        for (size_t k = 0; k < HIDDEN; k++) {
            if (t.hidden[(size_t)p * HIDDEN + k] <= 0) continue;
            float d = t.dhidden[(size_t)p * HIDDEN + k];
            dw1[2 * k] += d * t.offset[(size_t)p * 2];
            dw1[2 * k + 1] += d * t.offset[(size_t)p * 2 + 1];
            db1[k] += d;
        }
}

/* After the shift, a window at the lower or right edge contains tokens from both ends of the map. Those before and
 * those after the cut at window - shift must not attend to each other. */
void shift_masks(float *masks, int window, int shift)
{
    int n = window * window, np = round_up(n, 16), cut = window - shift;
    for (int kind = 1; kind <= 3; kind++) /* bit 0: lower edge, bit 1: right edge */
        for (int i = 0; i < n; i++, masks += np)
            for (int j = 0; j < np; j++) {
                bool apart = j < n && (((kind & 1) && (i / window >= cut) != (j / window >= cut)) ||
                                       ((kind & 2) && (i % window >= cut) != (j % window >= cut)));
                masks[j] = apart ? -100.0f : 0.0f;
            }
}
