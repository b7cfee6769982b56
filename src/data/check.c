/* check.c - see check.h. Checks the labels, then each picture once (decodes and hashes it), then what needs all
 * pictures: common sizes and duplicates. */
#include "data/check.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "data/pictures.h"
#include "geo/earth.h"
#include "image/image.h"
#include "image/panorama.h"

const char *const fault_names[FAULTS] = {"missing",    "unreadable",   "mis_sized", "doubled",
                                         "two_splits", "out_of_range", "disagree"};

enum { TRAIN = 1, TEST = 2, DIGEST = 32 };

struct picture {
    const char *path, *id;
    double heading;
    bool street;
    unsigned splits;
    bool absent;
    int width, height; /* 0: not decoded */
    guint8 digest[DIGEST];
    char *trouble; /* why it is unusable */
};

struct check {
    struct findings *findings;
    const struct dataset *dataset;
    struct picture *pictures;
    size_t count;
    GHashTable *by_path; /* > index + 1 */
    atomic_size_t next;
    atomic_bool no_memory;
    void (*done)(void *user, size_t done, size_t total);
    void *user;
};

static const char *split_name(const struct check *c, unsigned splits)
{
    if (c->dataset->undivided) return "all";
    return splits == TRAIN ? "train" : splits == TEST ? "test" : "both";
}

/* ------------------------------------------------------------------ findings */

__attribute__((format(printf, 6, 7))) static void add(struct check *c, enum fault fault, unsigned splits,
                                                      const char *id, const char *path, const char *format, ...)
{
    struct findings *f = c->findings;
    struct finding *items = array_room(f->items, f->count, sizeof *items);
    if (items == NULL) {
        c->no_memory = true;
        return;
    }
    f->items = items;
    va_list arguments;
    va_start(arguments, format);
    char *detail = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    f->items[f->count++] = (struct finding){fault, split_name(c, splits), g_strdup(id), g_strdup(path), detail};
    f->of[fault]++;
}

void findings_free(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        g_free(findings->items[i].id);
        g_free(findings->items[i].path);
        g_free(findings->items[i].detail);
    }
    free(findings->items);
    *findings = (struct findings){0};
}

/* ------------------------------------------------------------------ labels */

static bool off_earth(double lat, double lon)
{
    return fabs(lat) > 90 || fabs(lon) > 180; /* false for NaN, an unknown position */
}

/* Check that a pair's aerial picture shows the position: the larger of the offsets north and east must be at most half
 * the side, plus a tenth, since the ground size is a mean over latitudes. */
static void check_positions(struct check *c, const struct split *split, unsigned which)
{
    for (int i = 0; i < split->tile_count; i++) {
        const struct tile *t = &split->tiles[i];
        if (off_earth(t->lat, t->lon))
            add(c, FAULT_OUT_OF_RANGE, which, "", t->path, "latitude %.8g, longitude %.8g", t->lat, t->lon);
    }
    for (int i = 0; i < split->query_count; i++) {
        const struct query *q = &split->queries[i];
        const struct tile *t = &split->tiles[q->tile];
        if (off_earth(q->lat, q->lon))
            add(c, FAULT_OUT_OF_RANGE, which, q->id, q->path, "latitude %.8g, longitude %.8g", q->lat, q->lon);
        if (off_earth(q->lat, q->lon) || off_earth(t->lat, t->lon)) continue;
        double north = EARTH_ARC * (q->lat - t->lat);
        double east = EARTH_ARC * cos(q->lat * EARTH_DEGREE) * remainder(q->lon - t->lon, 360);
        if (c->dataset->rasters == NULL && fmax(fabs(north), fabs(east)) > 0.55 * c->dataset->ground_m)
            add(c, FAULT_DISAGREE, which, q->id, q->path, "taken %.0f m from the centre of %s, which covers %.0f m",
                hypot(north, east), t->path, c->dataset->ground_m);
    }
}

/* Report photos at positions that no raster covers. */
static void check_covered(struct check *c, const struct mosaic *mosaic, const struct split *split, unsigned which)
{
    for (int i = 0; i < split->query_count; i++) {
        const struct query *q = &split->queries[i];
        if (!off_earth(q->lat, q->lon) && !mosaic_covers(mosaic, q->lat, q->lon))
            add(c, FAULT_DISAGREE, which, q->id, q->path, "no raster covers %.6f,%.6f", q->lat, q->lon);
    }
}

static gvm_status check_rasters(struct check *c, gvm_error *err)
{
    static const double zoom = 1; /* metres a pixel; any value would do */
    const struct dataset *d = c->dataset;
    struct rasters rasters;
    if (d->rasters == NULL) return GVM_OK;
    gvm_status status = rasters_open(&rasters, d, &zoom, 1, err);
    if (status == GVM_OK) check_covered(c, rasters.mosaic, &d->train, TRAIN);
    if (status == GVM_OK && !d->undivided) check_covered(c, rasters.mosaic, &d->test, TEST);
    rasters_close(&rasters);
    return status;
}

