/* process.c - see process.h. Uses libvips. */
#define _GNU_SOURCE /* pthread_rwlock_clockwrlock */
#include "image/process.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <vips/vips.h>

#include "base/clock.h"

/* Held for reading while libvips is used, for writing by a thread that must be alone. */
static pthread_rwlock_t alone;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool started;

static void quiet(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
    (void)domain, (void)level, (void)message, (void)data;
}

static void start(void)
{
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
#ifdef __GLIBC__
    /* otherwise readers can starve a writer; safe because no reader locks it twice */
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    pthread_rwlock_init(&alone, &attributes);
    pthread_rwlockattr_destroy(&attributes);

    g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG, quiet,
                      NULL);
    started = vips_init("geoviewmatch") == 0;
    vips_block_untrusted_set(TRUE);
    vips_cache_set_max(0); /* a cached loader would keep its file open */
}

bool process_start(void)
{
    pthread_once(&once, start);
    return started;
}

void process_enter(void)
{
    pthread_rwlock_rdlock(&alone);
}

bool process_enter_alone(double until)
{
    const struct timespec end = clock_time(until);
    if (pthread_rwlock_clockwrlock(&alone, CLOCK_MONOTONIC, &end) != 0) return false;
    vips_error_clear();
    return true;
}

void process_leave(void)
{
    pthread_rwlock_unlock(&alone);
}

/* libvips collects lines of "domain: message"; the first message is the cause. */
void process_error(char *message, size_t size)
{
    char *text = vips_error_buffer_copy();
    const char *line = text, *colon;
    size_t length = strcspn(line, "\n");
    while ((colon = memchr(line, ':', length)) != NULL && colon[1] == ' ' && colon - line < 24) {
        length -= (size_t)(colon + 2 - line);
        line = colon + 2;
    }
    snprintf(message, size, "%.*s", (int)length, line);
    g_free(text);
    vips_error_clear();
}
