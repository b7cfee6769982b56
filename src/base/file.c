/* file.c - see file.h. Files are written in three steps: a temporary in the same folder, hence on the same file system;
 * fsync, so that a crash cannot leave an empty file under the name; rename, which is atomic. */
#define _GNU_SOURCE /* fopencookie */
#include "base/file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum { PATH_SHOWN = 200, ATTEMPTS = 1000 };

const char *path_tail(const char *path)
{
    size_t length = strlen(path);
    if (length <= PATH_SHOWN) return path;
    path += length - PATH_SHOWN;
    while (((unsigned char)*path & 0xc0) == 0x80) path++; /* not inside a UTF-8 character */
    return path;
}

char *path_join(const char *folder, const char *name)
{
    size_t length = strlen(folder), size = length + strlen(name) + 2;
    bool slash = length > 0 && folder[length - 1] != '/';
    char *path = malloc(size);
    if (path != NULL) snprintf(path, size, "%s%s%s", folder, slash ? "/" : "", name);
    return path;
}

char *path_with(const char *path, const char *end)
{
    size_t size = strlen(path) + strlen(end) + 1;
    char *whole = malloc(size);
    if (whole != NULL) snprintf(whole, size, "%s%s", path, end);
    return whole;
}

gvm_status file_exists(bool *there, const char *path, gvm_error *err)
{
    *there = access(path, F_OK) == 0;
    return *there || errno == ENOENT || errno == ENOTDIR ? GVM_OK : fail_errno(err, "open", path_tail(path));
}

gvm_status file_stamp(int64_t stamp[3], const char *path, gvm_error *err)
{
    struct stat st;
    bool there = stat(path, &st) == 0;
    stamp[0] = there ? st.st_size : -1;
    stamp[1] = there ? st.st_mtim.tv_sec : 0;
    stamp[2] = there ? st.st_mtim.tv_nsec : 0;
    return there || errno == ENOENT || errno == ENOTDIR || errno == EACCES ? GVM_OK
                                                                           : fail_errno(err, "open", path_tail(path));
}

