/* cache_build.c - makes a picture cache (cache_file.h): locks a part file, with a lock that the system releases if the
 * process dies; allocates its whole size; fills it on several threads; renames it.
 *
 * A picture's entry in the table is written after its pixels, so after a kill all entries are valid; after a crash of
 * the machine, hashes detect pixels that did not reach the disk. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "base/file.h"
#include "base/ring.h"
#include "data/cache_file.h"
#include "image/panorama.h"

enum { AHEAD = 256 /* pictures that may be finished ahead of a slow one */ };

/* ------------------------------------------------------------------ the part file */

/* Report progress; returns false to stop. */
static bool tell(const struct cache_options *options, size_t done, size_t total)
{
    return options->progress == NULL || options->progress(options->user, done, total);
}

gvm_status cache_part_lock(struct cache_part *part, bool *locked, bool *stopped, const char *path,
                           const struct cache_options *options, gvm_error *err)
{
    struct stat mine, there;
    *locked = *stopped = false;
    *part = (struct cache_part){.path = path_with(path, ".part")};
    if (part->path == NULL) return fail(err, GVM_MEMORY, "%s: out of memory", path_tail(path));
    const int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK;
    part->fd = open(part->path, flags | O_CREAT | O_EXCL, 0666);
    bool made = part->fd >= 0;
    if (!made && errno == EEXIST) part->fd = open(part->path, flags | O_CREAT, 0666);
    gvm_status status = part->fd < 0 ? fail_errno(err, "create", path_tail(part->path)) : GVM_OK;
    while (status == GVM_OK && !*stopped && !file_lock(part->fd)) {
        if (errno != EWOULDBLOCK)
            status = fail_errno(err, "lock", path_tail(part->path));
        else if (tell(options, 0, 0))
            nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        else
            *stopped = true;
    }
    if (status == GVM_OK && !*stopped && (fstat(part->fd, &mine) != 0 || stat(part->path, &there) != 0)) {
        if (errno != ENOENT) status = fail_errno(err, "open", path_tail(part->path));
    } else if (status == GVM_OK && !*stopped) {
        *locked = mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
    }
    if (*locked) return GVM_OK;
    if (made && status != GVM_OK) unlink(part->path);
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
        return fail(err, GVM_FILE, "%s: no space left on the disk; the cache needs %.0f MB", path_tail(path),
                    ceil((double)bytes / 1e6));
    return fail_errno(err, "write", path_tail(path));
}

static gvm_status no_memory(gvm_error *err, const struct cache_part *part)
{
    return fail(err, GVM_MEMORY, "%s: cannot make it: out of memory", path_tail(part->path));
}

/* Write and sync the header first, since a file without it is never touched again. Then allocate the whole size, so
 * that a full disk is reported before the work; not every file system supports that. */
static gvm_status begin(const struct cache_part *part, const struct cache *c, gvm_error *err)
{
    off_t size = (off_t)c->header.bytes;
    bool ok =
        ftruncate(part->fd, 0) == 0 && file_write_at(part->fd, &c->header, sizeof c->header, 0) && fsync(part->fd) == 0;
    if (ok && (errno = posix_fallocate(part->fd, 0, size)) != 0)
        ok = (errno == EOPNOTSUPP || errno == EINVAL) && ftruncate(part->fd, size) == 0;
    return ok ? GVM_OK : cannot_write(err, part->path, c->header.bytes);
}

/* ------------------------------------------------------------------ filling it */

/* Result for a picture: GVM_OK, or why it cannot be read. */
struct outcome {
    gvm_status status;
    gvm_error err;
};

struct work {
    const struct cache *c;
    const struct cache_options *options;
    const struct cache_part *part;
    size_t each;    /* bytes of the larger picture */
    uint8_t *rooms; /* (workers, each) */
    struct outcome outcomes[AHEAD];
};

static uint64_t entry_of(const uint8_t *pixels, size_t bytes)
{
    uint64_t hash = hash_bytes(1, pixels, bytes);
    return hash >= ENTRY_GOOD ? hash : ENTRY_GOOD;
}

/* Returns true if an earlier run stored the picture completely. */
static bool is_there(const struct work *w, int place, uint8_t *room)
{
    uint64_t entry;
    size_t bytes;
    uint64_t offset = cache_offset(w->c, place, &bytes);
    return file_read_at(w->part->fd, &entry, sizeof entry, HEADER_ROOM + (uint64_t)place * sizeof entry) ==
               sizeof entry &&
           entry >= ENTRY_GOOD && file_read_at(w->part->fd, room, bytes, offset) == (ssize_t)bytes &&
           entry_of(room, bytes) == entry;
}

