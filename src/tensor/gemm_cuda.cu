/* gemm_cuda.cu - matrix products by cuBLASLt; the only file that calls it
 *
 * cuBLASLt is column-major, so a row-major C = A B is passed as C^T = B^T A^T. A fused epilogue is tried first. If
 * cuBLASLt does not support it for the sizes (mainly odd ones), separate kernels follow a plain product; if it does not
 * support the product either, a simple kernel multiplies. cuBLASLt's GELU is the tanh approximation, whose error of at
 * most 5e-4 is below half a unit in the last place of a bfloat16 of that magnitude, but too large for float32. So
 * float32 uses the exact GELU of this file, unless a layer asks for the approximation.
 *
 * The plan of a product is found once for its sizes and kept with the tape. Split sums are allowed only in float32 and
 * in a separate workspace. Summing in place would depend on the order in which parts finish, so results would not be
 * reproducible; summing in the output's type could mean bfloat16. */
#include <cublasLt.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/cuda.cuh"

static const size_t WORKSPACE = (size_t)32 << 20;

/* Everything that a plan depends on. */
struct plan_key {
    int op_a, op_b, M, N, K, lda, ldb, ldc, element, out, compute, epilogue, batch, add;
    int align_a, align_b, align_c, align_bias, align_aux;
    long long stride_a, stride_b, stride_c;
};

struct plan {
    struct plan_key key;
    bool works;
    cublasLtMatmulDesc_t description;
    cublasLtMatrixLayout_t a, b, c;
    cublasLtMatmulAlgo_t algorithm;
    struct plan *next;
};

gvm_status products_open(struct cuda_tape *c, gvm_error *err)
{
    cublasLtHandle_t handle;
    if (cublasLtCreate(&handle) != CUBLAS_STATUS_SUCCESS)
        return fail(err, GVM_DEVICE, "cuBLASLt failed to start; check that its version matches the driver");
    c->products = handle;
    return cuda_status(cudaMalloc(&c->workspace, WORKSPACE), "allocate memory for products", err);
}

void products_free(struct cuda_tape *c)
{
    for (int i = 0; i < PLAN_LISTS; i++)
        for (struct plan *p = c->plans[i], *next; p != NULL; p = next) {
            next = p->next;
            if (p->a) cublasLtMatrixLayoutDestroy(p->a);
            if (p->b) cublasLtMatrixLayoutDestroy(p->b);
            if (p->c) cublasLtMatrixLayoutDestroy(p->c);
            if (p->description) cublasLtMatmulDescDestroy(p->description);
            free(p);
        }
    if (c->products) cublasLtDestroy(c->products);
    cudaFree(c->workspace);
}

/* ------------------------------------------------------------------ plans */

/* The largest power of two, up to 256, that divides both an address and the bytes of a row. */
static int alignment(const void *at, size_t row)
{
    int most = 256;
    while (((size_t)at | row) & (size_t)(most - 1)) most /= 2;
    return most;
}