ssize_t file_read_at(int fd, void *data, size_t size, uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(fd, (char *)data + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

/* Appends if offset is NULL. */
static bool write_all(int fd, const void *data, size_t size, const uint64_t *offset)
{
    for (size_t done = 0; done < size;) {
        const char *from = (const char *)data + done;
        ssize_t n =
            offset != NULL ? pwrite(fd, from, size - done, (off_t)(*offset + done)) : write(fd, from, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        done += (size_t)n;
    }
    return true;
}

bool file_write_at(int fd, const void *data, size_t size, uint64_t offset)
{
    return write_all(fd, data, size, &offset);
}

bool file_append(int fd, const void *data, size_t size)
{
    return write_all(fd, data, size, NULL);
}

bool file_lock(int fd)
{
    int result;
    do result = flock(fd, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

static gvm_status map_descriptor(struct file_map *map, int fd, const char *path, gvm_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return fail_errno(err, "read", path_tail(path));
    if (S_ISDIR(st.st_mode)) return fail(err, GVM_FILE, "%s: it is a directory, expected a file", path_tail(path));
    if (!S_ISREG(st.st_mode)) return fail(err, GVM_FILE, "%s: it is not a regular file", path_tail(path));
    if (st.st_size == 0) return fail(err, GVM_FORMAT, "%s: the file is empty", path_tail(path));
    void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) return fail_errno(err, "read", path_tail(path));
    *map = (struct file_map){data, (size_t)st.st_size};
    return GVM_OK;
}

gvm_status file_map(struct file_map *map, const char *path, gvm_error *err)
{
    *map = (struct file_map){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* O_NONBLOCK: do not block on a FIFO */
    if (fd < 0) return fail_errno(err, "open", path_tail(path));
    gvm_status status = map_descriptor(map, fd, path, err);
    close(fd);
    return status;
}

void file_unmap(struct file_map *map)
{
    if (map->data != NULL) munmap((void *)map->data, map->size);
    *map = (struct file_map){0};
}

/* Whether a file can be written to `path`: it does not exist (*mode 0), or it is a writable regular file (*mode its
 * permissions). A device or pipe must not be replaced by rename. */
static gvm_status check_target(mode_t *mode, const char *path, gvm_error *err)
{
    struct stat st;
    const char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    *mode = 0;
    if (stat(path, &st) != 0) {
        if (errno != ENOENT) return fail_errno(err, "write", path_tail(path));
        if (*name == '\0') return fail(err, GVM_FILE, "%s: it is not a file name", path_tail(path));
        return GVM_OK;
    }
    if (S_ISDIR(st.st_mode)) return fail(err, GVM_FILE, "%s: it is a directory, expected a file", path_tail(path));
    if (!S_ISREG(st.st_mode)) return fail(err, GVM_FILE, "%s: it is not a regular file", path_tail(path));
    if (access(path, W_OK) != 0) return fail_errno(err, "write", path_tail(path));
    *mode = st.st_mode & 0777;
    return GVM_OK;
}

/* Length of a path's folder, including the last slash; 0 for a bare name. */
static int folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (int)(slash + 1 - path) : 0;
}

/* Temporaries for a signal handler to remove. Not on the heap, which may be inconsistent in a handler. A temporary that
 * finds no free entry is left behind if the process is interrupted. */
enum { LISTED = 32, FREE = 0, CHANGING, LIVE };
static struct {
    atomic_int state;
    char path[PATH_MAX];
} listed[LISTED];

/* Returns the entry's number, from 1; 0 if no entry is free. */
static int list(const char *temporary)
{
    size_t size = strlen(temporary) + 1;
    if (size > PATH_MAX) return 0;
    for (int i = 0; i < LISTED; i++) {
        int free_one = FREE;
        if (!atomic_compare_exchange_strong(&listed[i].state, &free_one, CHANGING)) continue;
        memcpy(listed[i].path, temporary, size);
        atomic_store(&listed[i].state, LIVE);
        return i + 1;
    }
    return 0;
}

/* Has no effect on an entry that a signal handler is removing. */
static void unlist(int place)
{
    int live = LIVE;
    if (place > 0) atomic_compare_exchange_strong(&listed[place - 1].state, &live, FREE);
}

void file_writers_drop(void)
{
    for (int i = 0; i < LISTED; i++) {
        int live = LIVE; /* CHANGING keeps other threads from reusing the entry */
        if (atomic_compare_exchange_strong(&listed[i].state, &live, CHANGING)) unlink(listed[i].path);
    }
}

static void writer_free(struct file_writer *w)
{
    unlist(w->listed);
    free(w->path);
    free(w->target);
    free(w->temporary);
    *w = (struct file_writer){.fd = -1};
}

/* A lock shows that this process still writes the file, even to processes that do not see its number (containers). One
 * that file_sweep holds or has just removed is no longer ours; where the file system has no locks, nothing is swept. */
static bool claim(int fd, const char *name)
{
    struct stat st;
    if (!file_lock(fd) && errno == EWOULDBLOCK) return false;
    if (fstat(fd, &st) == 0) return st.st_nlink > 0;
    unlink(name);
    return false;
}

/* O_EXCL ensures that the file is ours: a temporary of another thread or a dead process only costs another attempt. */
static int create_temporary(struct file_writer *w)
{
    int folder = folder_length(w->target);
    size_t size = (size_t)folder + 64;
    char *name = malloc(size);
    if (name == NULL) return -1;
    for (int i = 0; i < ATTEMPTS; i++) {
        snprintf(name, size, "%.*sgeoviewmatch-%ld-%d.tmp", folder, w->target, (long)getpid(), i);
        w->fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (w->fd >= 0 && claim(w->fd, name)) {
            w->temporary = name;
            w->listed = list(name);
            return 0;
        }
        if (w->fd < 0 && errno != EEXIST) break;
        if (w->fd >= 0) close(w->fd);
        w->fd = -1;
    }
    free(name);
    return -1;
}

gvm_status file_writer_open(struct file_writer *w, const char *path, gvm_error *err)
{
    mode_t mode;
    *w = (struct file_writer){.fd = -1};
    gvm_status status = check_target(&mode, path, err);
    if (status != GVM_OK) return status;
    w->path = strdup(path);
    w->target = w->path == NULL ? NULL : mode != 0 ? realpath(path, NULL) : strdup(path);
    if (w->path == NULL || w->target == NULL || create_temporary(w) != 0) {
        status = fail_errno(err, "create", path_tail(path));
        writer_free(w);
        return status;
    }
    if (mode != 0) fchmod(w->fd, mode); /* fails on a file system without permissions, harmlessly */
    return GVM_OK;
}

gvm_status file_writer_write(struct file_writer *w, const void *data, size_t size, gvm_error *err)
{
    assert(w->temporary != NULL);
    return file_append(w->fd, data, size) ? GVM_OK : fail_errno(err, "write", path_tail(w->path));
}

/* A stream's own write would not tell later why it failed. */
static ssize_t write_stream(void *writer, const char *data, size_t size)
{
    struct file_writer *w = writer;
    if (file_append(w->fd, data, size)) return (ssize_t)size;
    if (w->error == 0) w->error = errno;
    return 0;
}

static int seek_stream(void *writer, off64_t *at, int whence)
{
    const struct file_writer *w = writer;
    off_t to = lseek(w->fd, (off_t)*at, whence);
    if (to >= 0) *at = to;
    return to >= 0 ? 0 : -1;
}

static void close_stream(struct file_writer *w)
{
    if (w->stream != NULL) (void)fclose(w->stream); /* flushed before, or given up */
    w->stream = NULL;
}

gvm_status file_writer_stream(FILE **out, struct file_writer *w, const char *path, gvm_error *err)
{
    *out = NULL;
    gvm_status status = file_writer_open(w, path, err);
    if (status != GVM_OK) return status;
    *out = w->stream = fopencookie(w, "w", (cookie_io_functions_t){.write = write_stream, .seek = seek_stream});
    if (*out != NULL) return GVM_OK;
    status = fail_errno(err, "create", path_tail(path));
    file_writer_abort(w);
    return status;
}

/* A network file system may report a full disk only now. */
static bool close_written(struct file_writer *w)
{
    int fd = w->fd;
    if (w->stream != NULL && fflush(w->stream) != 0 && w->error == 0) w->error = errno;
    if (w->error != 0) errno = w->error;
    if (w->error != 0 || fsync(fd) != 0) return false;
    close_stream(w);
    w->fd = -1;
    return close(fd) == 0;
}

/* Best effort: the file is complete under either name, and some file systems cannot sync a folder. */
void file_sync_folder(const char *path)
{
    int length = folder_length(path);
    char *folder = length > 0 ? strndup(path, (size_t)length) : strdup(".");
    int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(folder);
    if (fd < 0) return;
    (void)fsync(fd);
    close(fd);
}

gvm_status file_writer_commit(struct file_writer *w, gvm_error *err)
{
    assert(w->temporary != NULL);
    if (!close_written(w) || rename(w->temporary, w->target) != 0) {
        gvm_status status = fail_errno(err, "write", path_tail(w->path));
        file_writer_abort(w);
        return status;
    }
    file_sync_folder(w->target);
    writer_free(w);
    return GVM_OK;
}

void file_writer_abort(struct file_writer *w)
{
    if (w->temporary == NULL) return;
    close_stream(w);
    if (w->fd >= 0) close(w->fd);
    unlink(w->temporary);
    writer_free(w);
}

gvm_status file_write(const char *path, const void *data, size_t size, gvm_error *err)
{
    struct file_writer w;
    gvm_status status = file_writer_open(&w, path, err);
    if (status != GVM_OK) return status;
    status = file_writer_write(&w, data, size, err);
    if (status == GVM_OK) return file_writer_commit(&w, err);
    file_writer_abort(&w);
    return status;
}

/* ------------------------------------------------------------------ what a killed process left */

static bool is_temporary(const char *name)
{
    int end = 0;
    return sscanf(name, "geoviewmatch-%*d-%*d.tmp%n", &end) == 0 && end > 0 && name[end] == '\0';
}

void file_sweep(const char *folder)
{
    DIR *all = opendir(folder);
    for (struct dirent *one; all != NULL && (one = readdir(all)) != NULL;) {
        if (!is_temporary(one->d_name)) continue;
        int fd = openat(dirfd(all), one->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0) continue;
        if (file_lock(fd)) unlinkat(dirfd(all), one->d_name, 0);
        close(fd);
    }
    if (all != NULL) closedir(all);
}
