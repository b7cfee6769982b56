/* gemm.c - the only file that calls oneDNN. It uses only sgemm and the instruction set control, which oneDNN 2.x and
 * 3.x share. */
#include "tensor/gemm.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <oneapi/dnnl/dnnl.h>

#include "base/clock.h"

unsigned gemm_failures(void)
{
    return parallel_faults();
}

/* Some of oneDNN's products before 3.11.2 use heap memory as their stack, from its lower end, so that a signal handler
 * would overwrite the memory below it. So signals are blocked during the product. */
void gemm(char op_a, char op_b, int M, int N, int K, const float *A, int lda, const float *B, int ldb, float beta,
          float *C, int ldc)
{
    int outer = parallel_alone();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    dnnl_status_t status = dnnl_sgemm(op_a, op_b, M, N, K, 1.0f, A, lda, B, ldb, beta, C, ldc);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    parallel_together(outer);
    assert(status == dnnl_success || status == dnnl_out_of_memory); /* the sizes are always valid */
    if (status != dnnl_success) parallel_fault();
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
    /* fails after the first product, whose setting then remains */
    if (level < 2) dnnl_set_max_cpu_isa(level == 0 ? dnnl_cpu_isa_sse41 : dnnl_cpu_isa_avx2);
}

/* Products like those in the middle stages of the network, with packed weights: the size that caches serve best. */
enum { PEAK_ROWS = 256, PEAK_WIDTH = 384, PEAK_REPEATS = 200 };

static void run_products(void *argument, struct team team)
{
    float *own = (float *)argument + (size_t)team.rank * PEAK_WIDTH * (2 * PEAK_ROWS + PEAK_WIDTH);
    float *x = own, *y = x + PEAK_ROWS * PEAK_WIDTH, *w = y + PEAK_ROWS * PEAK_WIDTH;
    for (int i = 0; i < PEAK_REPEATS; i++)
        gemm('N', 'N', PEAK_ROWS, PEAK_WIDTH, PEAK_WIDTH, x, PEAK_WIDTH, w, PEAK_WIDTH, 0, y, PEAK_WIDTH);
}

double gemm_peak(void)
{
    size_t each = (size_t)PEAK_WIDTH * (2 * PEAK_ROWS + PEAK_WIDTH);
    float *memory = calloc(each * (size_t)parallel_threads(), sizeof *memory);
    if (memory == NULL) return 0;
    double start = clock_seconds();
    parallel_run(run_products, memory);
    double seconds = clock_seconds() - start;
    free(memory);
    return 2e-9 * PEAK_ROWS * PEAK_WIDTH * PEAK_WIDTH * PEAK_REPEATS * parallel_threads() / seconds;
}

void gemm_version(char text[32])
{
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, 32, "%d.%d.%d", v->major, v->minor, v->patch);
}