static cublasComputeType_t compute_type(const struct tape *tape, const struct product *p)
{
    bool tf32 = p->element == 4 && !p->exact && tape->home->precision != PRECISION_FP32;
    return tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

static struct plan_key key_of(const struct tape *tape, const struct product *p, cublasLtEpilogue_t epilogue,
                              const void *bias, const void *aux)
{
    struct plan_key k;
    memset(&k, 0, sizeof k); /* includes padding: keys are compared bytewise */
    size_t element = (size_t)p->element;
    k.op_a = p->op_a, k.op_b = p->op_b, k.M = p->M, k.N = p->N, k.K = p->K;
    k.lda = p->lda, k.ldb = p->ldb, k.ldc = p->ldc;
    k.element = p->element, k.out = p->float_out ? 4 : p->element;
    k.compute = (int)compute_type(tape, p), k.epilogue = (int)epilogue;
    k.batch = p->batch ? p->batch : 1, k.add = p->beta != 0;
    k.stride_a = p->stride_a, k.stride_b = p->stride_b, k.stride_c = p->stride_c;
    k.align_a = alignment(p->A, ((size_t)p->lda | (size_t)p->stride_a) * element);
    k.align_b = alignment(p->B, ((size_t)p->ldb | (size_t)p->stride_b) * element);
    k.align_c = alignment(p->C, ((size_t)p->ldc | (size_t)p->stride_c) * (size_t)k.out);
    k.align_bias = alignment(bias, 0);
    k.align_aux = alignment(aux, (size_t)p->ldc * element);
    return k;
}

static bool set(cublasLtMatmulDesc_t description, cublasLtMatmulDescAttributes_t what, const void *value, size_t size)
{
    return cublasLtMatmulDescSetAttribute(description, what, value, size) == CUBLAS_STATUS_SUCCESS;
}

/* A stored matrix, whose rows are cuBLASLt's columns. */
static bool make_layout(cublasLtMatrixLayout_t *layout, int element, char op, int rows, int columns, int ld, int batch,
                        long long stride)
{
    int m = op == 'N' ? columns : rows, n = op == 'N' ? rows : columns;
    cudaDataType_t type = element == 2 ? CUDA_R_16BF : CUDA_R_32F;
    int64_t apart = stride;
    return cublasLtMatrixLayoutCreate(layout, type, (uint64_t)m, (uint64_t)n, ld) == CUBLAS_STATUS_SUCCESS &&
           (batch == 1 || (cublasLtMatrixLayoutSetAttribute(*layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch,
                                                            sizeof batch) == CUBLAS_STATUS_SUCCESS &&
                           cublasLtMatrixLayoutSetAttribute(*layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
                                                            &apart, sizeof apart) == CUBLAS_STATUS_SUCCESS));
}

static bool describe(struct plan *plan)
{
    const struct plan_key *k = &plan->key;
    cublasOperation_t a = k->op_b == 'N' ? CUBLAS_OP_N : CUBLAS_OP_T, b = k->op_a == 'N' ? CUBLAS_OP_N : CUBLAS_OP_T;
    cublasLtEpilogue_t epilogue = (cublasLtEpilogue_t)k->epilogue;
    int64_t aux = k->ldc;
    return cublasLtMatmulDescCreate(&plan->description, (cublasComputeType_t)k->compute, CUDA_R_32F) ==
               CUBLAS_STATUS_SUCCESS &&
           set(plan->description, CUBLASLT_MATMUL_DESC_TRANSA, &a, sizeof a) &&
           set(plan->description, CUBLASLT_MATMUL_DESC_TRANSB, &b, sizeof b) &&
           set(plan->description, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue) &&
           (!(epilogue == CUBLASLT_EPILOGUE_GELU_AUX_BIAS || epilogue == CUBLASLT_EPILOGUE_DGELU) ||
            set(plan->description, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, &aux, sizeof aux)) &&
           make_layout(&plan->a, k->element, (char)k->op_b, k->K, k->N, k->ldb, k->batch, k->stride_b) &&
           make_layout(&plan->b, k->element, (char)k->op_a, k->M, k->K, k->lda, k->batch, k->stride_a) &&
           make_layout(&plan->c, k->out, 'N', k->M, k->N, k->ldc, k->batch, k->stride_c);
}

/* Set the addresses that an epilogue reads or writes. */
static bool point(const struct plan *plan, const void *bias, const void *aux)
{
    return (bias == NULL || set(plan->description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias)) &&
           (aux == NULL || set(plan->description, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, &aux, sizeof aux));
}

static bool choose(struct cuda_tape *c, struct plan *plan)
{
    const struct plan_key *k = &plan->key;
    cublasLtMatmulPreference_t preference;
    if (cublasLtMatmulPreferenceCreate(&preference) != CUBLAS_STATUS_SUCCESS) return false;
    uint32_t schemes = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    uint32_t a = (uint32_t)k->align_b, b = (uint32_t)k->align_a, d = (uint32_t)k->align_c;
    const struct {
        cublasLtMatmulPreferenceAttributes_t what;
        const void *value;
        size_t size;
    } wishes[] = {{CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &WORKSPACE, sizeof WORKSPACE},
                  {CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &schemes, sizeof schemes},
                  {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, &a, sizeof a},
                  {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, &b, sizeof b},
                  {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, &d, sizeof d},
                  {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, &d, sizeof d}};
    bool ok = true;
    for (const auto &wish : wishes)
        ok = ok && cublasLtMatmulPreferenceSetAttribute(preference, wish.what, wish.value, wish.size) ==
                       CUBLAS_STATUS_SUCCESS;
    cublasLtMatmulHeuristicResult_t found;
    int count = 0;
    ok = ok && cublasLtMatmulAlgoGetHeuristic(c->products, plan->description, plan->a, plan->b, plan->c, plan->c,
                                              preference, 1, &found, &count) == CUBLAS_STATUS_SUCCESS;
    cublasLtMatmulPreferenceDestroy(preference);
    if (!ok || count == 0 || found.state != CUBLAS_STATUS_SUCCESS) return false;
    plan->algorithm = found.algo;
    return true;
}

static struct plan *find_plan(struct tape *tape, const struct product *p, cublasLtEpilogue_t epilogue, const void *bias,
                              const void *aux)
{
    struct cuda_tape *c = cuda_of(tape);
    struct plan_key key = key_of(tape, p, epilogue, bias, aux);
    struct plan **list = &c->plans[(unsigned)(key.M * 31 + key.N * 7 + key.K) % PLAN_LISTS];
    for (struct plan *plan = *list; plan != NULL; plan = plan->next)
        if (memcmp(&plan->key, &key, sizeof key) == 0) return plan;
    struct plan *plan = (struct plan *)calloc(1, sizeof *plan);
    if (plan == NULL) return NULL;
    plan->key = key;
    plan->works = describe(plan) && point(plan, bias, aux) && choose(c, plan);
    plan->next = *list;
    return *list = plan;
}

/* Returns false if cuBLASLt does not support it. */
static bool multiply(struct tape *tape, const struct product *p, cublasLtEpilogue_t epilogue, const void *bias,
                     const void *aux)
{
    struct cuda_tape *c = cuda_of(tape);
    struct plan *plan = find_plan(tape, p, epilogue, bias, aux);
    if (plan == NULL || !plan->works) return false;
    float one = 1;
    cublasStatus_t status = CUBLAS_STATUS_INVALID_VALUE;
    if (point(plan, bias, aux))
        status = cublasLtMatmul(c->products, plan->description, &one, p->B, plan->a, p->A, plan->b, &p->beta, p->C,
                                plan->c, p->C, plan->c, &plan->algorithm, c->workspace, WORKSPACE, c->stream);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED) return plan->works = false; /* nothing was launched */
    if (status != CUBLAS_STATUS_SUCCESS && c->status == GVM_OK)
        c->status = fail(&c->failure, GVM_DEVICE, "cuBLASLt failed to multiply %c%c, %d x %d x %d, epilogue %d: %s",
                         p->op_a, p->op_b, p->M, p->N, p->K, (int)epilogue, cublasLtGetStatusString(status));
    return true;
}

