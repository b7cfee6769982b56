/* gradient.c - gradients of weights and biases, for all layers; see layer.h */
#include "layers/layer.h"

void weight_gradient(float *dw, const float *dy, int ldy, const float *x, int ldx, int rows, int N, int K,
                     struct team team)
{
    int from, to;
    parallel_range(&from, &to, N, 16, team);
    if (from < to) gemm('T', 'N', to - from, K, rows, dy + from, ldy, x, ldx, 1, dw + (size_t)from * K, K);
}

void bias_gradient(float *db, const float *dy, int ldy, int rows, int N, struct team team)
{
    int from, to;
    parallel_range(&from, &to, N, 16, team);
    kernels()->column_sum(db, dy, ldy, rows, from, to);
}

void norm_partials_clear(struct norm_partials p)
{
    memset(p.sums, 0, norm_partials_floats(p.C) * sizeof *p.sums);
}

void norm_partials_add(const struct norm *w, struct norm_partials p)
{
    for (int rank = 0; rank < parallel_threads(); rank++) {
        const float *sums = p.sums + (size_t)rank * 2 * p.C;
        kernels()->add(w->weight->grad, sums, p.C);
        kernels()->add(w->bias->grad, sums + p.C, p.C);
    }
}
