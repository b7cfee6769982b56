/* window_attention_cuda.cu - x + LN(attention(x)) within shifted windows (Swin V2, sections 3.2 and 3.3)
 *
 * Projections do not depend on windows, so maps keep their order; the attention kernels look up the rows of a window's
 * tokens. A block handles one head of a window and keeps scores and softmax in shared memory; backward recomputes them.
 * Training stores qkv, the heads' output and the projection before its norm. */
#include "layers/position_bias_cuda.cuh"
#include "layers/window_cuda.cuh"

static const float LN_100 = 4.6051702f;
enum { MAX_GROUPS = 256 /* blocks per head in backward, which divide the windows and sum the bias's gradients */ };

/* ------------------------------------------------------------------ forward */

template <typename T>
__global__ void __launch_bounds__(THREADS)
    attention_kernel(T *out, const T *qkv, const float *q_bias, const float *v_bias, const float *logit_scale,
                     const float *table, const uint8_t *seen, struct shape s)
{
    SHARED(char, memory);
    window<T> w;
    lay_out(&w, memory, s, false);
    int head = blockIdx.x % s.heads, index = blockIdx.x / s.heads;
    for (int p = threadIdx.x; p < s.offsets; p += THREADS) w.table[p] = table[(size_t)head * s.offsets + p];
    place_tokens(w, s, index, seen);
    load_window(w, qkv, q_bias, v_bias, (const T *)NULL, s, head);
    __syncthreads();
    int ld = s.dp + w.PAD;
    block_product<false, true>(w.f, s.np + PAD_FLOAT, w.q, ld, w.k, ld, s.np, s.np, s.dp);
    __syncthreads();
    soften(w, expf(fminf(logit_scale[head], LN_100)), s, window_kind(s, index));
    __syncthreads();
    block_product<false, false>(w.f, s.dp + PAD_FLOAT, w.p, s.np + w.PAD, w.v, ld, s.np, s.dp, s.np);
    __syncthreads();
    store_rows(out + head * s.d, w, s, s.C);
}

/* ------------------------------------------------------------------ backward */

/* y = x r, r = 1 / |x|: dx = r (dy - y (y . dy)), dy = scale f; for a warp's rows. Returns the sum of f . y. */
template <typename T>
__device__ static float unit_backward(T *dqkv, const window<T> &w, const T *y, const float *r, float scale,
                                      const shape &s)
{
    int lane = threadIdx.x % WARP;
    float sum = 0;
    for (int i = threadIdx.x / WARP; i < s.n; i += WARPS) {
        const float *g = w.f + i * (s.dp + PAD_FLOAT);
        const T *unit = y + i * (s.dp + w.PAD);
        float along = 0;
        for (int c = lane; c < s.d; c += WARP) along += g[c] * to_float(unit[c]);
        along = warp_sum(along);
        sum += along;
        T *to = dqkv + (size_t)w.rows[i] * 3 * s.C;
        for (int c = lane; c < s.d; c += WARP) store(to + c, r[i] * scale * (g[c] - to_float(unit[c]) * along));
    }
    return sum;
}

/* dS = P (dP - D), D = the row sum of P dP; f is dP, then dS; for a warp's rows. */
template <typename T> __device__ static void soften_backward(const window<T> &w, const shape &s)
{
    int lane = threadIdx.x % WARP;
    for (int i = threadIdx.x / WARP; i < s.np; i += WARPS) {
        float *row = w.f + i * (s.np + PAD_FLOAT), along = 0;
        const T *p = w.p + i * (s.np + w.PAD);
        T *ds = w.ds + i * (s.np + w.PAD);
        for (int j = lane; j < s.n; j += WARP) along += to_float(p[j]) * row[j];
        along = warp_sum(along);
        for (int j = lane; j < s.np; j += WARP) {
            row[j] = to_float(p[j]) * (row[j] - along); /* p is 0 for padding */
            store(ds + j, row[j]);
        }
    }
}

/* A thread handles an offset and sums over the pairs of tokens with that offset. */
__device__ static void gather_table(float *dtable, const float *f, const shape &s)
{
    int width = 2 * s.side - 1;
    for (int p = threadIdx.x; p < s.offsets; p += THREADS) {
        int dy = p / width - (s.side - 1), dx = p % width - (s.side - 1);
        float sum = 0;
        for (int y = dy > 0 ? dy : 0; y < s.side && y - dy < s.side; y++)
            for (int x = dx > 0 ? dx : 0; x < s.side && x - dx < s.side; x++)
                sum += f[(y * s.side + x) * (s.np + PAD_FLOAT) + (y - dy) * s.side + x - dx];
        dtable[p] += sum;
    }
}

