/* info_map.c - what a map holds, for `info`. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

enum { SHOWN = 20 /* sources in the table */ };

/* Tiles of one source that follow each other, from a tile on: the source, and how many. */
static size_t run_of(const char **source, const gvm_map *map, size_t from)
{
    gvm_hit tile = {.tile = NULL};
    size_t n = 0;
    for (*source = NULL; gvm_map_tile(map, from + n, &tile, NULL) == GVM_OK; n++) {
        if (n > 0 && tile.tile != *source) break; /* equal names have one address */
        *source = tile.tile;
    }
    return n;
}

static const json_t *last_job(const json_t *jobs)
{
    size_t n = json_array_size(jobs);
    return n > 0 ? json_array_get(jobs, n - 1) : NULL;
}

static int print_json(const char *path, const gvm_map *map, const gvm_map_info *about, json_t *jobs)
{
    json_t *sources = json_array();
    const char *source;
    for (size_t i = 0, n; i < about->tiles; i += n) {
        n = run_of(&source, map, i);
        json_array_append_new(sources, json_pack("{so,sI}", "path", json_text(source), "tiles", (json_int_t)n));
    }
    json_t *json =
        json_pack("{so,ss,sI,sb,si,sf,ss,so,sO}", "file", json_text(path), "kind", "map", "tiles",
                  (json_int_t)about->tiles, "complete", about->complete, "features", about->features, "ground_m",
                  about->ground_m, "fingerprint", about->fingerprint, "sources", sources, "jobs", jobs);
    if (about->tiles > 0)
        json_object_set_new(json, "extent",
                            json_pack("{sf,sf,sf,sf}", "west", about->west, "south", about->south, "east", about->east,
                                      "north", about->north));
    return json_print(json);
}

static int print_table(const char *path, const gvm_map *map, const gvm_map_info *about, const json_t *jobs)
{
    print_text(path);
    printf(": GeoViewMatch map\n  fingerprint    %s (of the weights)\n  tiles          %zu\n", about->fingerprint,
           about->tiles);
    if (about->complete) {
        printf("  building       complete\n");
    } else {
        const json_t *job = last_job(jobs), *imagery = json_object_get(job, "imagery");
        printf("  building       interrupted at %lld of %lld places: run its command again\n",
               (long long)json_integer_value(json_object_get(job, "done")),
               (long long)json_integer_value(json_object_get(imagery, "places")));
    }
    if (about->tiles > 0)
        printf("  centres        latitude %.6f to %.6f, longitude %.6f to %.6f\n", about->south, about->north,
               about->west, about->east);
    printf("  feature        %d numbers\n  ground size    %g m unless a tile says otherwise\n", about->features,
           about->ground_m);
    int shown = 0;
    const char *source;
    for (size_t i = 0, n; i < about->tiles; i += n) {
        n = run_of(&source, map, i);
        if (++shown > SHOWN) continue;
        printf("  source         ");
        print_text(source);
        printf(": %zu tile%s\n", n, n == 1 ? "" : "s");
    }
    if (shown > SHOWN) printf("  and %d more sources (--json shows all)\n", shown - SHOWN);
    return DONE;
}

int info_map(const char *path, bool json)
{
    gvm_map *map;
    gvm_map_info about = {.size = sizeof about};
    gvm_error err;
    char *text = NULL;
    int end = FAILED;
    gvm_status status = gvm_map_open(&map, path, NULL, GVM_MAP_EMPTY, &err);
    if (status == GVM_OK) status = gvm_map_about(map, &about, &err);
    if (status == GVM_OK) status = gvm_map_jobs(map, &text, &err);
    json_t *jobs = text != NULL ? json_loads(text, 0, NULL) : NULL;
    if (status == GVM_OK)
        end = json ? print_json(path, map, &about, jobs) : print_table(path, map, &about, jobs);
    else
        failed(&err);
    json_decref(jobs);
    gvm_free(text);
    gvm_map_free(map);
    return end;
}

bool is_map(const char *path)
{
    char start[16] = "";
    FILE *file = fopen(path, "rb");
    if (file == NULL) return false;
    bool package = fread(start, 1, sizeof start, file) == sizeof start && memcmp(start, "SQLite format 3", 16) == 0;
    fclose(file);
    return package;
}