/* Report ids and street pictures that are in both the training and the test split. */
static void check_splits(struct check *c)
{
    const struct split *train = &c->dataset->train, *test = &c->dataset->test;
    if (c->dataset->undivided) return;
    GHashTable *ids = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTable *paths = g_hash_table_new(g_str_hash, g_str_equal);
    for (int i = 0; i < train->query_count; i++) {
        g_hash_table_add(ids, train->queries[i].id);
        g_hash_table_add(paths, train->queries[i].path);
    }
    for (int i = 0; i < test->query_count; i++) {
        const struct query *q = &test->queries[i];
        if (g_hash_table_contains(paths, q->path))
            add(c, FAULT_TWO_SPLITS, TRAIN | TEST, q->id, q->path, "the street picture is in both train and test");
        else if (g_hash_table_contains(ids, q->id))
            add(c, FAULT_TWO_SPLITS, TRAIN | TEST, q->id, q->path, "the id is in both train and test");
    }
    g_hash_table_destroy(ids);
    g_hash_table_destroy(paths);
}

/* ------------------------------------------------------------------ pictures */

static struct picture *list_picture(struct check *c, const char *path, unsigned which)
{
    size_t known = GPOINTER_TO_SIZE(g_hash_table_lookup(c->by_path, path));
    struct picture *p = &c->pictures[known > 0 ? known - 1 : c->count];
    if (known == 0) {
        *p = (struct picture){.path = path, .id = ""};
        g_hash_table_insert(c->by_path, (gpointer)path, GSIZE_TO_POINTER(++c->count));
    }
    p->splits |= which;
    return p;
}

static void list_pictures(struct check *c, const struct split *split, unsigned which)
{
    for (int i = 0; i < split->tile_count && c->dataset->rasters == NULL; i++)
        list_picture(c, split->tiles[i].path, which);
    for (int i = 0; i < split->query_count; i++) {
        const struct query *q = &split->queries[i];
        struct picture *p = list_picture(c, q->path, 0);
        if (p->street && (p->splits & which) != 0)
            add(c, FAULT_DOUBLED, which, q->id, q->path, "the pair %s has the same street picture", p->id);
        if (!p->street && p->splits != 0)
            add(c, FAULT_DOUBLED, which, q->id, q->path, "it is used both as a street and as an aerial picture");
        p->splits |= which;
        p->street = true;
        p->id = q->id;
        p->heading = q->heading;
    }
}

static bool hash_file(guint8 digest[DIGEST], const char *path)
{
    guint8 buffer[32768];
    ssize_t size = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    while ((size = read(fd, buffer, sizeof buffer)) > 0) g_checksum_update(sum, buffer, size);
    gsize length = DIGEST;
    g_checksum_get_digest(sum, digest, &length);
    g_checksum_free(sum);
    close(fd);
    return size == 0;
}

/* Run panorama_fit's check on the few pictures that it could refuse. */
static gvm_status check_panorama(const struct check *c, const struct picture *p, struct image *image, gvm_error *err)
{
    enum { H = 4, W = 20 };
    uint8_t out[H * W * 3];
    const double *band = c->dataset->elevation;
    const struct picture_shape shape = {.height = H, .width = W, .elevation = {band[0], band[1]}};
    bool doubtful = image->width < 2 * image->height || image->gpano.full_width > 0 || image->gpano.full_height > 0 ||
                    image->gpano.other || image->exif.make[0] != '\0' || image->exif.model[0] != '\0' ||
                    image->exif.focal_35mm > 0 || image->exif.sweep;
    if (!p->street || !doubtful || c->dataset->rasters != NULL) return GVM_OK;
    return panorama_fit(out, &shape, isnan(p->heading) ? NULL : &p->heading, CIRCLE_LISTED, image, path_tail(p->path),
                        err);
}

