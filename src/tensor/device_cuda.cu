/* device_cuda.cu - a tape's state on the device: streams, memory, upload of pixels, recorded steps
 *
 * A failed call is stored with the tape and reported by the next wait, so layers return no status. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/cuda.cuh"

gvm_status cuda_status(cudaError_t error, const char *what, gvm_error *err)
{
    if (error == cudaSuccess) return GVM_OK;
    cudaGetLastError(); /* clears the error, so that no later launch reports it; a persistent one recurs */
    if (error == cudaErrorMemoryAllocation)
        return fail(err, GVM_MEMORY, "cannot %s: the GPU is out of memory; use a smaller batch", what);
    return fail(err, GVM_DEVICE, "the GPU failed to %s: %s", what, cudaGetErrorString(error));
}

void cuda_check(struct cuda_tape *c, cudaError_t error, const char *what)
{
    gvm_status status = cuda_status(error, what, c->status == GVM_OK ? &c->failure : NULL);
    if (c->status == GVM_OK) c->status = status;
}

cudaError_t allow_shared(const void *kernel)
{
    int most = 0;
    cudaError_t e = cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0);
    return e == cudaSuccess ? cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, most) : e;
}

/* ------------------------------------------------------------------ open and close */

static gvm_status open_tape(struct tape *tape, gvm_error *err)
{
    struct cuda_tape *c = (struct cuda_tape *)calloc(1, sizeof *c);
    if (c == NULL) return fail(err, GVM_MEMORY, "cannot start the network: out of memory");
    tape->state = c;
    c->recording = -1;
    cudaError_t e = cudaStreamCreateWithFlags(&c->stream, cudaStreamNonBlocking);
    if (e == cudaSuccess) e = cudaStreamCreateWithFlags(&c->copies, cudaStreamNonBlocking);
    for (int v = 0; v < TAPE_INPUTS && e == cudaSuccess; v++) {
        e = cudaEventCreateWithFlags(&c->copied[v], cudaEventDisableTiming);
        if (e == cudaSuccess) e = cudaEventCreateWithFlags(&c->taken[v], cudaEventDisableTiming);
    }
    size_t losses = MAX_PASSES * MAX_LOSSES * sizeof(float);
    if (e == cudaSuccess) e = cudaMalloc((void **)&c->numbers, sizeof *c->numbers);
    if (e == cudaSuccess) e = cudaMallocHost((void **)&c->numbers_host, sizeof *c->numbers);
    if (e == cudaSuccess) e = cudaMalloc((void **)&c->losses, losses);
    if (e == cudaSuccess) e = cudaMallocHost((void **)&c->losses_host, losses);
    if (e == cudaSuccess) e = cudaMalloc((void **)&c->broken, sizeof(int));
    if (e == cudaSuccess) e = cudaMallocHost((void **)&c->broken_host, sizeof(int));
    if (e == cudaSuccess) e = cudaMemsetAsync(c->broken, 0, sizeof(int), c->stream);
    if (e == cudaSuccess) e = cudaMemsetAsync(c->losses, 0, losses, c->stream);
    if (e != cudaSuccess) return cuda_status(e, "start the network", err);
    return products_open(c, err);
}

static void drop_recordings(struct cuda_tape *c)
{
    for (int i = 0; i < MAX_RECORDINGS; i++)
        if (c->recordings[i].graph) cudaGraphExecDestroy(c->recordings[i].graph);
    memset(c->recordings, 0, sizeof c->recordings);
}

static void free_pixels(struct cuda_tape *c, int view)
{
    cudaFreeHost(c->staging[view]);
    cudaFree(c->pixels[view]);
    cudaFree(c->incoming[view]);
    c->staging[view] = c->pixels[view] = c->incoming[view] = NULL;
    c->pixel_bytes[view] = 0;
}

static void free_tape(struct tape *tape)
{
    struct cuda_tape *c = cuda_of(tape);
    if (c == NULL) return;
    if (c->stream) cudaStreamSynchronize(c->stream);
    if (c->copies) cudaStreamSynchronize(c->copies);
    drop_recordings(c);
    products_free(c);
    for (int v = 0; v < TAPE_INPUTS; v++) {
        free_pixels(c, v);
        if (c->copied[v]) cudaEventDestroy(c->copied[v]);
        if (c->taken[v]) cudaEventDestroy(c->taken[v]);
    }
    cudaFree(c->numbers);
    cudaFreeHost(c->numbers_host);
    cudaFree(c->losses);
    cudaFreeHost(c->losses_host);
    cudaFree(c->broken);
    cudaFreeHost(c->broken_host);
    cudaFreeHost(c->reading);
    cudaFree(tape->block);
    if (c->stream) cudaStreamDestroy(c->stream);
    if (c->copies) cudaStreamDestroy(c->copies);
    free(c);
}

