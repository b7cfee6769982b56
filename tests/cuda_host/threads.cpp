/* threads.cpp - the threads of a block as fibers; see cuda_runtime.h
 *
 * A fiber runs until it waits for its warp or block; the last one to arrive releases the others. Fibers are started
 * with ucontext, which is portable, and switched with _setjmp and _longjmp, which make no system calls. */
#include <map>
#include <mutex>
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "cuda_runtime.h"

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace
{

enum { MAX_THREADS = 1024, LANES = 32, MOST_SHARED = 227 << 10, PLAIN_SHARED = 48 << 10 };
/* Stacks begin at different offsets: at the same one of a page they would share the sets of the CPU's caches. */
enum { STACK = 128 << 10, OFFSETS = 64 << 10, OFFSET = 17 * 64 };

struct barrier {
    int alive, arrived;
    unsigned generation;
};

struct fiber {
    jmp_buf at;
    bool started, alive;
    barrier *waits; /* NULL: it can run */
    unsigned generation;
    dim3 thread;
};

struct warp {
    barrier lanes;
    unsigned round[LANES]; /* of each lane's shuffles */
    uint32_t values[2][LANES];
};

fiber fibers[MAX_THREADS];
warp warps[MAX_THREADS / LANES];
barrier block;
jmp_buf scheduler;
ucontext_t origin;
int current;
const std::function<void()> *work;
alignas(128) unsigned char shared_memory[MOST_SHARED];
std::map<const void *, size_t> allowed; /* shared memory of each kernel, as last set */
std::mutex changing;                    /* `allowed` */
thread_local cudaError_t last_error = cudaSuccess;

void release_if_complete(barrier *b)
{
    if (b->arrived < b->alive || b->arrived == 0) return;
    b->arrived = 0;
    b->generation++;
}

__attribute__((noinline)) void yield(fiber *f)
{
    if (_setjmp(f->at) == 0) _longjmp(scheduler, 1);
}

void wait_at(barrier *b)
{
    fiber *f = &fibers[current];
    f->generation = b->generation;
    b->arrived++;
    release_if_complete(b);
    if (f->generation != b->generation) return;
    f->waits = b;
    yield(f);
    f->waits = NULL;
}

void fiber_main(int number)
{
    fiber *f = &fibers[number];
    for (;;) {
        (*work)();
        f->alive = false;
        block.alive--;
        warps[number / LANES].lanes.alive--;
        release_if_complete(&block);
        release_if_complete(&warps[number / LANES].lanes);
        yield(f);
    }
}

void begin(int number)
{
    static ucontext_t start;
    fibers[number].started = true;
    getcontext(&start);
    void *stack =
        mmap(NULL, STACK + OFFSETS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) abort();
    start.uc_stack.ss_sp = (char *)stack + number * OFFSET % OFFSETS;
    start.uc_stack.ss_size = STACK;
    start.uc_link = &origin;
    makecontext(&start, (void (*)(void))fiber_main, 1, number);
    setcontext(&start);
}

__attribute__((noinline)) void resume(int number)
{
    current = number;
    threadIdx = fibers[number].thread;
    if (_setjmp(scheduler) != 0) return;
    if (fibers[number].started) _longjmp(fibers[number].at, 1);
    begin(number);
}

void run_block(int threads)
{
    block = {threads, 0, 0};
    for (int w = 0; w * LANES < threads; w++) {
        memset(&warps[w], 0, sizeof warps[w]);
        warps[w].lanes.alive = threads - w * LANES < LANES ? threads - w * LANES : LANES;
    }
    for (int i = 0; i < threads; i++) {
        unsigned x = (unsigned)i % blockDim.x, y = (unsigned)i / blockDim.x % blockDim.y;
        fibers[i].alive = true;
        fibers[i].waits = NULL;
        fibers[i].thread = dim3(x, y, (unsigned)i / blockDim.x / blockDim.y);
    }
    while (block.alive > 0) {
        bool moved = false;
        for (int i = 0; i < threads; i++) {
            fiber *f = &fibers[i];
            if (!f->alive || (f->waits && f->generation == f->waits->generation)) continue;
            resume(i);
            moved = true;
        }
        if (!moved) {
            fprintf(stderr, "cuda_host: the threads of a block wait for each other\n");
            abort();
        }
    }
}

} // namespace

