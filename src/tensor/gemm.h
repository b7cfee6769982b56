/* gemm.h - matrix products, all through oneDNN; the one file that calls it is gemm.c.
 *
 * Every product here runs on the calling thread alone: the layers cut their work into tiles
 * that stay in a core's cache and give each thread its own. */
#ifndef GVM_TENSOR_GEMM_H
#define GVM_TENSOR_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/parallel.h"

/* C (M, N) = op(A) op(B) + beta C, row-major; op is 'N' or 'T' (transposed); op(A) is (M, K),
 * op(B) is (K, N); lda, ldb, ldc are the stored rows' lengths. */
void gemm(char op_a, char op_b, int M, int N, int K, const float *A, int lda, const float *B, int ldb, float beta,
          float *C, int ldc);

/* How many products of the calling thread, and of the teams that worked for it (parallel_run), have found no memory for
 * oneDNN's own buffers, so that their results are void: a caller that may run short compares it before and after. */
unsigned gemm_failures(void);

/* A weight matrix (N outputs, K inputs), stored row-major as PyTorch does or, for inference,
 * transposed into panels of GEMM_PANEL outputs: panel p is (K, width) at offset p * GEMM_PANEL * K.
 * Both take N * K floats. Panels run at the speed of oneDNN's own blocked layouts (docs/speed.md). */
enum { GEMM_PANEL = 384 };

void gemm_pack(float *panels, const float *weight, int N, int K);

/* The part of y (M, N) = x (M, K) W^T that falls to one thread of a team that shares it by columns
 * (a team of one computes it all). ldy is the length of y's rows. */
void gemm_weight(float *y, int ldy, const float *x, int ldx, const float *weight, bool packed, int M, int N, int K,
                 struct team team);

/* Tell oneDNN which instructions it may use: 0 plain x86-64, 1 AVX2, 2 AVX-512. Once, before the first product. */
void gemm_limit_isa(int level);

/* GFLOP/s that the pool reaches together in products of the best size, measured now (a few tens of milliseconds). */
double gemm_peak(void);

void gemm_version(char text[32]); /* oneDNN's, as "2.6.3" */

#endif