/* *bad: the picture cannot be read, and its entry is ENTRY_BAD. */
static gvm_status fill_place(bool *bad, const struct work *w, int place, uint8_t *room, gvm_error *err)
{
    *bad = false;
    if (is_there(w, place, room)) return GVM_OK;
    size_t bytes;
    uint64_t offset = cache_offset(w->c, place, &bytes), entry = ENTRY_BAD;
    const struct source *s = &w->c->sources[place];
    gvm_status status = cache_load(room, &w->c->shape[s->view], s->view, s->path, s->heading, err);
    *bad = status != GVM_OK && status != GVM_MEMORY;
    if (status != GVM_OK && !*bad) return status;
    if (!*bad) entry = entry_of(room, bytes);
    bool written = (*bad || file_write_at(w->part->fd, room, bytes, offset)) &&
                   file_write_at(w->part->fd, &entry, sizeof entry, HEADER_ROOM + (uint64_t)place * sizeof entry);
    if (written) return status;
    *bad = false;
    return cannot_write(err, w->part->path, w->c->header.bytes);
}

static gvm_status fill(void *user, int worker, size_t place, gvm_error *err)
{
    struct work *w = user;
    struct outcome *outcome = &w->outcomes[place % AHEAD];
    bool bad;
    gvm_status status = fill_place(&bad, w, (int)place, w->rooms + (size_t)worker * w->each, err);
    *outcome = (struct outcome){.status = status};
    if (!bad || !w->options->skip_bad) return status;
    outcome->err = *err;
    return GVM_OK;
}

/* Unreadable pictures, in the file's order. */
struct left_out {
    struct outcome *list;
    size_t count;
};

static gvm_status fill_places(bool *stopped, struct left_out *bad, struct work *w, size_t total, gvm_error *err)
{
    size_t place, count;
    struct ring *ring = ring_open(&(struct ring_work){
        .items = total, .group = 1, .groups = AHEAD, .workers = w->options->workers, .user = w, .work = fill});
    gvm_status status = GVM_OK;
    if (ring == NULL) status = no_memory(err, w->part);
    while (status == GVM_OK && !*stopped && (status = ring_next(ring, &place, &count, err)) == GVM_OK && count > 0) {
        const struct outcome *outcome = &w->outcomes[place % AHEAD];
        if (outcome->status != GVM_OK) {
            struct outcome *more = array_room(bad->list, bad->count, sizeof *more);
            if (more != NULL) (bad->list = more)[bad->count++] = *outcome;
            if (more == NULL) status = no_memory(err, w->part);
        }
        *stopped = !tell(w->options, place + 1, total) && place + 1 < total;
    }
    ring_free(ring);
    return status;
}

static gvm_status fill_all(bool *stopped, const struct cache_part *part, const struct cache *c,
                           const struct cache_options *options, gvm_error *err)
{
    size_t total = (size_t)c->count[0] + (size_t)c->count[1], last;
    if (total == 0) return GVM_OK;
    struct work *w = calloc(1, sizeof *w);
    struct left_out bad = {0};
    gvm_status status = GVM_OK;
    if (w != NULL) {
        *w = (struct work){.c = c, .options = options, .part = part};
        cache_offset(c, 0, &w->each);
        cache_offset(c, (int)total - 1, &last);
        if (last > w->each) w->each = last;
        w->rooms = malloc((size_t)options->workers * w->each);
    }
    status = w != NULL && w->rooms != NULL ? fill_places(stopped, &bad, w, total, err) : no_memory(err, part);
    for (size_t i = 0; i < bad.count && status == GVM_OK && !*stopped && options->bad != NULL; i++)
        options->bad(options->user, bad.list[i].status, &bad.list[i].err);
    if (w != NULL) free(w->rooms);
    free(w);
    free(bad.list);
    return status;
}

/* Sync the pictures, then the header that declares them complete, then rename. */
static bool complete(const struct cache_part *part, const struct cache *c, const char *path)
{
    struct header header = c->header;
    header.complete = 1;
    return fsync(part->fd) == 0 && file_write_at(part->fd, &header, sizeof header, 0) && fsync(part->fd) == 0 &&
           rename(part->path, path) == 0;
}

gvm_status cache_build(struct cache_part *part, bool *stopped, const struct cache *c, const char *path,
                       const struct cache_options *options, gvm_error *err)
{
    *stopped = false;
    enum found found;
    gvm_status status = cache_identify(&found, c, part->fd, part->path, err);
    if (status != GVM_OK) { /* not ours to delete */
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
