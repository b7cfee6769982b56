/* info_map.c - describes a map for `info`. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/info.h"

enum { SHOWN = 20 /* sources in the table */ };

/* The number of consecutive tiles from one source, starting at a tile, and the source. */
static size_t run_of(const char **source, const gvm_map *map, size_t from)
{
    gvm_hit tile = {.tile = NULL};
    size_t n = 0;
    for (*source = NULL; gvm_map_tile(map, from + n, &tile, NULL) == GVM_OK; n++) {
        if (n > 0 && tile.tile != *source) break; /* equal names share one address */
        *source = tile.tile;
    }
    return n;
}

static const json_t *last_job(const json_t *jobs)
{
    size_t n = json_array_size(jobs);
    return n > 0 ? json_array_get(jobs, n - 1) : NULL;
}

/* The first sources. */
static void print_sources(struct facts *f, const gvm_map *map, size_t tiles)
{
    json_t *sources = json_array(), *number;
    g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *source;
    int shown = 0;
    for (size_t i = 0, n; i < tiles; i += n) {
        n = run_of(&source, map, i);
        size_t before = GPOINTER_TO_SIZE(g_hash_table_lookup(counts, source));
        if (before == 0) g_ptr_array_add(names, (gpointer)source);
        g_hash_table_insert(counts, (gpointer)source, GSIZE_TO_POINTER(before + n));
    }
    for (guint i = 0; i < names->len; i++) {
        source = g_ptr_array_index(names, i);
        size_t n = GPOINTER_TO_SIZE(g_hash_table_lookup(counts, source));
        number = json_integer((json_int_t)n);
        json_push(&sources, json_pack("{so,so}", "path", json_text(source), "tiles", number));
        if (++shown <= SHOWN) fact(f, NULL, NULL, "source", "%s: %zu tile%s", source, n, n == 1 ? "" : "s");
    }
    fact_json(f, "sources", sources);
    if (shown > SHOWN && !f->json) printf("  and %d more sources (--json shows all)\n", shown - SHOWN);
}

/* For a map of cells: size and zooms. */
static void print_cells(struct facts *f, const json_t *job)
{
    const json_t *imagery = json_object_get(job, "imagery"), *zooms = json_object_get(imagery, "zooms"), *zoom;
    char text[128] = "";
    size_t i;
    if (zooms == NULL) return;
    json_array_foreach(zooms, i, zoom)
    {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%s%g", i > 0 ? ", " : "", json_number_value(zoom));
    }
    double cell_m = json_number_value(json_object_get(imagery, "tile_m"));
    long long partly = json_integer_value(json_object_get(job, "partly"));
    fact(f, "cell_m", json_real(cell_m), "cells", "%g m, each in pictures of %s m a pixel%s", cell_m, text,
         json_is_true(json_object_get(imagery, "share")) ? ", the coarse ones shared" : "");
    fact(f, "partly", json_integer(partly), "in part", "%lld cells with more than a tenth of their pictures empty",
         partly);
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
         about->complete ? "complete" : "interrupted at %lld of %lld places; rerun its command",
         (long long)json_integer_value(done), (long long)json_integer_value(places));
    if (about->tiles > 0)
        fact(&f, "extent",
             json_pack("{sf,sf,sf,sf}", "west", about->west, "south", about->south, "east", about->east, "north",
                       about->north),
             "centres", "latitude %.6f to %.6f, longitude %.6f to %.6f", about->south, about->north, about->west,
             about->east);
    fact(&f, "features", json_integer(about->features), "feature", "%d numbers", about->features);
    print_cells(&f, job);
    fact(&f, "ground_m", json_real(about->ground_m), "ground size", "%g m unless a tile specifies another",
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
    if (status == GVM_OK && jobs == NULL)
        status = fail(&err, GVM_MEMORY, "%s: out of memory for its jobs", path_tail(path));
    if (status == GVM_OK)
        end = print(path, map, &about, jobs, json);
    else
        failed(&err);
    json_decref(jobs);
    gvm_free(text);
    gvm_map_free(map);
    return end;
}