/* ------------------------------------------------------------------ separate epilogues */

template <typename T> __global__ void bias_kernel(T *c, const T *bias, size_t n, int N, int ldc)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T *at = c + i / N * ldc + i % N;
    store(at, to_float(*at) + to_float(bias[i % N]));
}

void add_bias(struct tape *tape, float *y, const float *bias, int rows, int C)
{
    size_t n = (size_t)rows * (size_t)C;
    LAUNCH(bias_kernel<float>, blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, y, bias, n, C, C);
    LAUNCHED(tape, "add a bias");
}

template <typename T> __global__ void gelu_kernel(T *c, const T *aux, size_t n, int N, int ldc, bool by_tanh)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x, at = i / N * ldc + i % N;
    if (i >= n) return;
    float x = to_float(aux[at]);
    store(c + at, by_tanh ? tanh_gelu(x) : gelu(x));
}

template <typename T> __global__ void gelu_slope_kernel(T *c, const T *aux, size_t n, int N, int ldc, bool by_tanh)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x, at = i / N * ldc + i % N;
    if (i >= n) return;
    float x = to_float(aux[at]);
    store(c + at, to_float(c[at]) * (by_tanh ? tanh_gelu_slope(x) : gelu_slope(x)));
}

enum { SUM_ROWS = 8, MAX_SUM_BLOCKS = 256 };

/* The sum of one column over rows first + part, first + part + step, ... of all warps: each warp (part) sums its own
 * rows, and warp 0 adds the results. */
template <typename T>
__device__ static float column_sum(const T *column, bool real, int rows, int ld, int first, int step)
{
    __shared__ float sums[SUM_ROWS][WARP];
    int lane = threadIdx.x % WARP, part = threadIdx.x / WARP;
    float sum = 0;
    for (int r = first + part; real && r < rows; r += step) sum += to_float(column[(size_t)r * ld]);
    sums[part][lane] = sum;
    __syncthreads();
    if (part == 0)
        for (int i = 1; i < SUM_ROWS; i++) sum += sums[i][lane];
    return sum;
}

/* partial (gridDim.y, M): sums over the rows of a block; 32 columns per block. */
template <typename T> __global__ void column_sums_kernel(float *partial, const T *a, int rows, int M, int lda)
{
    int column = blockIdx.x * WARP + threadIdx.x % WARP;
    float sum = column_sum(a + column, column < M, rows, lda, blockIdx.y * SUM_ROWS, gridDim.y * SUM_ROWS);
    if (threadIdx.x < WARP && column < M) partial[(size_t)blockIdx.y * M + column] = sum;
}

