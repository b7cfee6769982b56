/* labels.c - see labels.h */
#include "data/labels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "base/file.h"

bool is_there(const char *root, const char *name, gvm_status *status, gvm_error *err)
{
    bool there = false;
    if (*status != GVM_OK) return false;
    char *path = path_join(root, name);
    *status = path != NULL ? file_exists(&there, path, err) : fail(err, GVM_MEMORY, "%s: out of memory", name);
    free(path);
    return there;
}

gvm_status read_lines(const char *root, const char *name, char separator, int most, line_reader *read, void *context,
                      gvm_error *err)
{
    struct file_map file;
    struct csv csv;
    char *path = path_join(root, name);
    if (path == NULL) return fail(err, GVM_MEMORY, "cannot read %s: out of memory", name);
    gvm_status status = file_map(&file, path, err);
    free(path);
    if (status != GVM_OK) return status;
    csv_start(&csv, (const char *)file.data, file.size, separator, most, name);
    while (status == GVM_OK && csv_next(&csv, &status, err)) status = read(context, &csv, err);
    csv_free(&csv);
    file_unmap(&file);
    return status;
}

static gvm_status no_memory(const struct filler *f, gvm_error *err)
{
    return fail(err, GVM_MEMORY, "%s: out of memory for its list of pictures", f->dataset->root);
}

/* Labels are untrusted: they must not name files outside of the data set. */
static bool is_inside(const char *path)
{
    if (path[0] == '\0' || path[0] == '/') return false;
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0')) return false;
    }
    return true;
}

static gvm_status check_path(const char *path, const struct source *source, gvm_error *err)
{
    if (is_inside(path)) return GVM_OK;
    if (path[0] == '\0')
        return fail(err, GVM_FORMAT, "%s, %s %zu: a picture's name is empty", source->file, source->unit,
                    source->number);
    return fail(err, GVM_FORMAT, "%s, %s %zu: '%.200s' is outside the data set's folder", source->file, source->unit,
                source->number, path);
}

/* NaN is an unknown position. */
static gvm_status check_place(const struct filler *f, double lat, double lon, const struct source *source,
                              gvm_error *err)
{
    if (f->as_listed || !(fabs(lat) > 90 || fabs(lon) > 180)) return GVM_OK;
    return fail(err, GVM_FORMAT, "%s, %s %zu: latitude %.8g, longitude %.8g is out of range", source->file,
                source->unit, source->number, lat, lon);
}

/* *path, out: path of the picture, freed by the caller; NULL if it is missing. */
static gvm_status find_picture(char **path, struct filler *f, const char *name, gvm_error *err)
{
    *path = path_join(f->dataset->root, name);
    if (*path == NULL) return no_memory(f, err);
    bool there = f->as_listed;
    gvm_status status = there ? GVM_OK : file_exists(&there, *path, err);
    if (there) return GVM_OK;
    if (status != GVM_OK) {
        free(*path);
        *path = NULL;
        return status;
    }
    if (f->dataset->missing == NULL)
        f->dataset->missing = *path;
    else
        free(*path);
    *path = NULL;
    return GVM_OK;
}

void filler_start(struct filler *f, struct dataset *dataset, const struct dataset_options *options)
{
    *f = (struct filler){.dataset = dataset, .as_listed = options->as_listed};
    f->tiles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void split_free(struct split *split)
{
    for (int i = 0; i < split->query_count; i++) {
        free(split->queries[i].path);
        free(split->queries[i].id);
    }
    for (int i = 0; i < split->tile_count; i++) free(split->tiles[i].path);
    free(split->queries);
    free(split->tiles);
    *split = (struct split){0};
}

gvm_status filler_end(struct filler *f, struct split *split, gvm_status status)
{
    if (status == GVM_OK && split != NULL) {
        f->dataset->left_out += f->left_out;
        *split = f->split;
    } else {
        split_free(&f->split);
    }
    g_hash_table_destroy(f->tiles);
    return status;
}

int filler_find(const struct filler *f, const char *path)
{
    gpointer value;
    if (!g_hash_table_lookup_extended(f->tiles, path, NULL, &value)) return NOT_LISTED;
    return GPOINTER_TO_INT(value) - 1;
}

gvm_status filler_tile(int *index, struct filler *f, const char *path, double lat, double lon,
                       const struct source *source, gvm_error *err)
{
    char *file = NULL;
    bool cell = f->dataset->rasters != NULL;
    gvm_status status = check_place(f, lat, lon, source, err);
    *index = filler_find(f, path);
    if (*index != NOT_LISTED) {
        struct tile *tile = *index >= 0 ? &f->split.tiles[*index] : NULL;
        if (tile != NULL && isnan(tile->lat)) {
            tile->lat = lat;
            tile->lon = lon;
        }
        return status;
    }
    if (status == GVM_OK && !cell) status = check_path(path, source, err);
    if (status == GVM_OK && !cell) status = find_picture(&file, f, path, err);
    if (status == GVM_OK && cell && (file = strdup(path)) == NULL) status = no_memory(f, err);
    if (status != GVM_OK) return status;
    *index = file != NULL ? f->split.tile_count : NOT_THERE;
    if (file != NULL) {
        struct tile *tiles = array_room(f->split.tiles, (size_t)f->split.tile_count, sizeof *tiles);
        if (tiles == NULL) {
            free(file);
            return no_memory(f, err);
        }
        f->split.tiles = tiles;
        tiles[f->split.tile_count++] = (struct tile){file, lat, lon};
    }
    g_hash_table_insert(f->tiles, g_strdup(path), GINT_TO_POINTER(*index + 1));
    return GVM_OK;
}

/* Takes ownership of file. The query is left out if file is NULL or the query has no tile. */
static gvm_status add_query(struct filler *f, const struct query *query, char *file, gvm_error *err)
{
    bool there = file != NULL && query->tile >= 0;
    char *id = there ? strdup(query->id) : NULL;
    struct query *queries =
        id != NULL ? array_room(f->split.queries, (size_t)f->split.query_count, sizeof *queries) : NULL;
    if (queries == NULL) {
        free(file);
        free(id);
        f->left_out += !there;
        return there ? no_memory(f, err) : GVM_OK;
    }
    f->split.queries = queries;
    queries += f->split.query_count++;
    *queries = *query;
    queries->path = file;
    queries->id = id;
    return GVM_OK;
}

static gvm_status find_street(char **file, struct filler *f, const struct query *query, const struct source *source,
                              gvm_error *err)
{
    *file = NULL;
    gvm_status status = check_path(query->path, source, err);
    if (status == GVM_OK) status = check_place(f, query->lat, query->lon, source, err);
    if (status == GVM_OK) status = find_picture(file, f, query->path, err);
    return status;
}

gvm_status filler_query(struct filler *f, const struct query *query, const struct source *source, gvm_error *err)
{
    char *file;
    gvm_status status = find_street(&file, f, query, source, err);
    return status == GVM_OK ? add_query(f, query, file, err) : status;
}

gvm_status filler_pair(struct filler *f, const struct query *query, const char *tile, double lat, double lon,
                       const struct source *source, gvm_error *err)
{
    char *file;
    struct query pair = *query;
    pair.tile = NOT_THERE;
    gvm_status status = find_street(&file, f, query, source, err);
    if (status == GVM_OK && file == NULL && f->dataset->rasters == NULL) status = check_path(tile, source, err);
    if (status == GVM_OK && file != NULL) status = filler_tile(&pair.tile, f, tile, lat, lon, source, err);
    if (status == GVM_OK) return add_query(f, &pair, file, err);
    free(file);
    return status;
}
