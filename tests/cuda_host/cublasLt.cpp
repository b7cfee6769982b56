/* cublasLt.cpp - a simple stand-in for cuBLASLt: D = epilogue(op(A) op(B) + beta C), column-major. See cublasLt.h.
 *
 * Epilogues according to NVIDIA's documentation: BIAS adds a vector along D's rows; GELU, in the tanh approximation,
 * stores its input in aux if there is one; DGELU multiplies by the derivative at aux. The leading dimension of aux must
 * be a multiple of 8. The environment variable GVM_CUDA_HOST_PLAIN reduces what is offered, as cuBLASLt does for odd
 * sizes: `epilogues`: no epilogues; `products`: everything is offered, but running it returns "not supported". */
#include "cublasLt.h"

#include <vector>

struct host_description {
    cublasComputeType_t compute;
    cublasOperation_t a, b;
    cublasLtEpilogue_t epilogue;
    void *bias, *aux;
    int64_t aux_ld;
};

struct host_layout {
    cudaDataType type;
    int rows, columns;
    int64_t ld, stride;
    int batch;
};

struct host_preference {
    int unused;
};

static bool lacks(const char *what)
{
    const char *plain = getenv("GVM_CUDA_HOST_PLAIN");
    return plain && strcmp(plain, what) == 0;
}

const char *cublasLtGetStatusString(cublasStatus_t status)
{
    static const char *const names[] = {"success", "not initialized", "invalid value", "not supported"};
    return names[status];
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t *handle)
{
    *handle = (cublasLtHandle_t)malloc(1);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle)
{
    free(handle);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *description, cublasComputeType_t compute,
                                        cudaDataType_t scale)
{
    if (scale != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
    *description = new host_description{compute, CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT, NULL, NULL, 0};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t description)
{
    delete description;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t what,
                                              const void *value, size_t size)
{
    const struct {
        void *to;
        size_t size;
    } places[] = {{&d->a, sizeof d->a},       {&d->b, sizeof d->b},     {&d->epilogue, sizeof d->epilogue},
                  {&d->bias, sizeof d->bias}, {&d->aux, sizeof d->aux}, {&d->aux_ld, sizeof d->aux_ld}};
    if (size != places[what].size) return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(places[what].to, value, size);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *layout, cudaDataType type, uint64_t rows,
                                          uint64_t columns, int64_t ld)
{
    if (ld < (int64_t)rows) return CUBLAS_STATUS_INVALID_VALUE;
    *layout = new host_layout{type, (int)rows, (int)columns, ld, 0, 1};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout)
{
    delete layout;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t what,
                                                const void *value, size_t size)
{
    bool count = what == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT;
    if (size != (count ? sizeof layout->batch : sizeof layout->stride)) return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(count ? (void *)&layout->batch : (void *)&layout->stride, value, size);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *preference)
{
    *preference = new host_preference();
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference)
{
    delete preference;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t what, const void *value,
                                                    size_t size)
{
    (void)preference, (void)value;
    size_t expected = what == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES ? sizeof(uint64_t) : sizeof(uint32_t);
    return size == expected ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

static bool fits(const host_description *d, const host_layout *a, const host_layout *b, const host_layout *c)
{
    int m = d->a == CUBLAS_OP_N ? a->rows : a->columns, k = d->a == CUBLAS_OP_N ? a->columns : a->rows;
    int n = d->b == CUBLAS_OP_N ? b->columns : b->rows, k2 = d->b == CUBLAS_OP_N ? b->rows : b->columns;
    return m == c->rows && n == c->columns && k == k2 && a->type == b->type && a->batch == b->batch &&
           a->batch == c->batch;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t description,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t results[], int *found)
{
    (void)handle, (void)preference, (void)wanted;
    *found = 0;
    if (!fits(description, a, b, c) || c->type != d->type || c->rows != d->rows || c->columns != d->columns)
        return CUBLAS_STATUS_INVALID_VALUE;
    cublasLtEpilogue_t e = description->epilogue;
    bool aux = e == CUBLASLT_EPILOGUE_GELU_AUX_BIAS || e == CUBLASLT_EPILOGUE_DGELU;
    if (e != CUBLASLT_EPILOGUE_DEFAULT && lacks("epilogues")) return CUBLAS_STATUS_NOT_SUPPORTED;
    if (aux && (description->aux_ld % 8 || description->aux_ld < c->rows || description->aux == NULL))
        return CUBLAS_STATUS_NOT_SUPPORTED;
    results[0] = cublasLtMatmulHeuristicResult_t();
    *found = 1;
    return CUBLAS_STATUS_SUCCESS;
}

static float load(const void *memory, cudaDataType type, int64_t at)
{
    return type == CUDA_R_32F ? ((const float *)memory)[at] : __bfloat162float(((const __nv_bfloat16 *)memory)[at]);
}

static void store(void *memory, cudaDataType type, int64_t at, float value)
{
    if (type == CUDA_R_32F)
        ((float *)memory)[at] = value;
    else
        ((__nv_bfloat16 *)memory)[at] = __float2bfloat16_rn(value);
}

/* Round to 10 bits of mantissa, as tensor cores read float32. */
static float tf32(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0x1000) & ~(uint32_t)0x1fff;
    memcpy(&x, &bits, sizeof bits);
    return x;
}

/* Lines of op(matrix) along the inner dimension, concatenated. */
static std::vector<float> lines(const void *memory, const host_layout *l, bool transposed, int64_t from, bool round)
{
    int count = transposed ? l->columns : l->rows, K = transposed ? l->rows : l->columns;
    std::vector<float> out((size_t)count * (size_t)K);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < K; k++) {
            float x = load(memory, l->type, from + (transposed ? i * l->ld + k : k * l->ld + i));
            out[(size_t)i * (size_t)K + (size_t)k] = round ? tf32(x) : x;
        }
    return out;
}

