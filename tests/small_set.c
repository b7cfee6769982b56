/* small_set.c - see small_set.h */
#include "small_set.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vips/vips.h>

#include <cmocka.h>

#include "base/random.h"
#include "data/sampler.h"

const char *small_set_path(const struct small_set *set, const char *name)
{
    static char paths[4][400];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", set->folder, name);
    return path;
}

/* PPM would be simpler, but the program does not read it. */
void small_set_write(const char *path, int w, int h, unsigned seed)
{
    size_t n = (size_t)w * (size_t)h * 3;
    unsigned char *pixels = malloc(n);
    assert_non_null(pixels);
    for (size_t i = 0; i < n; i++) pixels[i] = (unsigned char)random_bits(seed, 0, i);
    VipsImage *image = vips_image_new_from_memory(pixels, n, w, h, 3, VIPS_FORMAT_UCHAR), *rgb = NULL;
    assert_int_equal(vips_copy(image, &rgb, "interpretation", VIPS_INTERPRETATION_sRGB, NULL), 0);
    if (vips_pngsave(rgb, path, NULL) != 0) fail_msg("%s: %s", path, vips_error_buffer());
    g_object_unref(rgb);
    g_object_unref(image);
    free(pixels);
    const struct timespec times[2] = {{1000000000, 0}, {1000000000 + (time_t)seed, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static char *name_file(const struct small_set *set, const char *kind, int i, bool make, int w, int h, unsigned seed)
{
    char name[40];
    snprintf(name, sizeof name, "%s%03d.png", kind, i);
    char *path = strdup(small_set_path(set, name));
    assert_non_null(path);
    if (make) small_set_write(path, w, h, seed);
    return path;
}

static void fill(struct small_set *set, struct split *split, const char *kind, int queries, int tiles, bool make)
{
    *split = (struct split){.query_count = queries, .tile_count = tiles};
    split->queries = calloc((size_t)queries, sizeof *split->queries);
    split->tiles = calloc((size_t)tiles, sizeof *split->tiles);
    assert_true(split->queries != NULL && split->tiles != NULL);
    for (int i = 0; i < tiles; i++) {
        split->tiles[i] = (struct tile){.lat = NAN, .lon = NAN};
        split->tiles[i].path = name_file(set, "aerial", i, make, 20, 20, 1000 + (unsigned)i);
    }
    for (int i = 0; i < queries; i++) {
        struct query *q = &split->queries[i];
        *q = (struct query){.lat = NAN, .lon = NAN, .heading = i % 3 == 0 ? 30.0 * i : NAN, .tile = i % tiles};
        q->path = name_file(set, kind, i, make, 32, 16, 5000 + (unsigned)i);
    }
}

void small_set_make(struct small_set *set, const char *folder, int queries, int tiles)
{
    const char *tmp = getenv("TMPDIR");
    *set = (struct small_set){.data = {.format = "pairs", .elevation = {-45, 45}}};
    snprintf(set->folder, sizeof set->folder, "%s/gvm-set-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (folder != NULL)
        snprintf(set->folder, sizeof set->folder, "%s", folder);
    else
        assert_non_null(mkdtemp(set->folder));
    set->data.root = set->folder;
    fill(set, &set->data.train, "street", queries, tiles, folder == NULL);
    fill(set, &set->data.test, "street", (queries + 1) / 2, (tiles + 1) / 2, false);
    struct query *last = &set->data.test.queries[set->data.test.query_count - 1];
    free(last->path);
    last->path = name_file(set, "other", 0, folder == NULL, 40, 20, 9000);
    set->pictures = (struct pictures){.data = &set->data,
                                      .street = {.height = 8, .width = 24, .elevation = {-45, 45}},
                                      .aerial = {.height = 12, .width = 12}};
}

void small_set_free(struct small_set *set)
{
    struct split *splits[2] = {&set->data.train, &set->data.test};
    for (int s = 0; s < 2; s++) {
        for (int i = 0; i < splits[s]->query_count; i++) free(splits[s]->queries[i].path);
        for (int i = 0; i < splits[s]->tile_count; i++) free(splits[s]->tiles[i].path);
        free(splits[s]->queries);
        free(splits[s]->tiles);
    }
}

void small_set_remove(struct small_set *set)
{
    GDir *dir = g_dir_open(set->folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) remove(small_set_path(set, name));
    if (dir != NULL) g_dir_close(dir);
    assert_int_equal(rmdir(set->folder), 0);
    small_set_free(set);
}

void expect_no_conflict(const struct split *split, const int *order, int batches, int B)
{
    for (int b = 0; b < batches; b++)
        for (int i = b * B; i < (b + 1) * B; i++)
            for (int k = b * B; k < i; k++)
                assert_false(sampler_conflict(&split->queries[order[i]], &split->queries[order[k]]));
}
