/* runtime.cpp - memory, streams and graphs; see cuda_runtime.h. The environment variable GVM_CUDA_HOST_DEVICE, `none`
 * or `driver`, simulates a machine without a GPU or without a driver. */
#include <atomic>
#include <mutex>
#include <vector>

#include "cuda_runtime.h"

struct host_graph {
    std::vector<host_work> work;
};

struct host_stream {
    host_graph *captured; /* NULL: runs immediately */
};

struct host_event {
    int unused;
};

static const size_t MEMORY = (size_t)1 << 34;
enum { MOST_SPOILED = 4 << 20 /* bytes; the workspace of products is larger */ };

static std::atomic<int> captures;         /* of all threads, */
static thread_local int own_captures;     /* and of this one */
static std::mutex working;                /* held by a running kernel */
static std::atomic<bool> broken_captures; /* synchronising the device breaks captures in progress */

static void run(const host_work &work)
{
    std::lock_guard<std::mutex> lock(working);
    work.run();
}

void host_submit(cudaStream_t stream, const host_work &work)
{
    if (stream && stream->captured)
        stream->captured->work.push_back(work);
    else
        run(work);
}

/* Operations that a thread must not call while it captures. */
static cudaError_t allowed(void)
{
    return own_captures ? host_error(cudaErrorStreamCaptureUnsupported) : cudaSuccess;
}

static cudaError_t take(void **memory, size_t bytes)
{
    if (own_captures) return allowed();
    *memory = bytes > MEMORY ? NULL : aligned_alloc(256, (bytes + 511) / 256 * 256);
    if (*memory == NULL) return host_error(cudaErrorMemoryAllocation);
    memset(*memory, 0xff, bytes < (size_t)MOST_SPOILED ? bytes : (size_t)MOST_SPOILED);
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **memory, size_t bytes)
{
    return take(memory, bytes);
}

cudaError_t cudaMallocHost(void **memory, size_t bytes)
{
    return take(memory, bytes);
}

cudaError_t cudaFree(void *memory)
{
    free(memory);
    return allowed();
}

cudaError_t cudaFreeHost(void *memory)
{
    free(memory);
    return allowed();
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    (void)kind;
    memcpy(to, from, bytes);
    return allowed();
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream)
{
    (void)kind;
    host_submit(stream, {[=] { memcpy(to, from, bytes); }, NULL, 0});
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *to, int byte, size_t bytes, cudaStream_t stream)
{
    host_submit(stream, {[=] { memset(to, byte, bytes); }, NULL, 0});
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *left, size_t *total)
{
    *left = *total = MEMORY;
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    (void)flags;
    *stream = new host_stream();
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    return stream && stream->captured ? host_error(cudaErrorStreamCaptureUnsupported) : cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags)
{
    (void)stream, (void)event, (void)flags;
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode)
{
    (void)mode;
    if (stream == NULL || stream->captured) return host_error(cudaErrorInvalidValue);
    stream->captured = new host_graph();
    captures++, own_captures++;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    if (stream == NULL || stream->captured == NULL) return host_error(cudaErrorInvalidValue);
    *graph = stream->captured;
    stream->captured = NULL;
    captures--, own_captures--;
    return broken_captures.exchange(false) ? host_error(cudaErrorStreamCaptureUnsupported) : cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags)
{
    (void)flags;
    for (const auto &work : graph->work)
        if (!host_allows(work.kernel, work.shared)) return host_error(cudaErrorInvalidValue);
    *exec = new host_graph(*graph);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
    if (stream && stream->captured) return host_error(cudaErrorStreamCaptureUnsupported);
    for (const auto &work : exec->work) run(work);
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    delete exec;
    return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
    *event = new host_event();
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
    (void)flags;
    return cudaEventCreate(event);
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    (void)event, (void)stream;
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    (void)event;
    return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t from, cudaEvent_t to)
{
    (void)from, (void)to;
    *ms = 1;
    return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize(void)
{
    if (captures == 0) return cudaSuccess;
    broken_captures = true;
    return host_error(cudaErrorStreamCaptureUnsupported);
}

const char *cudaGetErrorString(cudaError_t error)
{
    static const char *const names[] = {"no error",           "invalid argument",    "out of memory",
                                        "not supported",      "unknown error",       "the driver is insufficient",
                                        "there is no device", "forbidden in capture"};
    return names[error];
}

cudaError_t cudaGetDeviceCount(int *count)
{
    const char *device = getenv("GVM_CUDA_HOST_DEVICE");
    *count = 0;
    if (device && strcmp(device, "none") == 0) return host_error(cudaErrorNoDevice);
    if (device && strcmp(device, "driver") == 0) return host_error(cudaErrorInsufficientDriver);
    *count = 1;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device)
{
    (void)device;
    *properties = cudaDeviceProp();
    snprintf(properties->name, sizeof properties->name, "this CPU as a GPU");
    properties->totalGlobalMem = MEMORY;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int device)
{
    (void)device;
    *value = attribute == cudaDevAttrMaxSharedMemoryPerBlockOptin ? 227 << 10
             : attribute == cudaDevAttrMultiProcessorCount        ? 1
                                                                  : 9;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = 13000;
    return cudaSuccess;
}
