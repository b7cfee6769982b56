/* info_map.c - what a map holds, for `info`. */
#include <stdio.h>
#include <string.h>

#include "cli/info.h"

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

/* The sources, of which a person sees the first ones. */
static void print_sources(struct facts *f, const gvm_map *map, size_t tiles)
{
    json_t *sources = json_array();
    const char *source;
    int shown = 0;
    for (size_t i = 0, n; i < tiles; i += n) {
        n = run_of(&source, map, i);
        json_array_append_new(sources, json_pack("{so,sI}", "path", json_text(source), "tiles", (json_int_t)n));
        if (++shown <= SHOWN) fact(f, NULL, NULL, "source", "%s: %zu tile%s", source, n, n == 1 ? "" : "s");
    }
    fact_json(f, "sources", sources);
    if (shown > SHOWN && f->object == NULL) printf("  and %d more sources (--json shows all)\n", shown - SHOWN);
}

static int print(const char *path, const gvm_map *map, const gvm_map_info *about, json_t *jobs, bool json)
{
    struct facts f;
    const json_t *job = last_job(jobs), *done = json_object_get(job, "done"),
                 *places = json_object_get(json_object_get(job, "imagery"), "places");
    facts_open(&f, json, path, "map", "GeoViewMatch map");
    fact(&f, "fingerprint", json_string(about->fingerprint), "fingerprint", "%s (of the weights)", about->fingerprint);
    fact(&f, "tiles", json_integer((json_int_t)about->tiles), "tiles", "%zu", about->tiles);
    fact(&f, "complete", json_boolean(about->complete), "building",
         about->complete ? "complete" : "interrupted at %lld of %lld places: run its command again",
         (long long)json_integer_value(done), (long long)json_integer_value(places));
    if (about->tiles > 0)
        fact(&f, "extent",
             json_pack("{sf,sf,sf,sf}", "west", about->west, "south", about->south, "east", about->east, "north",
                       about->north),
             "centres", "latitude %.6f to %.6f, longitude %.6f to %.6f", about->south, about->north, about->west,
             about->east);
    fact(&f, "features", json_integer(about->features), "feature", "%d numbers", about->features);
    fact(&f, "ground_m", json_real(about->ground_m), "ground size", "%g m unless a tile says otherwise",
         about->ground_m);
    print_sources(&f, map, about->tiles);
    fact_json(&f, "jobs", json_incref(jobs));
    return facts_close(&f);
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
        end = print(path, map, &about, jobs, json);
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
