/* cache.c - see cache.h. The file is a header, a table with an entry for each picture, and the pictures: first street,
 * then aerial ones, each sorted by path and without repeats. cache_build.c makes it. */
#include "data/cache.h"

#include "base/error.h"
#include "base/file.h"
#include "data/cache_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------ the pictures */

static int compare_sources(const void *a, const void *b)
{
    const struct source *x = a, *y = b;
    uint64_t headings[2]; /* as bits: any total order, with NaN equal to itself */
    if (x->view != y->view) return x->view < y->view ? -1 : 1;
    int paths = strcmp(x->path, y->path);
    if (paths != 0) return paths;
    memcpy(&headings[0], &x->heading, sizeof headings[0]);
    memcpy(&headings[1], &y->heading, sizeof headings[1]);
    return memcmp(&headings[0], &headings[1], sizeof headings[0]);
}

/* Canonical NaN for an unknown heading, since bit patterns are compared and hashed. */
static double plain(double heading)
{
    return isnan(heading) ? (double)NAN : heading;
}

/* aerial NULL: the tiles are not files */
static struct source *add_split(struct source *to, const struct split *split, int *street, int *aerial)
{
    for (int i = 0; i < split->query_count; i++)
        *to++ = (struct source){split->queries[i].path, GVM_STREET, plain(split->queries[i].heading), &street[i]};
    for (int i = 0; i < split->tile_count && aerial != NULL; i++)
        *to++ = (struct source){split->tiles[i].path, GVM_AERIAL, NAN, &aerial[i]};
    return to;
}

/* List each picture once, and record its index for every use. */
static bool list_sources(struct cache *c)
{
    const struct split *splits[2] = {&c->data->train, &c->data->test};
    size_t n = 0;
    bool files = c->data->rasters == NULL;
    for (int s = 0; s < 2; s++) {
        size_t Q = (size_t)splits[s]->query_count, T = (size_t)splits[s]->tile_count;
        c->places[s][GVM_STREET] = calloc(Q + 1, sizeof(int));
        if (files) c->places[s][GVM_AERIAL] = calloc(T + 1, sizeof(int));
        if (c->places[s][GVM_STREET] == NULL || (files && c->places[s][GVM_AERIAL] == NULL)) return false;
        n += Q + (files ? T : 0);
    }
    c->sources = calloc(n + 1, sizeof *c->sources);
    if (c->sources == NULL || n > INT32_MAX) return false;
    struct source *end = c->sources;
    for (int s = 0; s < 2; s++) end = add_split(end, splits[s], c->places[s][GVM_STREET], c->places[s][GVM_AERIAL]);
    qsort(c->sources, n, sizeof *c->sources, compare_sources);
    int kept = 0;
    for (const struct source *from = c->sources; from < end; from++) {
        int *place = from->place;
        if (kept == 0 || compare_sources(from, &c->sources[kept - 1]) != 0) {
            c->count[from->view]++;
            c->sources[kept++] = *from;
        }
        *place = kept - 1;
    }
    return true;
}

static uint64_t hash_text(uint64_t h, const char *text)
{
    return hash_bytes(h, text, strlen(text));
}

/* Hash of everything that the pixels depend on. Paths are relative to the data set's folder, so that it may move. */
static gvm_status hash_sources(uint64_t *hash, const struct cache *c, gvm_error *err)
{
    gvm_status status = GVM_OK;
    size_t root = strlen(c->data->root);
    const struct picture_shape *street = &c->shape[GVM_STREET], *aerial = &c->shape[GVM_AERIAL];
    const int sizes[] = {street->height, street->width, aerial->height, aerial->width};
    const int rules[] = {street->resize, aerial->resize};
    uint64_t h = hash_bytes(1, sizes, sizeof sizes);
    h = hash_bytes(h, street->elevation, sizeof street->elevation);
    if (rules[0] != RESIZE_OWN || rules[1] != RESIZE_OWN) h = hash_bytes(h, rules, sizeof rules);
    if (street->projection != PROJECTION_PANORAMA) h = hash_bytes(h, &street->projection, sizeof street->projection);
    if (street->masked) h = hash_text(h, "masked");
    for (const struct source *s = c->sources; s < c->sources + c->count[0] + c->count[1] && status == GVM_OK; s++) {
        int64_t file[3];
        status = file_stamp(file, s->path, err);
        h = hash_text(h, s->path + (strncmp(s->path, c->data->root, root) == 0 ? root : 0));
        h = hash_bytes(h, file, sizeof file);
        h = hash_bytes(h, &s->heading, sizeof s->heading);
    }
    *hash = h;
    return status;
}

