/* cache_build.c - making a picture cache (cache_file.h): a part file is taken with a lock that goes with its holder,
 * given its whole size, filled by some threads, and moved to its place.
 *
 * A picture's entry in the table is written after its pixels, so what is there after a kill is whole; after a crash of
 * the machine the hashes tell. */
#include "base/error.h"
#include "data/cache_file.h"
#include "image/panorama.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_WORKERS = 64 };

/* ------------------------------------------------------------------ the part file */

/* flock, whatever signals come in between. */
static int lock(int fd, int how)
{
    int result;
    do result = flock(fd, how);
    while (result != 0 && errno == EINTR);
    return result;
}

/* Whether to go on. */
static bool tell(const struct cache_options *options, int done, int total)
{
    return options->progress == NULL || options->progress(options->user, (size_t)done, (size_t)total);
}

gvm_status cache_part_lock(struct cache_part *part, bool *locked, bool *stopped, const char *path,
                           const struct cache_options *options, gvm_error *err)
{
    size_t size = strlen(path) + sizeof ".part";
    struct stat mine, there;
    *locked = *stopped = false;
    *part = (struct cache_part){.path = malloc(size)};
    if (part->path == NULL) return fail(err, GVM_MEMORY, "%s: there is not enough memory for it", path_tail(path));
    snprintf(part->path, size, "%s.part", path);
    part->fd = open(part->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    gvm_status status = part->fd < 0 ? fail_errno(err, "create", path_tail(part->path)) : GVM_OK;
    while (status == GVM_OK && !*stopped && lock(part->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            status = fail_errno(err, "lock", path_tail(part->path));
        else if (tell(options, 0, 0))
            nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        else
            *stopped = true;
    }
    if (status == GVM_OK && !*stopped && fstat(part->fd, &mine) == 0 && stat(part->path, &there) == 0)
        *locked = mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
    if (*locked) return GVM_OK;
    if (part->fd >= 0) close(part->fd);
    free(part->path);
    return status;
}

static void let_go(struct cache_part *part)
{
    close(part->fd);
    free(part->path);
}

void cache_part_drop(struct cache_part *part)
{
    unlink(part->path);
    let_go(part);
}

static gvm_status cannot_write(gvm_error *err, const char *path, uint64_t bytes)
{
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
        return fail(err, GVM_FILE, "%s: there is no room for it, the pictures take %.0f MB", path_tail(path),
                    ceil((double)bytes / 1e6));
    return fail_errno(err, "write", path_tail(path));
}

static bool write_at(int fd, const void *data, size_t size, uint64_t offset)
{
    const char *from = data;
    while (size > 0) {
        ssize_t n = pwrite(fd, from, size, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        from += n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    return true;
}

static bool read_at(int fd, void *data, size_t size, uint64_t offset)
{
    char *to = data;
    while (size > 0) {
        ssize_t n = pread(fd, to, size, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        to += n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    return true;
}

/* The header first, and on the disk: a file that does not start as a cache is never touched again. Then its whole size,
 * so that a disk too small says so before the work; not every file system can set room aside. */
static gvm_status begin(const struct cache_part *part, const struct cache *c, gvm_error *err)
{
    off_t size = (off_t)c->header.bytes;
    bool ok =
        ftruncate(part->fd, 0) == 0 && write_at(part->fd, &c->header, sizeof c->header, 0) && fsync(part->fd) == 0;
    if (ok && (errno = posix_fallocate(part->fd, 0, size)) != 0)
        ok = (errno == EOPNOTSUPP || errno == EINVAL) && ftruncate(part->fd, size) == 0;
    return ok ? GVM_OK : cannot_write(err, part->path, c->header.bytes);
}

/* ------------------------------------------------------------------ filling it */

struct left_out {
    int place;
    gvm_status status;
    gvm_error err;
};

struct work {
    const struct cache *c;
    const struct cache_options *options;
    const struct cache_part *part;
    int total;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    int next, done, running;
    bool stopped;         /* progress said so */
    struct left_out *bad; /* pictures that cannot be read, in any order */
    int bad_count;
    struct left_out failure; /* the one that stops the work; of several the first in the file */
};

static uint64_t entry_of(const uint8_t *pixels, size_t bytes)
{
    uint64_t hash = hash_bytes(1, pixels, bytes);
    return hash >= ENTRY_GOOD ? hash : ENTRY_GOOD;
}

/* Whether an earlier run left the picture whole. */
static bool is_there(const struct work *w, int place, uint8_t *room)
{
    uint64_t entry;
    size_t bytes;
    uint64_t offset = cache_offset(w->c, place, &bytes);
    return read_at(w->part->fd, &entry, sizeof entry, HEADER_ROOM + (uint64_t)place * sizeof entry) &&
           entry >= ENTRY_GOOD && read_at(w->part->fd, room, bytes, offset) && entry_of(room, bytes) == entry;
}

static gvm_status load(uint8_t *room, const struct cache *c, const struct source *s, gvm_error *err)
{
    const struct picture_shape *shape = &c->shape[s->view];
    if (s->view == GVM_AERIAL) return aerial_load(room, shape, s->path, err);
    return panorama_load(room, shape, isnan(s->heading) ? NULL : &s->heading, CIRCLE_LISTED, s->path, err);
}

/* *bad: the picture cannot be read, and its entry says so. */
static gvm_status fill_place(bool *bad, const struct work *w, int place, uint8_t *room, gvm_error *err)
{
    *bad = false;
    if (is_there(w, place, room)) return GVM_OK;
    size_t bytes;
    uint64_t offset = cache_offset(w->c, place, &bytes), entry = ENTRY_BAD;
    gvm_status status = load(room, w->c, &w->c->sources[place], err);
    *bad = status != GVM_OK && status != GVM_MEMORY;
    if (status != GVM_OK && !*bad) return status;
    if (!*bad) entry = entry_of(room, bytes);
    bool written = (*bad || write_at(w->part->fd, room, bytes, offset)) &&
                   write_at(w->part->fd, &entry, sizeof entry, HEADER_ROOM + (uint64_t)place * sizeof entry);
    if (written) return status;
    *bad = false;
    return cannot_write(err, w->part->path, w->c->header.bytes);
}

/* Under the lock. */
static void note(struct work *w, const struct left_out *l, bool bad)
{
    struct left_out *more = NULL;
    bool kept = bad && w->options->skip_bad;
    if (kept) {
        more = realloc(w->bad, ((size_t)w->bad_count + 1) * sizeof *more);
        if (more != NULL) {
            w->bad = more;
            w->bad[w->bad_count++] = *l;
            return;
        }
    }
    if (w->failure.status != GVM_OK && w->failure.place < l->place) return;
    w->failure = *l;
    if (kept) w->failure.status = GVM_MEMORY;
}

static void *fill(void *argument)
{
    struct work *w = argument;
    size_t bytes[2];
    cache_offset(w->c, 0, &bytes[0]);
    cache_offset(w->c, w->total - 1, &bytes[1]);
    uint8_t *room = malloc(bytes[0] > bytes[1] ? bytes[0] : bytes[1]);
    struct left_out l = {0};
    pthread_mutex_lock(&w->lock);
    if (room == NULL) {
        l.status = fail(&l.err, GVM_MEMORY, "%s: there is not enough memory to make it", path_tail(w->part->path));
        note(w, &l, false);
    }
    while (w->next < w->total && w->failure.status == GVM_OK && !w->stopped) {
        bool bad;
        l.place = w->next++;
        pthread_mutex_unlock(&w->lock);
        l.status = fill_place(&bad, w, l.place, room, &l.err);
        pthread_mutex_lock(&w->lock);
        w->done++;
        if (l.status != GVM_OK) note(w, &l, bad);
        pthread_cond_signal(&w->changed);
    }
    w->running--;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
    free(room);
    return NULL;
}

/* Signals are for the thread that waits. */
static int start_workers(pthread_t *workers, struct work *w)
{
    int wanted = w->options->workers < MAX_WORKERS ? w->options->workers : MAX_WORKERS, count = 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_mutex_lock(&w->lock);
    while (count < wanted && pthread_create(&workers[count], NULL, fill, w) == 0) count++;
    w->running = count;
    pthread_mutex_unlock(&w->lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return count;
}

static void wait_for_workers(struct work *w)
{
    pthread_mutex_lock(&w->lock);
    while (w->running > 0) {
        pthread_cond_wait(&w->changed, &w->lock);
        int done = w->done;
        pthread_mutex_unlock(&w->lock);
        bool go_on = tell(w->options, done, w->total);
        pthread_mutex_lock(&w->lock);
        if (!go_on) w->stopped = true;
    }
    pthread_mutex_unlock(&w->lock);
}

static int compare_places(const void *a, const void *b)
{
    const struct left_out *x = a, *y = b;
    return x->place < y->place ? -1 : x->place > y->place;
}

static gvm_status fill_all(bool *stopped, const struct cache_part *part, const struct cache *c,
                           const struct cache_options *options, gvm_error *err)
{
    struct work w = {.c = c, .options = options, .part = part, .total = c->count[0] + c->count[1]};
    if (w.total == 0) return GVM_OK;
    pthread_t workers[MAX_WORKERS];
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.changed, NULL);
    int count = start_workers(workers, &w);
    wait_for_workers(&w);
    for (int i = 0; i < count; i++) pthread_join(workers[i], NULL);
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.changed);
    gvm_status status = w.failure.status;
    *stopped = w.stopped && status == GVM_OK && w.done < w.total;
    if (count == 0) {
        status = fail(err, GVM_MEMORY, "%s: there is no thread to make it with", path_tail(part->path));
    } else if (status != GVM_OK) {
        if (err != NULL) *err = w.failure.err;
    } else if (options->bad != NULL && w.bad_count > 0 && !*stopped) {
        qsort(w.bad, (size_t)w.bad_count, sizeof *w.bad, compare_places);
        for (int i = 0; i < w.bad_count; i++) options->bad(options->user, w.bad[i].status, &w.bad[i].err);
    }
    free(w.bad);
    return status;
}

/* The pictures to the disk before the word that they are there, then the name. */
static bool complete(const struct cache_part *part, const struct cache *c, const char *path)
{
    struct header header = c->header;
    header.complete = 1;
    return fsync(part->fd) == 0 && write_at(part->fd, &header, sizeof header, 0) && fsync(part->fd) == 0 &&
           rename(part->path, path) == 0;
}

gvm_status cache_build(struct cache_part *part, bool *stopped, const struct cache *c, const char *path,
                       const struct cache_options *options, gvm_error *err)
{
    *stopped = false;
    enum found found;
    gvm_status status = cache_identify(&found, c, part->fd, part->path, err);
    if (status != GVM_OK) { /* not ours to remove */
        let_go(part);
        return status;
    }
    if (found == CACHE_STALE) status = begin(part, c, err);
    if (status == GVM_OK) status = fill_all(stopped, part, c, options, err);
    if (status == GVM_OK && !*stopped && !complete(part, c, path)) status = cannot_write(err, path, c->header.bytes);
    if (status == GVM_OK)
        let_go(part);
    else
        cache_part_drop(part);
    return status;
}
