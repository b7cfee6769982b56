/* map_make.c - creates a map's two files. The GeoPackage is made in memory, written under a temporary name and renamed.
 *
 * The temporary name is derived from the map's, so that the next attempt deletes the leftovers of a killed process. */
#define _GNU_SOURCE /* renameat2 */
#include "map/map_parts.h"

#include <cpl_conv.h>
#include <cpl_vsi.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

/* ------------------------------------------------------------------ recognising our own files */

/* First bytes of SQLite's files: the database, a journal, and a write-ahead log in both byte orders. */
static const char *const sqlite_starts[] = {"SQLite format 3", "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", "\x37\x7f\x06\x82",
                                            "\x37\x7f\x06\x83"};

/* *ours: the path is a regular file that is empty or begins like one of SQLite's; links are not followed. */
static gvm_status look(bool *ours, const char *path, const struct stat *st, gvm_error *err)
{
    char bytes[16] = "";
    *ours = S_ISREG(st->st_mode) && st->st_size == 0;
    if (*ours || !S_ISREG(st->st_mode)) return GVM_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = fd >= 0 ? file_read_at(fd, bytes, sizeof bytes, 0) : -1;
    gvm_status status = n < 0 ? fail_errno(err, "read", path_tail(path)) : GVM_OK;
    if (fd >= 0) close(fd);
    for (size_t i = 0; i < sizeof sqlite_starts / sizeof *sqlite_starts; i++)
        if (n >= (ssize_t)strlen(sqlite_starts[i]) && memcmp(bytes, sqlite_starts[i], strlen(sqlite_starts[i])) == 0)
            *ours = true;
    return status;
}

/* Delete the leftovers of a killed process under this name. */
static gvm_status clear_leftover(const char *path, gvm_error *err)
{
    bool ours;
    struct stat st;
    if (lstat(path, &st) != 0) return errno == ENOENT ? GVM_OK : fail_errno(err, "read", path_tail(path));
    gvm_status status = look(&ours, path, &st, err);
    if (status != GVM_OK) return status;
    if (ours) return unlink(path) == 0 || errno == ENOENT ? GVM_OK : fail_errno(err, "replace", path_tail(path));
    return fail(err, GVM_FILE,
                "%s: it exists and does not belong to a map; move it away, or choose another name for the map",
                path_tail(path));
}

/* Delete the journal of an earlier map that was deleted: SQLite would roll its old pages back into the new file. */
static gvm_status clear_journals(const char *path, gvm_error *err)
{
    static const char *const ends[] = {"-journal", "-wal"};
    gvm_status status = GVM_OK;
    for (size_t i = 0; i < sizeof ends / sizeof *ends && status == GVM_OK; i++) {
        char *name = path_with(path, ends[i]);
        status = name != NULL ? clear_leftover(name, err)
                              : fail(err, GVM_MEMORY, "%s: cannot make it: out of memory", path_tail(path));
        free(name);
    }
    return status;
}

/* ------------------------------------------------------------------ features */

gvm_status map_make_features(struct map_file *f, gvm_error *err)
{
    const int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW;
    f->features = open(f->features_path, flags | O_CREAT | O_EXCL, 0666);
    f->made = f->features >= 0;
    if (!f->made && errno == EEXIST) f->features = open(f->features_path, flags);
    if (f->features < 0 && (errno == ELOOP || errno == EMLINK))
        return fail(err, GVM_FILE, "%s: it is a symbolic link; move it away, or choose another name for the map",
                    f->features_where);
    return f->features >= 0 ? GVM_OK : fail_errno(err, "make", f->features_where);
}

/* Refuse a features file with rows, which may have lost its GeoPackage, and any file that is not a map's. */
static gvm_status claim_features(struct map_file *f, gvm_error *err)
{
    struct stat file;
    uint8_t bytes[FEATURES_START];
    if (fstat(f->features, &file) != 0) return fail_errno(err, "read", f->features_where);
    if (file.st_size > 0) {
        ssize_t n = file_read_at(f->features, bytes, sizeof bytes, 0);
        if (n < 0) return fail_errno(err, "read", f->features_where);
        bool features = features_start(bytes, (size_t)n);
        if (!features || file.st_size > FEATURES_START)
            return fail(err, GVM_FILE, "%s: %s; move it away, or choose another name for the map", f->features_where,
                        features ? "it exists without its .gpkg" : "it exists and does not belong to a map");
    }
    f->made = true;
    return GVM_OK;
}

static gvm_status write_features(const struct map_file *f, gvm_error *err)
{
    uint8_t header[FEATURES_START];
    features_header(header, &f->id);
    bool done = ftruncate(f->features, 0) == 0 && file_write_at(f->features, header, sizeof header, 0) &&
                fsync(f->features) == 0;
    return done ? GVM_OK : fail_errno(err, "write", f->features_where);
}

/* ------------------------------------------------------------------ the GeoPackage */

/* Write a new file under the temporary name. */
static gvm_status write_package(const char *temporary, const struct map_file *f, gvm_error *err)
{
    vsi_l_offset size;
    char name[64];
    snprintf(name, sizeof name, "/vsimem/geoviewmatch-%s.gpkg", f->id.id);
    gvm_status status = map_table_create(f, name, err);
    GByte *bytes = status == GVM_OK ? VSIGetMemFileBuffer(name, &size, true) : NULL;
    VSIUnlink(name);
    if (status != GVM_OK) return status;
    if (bytes == NULL) return fail(err, GVM_MEMORY, "%s: cannot make it: out of memory", f->where);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    bool done = fd >= 0 && file_append(fd, bytes, (size_t)size) && fsync(fd) == 0;
    if (!done) status = fail_errno(err, "write", f->where);
    if (fd >= 0) close(fd);
    if (fd >= 0 && !done) unlink(temporary);
    CPLFree(bytes);
    return status;
}

/* Rename it, unless a file with the final name has appeared meanwhile. */
static int rename_new(const char *from, const char *to)
{
    int broken = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
    if (broken == 0 || (errno != EINVAL && errno != ENOSYS)) return broken;
    struct stat st; /* for file systems without RENAME_NOREPLACE */
    if (lstat(to, &st) != 0) return rename(from, to);
    errno = EEXIST;
    return -1;
}

static gvm_status make_package(const struct map_file *f, gvm_error *err)
{
    char *temporary = path_with(f->features_path, ".tmp.gpkg");
    if (temporary == NULL) return fail(err, GVM_MEMORY, "%s: cannot make it: out of memory", f->where);
    gvm_status status = clear_leftover(temporary, err);
    if (status == GVM_OK) status = clear_journals(temporary, err);
    if (status == GVM_OK) status = clear_journals(f->path, err);
    if (status == GVM_OK) status = write_package(temporary, f, err);
    if (status == GVM_OK && rename_new(temporary, f->path) != 0) {
        status = fail_errno(err, "make", f->where);
        unlink(temporary);
    }
    if (status == GVM_OK) file_sync_folder(f->path);
    free(temporary);
    return status;
}

static bool draw_id(char id[MAP_ID + 1])
{
    uint8_t bytes[MAP_ID / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) return false;
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(id + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

gvm_status map_make(struct map_file *f, gvm_error *err)
{
    gvm_status status = claim_features(f, err);
    if (status == GVM_OK && !draw_id(f->id.id)) status = fail_errno(err, "make", f->where);
    if (status == GVM_OK) status = write_features(f, err);
    if (status == GVM_OK) status = make_package(f, err);
    if (status != GVM_OK && f->made) unlink(f->features_path);
    return status;
}