static void read_picture(struct check *c, struct picture *p)
{
    struct image image;
    gvm_error err;
    if (access(p->path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        p->absent = true;
        return;
    }
    gvm_status status = image_load(&image, p->path, &err);
    int width = image.width, height = image.height;
    if (status == GVM_OK) status = check_panorama(c, p, &image, &err);
    image_free(&image);
    if (status == GVM_OK && !hash_file(p->digest, p->path)) status = fail_errno(&err, "read", p->path);
    if (status == GVM_OK) {
        p->width = width;
        p->height = height;
        return;
    }
    if (status == GVM_MEMORY) c->no_memory = true;
    size_t tail = strlen(path_tail(p->path)); /* the message begins with the file's name */
    p->trouble = g_strdup(strlen(err.text) > tail + 2 && err.text[tail] == ':' ? err.text + tail + 2 : err.text);
}

static void read_pictures(void *argument, struct team team)
{
    struct check *c = argument;
    for (;;) {
        size_t i = atomic_fetch_add(&c->next, 1);
        if (i >= c->count) return;
        read_picture(c, &c->pictures[i]);
        if (team.rank == 0 && c->done != NULL) c->done(c->user, i + 1, c->count);
    }
}

/* ------------------------------------------------------------------ all pictures together */

/* The expected size: if at least half of the pictures share a size with the published aspect ratio, the whole data set
 * was rescaled, which is harmless, and that size is expected. */
static void expect_size(int size[2], const struct check *c, bool street, const int published[2])
{
    GHashTable *sizes = g_hash_table_new(NULL, NULL);
    size_t of_view = 0, most = 0;
    gsize common = 0;
    for (size_t i = 0; i < c->count; i++) {
        const struct picture *p = &c->pictures[i];
        if (p->street != street || p->width == 0) continue;
        gsize key = (gsize)p->width << 16 | (gsize)p->height; /* sides are below 65,536 */
        size_t n = GPOINTER_TO_SIZE(g_hash_table_lookup(sizes, GSIZE_TO_POINTER(key))) + 1;
        g_hash_table_insert(sizes, GSIZE_TO_POINTER(key), GSIZE_TO_POINTER(n));
        of_view++;
        if (n > most) {
            most = n;
            common = key;
        }
    }
    g_hash_table_destroy(sizes);
    memcpy(size, published, 2 * sizeof *size);
    if (published[0] == 0 || 2 * most < of_view || common == 0) return;
    double width = (double)(common >> 16), height = (double)(common & 0xffff);
    if (fabs(width / height * published[1] / published[0] - 1) > 0.02) return;
    size[0] = (int)width;
    size[1] = (int)height;
}

static void check_sizes(struct check *c)
{
    int size[2][2];
    expect_size(size[0], c, false, c->dataset->aerial_size);
    expect_size(size[1], c, true, c->dataset->street_size);
    for (size_t i = 0; i < c->count; i++) {
        const struct picture *p = &c->pictures[i];
        const int *want = size[p->street];
        if (p->width == 0) continue;
        if (want[0] > 0 && (p->width != want[0] || p->height != want[1]))
            add(c, FAULT_SIZE, p->splits, p->id, p->path, "%d x %d, not %d x %d", p->width, p->height, want[0],
                want[1]);
        else if (!p->street && fabs((double)p->width / p->height - 1) > 0.02)
            add(c, FAULT_SIZE, p->splits, p->id, p->path, "%d x %d is not square; only the central square is used",
                p->width, p->height);
    }
}

static guint digest_hash(gconstpointer picture)
{
    guint hash;
    memcpy(&hash, ((const struct picture *)picture)->digest, sizeof hash);
    return hash;
}

static gboolean digest_equal(gconstpointer a, gconstpointer b)
{
    const struct picture *p = a, *q = b;
    return p->street == q->street && memcmp(p->digest, q->digest, DIGEST) == 0;
}

static void check_contents(struct check *c)
{
    GHashTable *first = g_hash_table_new(digest_hash, digest_equal);
    for (size_t i = 0; i < c->count; i++) {
        struct picture *p = &c->pictures[i];
        if (p->width == 0) continue;
        const struct picture *same = g_hash_table_lookup(first, p);
        if (same == NULL)
            g_hash_table_add(first, p);
        else
            add(c, FAULT_DOUBLED, p->splits | same->splits, p->id, p->path, "same content as %s", same->path);
    }
    g_hash_table_destroy(first);
}

static void check_pictures(struct check *c)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct picture *p = &c->pictures[i];
        if (p->absent)
            add(c, FAULT_MISSING, p->splits, p->id, p->path, "file not found");
        else if (p->trouble != NULL)
            add(c, FAULT_UNREADABLE, p->splits, p->id, p->path, "%s", p->trouble);
    }
    check_sizes(c);
    check_contents(c);
}

gvm_status dataset_check(struct findings *findings, const struct dataset *dataset,
                         void (*done)(void *user, size_t done, size_t total), void *user, gvm_error *err)
{
    const struct split *train = &dataset->train, *test = &dataset->test;
    struct check c = {.findings = findings, .dataset = dataset, .done = done, .user = user};
    *findings = (struct findings){0};
    size_t most =
        (size_t)train->query_count + (size_t)train->tile_count + (size_t)test->query_count + (size_t)test->tile_count;
    c.pictures = calloc(most + 1, sizeof *c.pictures);
    if (c.pictures == NULL) return fail(err, GVM_MEMORY, "%s: cannot check it: out of memory", dataset->root);
    gvm_status status = check_rasters(&c, err);
    c.by_path = g_hash_table_new(g_str_hash, g_str_equal);

    check_splits(&c);
    check_positions(&c, train, TRAIN);
    list_pictures(&c, train, TRAIN);
    if (!dataset->undivided) {
        check_positions(&c, test, TEST);
        list_pictures(&c, test, TEST);
    }
    if (status == GVM_OK) parallel_run(read_pictures, &c);
    check_pictures(&c);
    findings->pictures = c.count;
    if (dataset->has_gaps && findings->of[FAULT_MISSING] <= c.count / 20)
        findings->harmless = findings->of[FAULT_MISSING];

    for (size_t i = 0; i < c.count; i++) g_free(c.pictures[i].trouble);
    g_hash_table_destroy(c.by_path);
    free(c.pictures);
    if (!c.no_memory || status != GVM_OK) return status;
    return fail(err, GVM_MEMORY, "%s: cannot check it: out of memory", dataset->root);
}
