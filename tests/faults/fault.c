/* fault.c - see fault.h. It makes its own calls by syscall, which nothing stands before. */
#include "faults/fault.h"

#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    FRAMES = 3, /* a site is the last calls within our own objects, innermost first */
    DEPTH = 24, /* frames that are looked through for them */
    SITES = 1 << 14,
    SITE_TEXT = FRAMES * 10
};

static const char *const fault_kinds[FAULT_KINDS] = {"alloc", "json", "thread"};

struct site {
    enum fault_kind kind;
    uint32_t frames[FRAMES]; /* from where the program lies; 0 behind the last */
    long passed;
};

static struct {
    atomic_int kind; /* that fails, or FAULT_KINDS: none */
    atomic_long left;
    atomic_bool lasting, fired, at_site;
    uint32_t frames[FRAMES]; /* if at_site */
} armed = {FAULT_KINDS, 0, false, false, false, {0}};

static long wanted; /* that `left` began at */
static int log_file = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct site sites[SITES];

extern const char __executable_start, etext;

/* ------------------------------------------------------------------ sites */

static void find_frames(uint32_t *found, const void *caller)
{
    void *frames[DEPTH];
    int count = backtrace(frames, DEPTH), n = 0, i = 0;
    memset(found, 0, FRAMES * sizeof *found);
    while (i < count && frames[i] != caller) i++; /* which leaves out what stands before the system's call */
    for (; i < count && n < FRAMES; i++) {
        const char *at = frames[i];
        if (at > &__executable_start && at < &etext) found[n++] = (uint32_t)(at - &__executable_start);
    }
}

static void name_site(char *text, const uint32_t *frames)
{
    int used = snprintf(text, SITE_TEXT, "%x", frames[0]);
    for (int i = 1; i < FRAMES && frames[i] != 0; i++)
        used += snprintf(text + used, (size_t)(SITE_TEXT - used), ",%x", frames[i]);
}

static void read_site(uint32_t *frames, const char *text)
{
    char *end;
    memset(frames, 0, FRAMES * sizeof *frames);
    for (int i = 0; i < FRAMES && *text != '\0'; i++, text = end + (*end == ','))
        frames[i] = (uint32_t)strtoul(text, &end, 16);
}

static void note_site(enum fault_kind kind, const uint32_t *frames)
{
    uint32_t hash = (uint32_t)kind;
    for (int i = 0; i < FRAMES; i++) hash = (hash ^ frames[i]) * 2654435761U;
    pthread_mutex_lock(&lock);
    for (uint32_t i = 0; i < SITES; i++) {
        struct site *s = &sites[(hash + i) % SITES];
        if (s->passed == 0) {
            s->kind = kind;
            memcpy(s->frames, frames, sizeof s->frames);
        } else if (s->kind != kind || memcmp(s->frames, frames, sizeof s->frames) != 0) {
            continue;
        }
        s->passed++;
        break;
    }
    pthread_mutex_unlock(&lock);
}

/* ------------------------------------------------------------------ whether a call fails */

static void log_line(const char *text)
{
    if (log_file >= 0 && syscall(SYS_write, log_file, text, strlen(text)) < 0) abort();
}

static void log_fired(enum fault_kind kind, const uint32_t *frames)
{
    char site[SITE_TEXT], line[SITE_TEXT + 32];
    name_site(site, frames);
    snprintf(line, sizeof line, "fired %s %s\n", fault_kinds[kind], site);
    log_line(line);
}

bool fault_due_from(enum fault_kind kind, const void *caller)
{
    uint32_t frames[FRAMES];
    if (log_file >= 0 || armed.at_site) find_frames(frames, caller);
    if (log_file >= 0) note_site(kind, frames);
    if (armed.kind != (int)kind) return false;
    if (armed.at_site && memcmp(frames, armed.frames, sizeof frames) != 0) return false;
    long before = atomic_fetch_sub(&armed.left, 1);
    if (before > 0 || (before < 0 && !armed.lasting)) return false;
    if (!atomic_exchange(&armed.fired, true) && log_file >= 0) log_fired(kind, frames);
    return true;
}

void fault_arm(enum fault_kind kind, long passes)
{
    armed.kind = FAULT_KINDS;
    armed.left = passes;
    armed.lasting = armed.at_site = armed.fired = false;
    if (passes >= 0) armed.kind = (int)kind;
}

long fault_left(void)
{
    return armed.kind == FAULT_KINDS ? -1 : armed.left;
}

bool fault_fired(void)
{
    return armed.fired;
}

/* ------------------------------------------------------------------ the environment */

/* "alloc:12", "alloc:12+", "alloc:1:3f2a,40b1"; empty: nothing fails. It allocates nothing and is called by a signal.
 */
static void arm(const char *text)
{
    char *end;
    fault_arm(FAULT_KINDS, -1);
    size_t length = strcspn(text, ":");
    if (text[length] != ':') return;
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        if (strlen(fault_kinds[kind]) != length || strncmp(text, fault_kinds[kind], length) != 0) continue;
        armed.left = wanted = strtol(text + length + 1, &end, 10) - 1;
        armed.lasting = *end == '+';
        end += *end == '+';
        armed.at_site = *end == ':';
        if (armed.at_site) read_site(armed.frames, end + 1);
        armed.kind = kind;
    }
}

static void arm_again(int number)
{
    char text[256], line[64];
    (void)number;
    snprintf(line, sizeof line, "armed %ld\n", armed.kind == FAULT_KINDS ? 0 : wanted - armed.left);
    long file = syscall(SYS_openat, AT_FDCWD, getenv("GVM_FAULT_FILE"), O_RDONLY);
    long count = file < 0 ? -1 : syscall(SYS_read, file, text, sizeof text - 1);
    if (count < 0) abort();
    syscall(SYS_close, file);
    text[count] = '\0';
    arm(text);
    log_line(line);
}

static void log_passes(void)
{
    char site[SITE_TEXT], line[SITE_TEXT + 64];
    for (int i = 0; i < SITES; i++) {
        if (sites[i].passed == 0) continue;
        name_site(site, sites[i].frames);
        snprintf(line, sizeof line, "passed %s %s %ld\n", fault_kinds[sites[i].kind], site, sites[i].passed);
        log_line(line);
    }
}

void fault_begin(const char *log, const char *fault)
{
    void *first[1];
    backtrace(first, 1); /* which loads its library now */
    if (log != NULL) {
        log_file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (log_file < 0) abort();
        atexit(log_passes);
    }
    if (getenv("GVM_FAULT_FILE") != NULL) signal(SIGUSR2, arm_again);
    if (fault != NULL) arm(fault);
}

__attribute__((constructor)) static void begin(void)
{
    fault_begin(getenv("GVM_FAULT_LOG"), getenv("GVM_FAULT"));
}
