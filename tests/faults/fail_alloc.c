/* fail_alloc.c - memory and threads that cannot be had (fault.h). */
#define _GNU_SOURCE /* vasprintf */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "faults/fault.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_realpath(const char *path, char *resolved);
FILE *__real_open_memstream(char **text, size_t *size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *argument);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
int __wrap_asprintf(char **text, const char *format, ...);
char *__wrap_realpath(const char *path, char *resolved);
FILE *__wrap_open_memstream(char **text, size_t *size);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *argument);
int __wrap_fsync(int file);

/* A macro, so that the caller is the wrapper's. */
#define refused(kind) (fault_due(kind) && (errno = ENOMEM))

void *__wrap_malloc(size_t size)
{
    return refused(FAULT_ALLOC) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refused(FAULT_ALLOC) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return refused(FAULT_ALLOC) ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return refused(FAULT_ALLOC) ? NULL : __real_aligned_alloc(alignment, size);
}

static char *copied(const char *text, size_t length)
{
    char *copy = __real_malloc(length + 1);
    if (copy == NULL) return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return refused(FAULT_ALLOC) ? NULL : copied(text, strlen(text));
}

char *__wrap_strndup(const char *text, size_t size)
{
    return refused(FAULT_ALLOC) ? NULL : copied(text, strnlen(text, size));
}

/* As glibc's before 2.42: what it failed to make is left as it was. */
int __wrap_asprintf(char **text, const char *format, ...)
{
    va_list arguments;
    if (refused(FAULT_ALLOC)) return -1;
    va_start(arguments, format);
    int length = vasprintf(text, format, arguments);
    va_end(arguments);
    return length;
}

char *__wrap_realpath(const char *path, char *resolved)
{
    return refused(FAULT_ALLOC) ? NULL : __real_realpath(path, resolved);
}

FILE *__wrap_open_memstream(char **text, size_t *size)
{
    return refused(FAULT_ALLOC) ? NULL : __real_open_memstream(text, size);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *argument)
{
    return fault_due(FAULT_THREAD) ? EAGAIN : __real_pthread_create(thread, how, run, argument);
}

/* Nothing that a test writes need outlive a power cut. */
int __wrap_fsync(int file)
{
    (void)file;
    return 0;
}

static void *json_memory(size_t size)
{
    return refused(FAULT_JSON) ? NULL : __real_malloc(size);
}

__attribute__((constructor)) static void begin(void)
{
    json_set_alloc_funcs(json_memory, free);
}
