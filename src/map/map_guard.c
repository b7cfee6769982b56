/* map_guard.c - detects changes of a map's features file while it is memory-mapped.
 *
 * Reading a page beyond a truncated file raises SIGBUS; the handler maps zeros there, and the next check reports it. */
#include "map/map.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "map/map_file.h"

struct gvm_map_guard {
    const gvm_map *map;
    char *path; /* of the features */
    int fd;
    size_t used; /* bytes of the file that the map reads */
    bool values;
    uint64_t sum; /* checksum of these bytes */

    pthread_mutex_t lock;
    struct stat state; /* of the file when its checksum was last right */
    struct sigaction before;
};

/* The part that the signal handler reads. */
static struct {
    unsigned char *start;
    size_t size, page;
    atomic_bool cut;
} watched;

/* The access is repeated when the handler returns. POSIX does not list mmap as async-signal-safe, but on Linux it is a
 * plain system call. */
static void take_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    uintptr_t at = (uintptr_t)info->si_addr, start = (uintptr_t)watched.start;
    if (start != 0 && at >= start && at < start + watched.size) {
        size_t from = (at - start) / watched.page * watched.page;
        void *zeros =
            mmap(watched.start + from, watched.size - from, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        atomic_store(&watched.cut, true);
        if (zeros != MAP_FAILED) return;
    }
    signal(number, SIG_DFL); /* not caused by a map */
}

/* Compares more than the modification time, which can be set. */
static bool same_state(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static gvm_status start(struct gvm_map_guard *w, gvm_error *err)
{
    const gvm_map *map = w->map;
    w->fd = -1;
    if (map->file.data == NULL) return GVM_OK;
    gvm_status status = map_features_path(&w->path, map->path, err);
    if (status != GVM_OK) return status;
    w->fd = open(w->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (w->fd < 0 || fstat(w->fd, &w->state) != 0) return fail_errno(err, "open", path_tail(w->path));
    w->used = FEATURES_START + map->rows * (size_t)map->width * sizeof(uint16_t);
    watched.start = (unsigned char *)(uintptr_t)map->file.data;
    watched.size = map->file.size;
    watched.page = (size_t)sysconf(_SC_PAGESIZE);
    atomic_store(&watched.cut, false);
    struct sigaction action = {.sa_sigaction = take_signal, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &w->before);
    if (w->values) w->sum = hash_bytes(1, map->file.data, w->used);
    return gvm_map_guard_check(w, err);
}

gvm_status gvm_map_guard_open(gvm_map_guard **guard, const gvm_map *map, int values, gvm_error *err)
{
    struct gvm_map_guard *w = *guard = calloc(1, sizeof *w);
    if (w == NULL) return fail(err, GVM_MEMORY, "cannot watch the map: out of memory");
    w->map = map;
    w->values = values != 0;
    pthread_mutex_init(&w->lock, NULL);
    gvm_status status = start(w, err);
    if (status == GVM_OK) return GVM_OK;
    gvm_map_guard_free(w);
    *guard = NULL;
    return status;
}

void gvm_map_guard_free(gvm_map_guard *w)
{
    if (w == NULL) return;
    if (w->used > 0) sigaction(SIGBUS, &w->before, NULL);
    watched.start = NULL;
    if (w->fd >= 0) close(w->fd);
    pthread_mutex_destroy(&w->lock);
    free(w->path);
    free(w);
}

/* The caller holds the lock. */
static gvm_status check(struct gvm_map_guard *w, gvm_error *err)
{
    struct stat now;
    if (fstat(w->fd, &now) != 0) return fail_errno(err, "read", path_tail(w->path));
    bool whole = (size_t)now.st_size >= w->used, changed = false;
    if (whole && w->values && !same_state(&now, &w->state)) {
        changed = hash_bytes(1, w->map->file.data, w->used) != w->sum;
        if (!changed) w->state = now;
    }
    if (!whole || atomic_load(&watched.cut))
        return fail(err, GVM_FILE, "%s: it was truncated or became unreadable while in use", path_tail(w->path));
    return changed ? fail(err, GVM_FILE, "%s: it was modified while in use", path_tail(w->path)) : GVM_OK;
}

gvm_status gvm_map_guard_check(gvm_map_guard *w, gvm_error *err)
{
    if (w->fd < 0) return GVM_OK;
    pthread_mutex_lock(&w->lock);
    gvm_status status = check(w, err);
    pthread_mutex_unlock(&w->lock);
    return status;
}
