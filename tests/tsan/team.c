/* team.c - in a build for ThreadSanitizer: GNU's OpenMP runtime once more, on POSIX threads. ThreadSanitizer knows how
 * these order what threads do; libgomp's own locks it cannot see, so all that a team shares would be reported as a
 * race.
 *
 * Has the entry points that src/base/parallel.c and oneDNN call. Linked into a program, it replaces libgomp's for both.
 * As there: a team inside a team is one thread, and the number of threads is each thread's own. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

SHOWN void GOMP_parallel(void (*body)(void *), void *argument, unsigned threads, unsigned flags);
SHOWN void GOMP_barrier(void);
SHOWN int omp_get_thread_num(void);
SHOWN int omp_get_num_threads(void);
SHOWN int omp_get_max_threads(void);
SHOWN void omp_set_num_threads(int count);
SHOWN int omp_in_parallel(void);

enum { MOST = 64 };

struct shared {
    void (*body)(void *argument);
    void *argument;
    int size;
    pthread_barrier_t barrier;
};

struct member {
    struct shared *shared;
    int rank;
};

static _Thread_local const struct member *self; /* a null pointer: outside of every team */
static _Thread_local int wanted;                /* 0: what the environment says */

static void *run(void *argument)
{
    const struct member *before = self;
    self = argument;
    self->shared->body(self->shared->argument);
    self = before;
    return NULL;
}

void GOMP_parallel(void (*body)(void *), void *argument, unsigned threads, unsigned flags)
{
    (void)flags;
    int size = threads > 0 ? (int)threads : omp_get_max_threads();
    if (omp_in_parallel() || size < 1) size = 1;
    if (size > MOST) size = MOST;
    struct shared shared = {.body = body, .argument = argument, .size = size};
    struct member members[MOST];
    pthread_t thread[MOST];
    pthread_barrier_init(&shared.barrier, NULL, (unsigned)size);
    for (int i = 0; i < size; i++) members[i] = (struct member){&shared, i};
    for (int i = 1; i < size; i++)
        if (pthread_create(&thread[i], NULL, run, &members[i]) != 0) abort(); /* as libgomp does */
    run(&members[0]);
    for (int i = 1; i < size; i++) pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&shared.barrier);
}

void GOMP_barrier(void)
{
    if (self != NULL) pthread_barrier_wait(&self->shared->barrier);
}

int omp_get_thread_num(void)
{
    return self != NULL ? self->rank : 0;
}

int omp_get_num_threads(void)
{
    return self != NULL ? self->shared->size : 1;
}

int omp_in_parallel(void)
{
    return self != NULL && self->shared->size > 1;
}

int omp_get_max_threads(void)
{
    if (wanted > 0) return wanted;
    const char *text = getenv("OMP_NUM_THREADS");
    int count = text != NULL ? atoi(text) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? count : 1;
}

void omp_set_num_threads(int count)
{
    wanted = count;
}
