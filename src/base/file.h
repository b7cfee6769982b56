/* file.h - file input and output: read-only mappings, and files that appear under their name only once they are
 * complete */
#ifndef GVM_BASE_FILE_H
#define GVM_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "geoviewmatch.h"

/* The end of a path, at most 200 bytes, so that error messages have room for the rest of the sentence. */
const char *path_tail(const char *path);

/* Concatenate folder/name, or a path and a suffix. The caller frees the result. NULL if out of memory. */
char *path_join(const char *folder, const char *name);
char *path_with(const char *path, const char *end);

/* Whether there is anything of that name, also behind a link; GVM_FILE if that cannot be found out. */
gvm_status file_exists(bool *there, const char *path, gvm_error *err);

/* A file's size and the time of its last change, in seconds and nanoseconds; -1, 0, 0 if it is not there. GVM_FILE if
 * that cannot be found out. */
gvm_status file_stamp(int64_t stamp[3], const char *path, gvm_error *err);

/* As pread, pwrite, write and flock (LOCK_EX | LOCK_NB), retried after EINTR and short transfers. file_read_at returns
 * the number of bytes read, fewer than `size` only at the end of the file, or -1 on failure. The others return false on
 * failure. errno has the reason. */
ssize_t file_read_at(int fd, void *data, size_t size, uint64_t offset);
bool file_write_at(int fd, const void *data, size_t size, uint64_t offset);
bool file_append(int fd, const void *data, size_t size);
bool file_lock(int fd);

struct file_map {
    const unsigned char *data; /* page-aligned; valid until file_unmap */
    size_t size;               /* bytes, at least 1 */
};

/* Map a regular file read-only. Returns GVM_FILE if it cannot be read or is not a regular file, GVM_FORMAT if it is
 * empty, GVM_MEMORY; *map is zero then. Pages are read when they are touched: if another process truncates the file
 * meanwhile, this one gets SIGBUS. Replace such files with file_writer instead of truncating them. */
gvm_status file_map(struct file_map *map, const char *path, gvm_error *err);

/* May be called on a zero map, and twice. */
void file_unmap(struct file_map *map);

/* A file being written to a temporary beside its target. Until commit the target stays as it was. A killed process
 * leaves a `geoviewmatch-PID-N.tmp` in the target's folder. Zero when not open. */
struct file_writer {
    char *path;      /* as given by the caller, for error messages */
    char *target;    /* path with symbolic links resolved */
    char *temporary; /* in the target's folder; NULL when not open */
    int fd;
    FILE *stream; /* from file_writer_stream */
    int error;    /* errno of its first failed write */
    int listed;   /* place in the list for file_writers_drop; 0: none */
};

/* Start writing `path`. Returns GVM_FILE if it exists and is not a writable regular file, or if its folder is not
 * writable. The permissions of an existing file are kept. */
gvm_status file_writer_open(struct file_writer *w, const char *path, gvm_error *err);

/* Append. Returns GVM_FILE if the disk is full or fails; the caller then aborts. */
gvm_status file_writer_write(struct file_writer *w, const void *data, size_t size, gvm_error *err);

/* Open a stream to write the file through, instead of file_writer_write. Commit reports failed writes. *out is NULL on
 * failure. */
gvm_status file_writer_stream(FILE **out, struct file_writer *w, const char *path, gvm_error *err);

/* Sync the new file to disk and rename it over the target. Closes w in any case. On failure the target is unchanged and
 * the temporary is removed. */
gvm_status file_writer_commit(struct file_writer *w, gvm_error *err);

/* Remove the temporary and leave the target unchanged. May be called on a writer that is not open. */
void file_writer_abort(struct file_writer *w);

/* Open, write all bytes and commit. */
gvm_status file_write(const char *path, const void *data, size_t size, gvm_error *err);

/* Remove the temporaries of all open writers before the process ends. Async-signal-safe. */
void file_writers_drop(void);

/* Remove the temporaries that killed processes left in a folder; those of processes that still write stay. */
void file_sweep(const char *folder);

/* Sync the folder of `path`, so that a rename survives a crash. */
void file_sync_folder(const char *path);

#endif