__global__ void add_partials_kernel(float *a, float *b, const float *partial, int blocks, int C, int ld)
{
    int c = blockIdx.x * WARP + threadIdx.x % WARP;
    float sum = column_sum(partial + (size_t)blockIdx.y * C + c, c < C, blocks, ld, 0, SUM_ROWS);
    if (threadIdx.x < WARP && c < C) (blockIdx.y ? b : a)[c] += sum;
}

void add_partials(struct tape *tape, float *a, float *b, const float *partial, int blocks, int C, int ld)
{
    dim3 grid((unsigned)blocks_of((size_t)C, WARP), b ? 2 : 1);
    LAUNCH(add_partials_kernel, grid, SUM_ROWS * WARP, 0, cuda_of(tape)->stream, a, b, partial, blocks, C, ld);
    LAUNCHED(tape, "add partial sums");
}

static int sum_blocks(int rows)
{
    int blocks = blocks_of((size_t)rows, 4 * SUM_ROWS);
    return blocks < MAX_SUM_BLOCKS ? blocks : MAX_SUM_BLOCKS;
}

float *product_scratch(struct tape *tape, int rows, int M)
{
    return tape_scratch(tape, (size_t)sum_blocks(rows) * (size_t)M);
}

template <typename T> static void column_sums(struct tape *tape, const struct product *p)
{
    dim3 grid((unsigned)blocks_of((size_t)p->M, WARP), (unsigned)sum_blocks(p->K));
    LAUNCH(column_sums_kernel<T>, grid, SUM_ROWS * WARP, 0, cuda_of(tape)->stream, p->scratch, (const T *)p->A, p->K,
           p->M, p->lda);
    LAUNCHED(tape, "sum columns");
    add_partials(tape, p->sums, NULL, p->scratch, sum_blocks(p->K), p->M, p->M);
}

/* Apply the epilogue after a plain product. */
template <typename T> static void finish(struct tape *tape, const struct product *p)
{
    size_t n = (size_t)p->M * (size_t)p->N;
    int blocks = blocks_of(n, BLOCK);
    cudaStream_t stream = cuda_of(tape)->stream;
    switch (p->epilogue) {
    case EPILOGUE_BIAS:
        LAUNCH(bias_kernel<T>, blocks, BLOCK, 0, stream, (T *)p->C, (const T *)p->bias, n, p->N, p->ldc);
        break;
    case EPILOGUE_GELU:
        LAUNCH(gelu_kernel<T>, blocks, BLOCK, 0, stream, (T *)p->C, (const T *)(p->aux ? p->aux : p->C), n, p->N,
               p->ldc, p->by_tanh);
        break;
    case EPILOGUE_GELU_SLOPE:
        LAUNCH(gelu_slope_kernel<T>, blocks, BLOCK, 0, stream, (T *)p->C, (const T *)p->aux, n, p->N, p->ldc,
               p->by_tanh);
        break;
    case EPILOGUE_COLUMN_SUMS: column_sums<T>(tape, p); break;
    case EPILOGUE_NONE: break;
    }
    LAUNCHED(tape, "finish a product");
}

/* ------------------------------------------------------------------ the product */

enum { TILE = 16 };

/* Each block computes a tile of C. */
template <typename T, typename OUT> __global__ void plain_product_kernel(struct product p)
{
    __shared__ float a[TILE][TILE + 1], b[TILE][TILE + 1];
    const T *A = (const T *)p.A + blockIdx.z * p.stride_a, *B = (const T *)p.B + blockIdx.z * p.stride_b;
    int x = threadIdx.x % TILE, y = threadIdx.x / TILE, i = blockIdx.x * TILE + y, j = blockIdx.y * TILE + x;
    float sum = 0;
    for (int k = 0; k < p.K; k += TILE) {
        size_t ak = k + x, bk = k + y;
        a[y][x] = i < p.M && ak < p.K ? to_float(A[p.op_a == 'N' ? (size_t)i * p.lda + ak : ak * p.lda + i]) : 0;
        b[y][x] = j < p.N && bk < p.K ? to_float(B[p.op_b == 'N' ? bk * p.ldb + j : (size_t)j * p.ldb + bk]) : 0;
        __syncthreads();
        for (int n = 0; n < TILE; n++) sum += a[y][n] * b[n][x];
        __syncthreads();
    }
    if (i >= p.M || j >= p.N) return;
    OUT *at = (OUT *)p.C + blockIdx.z * p.stride_c + (size_t)i * p.ldc + j;
    store(at, p.beta != 0 ? sum + p.beta * to_float(*at) : sum);
}

