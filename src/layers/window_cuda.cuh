/* window_cuda.cuh - one head of a window in a block's shared memory: the rows of its tokens in the map, their queries,
 * keys and values, products among them, the softmax. All threads of a block make these calls, except those for a single
 * warp. */
#ifndef GVM_LAYERS_WINDOW_CUDA_CUH
#define GVM_LAYERS_WINDOW_CUDA_CUH

#include "layers/layer_cuda.cuh"

static const int WARPS = 8, THREADS = WARPS * 32;

struct shape {
    int H, W, C, side, shift, heads, windows;
    int n, np, d, dp; /* tokens per window, channels per head; np and dp: rounded up to multiples of 16 */
    int offsets;      /* (2 side - 1)^2 */
    bool wrap;        /* no mask between the left and the right edge */
    int slide;        /* shift of the columns only */
};

static int up_16(int n)
{
    return (n + 15) / 16 * 16;
}

static struct shape shape_of(int B, int C, const struct attention *w)
{
    struct shape s = {};
    s.H = w->H, s.W = w->W, s.C = C, s.side = w->window, s.shift = w->shift, s.heads = w->heads;
    s.n = w->window * w->window;
    s.np = up_16(s.n);
    s.d = C / w->heads;
    s.dp = up_16(s.d);
    s.windows = B * w->H * w->W / s.n;
    s.offsets = (2 * w->window - 1) * (2 * w->window - 1);
    s.wrap = w->wrap;
    s.slide = w->slide;
    return s;
}

/* Row of token i of a window in the maps of all pictures. */
__device__ static int token_row(const shape &s, int window, int i)
{
    int across = s.W / s.side, each = across * (s.H / s.side), at = window % each;
    int y = at / across * s.side + i / s.side + s.shift, x = at % across * s.side + i % s.side + s.shift + s.slide;
    return (window / each * s.H + (y >= s.H ? y - s.H : y)) * s.W + (x >= s.W ? x - s.W : x);
}

/* The mask that a window needs in a shifted map: bit 0 at the lower edge, bit 1 at the right edge. */
__device__ static int window_kind(const shape &s, int window)
{
    int across = s.W / s.side, down = s.H / s.side, at = window % (across * down);
    if (s.shift == 0) return 0;
    return (at / across == down - 1 ? 1 : 0) | (at % across == across - 1 && !s.wrap ? 2 : 0);
}

/* Set in a token's code if it is not seen. */
static const int UNSEEN = 1 << 30;

/* A token's part of the pair lookup: its position in a row of offsets, and in the low two bits its region of a shifted
 * map (as window_kind). Tokens from different ends of the map do not attend to each other. */
__device__ static int token_code(const shape &s, int i)
{
    int y = i / s.side, x = i % s.side, cut = s.side - s.shift;
    return (y * (2 * s.side - 1) + x) * 4 + (y >= cut ? 1 : 0) + (x >= cut ? 2 : 0);
}

/* ------------------------------------------------------------------ products within a block
 *
 * C (M, N) = op(A) op(B) in shared memory, M, N and K multiples of 16; AT, BT: transposed. All threads call them; C is
 * complete after the next __syncthreads. */

template <bool AT, bool BT>
__device__ void block_product(float *C, int ldc, const float *A, int lda, const float *B, int ldb, int M, int N, int K)
{
    for (int tile = threadIdx.x; tile < M / 4 * (N / 4); tile += THREADS) {
        int i = tile / (N / 4) * 4, j = tile % (N / 4) * 4;
        float sum[4][4] = {};
        for (int k = 0; k < K; k++) {
            float a[4], b[4];
            for (int r = 0; r < 4; r++) a[r] = AT ? A[k * lda + i + r] : A[(i + r) * lda + k];
            for (int c = 0; c < 4; c++) b[c] = BT ? B[(j + c) * ldb + k] : B[k * ldb + j + c];
            for (int r = 0; r < 4; r++)
                for (int c = 0; c < 4; c++) sum[r][c] += a[r] * b[c];
        }
        for (int r = 0; r < 4; r++)
            for (int c = 0; c < 4; c++) C[(i + r) * ldc + j + c] = sum[r][c];
    }
}

