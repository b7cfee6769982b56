/* parallel.c - see parallel.h */
#include "base/parallel.h"

#include <stdatomic.h>

/* Entry points of libgomp, whose binary interface has been stable since GCC 4.9. */
void GOMP_parallel(void (*body)(void *), void *argument, unsigned threads, unsigned flags);
void GOMP_barrier(void);
int omp_get_thread_num(void);
int omp_get_num_threads(void);
int omp_get_max_threads(void);
void omp_set_num_threads(int count);
int omp_in_parallel(void);

enum { MAX_THREADS = 1024 };

static atomic_int threads; /* 0 until first used */

static _Thread_local atomic_uint own_faults;
static _Thread_local atomic_uint *caller_faults; /* of the thread that this one works for; NULL: its own */

struct job {
    void (*body)(void *argument, struct team team);
    void *argument;
    atomic_uint *faults;
};

static atomic_uint *faults(void)
{
    return caller_faults ? caller_faults : &own_faults;
}

void parallel_fault(void)
{
    ++*faults();
}

unsigned parallel_faults(void)
{
    return *faults();
}

static void run_job(void *argument)
{
    const struct job *job = argument;
    atomic_uint *before = caller_faults;
    caller_faults = job->faults;
    job->body(job->argument, (struct team){omp_get_thread_num(), omp_get_num_threads()});
    caller_faults = before;
}

void parallel_run(void (*body)(void *argument, struct team team), void *argument)
{
    struct job job = {body, argument, faults()};
    GOMP_parallel(run_job, &job, (unsigned)parallel_threads(), 0);
}

void parallel_barrier(struct team team)
{
    if (team.size > 1) GOMP_barrier();
}

void parallel_range(int *from, int *to, int n, int grain, struct team team)
{
    long grains = (n + (long)grain - 1) / grain;
    long first = grains * team.rank / team.size * grain, last = grains * (team.rank + 1) / team.size * grain;
    *from = (int)(first < n ? first : n);
    *to = (int)(last < n ? last : n);
}

int parallel_alone(void)
{
    int outer = omp_in_parallel() ? 1 : omp_get_max_threads();
    if (outer > 1) omp_set_num_threads(1);
    return outer;
}

void parallel_together(int outer)
{
    if (outer > 1) omp_set_num_threads(outer);
}

int parallel_threads(void)
{
    int count = threads;
    if (count > 0) return count;
    int none = 0, first = omp_get_max_threads(); /* the calling thread's, which the host may change later */
    if (first > MAX_THREADS) first = MAX_THREADS;
    return atomic_compare_exchange_strong(&threads, &none, first) ? first : none;
}

void parallel_set_threads(int count)
{
    threads = count;
}
