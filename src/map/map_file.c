/* map_file.c - a map's two files are made, opened and checked. The GeoPackage goes through GDAL's own driver. */
#include "map/map_file.h"

#include <cpl_string.h>
#include <errno.h>
#include <fcntl.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "map/gdal.h"
#include "map/map_table.h"

gvm_status map_features_path(char **features, const char *path, gvm_error *err)
{
    size_t length = strlen(path), stem = length > 5 ? length - 5 : 0;
    *features = NULL;
    if (stem == 0 || path[stem - 1] == '/' || strcasecmp(path + stem, ".gpkg") != 0)
        return fail(err, GVM_ARGUMENT, "%s: a map's name ends in .gpkg", path_tail(path));
    *features = malloc(stem + sizeof ".features");
    if (*features == NULL) return fail(err, GVM_MEMORY, "%s: there is not enough memory for it", path_tail(path));
    memcpy(*features, path, stem);
    strcpy(*features + stem, ".features");
    return GVM_OK;
}

gvm_status map_file_match(const char *where, const char *fingerprint, const gvm_model_info *info, gvm_error *err)
{
    if (strcmp(fingerprint, info->fingerprint) == 0) return GVM_OK;
    return fail(err, GVM_MISMATCH, "%s: the map was made with other weights (fingerprint %s) than these (%s)", where,
                fingerprint, info->fingerprint);
}

/* ------------------------------------------------------------------ making one */

static bool draw_id(char id[MAP_ID + 1])
{
    uint8_t bytes[MAP_ID / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) return false;
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(id + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

/* One that has rows and lost its GeoPackage may be somebody's work. */
static gvm_status check_left_over(const char *path, gvm_error *err)
{
    struct stat file;
    if (stat(path, &file) != 0 || file.st_size <= FEATURES_START) return GVM_OK;
    return fail(err, GVM_FILE, "%s: it lies there without its .gpkg: move it away, or take another name",
                path_tail(path));
}

static gvm_status write_features(const char *path, const struct features_facts *id, gvm_error *err)
{
    uint8_t header[FEATURES_START];
    struct file_writer writer;
    features_header(header, id);
    gvm_status status = check_left_over(path, err);
    if (status == GVM_OK) status = file_writer_open(&writer, path, err);
    if (status != GVM_OK) return status;
    status = file_writer_write(&writer, header, sizeof header, err);
    if (status == GVM_OK) return file_writer_commit(&writer, err);
    file_writer_abort(&writer);
    return status;
}

/* In the same folder, so that it can be renamed; GDAL wants the extension. */
static char *temporary_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    int folder = slash != NULL ? (int)(slash + 1 - path) : 0;
    size_t size = (size_t)folder + 64;
    char *name = malloc(size);
    if (name != NULL) snprintf(name, size, "%.*sgeoviewmatch-%ld.tmp.gpkg", folder, path, (long)getpid());
    return name;
}

/* The features come first: a GeoPackage under its own name has them. */
gvm_status map_file_create(const char *path, const gvm_model_info *info, json_t *jobs, gvm_error *err)
{
    struct map_file file = {.path = (char *)path, .where = path_tail(path), .ground_m = info->ground_m, .jobs = jobs};
    file.id.width = info->features;
    memcpy(file.fingerprint, info->fingerprint, sizeof file.fingerprint);
    char *temporary = NULL;
    gvm_status status = map_features_path(&file.features_path, path, err);
    if (status == GVM_OK && !draw_id(file.id.id)) status = fail_errno(err, "make", file.where);
    if (status == GVM_OK && (temporary = temporary_name(path)) == NULL)
        status = fail(err, GVM_MEMORY, "%s: there is not enough memory for it", file.where);
    if (status == GVM_OK) status = write_features(file.features_path, &file.id, err);
    if (status == GVM_OK) {
        unlink(temporary); /* of a process that had our number */
        status = map_table_create(&file, temporary, err);
        if (status == GVM_OK && rename(temporary, path) != 0) status = fail_errno(err, "write", file.where);
        if (status == GVM_OK) {
            file_sync_folder(path);
        } else {
            unlink(temporary);
            unlink(file.features_path);
        }
    }
    free(temporary);
    free(file.features_path);
    json_decref(jobs);
    return status;
}

/* ------------------------------------------------------------------ opening one */

/* Hold the features for ourselves until they are closed, and forget what was not committed. */
static gvm_status hold_features(struct map_file *f, gvm_error *err)
{
    f->features = open(f->features_path, O_RDWR | O_CLOEXEC);
    if (f->features < 0) return fail_errno(err, "open", f->features_where);
    if (flock(f->features, LOCK_EX | LOCK_NB) != 0)
        return fail(err, GVM_FILE, "%s: another process is changing this map", f->where);
    return GVM_OK;
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
    return ftruncate(f->features, size) == 0 ? GVM_OK : fail_errno(err, "write", f->features_where);
}

static gvm_status open_files(struct map_file *f, bool write, gvm_error *err)
{
    struct file_map bytes; /* for the sentence of what is no file */
    gvm_status status = file_map(&bytes, f->path, err);
    if (status != GVM_OK) return status;
    bool package = bytes.size >= 16 && memcmp(bytes.data, "SQLite format 3", 16) == 0;
    file_unmap(&bytes);
    if (!package) return fail(err, GVM_FORMAT, "%s: it is not a GeoPackage", f->where);
    status = map_features_path(&f->features_path, f->path, err);
    if (status != GVM_OK) return status;
    f->features_where = path_tail(f->features_path);
    if (write && access(f->features_path, F_OK) == 0) status = hold_features(f, err);
    if (status == GVM_OK) status = map_table_open(f, write, err);
    return status == GVM_OK ? check_features(f, err) : status;
}

gvm_status map_file_open(struct map_file **file, const char *path, bool write, gvm_error *err)
{
    *file = NULL;
    struct map_file *f = calloc(1, sizeof *f);
    if (f != NULL) f->path = strdup(path);
    if (f == NULL || f->path == NULL) {
        free(f);
        return fail(err, GVM_MEMORY, "%s: there is not enough memory to open it", path_tail(path));
    }
    f->where = path_tail(f->path);
    f->features = -1;
    gvm_status status = open_files(f, write, err);
    if (status == GVM_OK)
        *file = f;
    else
        map_file_close(f);
    return status;
}

void map_file_close(struct map_file *f)
{
    if (f == NULL) return;
    map_table_close(f);
    if (f->features >= 0) close(f->features);
    json_decref(f->jobs);
    free(f->features_path);
    free(f->path);
    free(f);
}
