/* map_file.c - opens, locks, checks and deletes a map's two files. map_make.c creates them. */
#include "map/map_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "map/map.h"
#include "map/map_parts.h"

gvm_status map_features_path(char **features, const char *path, gvm_error *err)
{
    size_t length = strlen(path), stem = length > 5 ? length - 5 : 0;
    *features = NULL;
    if (stem == 0 || path[stem - 1] == '/' || strcasecmp(path + stem, ".gpkg") != 0)
        return fail(err, GVM_ARGUMENT, "%s: expected a map's name, which ends in .gpkg; make one with `index`",
                    path_tail(path));
    *features = malloc(stem + sizeof ".features");
    if (*features == NULL) return fail(err, GVM_MEMORY, "%s: out of memory", path_tail(path));
    memcpy(*features, path, stem);
    memcpy(*features + stem, ".features", sizeof ".features");
    return GVM_OK;
}

gvm_status map_match(const char *where, const char *fingerprint, int width, const gvm_model_info *info, gvm_error *err)
{
    if (strcmp(fingerprint, info->fingerprint) != 0)
        return fail(
            err, GVM_MISMATCH,
            "%s: the map was made with weights of fingerprint %s, got %s; use those weights, or rebuild the map", where,
            fingerprint, info->fingerprint);
    if (width != info->features)
        return fail(err, GVM_MISMATCH,
                    "%s: its features have %d numbers, expected %d from these weights; the file is corrupt", where,
                    width, info->features);
    return GVM_OK;
}

gvm_status map_file_unlink(const char *path, gvm_error *err)
{
    static const char *const ends[] = {"", "-journal", "-wal", "-shm"};
    gvm_status status = GVM_OK;
    for (size_t i = 0; i < sizeof ends / sizeof *ends && status == GVM_OK; i++) {
        char *name = path_with(path, ends[i]);
        if (name == NULL)
            status = fail(err, GVM_MEMORY, "%s: cannot replace it: out of memory", path_tail(path));
        else if (unlink(name) != 0 && errno != ENOENT)
            status = fail_errno(err, "replace", path_tail(name));
        free(name);
    }
    return status;
}

/* ------------------------------------------------------------------ opening one */

/* Open and lock the features file, which locks the map; `make`: create it for a new map. Another process may delete the
 * file between opening and locking, so that is checked. */
static gvm_status hold_features(struct map_file *f, bool make, gvm_error *err)
{
    for (;;) {
        struct stat held, named = {0};
        gvm_status status = make ? map_make_features(f, err) : GVM_OK;
        if (status != GVM_OK) return status;
        if (!make) f->features = open(f->features_path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        bool other = false; /* has them */
        if (f->features < 0 || fstat(f->features, &held) != 0)
            status = fail_errno(err, "open", f->features_where);
        else if (!S_ISREG(held.st_mode))
            status = fail(err, GVM_FILE, "%s: it is not a regular file", f->features_where);
        else if (!file_lock(f->features))
            status = (other = errno == EWOULDBLOCK)
                         ? fail(err, GVM_FILE, "%s: another process is building or changing this map", f->where)
                         : fail_errno(err, "lock", f->features_where);
        else if (stat(f->features_path, &named) != 0 && errno != ENOENT)
            status = fail_errno(err, "find", f->features_where);
        else if (named.st_dev == held.st_dev && named.st_ino == held.st_ino)
            return GVM_OK;
        if (status != GVM_OK && f->made && !other) unlink(f->features_path);
        if (status != GVM_OK) return status;
        close(f->features);
    }
}

static gvm_status check_features(struct map_file *f, gvm_error *err)
{
    struct file_map map;
    gvm_status status = file_map(&map, f->features_path, err);
    if (status != GVM_OK) return status;
    status = features_check(map.data, map.size, &f->id, f->rows, f->features_where, err);
    file_unmap(&map);
    if (status != GVM_OK || f->features < 0) return status;
    f->end = f->rows;
    off_t size = (off_t)(FEATURES_START + f->rows * (size_t)f->id.width * sizeof(uint16_t));
    struct stat st; /* truncate only if needed: the service takes a new modification time for a change of the map */
    if (fstat(f->features, &st) == 0 && st.st_size == size) return GVM_OK;
    return ftruncate(f->features, size) == 0 ? GVM_OK : fail_errno(err, "write", f->features_where);
}

static gvm_status open_files(struct map_file *f, bool write, gvm_error *err)
{
    struct file_map bytes; /* gives the error message if it is not a file */
    gvm_status status = file_map(&bytes, f->path, err);
    if (status != GVM_OK) return status;
    bool package = bytes.size >= 16 && memcmp(bytes.data, "SQLite format 3", 16) == 0;
    file_unmap(&bytes);
    if (!package) return fail(err, GVM_FORMAT, "%s: it is not a GeoPackage", f->where);
    bool there = false;
    if (write && f->features < 0) status = file_exists(&there, f->features_path, err);
    if (status == GVM_OK && there) status = hold_features(f, false, err);
    if (status == GVM_OK) status = map_table_open(f, write, err);
    return status == GVM_OK ? check_features(f, err) : status;
}

static gvm_status new_file(struct map_file **file, const char *path, gvm_error *err)
{
    *file = NULL;
    struct map_file *f = calloc(1, sizeof *f);
    if (f != NULL) f->path = strdup(path);
    if (f == NULL || f->path == NULL) {
        free(f);
        return fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", path_tail(path));
    }
    f->where = path_tail(f->path);
    f->features = -1;
    *file = f;
    gvm_status status = map_features_path(&f->features_path, path, err);
    f->features_where = status == GVM_OK ? path_tail(f->features_path) : NULL;
    return status;
}

/* Return the map, or close it if opening failed. */
static gvm_status opened(struct map_file **file, gvm_status status)
{
    if (status == GVM_OK) return GVM_OK;
    map_file_close(*file);
    *file = NULL;
    return status;
}

gvm_status map_file_open(struct map_file **file, const char *path, bool write, gvm_error *err)
{
    gvm_status status = new_file(file, path, err);
    if (status == GVM_OK) status = open_files(*file, write, err);
    return opened(file, status);
}

/* While the features are locked no other process creates the map, but one may have done so before. An existing file
 * must prove to be a map first. */
gvm_status map_file_create(struct map_file **file, const char *path, const gvm_model_info *info, double ground_m,
                           json_t *jobs, gvm_error *err)
{
    gvm_status status = new_file(file, path, err);
    struct map_file *f = *file;
    bool there = false, now = true;
    if (status == GVM_OK) status = file_exists(&there, path, err);
    if (status == GVM_OK && !there) status = hold_features(f, true, err);
    if (status == GVM_OK && !there) {
        status = file_exists(&now, path, err);
        if (status != GVM_OK && f->made) unlink(f->features_path);
    }
    if (status == GVM_OK && !now) {
        f->ground_m = ground_m;
        f->id.width = info->features;
        memcpy(f->fingerprint, info->fingerprint, sizeof f->fingerprint);
        f->jobs = json_incref(jobs);
        status = map_make(f, err);
    }
    json_decref(jobs);
    if (status == GVM_OK) status = open_files(f, true, err);
    return opened(file, status);
}

void map_file_close(struct map_file *f)
{
    if (f == NULL) return;
    map_table_close(f);
    if (f->features >= 0) close(f->features);
    json_decref(f->jobs);
    free(f->replaced);
    free(f->features_path);
    free(f->path);
    free(f);
}
