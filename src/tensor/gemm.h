/* gemm.h - matrix products by oneDNN; gemm.c is the only file that calls it
 *
 * Each product runs on the calling thread only: layers divide their work into tiles that fit a core's cache and
 * distribute them over the threads. */
#ifndef GVM_TENSOR_GEMM_H
#define GVM_TENSOR_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/parallel.h"

/* C (M, N) = op(A) op(B) + beta C, row-major. op is 'N' or 'T' (transposed); op(A) is (M, K), op(B) is (K, N). lda,
 * ldb, ldc: distance between stored rows. */
void gemm(char op_a, char op_b, int M, int N, int K, const float *A, int lda, const float *B, int ldb, float beta,
          float *C, int ldc);

/* Number of products of the calling thread, and of the teams that worked for it (parallel_run), that failed because
 * oneDNN could not allocate its buffers; their results are invalid. Compare it before and after a computation. */
unsigned gemm_failures(void);

/* A weight matrix (N outputs, K inputs) is stored row-major, as in PyTorch, or, for inference, transposed into panels
 * of GEMM_PANEL outputs: panel p is (K, width) at offset p * GEMM_PANEL * K. Both take N * K floats. Panels are as fast
 * as oneDNN's own blocked layouts (docs/speed.md). */
enum { GEMM_PANEL = 384 };

void gemm_pack(float *panels, const float *weight, int N, int K);

/* One thread's share of y (M, N) = x (M, K) W^T, which a team divides by columns; a team of one computes everything.
 * ldy: distance between rows of y. */
void gemm_weight(float *y, int ldy, const float *x, int ldx, const float *weight, bool packed, int M, int N, int K,
                 struct team team);

/* Limit oneDNN's instruction set: 0 plain x86-64, 1 AVX2, 2 AVX-512. Call once, before the first product. */
void gemm_limit_isa(int level);

/* Measured GFLOP/s of all threads together in products of the best size; takes a few tens of milliseconds. */
double gemm_peak(void);

void gemm_version(char text[32]); /* oneDNN's, as "2.6.3" */

#endif
