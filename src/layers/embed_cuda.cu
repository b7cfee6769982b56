/* embed_cuda.cu - patch embedding and patch merging: both gather the inputs of a token into a row, multiply it by a
 * matrix and normalise the product. Backward gathers again. */
#include "layers/layer_cuda.cuh"

struct embed_pass {
    struct tensor *x, *y;              /* x: NULL for pixels, which have no gradient */
    const uint8_t *pixels;             /* (B, H, W, 3) or, with visibility, B times (H, W, 3) and (H / 4, W / 4) */
    size_t picture;                    /* bytes of one */
    struct param *unseen;              /* (C) of the tokens that are not seen; NULL for 0 */
    int H, W;                          /* of the pictures, or of the map x */
    struct param *weight, *bias;       /* (C, K), (C) or NULL */
    const struct norm *norm;           /* (C) */
    const struct patch_embed *patches; /* NULL for a map */
    int K;
    void *u;            /* (rows, C) of T, before the norm */
    float *mean, *rstd; /* (rows) */
    void *columns;      /* (rows, K) of T */
    /* backward */
    void *du, *dcolumns;
    float *norm_partial, *product_partial, *factors, *unseen_partial;
};

/* Adjacent values that a thread moves at once; N sizeof(T) is 4, 8 or 16 bytes for a single memory access. */
template <typename T, int N> struct alignas(N * sizeof(T)) pack {
    T value[N];
};

/* Normalisation of a byte to a filter's input. */
struct levels {
    float mean[3], deviation[3];
    int bgr;
};

/* (byte / 255 - mean) / deviation. A patch is laid out as its filter: (channel, row, column). A thread handles N
 * adjacent values of a channel; n: threads for all patches; side: of a patch. */
template <typename T, int N>
__global__ void patches_kernel(pack<T, N> *columns, const uint8_t *pixels, size_t picture, struct levels levels,
                               unsigned side, unsigned H, unsigned W, unsigned n)
{
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x, parts = side / N;
    if (i >= n) return;
    unsigned row = i / (3 * side * parts), c = i / (side * parts) % 3, across = W / side, L = H / side * across;
    unsigned y = row % L / across * side + i / parts % side, x = row % across * side + i % parts * N;
    float mean = levels.mean[c], deviation = levels.deviation[c];
    pixels += row / L * picture + ((size_t)y * W + x) * 3 + (levels.bgr ? 2 - c : c);
    pack<T, N> some;
    for (int j = 0; j < N; j++) store(some.value + j, ((float)pixels[3 * j] / 255.0f - mean) / deviation);
    columns[i] = some;
}

/* Offset of piece k of output row r, with C pieces per token: the four neighbours (0,0) (1,0) (0,1) (1,1) concatenated.
 */
__device__ static size_t merged(unsigned r, unsigned k, unsigned H, unsigned W, unsigned C)
{
    unsigned across = W / 2, part = k / C, L = H / 2 * across, at = r % L;
    unsigned y = at / across * 2 + (part & 1), x = at % across * 2 + (part >> 1);
    return ((size_t)(r / L * H + y) * W + x) * C + k % C;
}

template <typename P>
__global__ void gather_kernel(P *columns, const P *x, unsigned H, unsigned W, unsigned C, unsigned n)
{
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) columns[i] = x[merged(i / (4 * C), i % (4 * C), H, W, C)];
}

template <typename T, int N>
__global__ void scatter_kernel(pack<T, N> *dx, const pack<T, N> *columns, unsigned H, unsigned W, unsigned C,
                               float accumulate, unsigned n)
{
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    pack<T, N> *to = dx + merged(i / (4 * C), i % (4 * C), H, W, C), piece = columns[i];
    if (accumulate != 0) {
        pack<T, N> old = *to;
        for (int j = 0; j < N; j++) store(piece.value + j, to_float(piece.value[j]) + to_float(old.value[j]));
    }
    *to = piece;
}

/* The visibility that follows each picture. */
__global__ void visibility_kernel(uint8_t *seen, const uint8_t *pixels, size_t picture, int L, int rows)
{
    int r = blockIdx.x * blockDim.x + threadIdx.x;
    if (r < rows) seen[r] = pixels[(size_t)(r / L + 1) * picture - L + r % L] != 0;
}

