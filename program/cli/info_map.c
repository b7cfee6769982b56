/* info_map.c - what a map holds, for `info`. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "map/map.h"
#include "map/map_file.h"

enum { SHOWN = 20 /* sources in the table */ };

/* Tiles of one source that follow each other: equal ones share their text (names.h). */
static size_t run_length(const struct tiles *tiles, size_t from)
{
    size_t n = 1;
    while (from + n < tiles->count && tiles->items[from + n].image == tiles->items[from].image) n++;
    return n;
}

static const json_t *last_job(const struct map_file *f)
{
    size_t n = json_array_size(f->jobs);
    return n > 0 ? json_array_get(f->jobs, n - 1) : NULL;
}

static bool is_complete(const struct map_file *f)
{
    return json_is_true(json_object_get(last_job(f), "complete"));
}

static int print_json(const struct map_file *f, const gvm_map_info *about, const struct tiles *tiles)
{
    json_t *sources = json_array();
    for (size_t i = 0, n; i < tiles->count; i += n) {
        n = run_length(tiles, i);
        json_array_append_new(sources,
                              json_pack("{so,sI}", "path", json_text(tiles->items[i].image), "tiles", (json_int_t)n));
    }
    json_t *json =
        json_pack("{so,ss,sI,sb,si,sf,ss,so,sO}", "file", json_text(f->path), "kind", "map", "tiles",
                  (json_int_t)about->tiles, "complete", is_complete(f), "features", about->features, "ground_m",
                  about->ground_m, "fingerprint", about->fingerprint, "sources", sources, "jobs", f->jobs);
    if (about->tiles > 0)
        json_object_set_new(json, "extent",
                            json_pack("{sf,sf,sf,sf}", "west", about->west, "south", about->south, "east", about->east,
                                      "north", about->north));
    return json_print(json);
}

static int print_table(const struct map_file *f, const gvm_map_info *about, const struct tiles *tiles)
{
    print_text(f->path);
    printf(": GeoViewMatch map\n  fingerprint    %s (of the weights)\n  tiles          %zu\n", about->fingerprint,
           about->tiles);
    if (is_complete(f)) {
        printf("  building       complete\n");
    } else {
        const json_t *job = last_job(f), *imagery = json_object_get(job, "imagery");
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
    for (size_t i = 0, n; i < tiles->count; i += n) {
        n = run_length(tiles, i);
        if (++shown > SHOWN) continue;
        printf("  source         ");
        print_text(tiles->items[i].image);
        printf(": %zu tile%s\n", n, n == 1 ? "" : "s");
    }
    if (shown > SHOWN) printf("  and %d more sources (--json shows all)\n", shown - SHOWN);
    return DONE;
}

int info_map(const char *path, bool json)
{
    struct map_file *file;
    gvm_error err;
    gvm_map map = {.width = 0};
    int end = FAILED;
    gvm_status status = map_file_open(&file, path, false, &err);
    if (status == GVM_OK) status = map_file_tiles(&map.tiles, file, &err);
    if (status == GVM_OK) {
        map.width = file->id.width;
        map.ground_m = file->ground_m;
        snprintf(map.fingerprint, sizeof map.fingerprint, "%s", file->fingerprint);
        gvm_map_info about = gvm_map_about(&map);
        end = json ? print_json(file, &about, &map.tiles) : print_table(file, &about, &map.tiles);
        tiles_free(&map.tiles);
    } else {
        failed(&err);
    }
    map_file_close(file);
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
