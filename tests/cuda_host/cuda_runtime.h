/* cuda_runtime.h - the part of CUDA that the NAME_cuda.cu files use, on the CPU, for tests on machines without a GPU
 *
 * A kernel's threads are fibers that take turns, so __syncthreads and shuffles behave as on a device; a deadlock in a
 * block ends the test. Device memory is host memory, filled with NaN when allocated. Streams run synchronously. While a
 * stream is captured, its work goes into a graph, and operations that CUDA forbids during capture fail. The last error
 * of a thread is kept until it is read. Host threads run one at a time. It is slow. */
#ifndef GVM_TESTS_CUDA_HOST_RUNTIME_H
#define GVM_TESTS_CUDA_HOST_RUNTIME_H

#include <functional>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_bf16.h"

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __launch_bounds__(threads)

struct dim3 {
    unsigned x, y, z;
    dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c)
    {
    }
};

extern dim3 threadIdx, blockIdx, blockDim, gridDim;

enum cudaError_t {
    cudaSuccess,
    cudaErrorInvalidValue,
    cudaErrorMemoryAllocation,
    cudaErrorNotSupported,
    cudaErrorUnknown,
    cudaErrorInsufficientDriver,
    cudaErrorNoDevice,
    cudaErrorStreamCaptureUnsupported
};

/* ---- threads of a block */
void __syncthreads(void);
uint32_t host_shuffle(uint32_t value, int lanes);

template <typename V> static inline V __shfl_xor_sync(unsigned mask, V value, int lanes)
{
    static_assert(sizeof(V) == 4, "a shuffle moves 32 bits");
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (mask != 0xffffffffu) abort();
    bits = host_shuffle(bits, lanes);
    memcpy(&value, &bits, sizeof bits);
    return value;
}

/* Counterparts of cuda.cuh's, with the same order of summation; one barrier instead of five. */
float warp_sum(float x);
float warp_max(float x);

/* ---- launches */
struct host_stream;
typedef host_stream *cudaStream_t;

void host_launch(const void *kernel, dim3 grid, dim3 block, size_t shared, cudaStream_t stream,
                 std::function<void()> thread);
unsigned char *host_shared(void);

template <typename... P, typename... A>
static inline void host_call(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, cudaStream_t stream,
                             A... arguments)
{
    host_launch((const void *)kernel, grid, block, shared, stream, [=] { kernel(arguments...); });
}

#define LAUNCH(kernel, grid, block, shared, stream, ...) \
    host_call((kernel), (grid), (block), (shared), (stream), __VA_ARGS__)
#define SHARED(type, name) type *name = reinterpret_cast<type *>(host_shared())

/* Counterpart of window_cuda.cuh's tile on the tensor cores; checks their requirements on addresses and row lengths. */
template <bool AT, bool BT>
void warp_tile(float *C, int ldc, const __nv_bfloat16 *A, int lda, const __nv_bfloat16 *B, int ldb, int K)
{
    if (((uintptr_t)A | (uintptr_t)B | (uintptr_t)C) % 32 || lda % 8 || ldb % 8 || ldc % 4 || K % 16) abort();
    for (int e = (int)threadIdx.x % 32; e < 256; e += 32) {
        int i = e / 16, j = e % 16;
        float sum = 0;
        for (int k = 0; k < K; k++)
            sum += __bfloat162float(AT ? A[k * lda + i] : A[i * lda + k]) *
                   __bfloat162float(BT ? B[j * ldb + k] : B[k * ldb + j]);
        C[i * ldc + j] = sum;
    }
}

/* ---- memory, streams, graphs */
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2 };
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
enum cudaDeviceAttr {
    cudaDevAttrMaxSharedMemoryPerBlockOptin,
    cudaDevAttrMultiProcessorCount,
    cudaDevAttrComputeCapabilityMajor
};
struct host_graph;
typedef host_graph *cudaGraph_t, *cudaGraphExec_t;
typedef struct host_event *cudaEvent_t;
struct cudaDeviceProp {
    char name[256];
    size_t totalGlobalMem;
};

/* Work of a stream; for a kernel with its shared memory. */
struct host_work {
    std::function<void()> run;
    const void *kernel;
    size_t shared;
};

void host_submit(cudaStream_t stream, const host_work &work);
/* Whether a kernel is currently allowed this amount of shared memory. */
bool host_allows(const void *kernel, size_t shared);
/* Store a failure for cudaGetLastError; returns it. */
cudaError_t host_error(cudaError_t error);

cudaError_t cudaMalloc(void **memory, size_t bytes);
template <typename V> static inline cudaError_t cudaMalloc(V **memory, size_t bytes)
{
    return cudaMalloc((void **)memory, bytes);
}
cudaError_t cudaMallocHost(void **memory, size_t bytes);
cudaError_t cudaFree(void *memory);
cudaError_t cudaFreeHost(void *memory);
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void *to, int byte, size_t bytes, cudaStream_t stream);
cudaError_t cudaMemGetInfo(size_t *left, size_t *total);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);
cudaError_t cudaEventCreate(cudaEvent_t *event);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t from, cudaEvent_t to);
cudaError_t cudaDeviceSynchronize(void);
cudaError_t cudaGetLastError(void);
const char *cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device);
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int device);
cudaError_t cudaRuntimeGetVersion(int *version);
cudaError_t cudaFuncSetAttribute(const void *kernel, cudaFuncAttribute attribute, int value);

#endif