/* Block (head, g) handles windows g, g + gridDim.y ...; dtable (gridDim.y, heads, offsets), dscale (gridDim.y, heads).
 */
template <typename T>
__global__ void __launch_bounds__(THREADS)
    attention_backward_kernel(T *dqkv, float *dtable, float *dscale, const T *dout, const T *qkv, const float *q_bias,
                              const float *v_bias, const float *logit_scale, const float *table, const uint8_t *seen,
                              struct shape s)
{
    SHARED(char, memory);
    window<T> w;
    lay_out(&w, memory, s, true);
    int head = blockIdx.x, ld = s.dp + w.PAD, lds = s.np + w.PAD, lf = s.np + PAD_FLOAT, lfd = s.dp + PAD_FLOAT;
    float scale = expf(fminf(logit_scale[head], LN_100)), slope = 0;
    for (int p = threadIdx.x; p < s.offsets; p += THREADS) {
        w.table[p] = table[(size_t)head * s.offsets + p];
        w.dtable[p] = 0;
    }
    for (int index = blockIdx.y; index < s.windows; index += gridDim.y) {
        T *to = dqkv + head * s.d;
        place_tokens(w, s, index, seen);
        load_window(w, qkv, q_bias, v_bias, dout, s, head);
        __syncthreads();
        block_product<false, true>(w.f, lf, w.q, ld, w.k, ld, s.np, s.np, s.dp);
        __syncthreads();
        soften(w, scale, s, window_kind(s, index));
        __syncthreads();
        block_product<false, true>(w.f, lf, w.dout, ld, w.v, ld, s.np, s.np, s.dp); /* dP = dO V^T */
        __syncthreads();
        soften_backward(w, s);
        __syncthreads();
        gather_table(w.dtable, w.f, s);
        __syncthreads();
        block_product<true, false>(w.f, lfd, w.p, lds, w.dout, ld, s.np, s.dp, s.np); /* dV = P^T dO */
        __syncthreads();
        store_rows(to + 2 * s.C, w, s, 3 * s.C);
        __syncthreads();
        block_product<false, false>(w.f, lfd, w.ds, lds, w.k, ld, s.np, s.dp, s.np); /* dq^ = scale dS k^ */
        __syncthreads();
        slope += unit_backward(to, w, w.q, w.rq, scale, s);
        __syncthreads();
        block_product<true, false>(w.f, lfd, w.ds, lds, w.q, ld, s.np, s.dp, s.np); /* dk^ = scale dS^T q^ */
        __syncthreads();
        unit_backward(to + s.C, w, w.k, w.rk, scale, s);
        __syncthreads();
    }
    if (threadIdx.x % WARP == 0) w.slopes[threadIdx.x / WARP] = slope;
    __syncthreads();
    size_t at = (size_t)blockIdx.y * s.heads + head;
    for (int p = threadIdx.x; p < s.offsets; p += THREADS) dtable[at * s.offsets + p] = w.dtable[p];
    if (threadIdx.x > 0) return;
    float sum = 0;
    for (int i = 0; i < WARPS; i++) sum += w.slopes[i];
    dscale[at] = sum;
}

/* scale = e^logit below the clamp, constant above */
__global__ void scale_backward_kernel(float *grad, const float *dscale, const float *logit_scale, int heads, int groups)
{
    int h = threadIdx.x;
    if (h >= heads || logit_scale[h] > LN_100) return;
    float sum = 0;
    for (int g = 0; g < groups; g++) sum += dscale[(size_t)g * heads + h];
    grad[h] += sum * expf(logit_scale[h]);
}

/* ------------------------------------------------------------------ the layer */

struct attention_pass {
    struct tensor *x, *y;
    const struct attention *w;
    const float *keep;
    struct shape s;
    float *table;        /* (heads, offsets) 16 sigmoid of the position bias's MLP */
    void *qkv, *out, *u; /* (rows, 3C), (rows, C), (rows, C) of T */
    float *mean, *rstd;  /* (rows) */
    /* backward */
    void *du, *dout, *dqkv;
    float *norm_partial, *product_partial, *sums, *dtable, *dscale, *factors;
};

