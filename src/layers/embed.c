/* embed.c - patch embedding and patch merging: both gather the inputs of a token into a row, multiply it by a matrix
 * and normalise the product. Tokens that are not seen take no part in it (layers.def). */
#include "layers/layer.h"

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
    bool training, packed;
    float *xhat, *rstd; /* training: (rows, C), (rows) */
    float *scratch;
    size_t scratch_each; /* floats per thread */
    float accumulate;
    struct norm_partials partials;
    float *du, *columns, *dcolumns; /* of one chunk: (rows, C), (rows, K), (rows, K) */
};

static float normalised(int byte, const struct patch_embed *w, int channel)
{
    return ((float)byte / 255.0f - w->mean[channel]) / w->deviation[channel];
}

/* Rows from..to-1 of tokens. A patch is laid out as its filter: (channel, row, column). */
static void gather_patches(float *columns, const struct embed_pass *p, int from, int to)
{
    float table[3][256];
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++) table[c][v] = normalised(v, p->patches, c);
    int side = p->patches->patch, across = p->W / side, L = p->H / side * across;
    for (int k = from; k < to; k++, columns += p->K) {
        int r = (int)row_seen(p->y, k), b = r / L, ty = r % L / across, tx = r % across;
        const uint8_t *corner = p->pixels + b * p->picture + ((size_t)ty * side * p->W + (size_t)tx * side) * 3;
        for (int c = 0; c < 3; c++) {
            const uint8_t *first = corner + (p->patches->bgr ? 2 - c : c);
            for (int y = 0; y < side; y++)
                for (int x = 0; x < side; x++)
                    columns[(c * side + y) * side + x] = table[c][first[((size_t)y * p->W + x) * 3]];
        }
    }
}

/* Row of x with the first of the four tokens of output row r. The others, in this order, are below it, right of it, and
 * diagonally below. */
static size_t first_of_four(const struct embed_pass *p, int r)
{
    int across = p->W / 2, L = p->H / 2 * across;
    int b = r / L, y = r % L / across, x = r % across;
    return ((size_t)b * p->H + (size_t)y * 2) * p->W + (size_t)x * 2;
}

static size_t one_of_four(size_t first, int i, int W)
{
    return first + (i & 1 ? W : 0) + (i & 2 ? 1 : 0);
}

static void gather(float *columns, const struct embed_pass *p, int from, int to)
{
    if (p->pixels) {
        gather_patches(columns, p, from, to);
        return;
    }
    int C = p->x->C;
    for (int r = from; r < to; r++) {
        size_t first = first_of_four(p, (int)row_seen(p->y, r));
        for (int i = 0; i < 4; i++, columns += C)
            memcpy(columns, p->x->data + one_of_four(first, i, p->W) * C, C * sizeof *columns);
    }
}

static void scatter(const struct embed_pass *p, const float *columns, int from, int to)
{
    int C = p->x->C;
    for (int r = from; r < to; r++) {
        size_t first = first_of_four(p, (int)row_seen(p->y, r));
        for (int i = 0; i < 4; i++, columns += C) {
            float *dx = p->x->grad + one_of_four(first, i, p->W) * C;
            if (p->accumulate != 0)
                kernels()->add(dx, columns, C);
            else
                memcpy(dx, columns, C * sizeof *dx);
        }
    }
}

/* This thread's share of the tokens that are not seen. */
static void fill_unseen(const struct embed_pass *p, struct team team)
{
    int C = p->y->C, from, to;
    parallel_range(&from, &to, p->y->B * p->y->L, 1, team);
    for (int r = from; p->y->seen && r < to; r++) {
        float *y = p->y->data + (size_t)r * C;
        if (p->y->seen->plane[r]) continue;
        if (p->unseen)
            memcpy(y, p->unseen->data, C * sizeof *y);
        else
            memset(y, 0, C * sizeof *y);
    }
}

static void embed_rows(void *argument, struct team team)
{
    const struct embed_pass *p = argument;
    int C = p->y->C, from, to;
    float *columns = p->scratch + team.rank * p->scratch_each;
    fill_unseen(p, team);
    parallel_range(&from, &to, rows_seen(p->y), 1, team);
    for (int first = from; first < to; first += TILE_ROWS) {
        int rows = smaller(TILE_ROWS, to - first);
        float *u = p->training ? p->xhat + (size_t)first * C : columns + (size_t)rows * p->K;
        gather(columns, p, first, first + rows);
        gemm_weight(u, C, columns, p->K, p->weight->data, p->packed, rows, C, p->K, (struct team){0, 1});
        for (int r = 0; r < rows; r++)
            kernels()->norm_row(p->y->data + row_seen(p->y, first + r) * C, p->training ? u + (size_t)r * C : NULL,
                                p->training ? p->rstd + first + r : NULL, u + (size_t)r * C,
                                p->bias ? p->bias->data : NULL, NULL, 1, p->norm->weight->data, p->norm->bias->data,
                                p->norm->epsilon, C);
    }
}

/* The gradient of the tokens that are not seen: this thread's share of the channels. */
static void unseen_gradient(const struct embed_pass *p, struct team team)
{
    int C = p->y->C, from, to;
    if (p->y->seen == NULL || p->unseen == NULL) return;
    parallel_range(&from, &to, C, 16, team);
    for (int r = 0; r < p->y->B * p->y->L && from < to; r++)
        if (!p->y->seen->plane[r]) kernels()->add(p->unseen->grad + from, p->y->grad + (size_t)r * C + from, to - from);
}