static gvm_status allocate(struct tape *tape, size_t bytes, gvm_error *err)
{
    cudaError_t e = cudaMalloc((void **)&tape->block, bytes);
    if (e == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        return fail(err, GVM_MEMORY,
                    "the GPU is out of memory: the network needs %.1f GiB for its activations; use a smaller batch",
                    (double)bytes / (1 << 30));
    }
    return cuda_status(e, "allocate memory", err);
}

/* ------------------------------------------------------------------ memory */

static void fill(struct tape *tape, void *to, int byte, size_t bytes)
{
    cuda_check(cuda_of(tape), cudaMemsetAsync(to, byte, bytes, cuda_of(tape)->stream), "fill memory");
}

__global__ void holds_kernel(int *broken, const unsigned char *at, int byte, int bytes)
{
    for (int i = threadIdx.x; i < bytes; i += blockDim.x)
        if (at[i] != byte) *broken = 1;
}

/* Always returns true; the wait reports the result. */
static bool holds(struct tape *tape, const void *at, int byte, size_t bytes)
{
    struct cuda_tape *c = cuda_of(tape);
    LAUNCH(holds_kernel, 1, WARP, 0, c->stream, c->broken, (const unsigned char *)at, byte, (int)bytes);
    LAUNCHED(tape, "check guard bands");
    return true;
}

/* Pinned buffer for reading back. */
static char *reading_room(struct cuda_tape *c, size_t bytes)
{
    if (bytes <= c->reading_bytes) return c->reading;
    cudaFreeHost(c->reading);
    c->reading = NULL;
    c->reading_bytes = 0;
    cudaError_t e = cudaMallocHost((void **)&c->reading, bytes);
    cuda_check(c, e, "allocate a buffer for reading back");
    if (e == cudaSuccess) c->reading_bytes = bytes;
    return c->reading;
}

static void read_values(struct tape *tape, float *to, const void *from, size_t n, int element)
{
    struct cuda_tape *c = cuda_of(tape);
    size_t bytes = n * (size_t)element;
    char *room = reading_room(c, bytes);
    memset(to, 0, n * sizeof *to); /* zeros on failure, which the wait reports */
    if (room == NULL) return;
    cuda_check(c, cudaMemcpyAsync(room, from, bytes, cudaMemcpyDeviceToHost, c->stream), "read memory");
    cudaError_t e = cudaStreamSynchronize(c->stream);
    cuda_check(c, e, "run the network");
    if (e != cudaSuccess) return;
    if (element == 4) {
        memcpy(to, room, bytes);
        return;
    }
    const uint16_t *halves = (const uint16_t *)room;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)halves[i] << 16;
        memcpy(to + i, &bits, sizeof bits);
    }
}

