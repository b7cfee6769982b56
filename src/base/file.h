/* file.h - whole files in and out: a file mapped for reading, and a file that appears under its name only
 * once it is complete. */
#ifndef GVM_BASE_FILE_H
#define GVM_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "geoviewmatch.h"

/* The last part of a path, at most 200 bytes, so that a sentence has room for what comes after it. */
const char *path_tail(const char *path);

/* folder/name, and a path with something behind it; to be freed. NULL without memory. */
char *path_join(const char *folder, const char *name);
char *path_with(const char *path, const char *end);

/* As pread, pwrite, write and flock (LOCK_EX | LOCK_NB), with what a signal cut short done again. file_read_at returns
 * how many bytes there were, -1 on failure; the others false. errno tells why. */
ssize_t file_read_at(int fd, void *data, size_t size, uint64_t offset);
bool file_write_at(int fd, const void *data, size_t size, uint64_t offset);
bool file_append(int fd, const void *data, size_t size);
bool file_lock(int fd);

struct file_map {
    const unsigned char *data; /* aligned to a page; valid until file_unmap */
    size_t size;               /* bytes, at least 1 */
};

/* Map a regular file read-only. GVM_FILE where it cannot be read or is no regular file, GVM_FORMAT where it
 * is empty. On failure *map is zero. The pages come from the file as they are touched: whoever shortens it
 * in place meanwhile ends the program with SIGBUS, so replace such a file, as file_writer does. */
gvm_status file_map(struct file_map *map, const char *path, gvm_error *err);

/* Fine on a zero map, and twice. */
void file_unmap(struct file_map *map);

/* A file being written beside its target. Until commit the target is as it was before, or absent; a process
 * that is killed leaves a `geoviewmatch-PID-N.tmp` in the target's folder. Zero when not open. */
struct file_writer {
    char *path;      /* as the caller gave it, for sentences */
    char *target;    /* the same with symbolic links followed */
    char *temporary; /* in the target's folder; NULL when not open */
    int fd;
    FILE *stream; /* file_writer_stream's */
};

/* Start writing `path`. GVM_FILE where it names something else than a regular file, or one that may not be
 * written, or where its folder takes no new file. An existing file's permissions carry over. */
gvm_status file_writer_open(struct file_writer *w, const char *path, gvm_error *err);

/* Append. GVM_FILE where the disk is full or fails; abort then. */
gvm_status file_writer_write(struct file_writer *w, const void *data, size_t size, gvm_error *err);

/* The same as a stream, instead of file_writer_write. A failed write is reported by commit. *out is NULL on failure.
 */
gvm_status file_writer_stream(FILE **out, struct file_writer *w, const char *path, gvm_error *err);

/* Put the new file in the target's place, once it is on the disk. Closes w, also on failure, where the
 * target is untouched and the temporary gone. */
gvm_status file_writer_commit(struct file_writer *w, gvm_error *err);

/* Give up: the temporary goes, the target stays. Fine on a writer that is not open. */
void file_writer_abort(struct file_writer *w);

/* All of that for bytes that are there. */
gvm_status file_write(const char *path, const void *data, size_t size, gvm_error *err);

/* Remove the temporaries of all open writers, whose process is about to end. For a signal's handler. */
void file_writers_drop(void);

/* Remove the temporaries that killed processes left in a folder; those of processes that still write stay. */
void file_sweep(const char *folder);

/* Make a rename last: put the folder of `path` on the disk. */
void file_sync_folder(const char *path);

#endif