static void backward_chunks(void *argument, struct team team)
{
    const struct embed_pass *p = argument;
    int C = p->y->C, K = p->K, all = rows_seen(p->y), from, to;
    float *sums = norm_partial(p->partials, team);
    unseen_gradient(p, team);
    for (int first = 0; first < all; first += CHUNK_ROWS) {
        int rows = smaller(CHUNK_ROWS, all - first);
        parallel_range(&from, &to, rows, 1, team);
        for (int r = from; r < to; r++) {
            size_t at = (size_t)first + r, row = row_seen(p->y, first + r);
            kernels()->norm_row_backward(p->du + (size_t)r * C, sums, sums + C, p->y->grad + row * C, p->xhat + at * C,
                                         p->rstd[at], 1, p->norm->weight->data, C);
        }
        gather(p->columns + (size_t)from * K, p, first + from, first + to);
        if (p->x && from < to) {
            float *dcolumns = p->dcolumns + (size_t)from * K;
            gemm('N', 'N', to - from, K, C, p->du + (size_t)from * C, C, p->weight->data, K, 0, dcolumns, K);
            scatter(p, dcolumns, first + from, first + to);
        }
        parallel_barrier(team);
        weight_gradient(p->weight->grad, p->du, C, p->columns, K, rows, C, K, team);
        if (p->bias) bias_gradient(p->bias->grad, p->du, C, rows, C, team);
        parallel_barrier(team);
    }
}

static void reserve_backward(struct embed_pass *p, struct tape *tape)
{
    int C = p->y->C;
    size_t rows = (size_t)smaller(CHUNK_ROWS, p->y->B * p->y->L);
    p->partials = norm_partials_take(tape, C);
    p->du = tape_scratch(tape, rows * C);
    p->columns = tape_scratch(tape, rows * p->K);
    p->dcolumns = p->x ? tape_scratch(tape, rows * p->K) : NULL;
}

static void embed_backward(struct tape *tape, void *self)
{
    struct embed_pass *p = self;
    if (p->x) p->accumulate = tensor_accumulate(tape, p->x);
    if (p->x && p->x->seen && p->accumulate == 0) { /* tokens that are read for no seen one */
        memset(p->x->grad, 0, (size_t)p->x->B * p->x->L * p->x->C * sizeof *p->x->grad);
        p->accumulate = 1;
    }
    reserve_backward(p, tape);
    norm_partials_clear(p->partials);
    parallel_run(backward_chunks, p);
    norm_partials_add(p->norm, p->partials);
    tape_scratch_release(tape);
}

static struct tensor *embed(struct tape *tape, struct embed_pass *p)
{
    int C = p->y->C;
    size_t rows = (size_t)p->y->B * p->y->L;
    p->training = tape->training;
    p->packed = tape->packed;
    p->scratch_each = (size_t)TILE_ROWS * (p->K + (tape->training ? 0 : C));
    if (tape->training) {
        p->xhat = tape_floats(tape, rows * C);
        p->rstd = tape_floats(tape, rows);
        reserve_backward(p, tape);
        tape_scratch_release(tape);
    }
    p->scratch = tape_scratch(tape, parallel_threads() * p->scratch_each);
    tape->counts.linear += (size_t)rows_seen(p->y) * C * p->K;
    if (!tape->dry) parallel_run(embed_rows, p);
    tape_scratch_release(tape);
    tape_record(tape, embed_backward, p);
    return p->y;
}

/* The visibility that follows each picture. */
static void read_visibility(struct seen *seen, const uint8_t *pixels, size_t picture, int B, int L)
{
    for (int b = 0; b < B; b++) {
        const uint8_t *from = pixels + (size_t)(b + 1) * picture - L;
        for (int l = 0; l < L; l++) seen->plane[(size_t)b * L + l] = from[l] != 0;
    }
    list_seen(seen, B, L);
}

/* A token is seen if any of its four is. */
static void merge_visibility(const struct embed_pass *p)
{
    const uint8_t *from = p->x->seen->plane;
    for (int r = 0; r < p->y->B * p->y->L; r++) {
        size_t first = first_of_four(p, r);
        p->y->seen->plane[r] = from[first] | from[first + 1] | from[first + p->W] | from[first + p->W + 1];
    }
    list_seen(p->y->seen, p->y->B, p->y->L);
}

struct tensor *patch_embed_cpu(struct tape *tape, const uint8_t *pixels, int B, int H, int W,
                               const struct patch_embed *w)
{
    struct embed_pass *p = tape_object(tape, sizeof *p);
    *p = (struct embed_pass){
        .H = H, .W = W, .weight = w->weight, .bias = w->bias, .norm = &w->norm, .unseen = w->unseen};
    p->pixels = pixels;
    p->patches = w;
    p->K = 3 * w->patch * w->patch;
    int L = H / w->patch * (W / w->patch);
    p->picture = (size_t)H * W * 3 + (w->unseen ? (size_t)L : 0);
    p->y = tape_tensor(tape, B, L, w->weight->shape[0]);
    if (w->unseen) p->y->seen = tape_seen(tape, B, L);
    if (w->unseen && !tape->dry) read_visibility(p->y->seen, pixels, p->picture, B, L);
    return embed(tape, p);
}

struct tensor *patch_merge_cpu(struct tape *tape, struct tensor *x, int H, int W, const struct patch_merge *w)
{
    struct embed_pass *p = tape_object(tape, sizeof *p);
    *p = (struct embed_pass){.x = x, .H = H, .W = W, .weight = w->weight, .norm = &w->norm, .unseen = w->unseen};
    p->K = 4 * x->C;
    p->y = tape_tensor(tape, x->B, x->L / 4, w->weight->shape[0]);
    if (x->seen) p->y->seen = tape_seen(tape, x->B, x->L / 4);
    if (x->seen && !tape->dry) merge_visibility(p);
    return embed(tape, p);
}