#ifndef GVM_CUDA_HOST
/* A tile of 16 x 16 by one warp, on the tensor cores. */
template <bool AT, bool BT>
__device__ void warp_tile(float *C, int ldc, const bf16 *A, int lda, const bf16 *B, int ldb, int K)
{
    using namespace nvcuda::wmma;
    fragment<accumulator, 16, 16, 16, float> sum;
    fill_fragment(sum, 0.0f);
    for (int k = 0; k < K; k += 16) {
        typename std::conditional<AT, fragment<matrix_a, 16, 16, 16, bf16, col_major>,
                                  fragment<matrix_a, 16, 16, 16, bf16, row_major>>::type a;
        typename std::conditional<BT, fragment<matrix_b, 16, 16, 16, bf16, col_major>,
                                  fragment<matrix_b, 16, 16, 16, bf16, row_major>>::type b;
        load_matrix_sync(a, AT ? A + k * lda : A + k, lda);
        load_matrix_sync(b, BT ? B + k : B + k * ldb, ldb);
        mma_sync(sum, a, b, sum);
    }
    store_matrix_sync(C, sum, ldc, mem_row_major);
}
#endif

template <bool AT, bool BT>
__device__ void block_product(float *C, int ldc, const bf16 *A, int lda, const bf16 *B, int ldb, int M, int N, int K)
{
    for (int tile = threadIdx.x / WARP; tile < M / 16 * (N / 16); tile += WARPS) {
        int i = tile / (N / 16) * 16, j = tile % (N / 16) * 16;
        warp_tile<AT, BT>(C + i * ldc + j, ldc, AT ? A + i : A + i * lda, lda, BT ? B + j * ldb : B + j, ldb, K);
    }
}

/* ------------------------------------------------------------------ a window in shared memory */

/* Padding after each row, so that rows start in different banks; tensor cores require rows of a multiple of 16 bytes.
 */
enum { PAD_FLOAT = 4 };

template <typename T> struct window {
    static const int PAD = sizeof(T) == 2 ? 8 : 1;
    T *q, *k, *v, *dout; /* (np, dp + PAD): q^, k^, v + v_bias; in backward the gradient of the head's output */
    T *p, *ds;           /* (np, np + PAD): softmax; in backward the scores' gradient */
    float *f;            /* results of products: (np, np + PAD_FLOAT) or (np, dp + PAD_FLOAT) */
    float *rq, *rk;      /* (np) 1 / length of q, k */
    float *table;        /* (offsets) of this head */
    float *dtable;       /* (offsets) */
    float *slopes;       /* (WARPS) */
    int *codes;          /* (np) token_code */
    int *rows;           /* (np) token_row */
};

/* Lay out the parts in the order above; returns the bytes. memory NULL: only computes the size. */
template <typename T>
__host__ __device__ static size_t lay_out(window<T> *w, char *memory, const shape &s, bool backward)
{
    size_t at = 0, rows = (size_t)s.np;
    size_t map = rows * (s.dp + w->PAD) * sizeof(T), scores = rows * (s.np + w->PAD) * sizeof(T);
    size_t wide = rows * ((s.np > s.dp ? s.np : s.dp) + PAD_FLOAT) * sizeof(float);
    T **maps[] = {&w->q, &w->k, &w->v, &w->dout};
    for (int i = 0; i < (backward ? 4 : 3); i++, at += map) *maps[i] = (T *)(memory + at);
    w->p = (T *)(memory + at), at += scores;
    if (backward) w->ds = (T *)(memory + at), at += scores;
    w->f = (float *)(memory + at), at += wide;
    w->rq = (float *)(memory + at), at += rows * sizeof(float);
    w->rk = (float *)(memory + at), at += rows * sizeof(float);
    w->codes = (int *)(memory + at), at += rows * sizeof(int);
    w->rows = (int *)(memory + at), at += rows * sizeof(int);
    w->table = (float *)(memory + at), at += (size_t)s.offsets * sizeof(float);
    if (!backward) return at;
    w->dtable = (float *)(memory + at), at += (size_t)s.offsets * sizeof(float);
    w->slopes = (float *)(memory + at), at += WARPS * sizeof(float);
    return at;
}