/* A token is seen if any of its four is. */
__global__ void merge_visibility_kernel(uint8_t *seen, const uint8_t *from, int H, int W, int rows)
{
    int r = blockIdx.x * blockDim.x + threadIdx.x;
    if (r >= rows) return;
    uint8_t any = 0;
    for (int i = 0; i < 4; i++) any |= from[merged(r, i, H, W, 1)];
    seen[r] = any;
}

static size_t rows_of(const struct embed_pass *p)
{
    return (size_t)p->y->B * (size_t)p->y->L;
}

template <typename T, int N> static void gather_by(struct tape *tape, const struct embed_pass *p)
{
    size_t n = rows_of(p) * (size_t)p->K / N;
    LAUNCH((gather_kernel<pack<T, N>>), blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, (pack<T, N> *)p->columns,
           (const pack<T, N> *)p->x->data, p->H, p->W, p->x->C / N, (unsigned)n);
}

template <typename T, int N> static void scatter_by(struct tape *tape, const struct embed_pass *p, float accumulate)
{
    size_t n = rows_of(p) * (size_t)p->K / N;
    LAUNCH((scatter_kernel<T, N>), blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, (pack<T, N> *)p->x->grad,
           (const pack<T, N> *)p->dcolumns, p->H, p->W, p->x->C / N, accumulate, (unsigned)n);
}

template <typename T, int N> static void patches_by(struct tape *tape, const struct embed_pass *p)
{
    const struct patch_embed *w = p->patches;
    const struct levels levels = {
        {w->mean[0], w->mean[1], w->mean[2]}, {w->deviation[0], w->deviation[1], w->deviation[2]}, w->bgr};
    size_t n = rows_of(p) * (size_t)p->K / N;
    LAUNCH((patches_kernel<T, N>), blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, (pack<T, N> *)p->columns,
           p->pixels, p->picture, levels, w->patch, p->H, p->W, (unsigned)n);
}

template <typename T> static void gather(struct tape *tape, const struct embed_pass *p)
{
    const int N = 16 / sizeof(T);
    if (p->pixels && p->patches->patch % 4 == 0)
        patches_by<T, 4>(tape, p);
    else if (p->pixels)
        patches_by<T, 1>(tape, p);
    else if (p->x->C % N == 0)
        gather_by<T, N>(tape, p);
    else
        gather_by<T, 1>(tape, p);
    LAUNCHED(tape, "gather tokens");
}

template <typename T> static void scatter(struct tape *tape, const struct embed_pass *p, float accumulate)
{
    const int N = 16 / sizeof(T);
    if (p->x->C % N == 0)
        scatter_by<T, N>(tape, p, accumulate);
    else
        scatter_by<T, 1>(tape, p, accumulate);
    LAUNCHED(tape, "gather tokens, backward");
}

static void reserve_backward(struct embed_pass *p, struct tape *tape)
{
    int C = p->y->C;
    size_t rows = rows_of(p);
    p->columns = tape_scratch_values(tape, rows * (size_t)p->K);
    p->du = tape_scratch_values(tape, rows * (size_t)C);
    p->dcolumns = p->x ? tape_scratch_values(tape, rows * (size_t)p->K) : NULL;
    p->norm_partial = norm_scratch(tape, (int)rows, C);
    p->product_partial = product_scratch(tape, (int)rows, C);
    p->factors = factors_scratch(tape, p->y);
    p->unseen_partial = p->y->seen ? unseen_scratch(tape, p->y) : NULL;
}

