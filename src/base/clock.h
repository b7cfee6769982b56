/* clock.h - monotonic time in seconds */
#ifndef GVM_BASE_CLOCK_H
#define GVM_BASE_CLOCK_H

#include <time.h>

static inline double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* As an absolute time for pthread_cond_timedwait; the condition variable must use CLOCK_MONOTONIC. */
static inline struct timespec clock_time(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds};
    t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
    return t;
}

#endif
