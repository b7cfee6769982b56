/* masks.c - feature aggregation (the paper's section 3.2 and Figure 4): the channel-wise maximum, an MLP for each
 * spatial mask, and the Frobenius product of mask and map. If several channels share the maximum, the first gets its
 * gradient. */
#include "layers/layer.h"

struct masks_pass {
    struct tensor *x, *y;
    const struct masks *w;
    int N, L, half; /* masks, tokens, hidden width L / 2 */
    float *maximum; /* (B, L); 0 if the token is not seen */
    int *where;     /* (B, L) channel of the maximum */
    float *hidden;  /* (B, N, L / 2) */
    float *mask;    /* (B, N, L); 0 if the token is not seen */
    /* backward */
    float accumulate;
    float *dmask, *dhidden; /* like mask, hidden */
    float *dmaximum;        /* (N, B, L): each mask's contribution */
};

/* Threads divide a picture's channels into blocks, so that a single picture uses all threads. */
enum { CHANNEL_BLOCK = 96 };

static void add_rows(float *y, int ldy, const float *bias, int rows, int n)
{
    for (int r = 0; r < rows; r++) kernels()->add(y + (size_t)r * ldy, bias, n);
}

/* Set the mask n (B, N, L) to 0 for the tokens that are not seen. */
static void clear_unseen(float *mask, const struct masks_pass *p, int n)
{
    for (int b = 0; p->x->seen && b < p->x->B; b++)
        for (int l = 0; l < p->L; l++)
            if (!p->x->seen->plane[(size_t)b * p->L + l]) mask[((size_t)b * p->N + n) * p->L + l] = 0;
}

static bool is_seen(const struct masks_pass *p, int row)
{
    return p->x->seen == NULL || p->x->seen->plane[row] != 0;
}

static void masks_forward(void *argument, struct team team)
{
    const struct masks_pass *p = argument;
    const struct masks *w = p->w;
    int B = p->x->B, C = p->x->C, N = p->N, L = p->L, half = p->half, from, to;
    parallel_range(&from, &to, B * L, 1, team);
    for (int r = from; r < to; r++) {
        p->maximum[r] = kernels()->max_row(p->where + r, p->x->data + (size_t)r * C, C);
        if (!is_seen(p, r)) p->maximum[r] = 0;
    }
    parallel_barrier(team);
    for (int n = team.rank; n < N; n += team.size) {
        size_t size = (size_t)half * L;
        float *hidden = p->hidden + (size_t)n * half, *mask = p->mask + (size_t)n * L;
        gemm('N', 'T', B, half, L, p->maximum, L, w->w1->data + n * size, L, 0, hidden, N * half);
        add_rows(hidden, N * half, w->b1->data + (size_t)n * half, B, half);
        gemm('N', 'T', B, L, half, hidden, N * half, w->w2->data + n * size, half, 0, mask, N * L);
        add_rows(mask, N * L, w->b2->data + (size_t)n * L, B, L);
        clear_unseen(p->mask, p, n);
    }
    parallel_barrier(team);
    int blocks = (C + CHANNEL_BLOCK - 1) / CHANNEL_BLOCK;
    for (int item = team.rank; item < B * blocks; item += team.size) {
        int b = item / blocks, c = item % blocks * CHANNEL_BLOCK;
        gemm('N', 'N', N, smaller(CHANNEL_BLOCK, C - c), L, p->mask + (size_t)b * N * L, L,
             p->x->data + (size_t)b * L * C + c, C, 0, p->y->data + (size_t)b * N * C + c, C);
    }
}

static void masks_backward_rows(void *argument, struct team team)
{
    const struct masks_pass *p = argument;
    const struct masks *w = p->w;
    int B = p->x->B, C = p->x->C, N = p->N, L = p->L, half = p->half;
    for (int b = team.rank; b < B; b += team.size) {
        const float *dy = p->y->grad + (size_t)b * N * C, *x = p->x->data + (size_t)b * L * C;
        gemm('N', 'T', N, L, C, dy, C, x, C, 0, p->dmask + (size_t)b * N * L, L);
        gemm('T', 'N', L, C, N, p->mask + (size_t)b * N * L, L, dy, C, p->accumulate, p->x->grad + (size_t)b * L * C,
             C);
    }
    parallel_barrier(team);
    for (int n = team.rank; n < N; n += team.size) {
        size_t size = (size_t)half * L;
        const float *dmask = p->dmask + (size_t)n * L, *hidden = p->hidden + (size_t)n * half;
        float *dhidden = p->dhidden + (size_t)n * half;
        clear_unseen(p->dmask, p, n);
        kernels()->column_sum(w->b2->grad + (size_t)n * L, dmask, N * L, B, 0, L);
        gemm('T', 'N', L, half, B, dmask, N * L, hidden, N * half, 1, w->w2->grad + n * size, half);
        gemm('N', 'N', B, half, L, dmask, N * L, w->w2->data + n * size, half, 0, dhidden, N * half);
        kernels()->column_sum(w->b1->grad + (size_t)n * half, dhidden, N * half, B, 0, half);
        gemm('T', 'N', half, L, B, dhidden, N * half, p->maximum, L, 1, w->w1->grad + n * size, L);
        gemm('N', 'N', B, L, half, dhidden, N * half, w->w1->data + n * size, L, 0, p->dmaximum + (size_t)n * B * L, L);
    }
    parallel_barrier(team);
    int from, to;
    parallel_range(&from, &to, B * L, 1, team);
    for (int r = from; r < to; r++)
        for (int n = 0; n < N && is_seen(p, r); n++)
            p->x->grad[(size_t)r * C + p->where[r]] += p->dmaximum[(size_t)n * B * L + r];
}

static void reserve_backward(struct masks_pass *p, struct tape *tape)
{
    size_t B = (size_t)p->x->B;
    p->dmask = tape_scratch(tape, B * p->N * p->L);
    p->dhidden = tape_scratch(tape, B * p->N * p->half);
    p->dmaximum = tape_scratch(tape, B * p->N * p->L);
}

static void masks_backward(struct tape *tape, void *self)
{
    struct masks_pass *p = self;
    p->accumulate = tensor_accumulate(tape, p->x);
    reserve_backward(p, tape);
    parallel_run(masks_backward_rows, p);
    tape_scratch_release(tape);
}

struct tensor *masks_cpu(struct tape *tape, struct tensor *x, const struct masks *w, const float **kept)
{
    struct masks_pass *p = tape_object(tape, sizeof *p);
    int N = w->w1->shape[0], L = x->L, half = L / 2;
    size_t B = (size_t)x->B;
    *p = (struct masks_pass){.x = x, .w = w, .N = N, .L = L, .half = half};
    p->y = tape_tensor(tape, x->B, 1, N * x->C);
    float *(*take)(struct tape *, size_t) = tape->training ? tape_floats : tape_scratch;
    p->maximum = take(tape, B * L);
    p->where = (int *)take(tape, B * L);
    p->hidden = take(tape, B * N * half);
    p->mask = tape_floats(tape, B * N * L);
    if (kept != NULL) *kept = p->mask;
    if (tape->training) {
        reserve_backward(p, tape);
        tape_scratch_release(tape);
    }
    tape->counts.linear += B * N * ((uint64_t)2 * L * half + (uint64_t)L * x->C);
    if (!tape->dry) parallel_run(masks_forward, p);
    tape_scratch_release(tape);
    tape_record(tape, masks_backward, p);
    return p->y;
}