static void plain_product(struct tape *tape, const struct product *p)
{
    dim3 grid((unsigned)blocks_of(p->M, TILE), (unsigned)blocks_of(p->N, TILE), p->batch ? p->batch : 1);
    cudaStream_t stream = cuda_of(tape)->stream;
    if (p->element == 4)
        LAUNCH((plain_product_kernel<float, float>), grid, TILE * TILE, 0, stream, *p);
    else if (p->float_out)
        LAUNCH((plain_product_kernel<bf16, float>), grid, TILE * TILE, 0, stream, *p);
    else
        LAUNCH((plain_product_kernel<bf16, bf16>), grid, TILE * TILE, 0, stream, *p);
    LAUNCHED(tape, "multiply matrices");
}

static bool fused(struct tape *tape, const struct product *p)
{
    bool gelu_as_theirs = p->element == 2 || p->by_tanh;
    switch (p->epilogue) {
    case EPILOGUE_NONE: return multiply(tape, p, CUBLASLT_EPILOGUE_DEFAULT, NULL, NULL);
    case EPILOGUE_BIAS: return multiply(tape, p, CUBLASLT_EPILOGUE_BIAS, p->bias, NULL);
    case EPILOGUE_GELU:
        return gelu_as_theirs &&
               multiply(tape, p, p->aux ? CUBLASLT_EPILOGUE_GELU_AUX_BIAS : CUBLASLT_EPILOGUE_GELU_BIAS, p->bias,
                        p->aux);
    case EPILOGUE_GELU_SLOPE: return gelu_as_theirs && multiply(tape, p, CUBLASLT_EPILOGUE_DGELU, NULL, p->aux);
    case EPILOGUE_COLUMN_SUMS: return false; /* with cuBLASLt's sums, products with a large K are not split */
    }
    return false;
}

void run_product(struct tape *tape, const struct product *p)
{
    if (fused(tape, p)) return;
    if (p->epilogue == EPILOGUE_NONE) {
        plain_product(tape, p);
        return;
    }
    struct product plain = *p;
    plain.epilogue = EPILOGUE_NONE;
    if (p->epilogue == EPILOGUE_GELU) {
        plain.epilogue = EPILOGUE_BIAS;
        if (p->aux) plain.C = p->aux;
    }
    run_product(tape, &plain);
    if (p->element == 2)
        finish<bf16>(tape, p);
    else
        finish<float>(tape, p);
}

/* Distinct values in [-1, 1]: equal values draw less power, and the clock would be higher than in real use. */
template <typename T> __global__ void noise_kernel(T *to, unsigned n)
{
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x, bits = i * 2654435761u;
    bits = (bits ^ bits >> 15) * 2246822519u;
    if (i < n) store(to + i, (float)(bits >> 8) / (1 << 23) - 1);
}

/* Measured FLOP/s of a large square product in the tape's precision. */
double peak_cuda(struct tape *tape)
{
    struct cuda_tape *c = cuda_of(tape);
    int multiprocessors = 1, repeats = 20;
    cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0);
    int n = 64 * multiprocessors < 8192 ? 64 * multiprocessors : 8192;
    size_t values = (size_t)n * (size_t)n, bytes = values * (size_t)tape->element;
    char *memory = NULL;
    if (cudaMalloc(&memory, 3 * bytes) != cudaSuccess) {
        cudaGetLastError();
        return 0;
    }
    if (tape->element == 2)
        LAUNCH(noise_kernel<bf16>, blocks_of(2 * values, BLOCK), BLOCK, 0, c->stream, (bf16 *)memory, 2 * values);
    else
        LAUNCH(noise_kernel<float>, blocks_of(2 * values, BLOCK), BLOCK, 0, c->stream, (float *)memory, 2 * values);
    struct product p = {};
    p.op_a = 'N', p.op_b = 'T', p.M = p.N = p.K = p.lda = p.ldb = p.ldc = n, p.element = tape->element;
    p.A = memory, p.B = memory + bytes, p.C = memory + 2 * bytes;
    cudaEvent_t from, to;
    float ms = 0;
    cudaEventCreate(&from);
    cudaEventCreate(&to);
    for (int i = 0; i < 3; i++) run_product(tape, &p);
    cudaEventRecord(from, c->stream);
    for (int i = 0; i < repeats; i++) run_product(tape, &p);
    cudaEventRecord(to, c->stream);
    cudaEventSynchronize(to);
    cudaEventElapsedTime(&ms, from, to);
    cudaEventDestroy(from);
    cudaEventDestroy(to);
    cudaFree(memory);
    return ms > 0 ? 2e3 * repeats * (double)n * n * n / ms : 0;
}