static void embed_backward(struct tape *tape, void *self)
{
    struct embed_pass *p = (struct embed_pass *)self;
    int C = p->y->C, rows = (int)rows_of(p);
    reserve_backward(p, tape);
    struct factors keep = branch_factors(tape, p->factors, NULL, p->y);
    norm_rows_backward(tape, p->du, 0, p->norm_partial, p->y->grad, p->u, p->mean, p->rstd, keep.each, p->norm, rows,
                       keep.L, C);
    if (p->y->seen && p->unseen) unseen_backward(tape, p->y, p->unseen, p->unseen_partial);
    if (tape->element == 2)
        gather<bf16>(tape, p);
    else
        gather<float>(tape, p);
    struct product dw = weight_product(tape, grad_of(tape, p->weight), p->bias ? grad_of(tape, p->bias) : NULL,
                                       p->product_partial, p->du, p->columns, rows, C, p->K);
    run_product(tape, &dw);
    if (p->x) {
        float accumulate = tensor_accumulate(tape, p->x);
        struct product dx = input_product(tape, p->dcolumns, p->du, p->weight, rows, C, p->K, 0);
        run_product(tape, &dx);
        if (tape->element == 2)
            scatter<bf16>(tape, p, accumulate);
        else
            scatter<float>(tape, p, accumulate);
    }
    tape_scratch_release(tape);
}

static struct tensor *embed(struct tape *tape, struct embed_pass *p)
{
    int C = p->y->C;
    size_t rows = rows_of(p);
    if (tape->training) {
        p->mean = tape_floats(tape, rows);
        p->rstd = tape_floats(tape, rows);
        p->u = tape_values(tape, rows * (size_t)C);
        reserve_backward(p, tape);
        tape_scratch_release(tape);
    } else {
        p->u = tape_scratch_values(tape, rows * (size_t)C);
    }
    p->columns = tape_scratch_values(tape, rows * (size_t)p->K);
    tape->counts.linear += rows * (uint64_t)C * (uint64_t)p->K;
    if (!tape->dry) {
        if (tape->element == 2)
            gather<bf16>(tape, p);
        else
            gather<float>(tape, p);
        struct product u = forward_product(tape, p->u, p->columns, p->weight, p->bias, (int)rows, C, p->K);
        run_product(tape, &u);
        norm_rows(tape, p->y->data, p->mean, p->rstd, p->u, NULL, NULL, p->norm, (int)rows, p->y->L, C);
        if (p->y->seen) fill_unseen(tape, p->y, p->unseen);
    }
    tape_scratch_release(tape);
    tape_record(tape, embed_backward, p);
    return p->y;
}

struct tensor *patch_embed_cuda(struct tape *tape, const uint8_t *pixels, int B, int H, int W,
                                const struct patch_embed *w)
{
    struct embed_pass *p = (struct embed_pass *)tape_object(tape, sizeof *p);
    p->pixels = pixels;
    p->H = H;
    p->W = W;
    p->weight = w->weight;
    p->bias = w->bias;
    p->norm = &w->norm;
    p->patches = w;
    p->K = 3 * w->patch * w->patch;
    int L = H / w->patch * (W / w->patch);
    p->unseen = w->unseen;
    p->picture = (size_t)H * W * 3 + (w->unseen ? (size_t)L : 0);
    p->y = tape_tensor(tape, B, L, w->weight->shape[0]);
    if (w->unseen) p->y->seen = tape_seen(tape, B, L);
    if (w->unseen && !tape->dry) {
        LAUNCH(visibility_kernel, blocks_of((size_t)B * L, BLOCK), BLOCK, 0, cuda_of(tape)->stream, p->y->seen->plane,
               pixels, p->picture, L, B * L);
        LAUNCHED(tape, "read visibility");
    }
    return embed(tape, p);
}

struct tensor *patch_merge_cuda(struct tape *tape, struct tensor *x, int H, int W, const struct patch_merge *w)
{
    struct embed_pass *p = (struct embed_pass *)tape_object(tape, sizeof *p);
    p->x = x;
    p->H = H;
    p->W = W;
    p->weight = w->weight;
    p->norm = &w->norm;
    p->K = 4 * x->C;
    p->unseen = w->unseen;
    p->y = tape_tensor(tape, x->B, x->L / 4, w->weight->shape[0]);
    if (x->seen) p->y->seen = tape_seen(tape, x->B, x->L / 4);
    if (x->seen && !tape->dry) {
        int rows = (int)rows_of(p);
        LAUNCH(merge_visibility_kernel, blocks_of((size_t)rows, BLOCK), BLOCK, 0, cuda_of(tape)->stream,
               p->y->seen->plane, x->seen->plane, H, W, rows);
        LAUNCHED(tape, "merge visibility");
    }
    return embed(tape, p);
}