static double dot(const float *a, const float *b, int K)
{
    float s[8] = {};
    int k = 0;
    double sum = 0;
    for (; k + 8 <= K; k += 8)
        for (int j = 0; j < 8; j++) s[j] += a[k + j] * b[k + j];
    for (; k < K; k++) sum += (double)a[k] * b[k];
    for (int j = 0; j < 8; j++) sum += s[j];
    return sum;
}

static float inner(float x)
{
    return tanhf(0.79788456f * (x + 0.044715f * x * x * x));
}

static float gelu_slope(float x)
{
    float t = inner(x);
    return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * 0.79788456f * (1 + 3 * 0.044715f * x * x);
}

static void multiply(const host_description &d, const void *A, const host_layout &a, const void *B,
                     const host_layout &b, float alpha, float beta, void *D, const host_layout &c)
{
    int K = d.a == CUBLAS_OP_N ? a.columns : a.rows;
    bool round = d.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
    for (int i = 0; i < c.batch; i++) {
        std::vector<float> x = lines(A, &a, d.a == CUBLAS_OP_T, i * a.stride, round);
        std::vector<float> y = lines(B, &b, d.b == CUBLAS_OP_N, i * b.stride, round);
        for (int n = 0; n < c.columns; n++) {
            for (int m = 0; m < c.rows; m++) {
                int64_t at = i * c.stride + n * c.ld + m, aux = n * d.aux_ld + m;
                float v = alpha * (float)dot(&x[(size_t)m * (size_t)K], &y[(size_t)n * (size_t)K], K);
                if (beta != 0) v += beta * load(D, c.type, at);
                if (d.epilogue & CUBLASLT_EPILOGUE_BIAS) v += load(d.bias, c.type, m);
                if (d.epilogue == CUBLASLT_EPILOGUE_GELU_AUX_BIAS) store(d.aux, c.type, aux, v);
                if (d.epilogue & CUBLASLT_EPILOGUE_GELU) v = 0.5f * v * (1 + inner(v));
                if (d.epilogue == CUBLASLT_EPILOGUE_DGELU) v *= gelu_slope(load(d.aux, c.type, aux));
                store(D, c.type, at, v);
            }
        }
    }
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t description, const void *alpha,
                              const void *A, cublasLtMatrixLayout_t a, const void *B, cublasLtMatrixLayout_t b,
                              const void *beta, const void *C, cublasLtMatrixLayout_t c, void *D,
                              cublasLtMatrixLayout_t d, const cublasLtMatmulAlgo_t *algorithm, void *workspace,
                              size_t bytes, cudaStream_t stream)
{
    (void)handle, (void)algorithm, (void)workspace, (void)bytes, (void)d;
    if (C != D || !fits(description, a, b, c)) return CUBLAS_STATUS_INVALID_VALUE;
    if (lacks("products")) return CUBLAS_STATUS_NOT_SUPPORTED;
    host_description copy = *description;
    host_layout la = *a, lb = *b, lc = *c;
    float x = *(const float *)alpha, y = *(const float *)beta;
    host_submit(stream, {[=] { multiply(copy, A, la, B, lb, x, y, D, lc); }, NULL, 0});
    return CUBLAS_STATUS_SUCCESS;
}