static gvm_status describe(struct cache *c, gvm_error *err)
{
    size_t bytes[2];
    for (int v = 0; v < 2; v++) bytes[v] = picture_bytes(&c->shape[v]);
    uint64_t table = ((uint64_t)c->count[0] + (uint64_t)c->count[1]) * sizeof(uint64_t);
    c->pixels[GVM_STREET] = (HEADER_ROOM + table + HEADER_ROOM - 1) / HEADER_ROOM * HEADER_ROOM;
    c->pixels[GVM_AERIAL] = c->pixels[GVM_STREET] + (uint64_t)c->count[GVM_STREET] * bytes[GVM_STREET];
    c->header = (struct header){.magic = CACHE_MAGIC, .version = CACHE_VERSION};
    c->header.bytes = c->pixels[GVM_AERIAL] + (uint64_t)c->count[GVM_AERIAL] * bytes[GVM_AERIAL];
    return hash_sources(&c->header.sources, c, err);
}

/* ------------------------------------------------------------------ the file */

/* *mapped: a complete cache exists and is now mapped. */
static gvm_status map_existing(bool *mapped, struct cache *c, const char *path, gvm_error *err)
{
    enum found found;
    *mapped = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) return GVM_OK;
    if (fd < 0) return fail_errno(err, "open", path_tail(path));
    gvm_status status = cache_identify(&found, c, fd, path, err);
    close(fd);
    if (status != GVM_OK || found != CACHE_COMPLETE) return status;
    if ((status = file_map(&c->map, path, err)) != GVM_OK) return status;
    *mapped = c->map.size == c->header.bytes; /* else it has just been replaced */
    if (!*mapped) file_unmap(&c->map);
    return GVM_OK;
}

/* Until the lock is taken, another process may complete the cache, or be killed. */
static gvm_status map_or_build(struct cache *c, bool *stopped, const char *path, const struct cache_options *options,
                               gvm_error *err)
{
    for (;;) {
        bool mapped, locked;
        struct cache_part part;
        gvm_status status = map_existing(&mapped, c, path, err);
        if (status != GVM_OK || mapped) return status;
        if ((status = cache_part_lock(&part, &locked, stopped, path, options, err)) != GVM_OK || *stopped)
            return status;
        if (!locked) continue;
        status = map_existing(&mapped, c, path, err);
        if (status != GVM_OK || mapped) {
            cache_part_drop(&part);
            return status;
        }
        if ((status = cache_build(&part, stopped, c, path, options, err)) != GVM_OK || *stopped) return status;
    }
}

gvm_status cache_open(struct cache **cache, const char *path, const struct pictures *p,
                      const struct cache_options *options, gvm_error *err)
{
    struct cache *c = calloc(1, sizeof *c);
    char *target = realpath(path, NULL); /* follow a link rather than replace it */
    if (target == NULL) target = strdup(path);
    gvm_status status = GVM_OK;
    bool stopped = false;
    *cache = NULL;
    if (c != NULL) {
        c->data = p->data;
        c->shape[GVM_STREET] = p->street;
        c->shape[GVM_AERIAL] = p->whole.height > 0 ? p->whole : p->aerial;
    }
    if (c == NULL || target == NULL || !list_sources(c)) {
        status = fail(err, GVM_MEMORY, "%s: cannot list its pictures: out of memory", path_tail(path));
    } else {
        status = describe(c, err);
        if (status == GVM_OK) status = map_or_build(c, &stopped, target, options, err);
    }
    free(target);
    if (status == GVM_OK && !stopped) {
        free(c->sources);
        c->sources = NULL;
        *cache = c;
    } else {
        cache_free(c);
    }
    return status;
}

void cache_free(struct cache *c)
{
    if (c == NULL) return;
    file_unmap(&c->map);
    for (int s = 0; s < 2; s++)
        for (int v = 0; v < 2; v++) free(c->places[s][v]);
    free(c->sources);
    free(c);
}

const uint8_t *cache_picture(const struct cache *c, const struct split *split, gvm_view view, int i)
{
    assert(split == &c->data->train || split == &c->data->test);
    size_t bytes;
    const int *places = c->places[split == &c->data->test][view];
    if (places == NULL) return NULL;
    int place = places[i];
    uint64_t entry, offset = cache_offset(c, place, &bytes);
    memcpy(&entry, c->map.data + HEADER_ROOM + (size_t)place * sizeof entry, sizeof entry);
    return entry >= ENTRY_GOOD ? c->map.data + offset : NULL;
}