void __syncthreads(void)
{
    wait_at(&block);
}

/* Two buffers in turn: a lane that is one shuffle ahead does not overwrite values that others still have to read. */
uint32_t host_shuffle(uint32_t value, int lanes)
{
    warp *w = &warps[current / LANES];
    int lane = current % LANES;
    if (w->lanes.alive != LANES) abort(); /* all lanes must take part */
    unsigned room = w->round[lane]++ % 2;
    w->values[room][lane] = value;
    wait_at(&w->lanes);
    return w->values[room][lane ^ lanes];
}

/* The last lane to arrive computes the result and stores it for all. */
static float reduce(float x, bool sum)
{
    warp *w = &warps[current / LANES];
    int lane = current % LANES;
    if (w->lanes.alive != LANES) abort();
    unsigned room = w->round[lane]++ % 2;
    memcpy(&w->values[room][lane], &x, sizeof x);
    if (w->lanes.arrived == LANES - 1) {
        float v[LANES], next[LANES];
        memcpy(v, w->values[room], sizeof v);
        for (int lanes = LANES / 2; lanes > 0; lanes /= 2) {
            for (int i = 0; i < LANES; i++) next[i] = sum ? v[i] + v[i ^ lanes] : fmaxf(v[i], v[i ^ lanes]);
            memcpy(v, next, sizeof v);
        }
        memcpy(w->values[room], v, sizeof v);
    }
    wait_at(&w->lanes);
    memcpy(&x, &w->values[room][lane], sizeof x);
    return x;
}

float warp_sum(float x)
{
    return reduce(x, true);
}

float warp_max(float x)
{
    return reduce(x, false);
}

unsigned char *host_shared(void)
{
    return shared_memory;
}

bool host_allows(const void *kernel, size_t shared)
{
    std::lock_guard<std::mutex> lock(changing);
    return kernel == NULL || shared <= (allowed.count(kernel) ? allowed[kernel] : (size_t)PLAIN_SHARED);
}

void host_launch(const void *kernel, dim3 grid, dim3 threads, size_t shared, cudaStream_t stream,
                 std::function<void()> thread)
{
    size_t count = (size_t)threads.x * threads.y * threads.z;
    if (!host_allows(kernel, shared) || count == 0 || count > MAX_THREADS || grid.x == 0 || grid.x > 0x7fffffffu ||
        grid.y == 0 || grid.y > 65535 || grid.z == 0 || grid.z > 65535) {
        host_error(cudaErrorInvalidValue);
        return;
    }
    auto run = [=] {
        gridDim = grid;
        blockDim = threads;
        work = &thread;
        memset(shared_memory, 0xff, sizeof shared_memory);
        for (unsigned z = 0; z < grid.z; z++)
            for (unsigned y = 0; y < grid.y; y++)
                for (unsigned x = 0; x < grid.x; x++) {
                    blockIdx = dim3(x, y, z);
                    run_block((int)count);
                }
    };
    host_submit(stream, {run, kernel, shared});
}

cudaError_t cudaFuncSetAttribute(const void *kernel, cudaFuncAttribute attribute, int value)
{
    (void)attribute;
    if (value < 0 || value > MOST_SHARED) return host_error(cudaErrorInvalidValue);
    std::lock_guard<std::mutex> lock(changing);
    allowed[kernel] = (size_t)value;
    return cudaSuccess;
}

cudaError_t host_error(cudaError_t error)
{
    if (error != cudaSuccess) last_error = error;
    return error;
}

cudaError_t cudaGetLastError(void)
{
    cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}