static const uint8_t *seen_of(const struct attention_pass *p)
{
    return p->x->seen ? p->x->seen->plane : NULL;
}

static int groups(const struct shape *s)
{
    return s->windows < MAX_GROUPS ? s->windows : MAX_GROUPS;
}

static size_t shared_bytes(const struct shape *s, int element, bool backward)
{
    window<bf16> half;
    window<float> full;
    return element == 2 ? lay_out(&half, (char *)NULL, *s, backward) : lay_out(&full, (char *)NULL, *s, backward);
}

gvm_status fits_cuda(int side, int C, int heads, enum precision precision, gvm_error *err)
{
    struct attention a = {};
    a.H = a.W = a.window = side, a.heads = heads;
    struct shape s = shape_of(1, C, &a);
    size_t bytes = shared_bytes(&s, precision == PRECISION_BF16 ? 2 : 4, true);
    int most = 0;
    cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0);
    if (C > MAX_CHANNELS)
        return fail(err, GVM_DEVICE, "the network has maps of %d channels; the CUDA module supports at most %d", C,
                    MAX_CHANNELS);
    if (bytes > (size_t)most || heads > BLOCK)
        return fail(err, GVM_DEVICE,
                    "the network's windows of %d x %d tokens with heads of %d channels do not fit into the GPU's "
                    "shared memory; use the CPU",
                    side, side, C / heads);
    return GVM_OK;
}

template <typename T> static void run_attention(struct tape *tape, const struct attention_pass *p)
{
    const struct attention *w = p->w;
    size_t shared = shared_bytes(&p->s, sizeof(T), false);
    static const cudaError_t allowed = allow_shared((const void *)attention_kernel<T>);
    cuda_check(cuda_of(tape), allowed, "compute attention");
    LAUNCH(attention_kernel<T>, p->s.windows * p->s.heads, THREADS, shared, cuda_of(tape)->stream, (T *)p->out,
           (const T *)p->qkv, weight_of(tape, w->q_bias), weight_of(tape, w->v_bias), weight_of(tape, w->logit_scale),
           p->table, seen_of(p), p->s);
    LAUNCHED(tape, "compute attention");
}

template <typename T> static void run_attention_backward(struct tape *tape, const struct attention_pass *p)
{
    const struct attention *w = p->w;
    size_t shared = shared_bytes(&p->s, sizeof(T), true);
    static const cudaError_t allowed = allow_shared((const void *)attention_backward_kernel<T>);
    cuda_check(cuda_of(tape), allowed, "compute attention, backward");
    dim3 grid((unsigned)p->s.heads, (unsigned)groups(&p->s));
    LAUNCH(attention_backward_kernel<T>, grid, THREADS, shared, cuda_of(tape)->stream, (T *)p->dqkv, p->dtable,
           p->dscale, (const T *)p->dout, (const T *)p->qkv, weight_of(tape, w->q_bias), weight_of(tape, w->v_bias),
           weight_of(tape, w->logit_scale), p->table, seen_of(p), p->s);
    LAUNCHED(tape, "compute attention, backward");
}

static void reserve_backward(struct attention_pass *p, struct tape *tape)
{
    int C = p->x->C, rows = p->x->B * p->x->L;
    size_t G = (size_t)groups(&p->s), heads = (size_t)p->s.heads;
    p->du = tape_scratch_values(tape, (size_t)rows * C);
    p->dout = tape_scratch_values(tape, (size_t)rows * C);
    p->dqkv = tape_scratch_values(tape, (size_t)rows * 3 * C);
    p->norm_partial = norm_scratch(tape, rows, C);
    p->product_partial = product_scratch(tape, rows, 3 * C);
    p->sums = tape_scratch(tape, (size_t)3 * C);
    p->dtable = tape_scratch(tape, (G + 1) * heads * (size_t)p->s.offsets); /* the last one is the total */
    p->dscale = tape_scratch(tape, G * heads);
    p->factors = factors_scratch(tape, p->x);
}

