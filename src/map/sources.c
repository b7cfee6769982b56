/* sources.c - stores and finds the source files of a map, so that it works from any working directory, and after it was
 * moved together with them. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_text.h"
#include "map/map.h"
#include "map/map_parts.h"

/* ------------------------------------------------------------------ store */

/* The relative path from a folder to a path, both absolute and normalised. */
static gchar *way_to(const char *folder, const char *path)
{
    size_t same = 0, i = 0; /* length of the common folders, with the last slash */
    for (; folder[i] != '\0' && folder[i] == path[i]; i++)
        if (path[i] == '/') same = i + 1;
    if (folder[i] == '\0' && path[i] == '/') same = i + 1;
    GString *way = g_string_new(NULL);
    for (const char *rest = strlen(folder) > same ? folder + same : ""; *rest != '\0'; rest += *rest == '/') {
        g_string_append(way, "../");
        rest += strcspn(rest, "/");
    }
    g_string_append(way, path + same);
    return g_string_free(way, FALSE);
}

static gchar *absolute(const char *path)
{
    return g_canonicalize_filename(path, NULL);
}

static gchar *folder_of(const char *map)
{
    gchar *all = absolute(map), *folder = g_path_get_dirname(all);
    g_free(all);
    return folder;
}

bool source_put(json_t *source, const char *key, const char *map)
{
    const char *name = json_string_value(json_object_get(source, key));
    if (name == NULL) return true;
    gchar *folder = folder_of(map), *at = absolute(name), *way = way_to(folder, at);
    bool enough = json_object_set_new(source, "at", json_text(at)) == 0 &&
                  json_object_set_new(source, "beside", json_text(way)) == 0;
    g_free(folder);
    g_free(at);
    g_free(way);
    return enough;
}

bool source_is(const json_t *a, const json_t *b, const char *key)
{
    const char *p = json_string_value(json_object_get(a, key)), *q = json_string_value(json_object_get(b, key));
    if (p == NULL || q == NULL) return false;
    if (strcmp(p, q) == 0) return true;
    const char *keys[] = {"at", "beside"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *s = json_string_value(json_object_get(a, keys[i])),
                   *t = json_string_value(json_object_get(b, keys[i]));
        if (s != NULL && t != NULL && strcmp(s, t) == 0) return true;
    }
    return false;
}

/* ------------------------------------------------------------------ find */

const char *map_name(const gvm_map *map)
{
    const char *slash = strrchr(map->path, '/');
    return slash != NULL ? slash + 1 : map->path;
}

/* The path if the file exists, else NULL. Takes ownership of the path; the caller frees the result. */
static char *if_there(char *path)
{
    if (path != NULL && access(path, R_OK) == 0) return path;
    free(path);
    return NULL;
}

/* Find a part of a source, or the source itself (part NULL), at its absolute path or at its path relative to the map.
 * in_folder: the source is the part's folder, else a file in the same folder. *known: the source has a stored path. */
static char *find_part(bool *known, const gvm_map *map, const json_t *source, const char *part, bool in_folder)
{
    const char *at = json_string_value(json_object_get(source, "at"));
    const char *beside = json_string_value(json_object_get(source, "beside"));
    char *bases[2] = {at != NULL ? strdup(at) : NULL, beside != NULL ? tiles_path(map->path, beside) : NULL};
    char *found = NULL;
    *known = *known || at != NULL;
    for (int i = 0; i < 2; i++) {
        if (bases[i] != NULL && found == NULL)
            found = if_there(part == NULL ? strdup(bases[i])
                             : in_folder  ? path_join(bases[i], part)
                                          : tiles_path(bases[i], part));
        free(bases[i]);
    }
    return found;
}

/* Find a tile's source in a job: one of its rasters, or a picture of its list or folder. */
static char *find_in_job(bool *known, const gvm_map *map, const json_t *imagery, const char *source)
{
    size_t i;
    const json_t *raster, *rasters = json_object_get(imagery, "sources");
    const char *list = json_string_value(json_object_get(imagery, "source"));
    const char *kind = json_string_value(json_object_get(imagery, "kind"));
    json_array_foreach(rasters, i, raster)
    {
        const char *path = json_string_value(json_object_get(raster, "path"));
        if (path != NULL && strcmp(path, source) == 0) return find_part(known, map, raster, NULL, false);
    }
    if (list == NULL || kind == NULL) return NULL;
    if (strcmp(kind, "xyz") == 0) {
        size_t length = strlen(list);
        bool within = strncmp(source, list, length) == 0 && source[length] == '/';
        return within ? find_part(known, map, imagery, source + length + 1, true) : NULL;
    }
    char *found = find_part(known, map, imagery, source, false);
    return found != NULL || *known ? found : if_there(tiles_path(list, source));
}

char *map_find_source(const gvm_map *map, const char *source)
{
    bool known = false;
    char *path = map->jobs == NULL ? if_there(tiles_path(map->path, source)) : NULL;
    size_t i;
    json_t *job;
    json_array_foreach(map->jobs, i, job)
    {
        if (path == NULL) path = find_in_job(&known, map, json_object_get(job, "imagery"), source);
    }
    if (path == NULL && !known)
        path = if_there(strdup(source)); /* last, since from another working directory it may be another file */
    if (path == NULL) path = if_there(tiles_path(map->path, source));
    const char *slash = strrchr(source, '/');
    if (path == NULL && slash != NULL) path = if_there(tiles_path(map->path, slash + 1));
    return path;
}
