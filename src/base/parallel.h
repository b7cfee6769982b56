/* parallel.h - thread teams of GNU's OpenMP runtime (libgomp), which oneDNN uses too. libgomp keeps one pool for each
 * calling thread.
 *
 * It is called by its entry points instead of `#pragma omp`, because clang compiles the pragma for another runtime, and
 * two pools would compete for the cores. */
#ifndef GVM_BASE_PARALLEL_H
#define GVM_BASE_PARALLEL_H

struct team {
    int rank, size; /* this thread's number, 0..size-1, and the number of threads */
};

/* Run body on every thread of the pool; returns when all have finished. */
void parallel_run(void (*body)(void *argument, struct team team), void *argument);

/* parallel_fault counts a failure for the calling thread, or for the thread whose team it works in. parallel_faults
 * returns that count. Each thread that starts teams has its own. */
void parallel_fault(void);
unsigned parallel_faults(void);

/* Wait until every thread of the team has called this. Does nothing in a team of one. */
void parallel_barrier(struct team team);

/* This thread's share [*from, *to) of n items: equal contiguous parts in rank order, cut at multiples of `grain`. */
void parallel_range(int *from, int *to, int n, int grain, struct team team);

/* Threads that parallel_run asks for: one per core or OMP_NUM_THREADS, determined at the first call, or the number that
 * was set. It may get fewer (one inside another team), never more. Buffers sized by this number must be freed before it
 * is changed. */
int parallel_threads(void);
void parallel_set_threads(int count); /* >= 1; for the whole process */

/* Between parallel_alone and parallel_together, libraries on the same runtime stay on the calling thread, even outside
 * parallel_run and in a team of one, which the runtime does not count as a team. Cheap. parallel_together takes the
 * result of parallel_alone. */
int parallel_alone(void);
void parallel_together(int outer);

#endif