/* x / |x| as a row of dp: 0 beyond d channels or n tokens. For one warp. */
template <typename T>
__device__ static void load_unit(T *to, float *inverse, const T *from, const float *bias, bool real, const shape &s)
{
    int lane = threadIdx.x % WARP;
    float square = 0;
    for (int c = lane; c < s.d; c += WARP) {
        float x = real ? to_float(from[c]) + (bias ? bias[c] : 0) : 0;
        square += x * x;
    }
    float length = fmaxf(sqrtf(warp_sum(square)), 1e-12f);
    for (int c = lane; c < s.dp; c += WARP) {
        float x = real && c < s.d ? to_float(from[c]) + (bias ? bias[c] : 0) : 0;
        store(to + c, x / length);
    }
    if (lane == 0) *inverse = 1 / length;
}

template <typename T>
__device__ static void load_plain(T *to, const T *from, const float *bias, bool real, const shape &s)
{
    for (int c = threadIdx.x % WARP; c < s.dp; c += WARP)
        store(to + c, real && c < s.d ? to_float(from[c]) + (bias ? bias[c] : 0) : 0);
}

/* Compute the tokens' rows and codes once per window, because they need divisions. seen: of all maps, or NULL. */
template <typename T>
__device__ static void place_tokens(const window<T> &w, const shape &s, int index, const uint8_t *seen)
{
    for (int i = threadIdx.x; i < s.np; i += THREADS) {
        w.rows[i] = i < s.n ? token_row(s, index, i) : 0;
        w.codes[i] = token_code(s, i) | (seen && i < s.n && !seen[w.rows[i]] ? UNSEEN : 0);
    }
    __syncthreads();
}

template <typename T>
__device__ static void load_window(const window<T> &w, const T *qkv, const float *q_bias, const float *v_bias,
                                   const T *dout, const shape &s, int head)
{
    int ld = s.dp + w.PAD, first = head * s.d;
    for (int i = threadIdx.x / WARP; i < s.np; i += WARPS) {
        bool real = i < s.n;
        size_t row = w.rows[i];
        const T *at = qkv + row * 3 * s.C + first;
        load_unit(w.q + i * ld, w.rq + i, at, q_bias + first, real, s);
        load_unit(w.k + i * ld, w.rk + i, at + s.C, (const float *)NULL, real, s);
        load_plain(w.v + i * ld, at + 2 * s.C, v_bias + first, real, s);
        if (dout) load_plain(w.dout + i * ld, dout + row * s.C + first, (const float *)NULL, real, s);
    }
}

/* Store f's rows to their rows of the map, at distance ld. */
template <typename T> __device__ static void store_rows(T *to, const window<T> &w, const shape &s, int ld)
{
    for (int i = threadIdx.x / WARP; i < s.n; i += WARPS)
        for (int c = threadIdx.x % WARP; c < s.d; c += WARP)
            store(to + (size_t)w.rows[i] * ld + c, w.f[i * (s.dp + PAD_FLOAT) + c]);
}

/* p = softmax of scale f + bias + mask over rows; f is q^ k^^T. A key that is not seen counts nothing, unless none is.
 * For a warp's rows. */
template <typename T> __device__ static void soften(const window<T> &w, float scale, const shape &s, int kind)
{
    int lane = threadIdx.x % WARP, ld = s.np + PAD_FLOAT, centre = (s.side - 1) * 2 * s.side;
    for (int i = threadIdx.x / WARP; i < s.np; i += WARPS) {
        float *row = w.f + i * ld, high = -1e30f, sum = 0;
        int code = w.codes[i] & ~UNSEEN;
        T *p = w.p + i * (s.np + w.PAD);
        for (int j = lane; j < s.n && i < s.n; j += WARP) {
            int other = w.codes[j] & ~UNSEEN;
            row[j] =
                scale * row[j] + w.table[(code >> 2) - (other >> 2) + centre] + ((code ^ other) & kind ? -100.0f : 0);
            if (other != w.codes[j]) row[j] = -1e30f;
            high = fmaxf(high, row[j]);
        }
        high = warp_max(high);
        for (int j = lane; j < s.n && i < s.n; j += WARP) sum += row[j] = expf(row[j] - high);
        sum = warp_sum(sum);
        for (int j = lane; j < s.np; j += WARP) store(p + j, j < s.n && i < s.n ? row[j] / sum : 0);
    }
}

#endif
