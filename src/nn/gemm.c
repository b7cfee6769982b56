/* gemm.c - the one file that calls oneDNN. It needs only the plain product and the instruction-set
 * control, which its 2.x and 3.x interfaces share. */
#include "nn/gemm.h"

#include <assert.h>
#include <stdio.h>

#include <oneapi/dnnl/dnnl.h>

void gemm(char op_a, char op_b, int M, int N, int K, const float *A, int lda, const float *B, int ldb, float beta,
          float *C, int ldc)
{
    dnnl_status_t status = dnnl_sgemm(op_a, op_b, M, N, K, 1.0f, A, lda, B, ldb, beta, C, ldc);
    assert(status == dnnl_success); /* it fails on sizes that do not fit, which a caller never gives */
    (void)status;
}

void gemm_pack(float *panels, const float *weight, int N, int K)
{
    for (int p = 0; p < N; p += GEMM_PANEL) {
        int width = N - p < GEMM_PANEL ? N - p : GEMM_PANEL;
        for (int k = 0; k < K; k++)
            for (int n = 0; n < width; n++) *panels++ = weight[(size_t)(p + n) * K + k];
    }
}

void gemm_weight(float *y, int ldy, const float *x, int ldx, const float *weight, bool packed, int M, int N, int K,
                 struct team team)
{
    int from, to;
    parallel_range(&from, &to, N, 48, team);
    for (int n = from, width; n < to; n += width) {
        int panel = n / GEMM_PANEL * GEMM_PANEL, end = panel + GEMM_PANEL < N ? panel + GEMM_PANEL : N;
        width = (to < end ? to : end) - n;
        if (packed)
            gemm('N', 'N', M, width, K, x, ldx, weight + (size_t)panel * K + (n - panel), end - panel, 0, y + n, ldy);
        else
            gemm('N', 'T', M, width, K, x, ldx, weight + (size_t)n * K, K, 0, y + n, ldy);
    }
}

void gemm_limit_isa(int level)
{
    /* refused after the first product, which then keeps what it has */
    if (level < 2) dnnl_set_max_cpu_isa(level == 0 ? dnnl_cpu_isa_sse41 : dnnl_cpu_isa_avx2);
}

const char *gemm_version(void)
{
    static char text[32];
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    return text;
}