static void attention_backward(struct tape *tape, void *self)
{
    struct attention_pass *p = (struct attention_pass *)self;
    const struct attention *w = p->w;
    int C = p->x->C, rows = p->x->B * p->x->L, G = groups(&p->s), table = p->s.heads * p->s.offsets;
    reserve_backward(p, tape);
    struct factors keep = branch_factors(tape, p->factors, p->keep, p->x);
    norm_rows_backward(tape, p->du, 0, p->norm_partial, p->y->grad, p->u, p->mean, p->rstd, keep.each, &w->norm, rows,
                       keep.L, C);
    struct product proj = weight_product(tape, grad_of(tape, w->proj_w), grad_of(tape, w->proj_b), p->product_partial,
                                         p->du, p->out, rows, C, C);
    run_product(tape, &proj);
    struct product dout = input_product(tape, p->dout, p->du, w->proj_w, rows, C, C, 0);
    run_product(tape, &dout);
    if (tape->element == 2)
        run_attention_backward<bf16>(tape, p);
    else
        run_attention_backward<float>(tape, p);
    /* biases: of queries and values only */
    tape->device->fill(tape, p->sums, 0, (size_t)3 * C * sizeof *p->sums);
    struct product qkv =
        weight_product(tape, grad_of(tape, w->qkv), p->sums, p->product_partial, p->dqkv, p->x->data, rows, 3 * C, C);
    run_product(tape, &qkv);
    add_partials(tape, grad_of(tape, w->q_bias), NULL, p->sums, 1, C, C);
    add_partials(tape, grad_of(tape, w->v_bias), NULL, p->sums + 2 * C, 1, C, C);
    /* added to the stream's gradient */
    struct product dx = input_product(tape, p->x->grad, p->dqkv, w->qkv, rows, 3 * C, C, 1);
    run_product(tape, &dx);
    float *dtable = p->dtable + (size_t)G * table;
    tape->device->fill(tape, dtable, 0, (size_t)table * sizeof *dtable);
    add_partials(tape, dtable, NULL, p->dtable, G, table, table);
    LAUNCH(scale_backward_kernel, 1, BLOCK, 0, cuda_of(tape)->stream, grad_of(tape, w->logit_scale), p->dscale,
           weight_of(tape, w->logit_scale), p->s.heads, G);
    LAUNCHED(tape, "compute attention, backward");
    position_table_backward(tape, dtable, p->table, w);
    tape_scratch_release(tape);
}

struct tensor *window_attention_cuda(struct tape *tape, struct tensor *x, const struct attention *w, const float *keep)
{
    struct attention_pass *p = (struct attention_pass *)tape_object(tape, sizeof *p);
    int C = x->C, rows = x->B * x->L;
    p->x = x;
    p->w = w;
    p->keep = keep;
    p->s = shape_of(x->B, C, w);
    p->y = tape_residual(tape, x);
    void *(*take)(struct tape *, size_t) = tape->training ? tape_values : tape_scratch_values;
    p->table = tape_floats(tape, (size_t)w->heads * p->s.offsets);
    if (tape->training) {
        p->mean = tape_floats(tape, (size_t)rows);
        p->rstd = tape_floats(tape, (size_t)rows);
        reserve_backward(p, tape);
        tape_scratch_release(tape);
    }
    p->qkv = take(tape, (size_t)rows * 3 * C);
    p->out = take(tape, (size_t)rows * C);
    p->u = take(tape, (size_t)rows * C);
    float *factors = factors_scratch(tape, x);
    tape->counts.qkv += (uint64_t)rows * C * 3 * C;
    tape->counts.attention += (uint64_t)rows * p->s.n * C * 2;
    tape->counts.linear += (uint64_t)rows * C * C;
    if (!tape->dry) {
        position_table(tape, p->table, w);
        struct product qkv = forward_product(tape, p->qkv, x->data, w->qkv, NULL, rows, 3 * C, C);
        run_product(tape, &qkv);
        if (tape->element == 2)
            run_attention<bf16>(tape, p);
        else
            run_attention<float>(tape, p);
        struct product proj = forward_product(tape, p->u, p->out, w->proj_w, w->proj_b, rows, C, C);
        run_product(tape, &proj);
        struct factors f = branch_factors(tape, factors, keep, x);
        norm_rows(tape, p->y->data, p->mean, p->rstd, p->u, x->data, f.each, &w->norm, rows, f.L, C);
    }
    tape_scratch_release(tape);
    tape_record(tape, attention_backward, p);
    return p->y;
}
