/* parallel.h - threads: GNU's OpenMP runtime, which oneDNN uses too. It keeps one pool for each thread that
 * calls in.
 *
 * It is called through its own entry points rather than through `#pragma omp`, because clang
 * compiles the pragma only for another runtime, and two pools would fight over the cores. */
#ifndef GVM_BASE_PARALLEL_H
#define GVM_BASE_PARALLEL_H

struct team {
    int rank, size; /* this thread's number, 0..size-1 */
};

/* Run body on every thread of the pool at once and return when all have. */
void parallel_run(void (*body)(void *argument, struct team team), void *argument);

/* Count a failure in the work for one thread, by itself or by the teams that it runs; and how many there were so far.
 * Other threads' work, and their teams', has counts of its own. */
void parallel_fault(void);
unsigned parallel_faults(void);

/* Wait until every thread of the team has come here. Nothing to wait for in a team of one. */
void parallel_barrier(struct team team);

/* The part [*from, *to) of n items that is this thread's: equal parts in rank order, cut at
 * multiples of `grain`. */
void parallel_range(int *from, int *to, int n, int grain, struct team team);

/* How many threads parallel_run asks for: one a core, or OMP_NUM_THREADS, as found at the first call, or what was
 * set. It may get fewer (inside another team it gets one), never more. What was sized by this number must not outlive
 * a change. */
int parallel_threads(void);
void parallel_set_threads(int count); /* >= 1; for the whole process */

/* Between these two a library that uses the same runtime keeps to the calling thread, also outside parallel_run and in
 * a team of one, which the runtime takes for none. Cheap; the second takes what the first returned. */
int parallel_alone(void);
void parallel_together(int outer);

#endif
