/* kernels_half.c - the inner loops of search, float16 rows and float32 queries; see kernels.h. Compiled for each
 * instruction set, as kernels.c. */
#include "tensor/kernels.h"

#include "tensor/vec.h"

/* A block of the product: ROWS rows times two vectors of queries stay in registers. Eight accumulators hide the latency
 * of the multiply-add; more rows mean fewer loads of the queries. */
#if VW == 16
enum { ROWS = 8 };
#else
enum { ROWS = 6 };
#endif
enum { PANEL = 2 * VW /* queries per block */ };
enum { GROUP = 4 /* rows read in parallel */ };
_Static_assert(HALF_ROWS % ROWS == 0 && HALF_QUERIES % PANEL == 0, "blocks tile a product");

static void widen(float *y, const uint16_t *x, int n)
{
    int i = 0;
    for (; i + VW <= n; i += VW) {
        if (i % 32 == 0) __builtin_prefetch(x + i + HALF_CHUNK); /* prefetch the next chunk of the product */
        v_store(y + i, v_widen(x + i));
    }
    for (; i < n; i++) y[i] = float_from_f16(x[i]);
}

__attribute__((always_inline)) static inline void dot_group(float *scores, const uint16_t *const *rows, const float *y,
                                                            int n, int count)
{
    vf sum[GROUP][2];
    int i = 0;
    for (int r = 0; r < count; r++) sum[r][0] = sum[r][1] = (vf){0};
    for (; i + 2 * VW <= n; i += 2 * VW) {
        vf y0 = v_load(y + i), y1 = v_load(y + i + VW);
        for (int r = 0; r < count; r++) {
            sum[r][0] += v_widen(rows[r] + i) * y0;
            sum[r][1] += v_widen(rows[r] + i + VW) * y1;
        }
    }
    for (int r = 0; r < count; r++) {
        float tail = 0;
        for (int k = i; k < n; k++) tail += float_from_f16(rows[r][k]) * y[k];
        scores[r] = v_sum(sum[r][0] + sum[r][1]) + tail;
    }
}

/* A core has more memory requests in flight if it reads several rows at once, and the query is loaded from the cache
 * once for all of them. */
static void dots(float *scores, const uint16_t *const *rows, int R, const float *y, int n)
{
    int r = 0;
    for (; r + GROUP <= R; r += GROUP) dot_group(scores + r, rows + r, y, n, GROUP);
    for (; r < R; r++) dot_group(scores + r, rows + r, y, n, 1);
}

static void pack(float *panels, const float *queries, int n, int D)
{
    for (int q = 0; q < n; q += PANEL)
        for (int k = 0; k < D; k++)
            for (int j = 0; j < PANEL; j++) *panels++ = q + j < n ? queries[(size_t)(q + j) * (size_t)D + k] : 0;
}

/* c (count, PANEL), rows at distance HALF_QUERIES, += rows (count, K), at distance HALF_CHUNK, times panel (K, PANEL)
 */
__attribute__((always_inline)) static inline void block(float *c, const float *rows, const float *panel, int K,
                                                        int count)
{
    vf sum[ROWS][2];
    for (int r = 0; r < count; r++) sum[r][0] = sum[r][1] = (vf){0};
    for (int k = 0; k < K; k++) {
        vf b0 = v_load(panel + (size_t)k * PANEL), b1 = v_load(panel + (size_t)k * PANEL + VW);
        for (int r = 0; r < count; r++) {
            float a = rows[r * HALF_CHUNK + k];
            sum[r][0] += a * b0;
            sum[r][1] += a * b1;
        }
    }
    for (int r = 0; r < count; r++, c += HALF_QUERIES) {
        v_store(c, v_load(c) + sum[r][0]);
        v_store(c + VW, v_load(c + VW) + sum[r][1]);
    }
}

static void product(float *scores, size_t ld, const uint16_t *const *rows, int R, const float *panels, int n, int D,
                    float *scratch)
{
    float *wide = scratch, *c = scratch + HALF_ROWS * HALF_CHUNK; /* (R, chunk), (R, queries) */
    memset(c, 0, (size_t)R * HALF_QUERIES * sizeof *c);
    for (int from = 0; from < D; from += HALF_CHUNK) {
        int K = D - from < HALF_CHUNK ? D - from : HALF_CHUNK, r;
        for (r = 0; r < R; r++) widen(wide + (size_t)r * HALF_CHUNK, rows[r] + from, K);
        for (int q = 0; q < n; q += PANEL) {
            const float *panel = panels + (size_t)q * (size_t)D + (size_t)from * PANEL;
            for (r = 0; r + ROWS <= R; r += ROWS)
                block(c + (size_t)r * HALF_QUERIES + q, wide + (size_t)r * HALF_CHUNK, panel, K, ROWS);
            for (; r < R; r++) block(c + (size_t)r * HALF_QUERIES + q, wide + (size_t)r * HALF_CHUNK, panel, K, 1);
        }
    }
    for (int q = 0; q < n; q++)
        for (int r = 0; r < R; r++) scores[(size_t)q * ld + (size_t)r] = c[r * HALF_QUERIES + q];
}

/* In GROUP streams, as dots reads. Every vector enters the result, so that no load is optimised away. */
static int32_t read_all(const void *memory, size_t bytes)
{
    const float *p = memory;
    size_t part = bytes / sizeof *p / GROUP;
    vi sum[GROUP][2] = {{{0}}};
    for (size_t i = 0; i + 2 * VW <= part; i += 2 * VW)
        for (int r = 0; r < GROUP; r++)
            for (int v = 0; v < 2; v++) sum[r][v] ^= (vi)v_load(p + (size_t)r * part + i + v * VW);
    vi total = {0};
    for (int r = 0; r < GROUP; r++) total ^= sum[r][0] ^ sum[r][1];
    return total[0];
}

const struct half_kernels HALF_KERNELS = {
#define HALF_KERNEL(type, name, parameters) .name = name,
#include "tensor/kernels.def"
};