static void write_values(struct tape *tape, void *to, const float *from, size_t n, int element)
{
    struct cuda_tape *c = cuda_of(tape);
    size_t bytes = n * (size_t)element;
    char *room = reading_room(c, bytes);
    if (room == NULL) return;
    if (element == 4) memcpy(room, from, bytes);
    for (size_t i = 0; element == 2 && i < n; i++) { /* round to nearest, ties to even */
        uint32_t bits;
        memcpy(&bits, from + i, sizeof bits);
        ((uint16_t *)room)[i] = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
    cuda_check(c, cudaMemcpyAsync(to, room, bytes, cudaMemcpyHostToDevice, c->stream), "write memory");
    cuda_check(c, cudaStreamSynchronize(c->stream), "write memory");
}

/* ------------------------------------------------------------------ pixels */

static bool grow_pixels(struct cuda_tape *c, int view, size_t bytes)
{
    if (bytes <= c->pixel_bytes[view]) return true;
    cudaStreamSynchronize(c->stream);
    cudaStreamSynchronize(c->copies);
    drop_recordings(c); /* their addresses become invalid */
    free_pixels(c, view);
    cudaError_t e = cudaMallocHost((void **)&c->staging[view], bytes);
    if (e == cudaSuccess) e = cudaMalloc((void **)&c->pixels[view], bytes);
    if (e == cudaSuccess) e = cudaMalloc((void **)&c->incoming[view], bytes);
    cuda_check(c, e, "allocate memory for pictures");
    if (e == cudaSuccess) c->pixel_bytes[view] = bytes;
    return e == cudaSuccess;
}

static const size_t PIECE = (size_t)4 << 20; /* bytes; one piece is in transfer while the next is copied */

/* Copy through pinned memory, on a separate stream and in parallel with computation, to `incoming`; then, on the
 * network's stream, to `pixels`, whose address recordings contain. */
static const uint8_t *bring_pixels(struct tape *tape, int view, const uint8_t *pixels, size_t bytes)
{
    struct cuda_tape *c = cuda_of(tape);
    if (!grow_pixels(c, view, bytes)) return c->pixels[view];
    cudaError_t e = cudaEventSynchronize(c->copied[view]);
    if (e == cudaSuccess) e = cudaStreamWaitEvent(c->copies, c->taken[view], 0);
    for (size_t at = 0, n; at < bytes && e == cudaSuccess; at += n) {
        n = bytes - at < PIECE ? bytes - at : PIECE;
        unsigned char *room = (unsigned char *)memcpy(c->staging[view] + at, pixels + at, n);
        e = cudaMemcpyAsync(c->incoming[view] + at, room, n, cudaMemcpyHostToDevice, c->copies);
    }
    if (e == cudaSuccess) e = cudaEventRecord(c->copied[view], c->copies);
    if (e == cudaSuccess) e = cudaStreamWaitEvent(c->stream, c->copied[view], 0);
    if (e == cudaSuccess)
        e = cudaMemcpyAsync(c->pixels[view], c->incoming[view], bytes, cudaMemcpyDeviceToDevice, c->stream);
    if (e == cudaSuccess) e = cudaEventRecord(c->taken[view], c->stream);
    cuda_check(c, e, "upload pictures");
    return c->pixels[view];
}

/* ------------------------------------------------------------------ recordings */

static int find_recording(const struct cuda_tape *c, int key)
{
    for (int i = 0; i < MAX_RECORDINGS; i++)
        if (c->recordings[i].key == key || c->recordings[i].key == 0) return i;
    return -1;
}

/* The first time, the calls run normally, which loads kernels and finds the plans of products; the second time they are
 * captured. If the environment variable GVM_CUDA_EAGER is set, nothing is captured, so that a profiler sees each
 * kernel. */
static bool replay(struct tape *tape, int key, const struct step_numbers *numbers)
{
    struct cuda_tape *c = cuda_of(tape);
    *c->numbers_host = {numbers->step, numbers->factor, numbers->correct_m, numbers->correct_v, 0, 0};
    cuda_check(c, cudaMemcpyAsync(c->numbers, c->numbers_host, sizeof *c->numbers, cudaMemcpyHostToDevice, c->stream),
               "start a step");
    int at = c->recording = getenv("GVM_CUDA_EAGER") ? -1 : find_recording(c, key);
    if (at >= 0 && c->recordings[at].graph) {
        cuda_check(c, cudaGraphLaunch(c->recordings[at].graph, c->stream), "replay a step");
        return true;
    }
    c->loss_total = c->passes = 0;
    c->stepping = true;
    if (at < 0) return false;
    c->recordings[at].key = key;
    if (!c->recordings[at].seen) {
        c->recordings[at].seen = true;
        return false;
    }
    cudaError_t e = cudaStreamBeginCapture(c->stream, cudaStreamCaptureModeThreadLocal);
    cuda_check(c, e, "capture a step");
    c->capturing = e == cudaSuccess;
    return false;
}

static void recorded(struct tape *tape)
{
    struct cuda_tape *c = cuda_of(tape);
    if (!c->capturing) return;
    c->capturing = false;
    cudaGraph_t graph = NULL;
    cudaError_t e = cudaStreamEndCapture(c->stream, &graph);
    cudaGraphExec_t exec = NULL;
    if (e == cudaSuccess) e = cudaGraphInstantiate(&exec, graph, 0);
    if (graph) cudaGraphDestroy(graph);
    if (e == cudaSuccess) {
        c->recordings[c->recording].graph = exec;
        e = cudaGraphLaunch(exec, c->stream);
    }
    cuda_check(c, e, "capture a step");
}

/* The losses of a step's passes are stored consecutively; a pass outside a step starts again at 0. */
float *loss_place(struct tape *tape, float weight)
{
    struct cuda_tape *c = cuda_of(tape);
    if (tape->loss_count == 0 && !c->stepping) c->loss_total = c->passes = 0;
    if (c->passes == 0) c->pass_losses[c->passes++] = 0;
    tape_loss(tape, 0, weight);
    c->pass_losses[c->passes - 1]++;
    c->loss_weights[c->loss_total] = weight;
    return c->losses + c->loss_total++;
}

/* tape->losses: those of the step's first pass; tape->loss: the sum of its last pass. */
static void take_losses(struct tape *tape, const struct cuda_tape *c)
{
    if (c->loss_total == 0) return;
    int at = 0;
    tape->loss_count = c->pass_losses[0];
    for (int i = 0; i < tape->loss_count; i++) tape->losses[i] = c->losses_host[i];
    for (int p = 0; p < c->passes; p++) {
        tape->loss = 0;
        for (int i = 0; i < c->pass_losses[p]; i++, at++) tape->loss += c->loss_weights[at] * c->losses_host[at];
    }
}

static gvm_status wait(struct tape *tape, gvm_error *err)
{
    struct cuda_tape *c = cuda_of(tape);
    size_t losses = MAX_PASSES * MAX_LOSSES * sizeof(float);
    cuda_check(c, cudaMemcpyAsync(c->losses_host, c->losses, losses, cudaMemcpyDeviceToHost, c->stream), "read losses");
    cuda_check(c, cudaMemcpyAsync(c->broken_host, c->broken, sizeof(int), cudaMemcpyDeviceToHost, c->stream),
               "check guard bands");
    cuda_check(c, cudaStreamSynchronize(c->stream), "run the network");
    c->stepping = false;
    if (c->status != GVM_OK) {
        gvm_status status = fail(err, c->status, "%s", c->failure.text);
        c->status = GVM_OK;
        return status;
    }
    if (*c->broken_host)
        return fail(err, GVM_DEVICE, "a kernel wrote beyond its memory; this is a bug in GeoViewMatch");
    take_losses(tape, c);
    return GVM_OK;
}

/* ------------------------------------------------------------------ the machine and the device table */

static void about(char *text, size_t size)
{
    cudaDeviceProp p;
    int version = 0;
    cudaRuntimeGetVersion(&version);
    if (cudaGetDeviceProperties(&p, 0) != cudaSuccess) p = {};
    snprintf(text, size, "%s, %.0f GiB, CUDA %d.%d", p.name, (double)p.totalGlobalMem / (1 << 30), version / 1000,
             version % 1000 / 10);
}

static double memory(void)
{
    size_t left = 0, total = 0;
    cudaMemGetInfo(&left, &total);
    return (double)(total - left);
}

void device_entries(struct device *d)
{
    d->tape_open = open_tape;
    d->tape_free = free_tape;
    d->tape_allocate = allocate;
    d->fill = fill;
    d->holds = holds;
    d->pixels = bring_pixels;
    d->read = read_values;
    d->write = write_values;
    d->replay = replay;
    d->recorded = recorded;
    d->wait = wait;
    d->about = about;
    d->memory = memory;
    d->peak = peak_cuda;
}

gvm_status cuda_usable(gvm_error *err)
{
    int count = 0, major = 0;
    cudaError_t e = cudaGetDeviceCount(&count);
    cudaGetLastError();
    if (e == cudaErrorInsufficientDriver)
        return fail(
            err, GVM_DEVICE,
            "the NVIDIA driver is missing or too old for this program's CUDA; install it, or leave out --device cuda");
    if (e == cudaErrorNoDevice || (e == cudaSuccess && count == 0))
        return fail(err, GVM_DEVICE, "no usable NVIDIA GPU found; leave out --device cuda");
    if (e == cudaSuccess) e = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
    if (e != cudaSuccess) return cuda_status(e, "start", err);
    if (major >= 8) return GVM_OK;
    return fail(err, GVM_DEVICE, "unsupported GPU, expected Ampere or newer; leave out --device cuda");
}
