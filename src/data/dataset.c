/* dataset.c - see dataset.h. A folder's format is recognised by its label files. */
#include "data/dataset.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/labels.h"

static const struct format {
    const char *name;
    const char *labels[2]; /* files that identify the format, either of them, */
    const char *(*folder)(const char *root, gvm_status *status,
                          gvm_error *err); /* or a folder, if this function finds one */
    gvm_status (*read)(struct dataset *dataset, const struct dataset_options *options, gvm_error *err);
    const char *tests[2]; /* names of its test splits */
    double ground_m, elevation[2];
    int street_size[2], aerial_size[2];
    bool has_gaps;
} formats[] = {
    /* Web mercator at zoom 19 has 40,075,017 m / (256 * 2^19) = 0.29858 m a pixel at the equator: 750 pixels cover
     * 223.9 m there, and 174.4 m at the data set's mean cosine of latitude, 0.7790. A panorama of 1232 x 224 pixels
     * spans 360 * 224 / 1232 = 65.45 degrees. */
    {.name = "CVUSA",
     .labels = {"splits/val-19zl.csv", "splits/train-19zl.csv"},
     .read = cvusa_read,
     .tests = {"val"},
     .ground_m = 174.4,
     .elevation = {-180.0 * 224 / 1232, 180.0 * 224 / 1232},
     .street_size = {1232, 224},
     .aerial_size = {750, 750}},
    {.name = "CVACT",
     .labels = {"ACT_data.mat"},
     .read = cvact_read,
     .tests = {"val", "test"},
     .ground_m = 144,
     .elevation = {-45, 45}, /* rows 208 to 623 of 832 */
     .street_size = {1664, 832},
     .aerial_size = {1200, 1200},
     .has_gaps = true},
    /* Zoom 20, 640 pixels: 64 m in Seattle to 75 m in San Francisco, by latitude. */
    {.name = "VIGOR",
     .folder = vigor_labels,
     .read = vigor_read,
     .tests = {"same-area", "cross-area"},
     .ground_m = 72,
     .elevation = {-45, 45},
     .street_size = {2048, 1024},
     .aerial_size = {640, 640}},
    {.name = "pairs",
     .labels = {"pairs.csv"},
     .read = pairs_read,
     .tests = {"val", "test"},
     .ground_m = 64,
     .elevation = {-45, 45}},
    {.name = "photos",
     .labels = {"photos.csv"},
     .read = photos_read,
     .tests = {"val", "test"},
     .ground_m = 30, /* of a cell */
     .elevation = {-45, 45}},
};

enum { FORMATS = sizeof formats / sizeof *formats };

static bool is_format(const struct format *f, const char *root, gvm_status *status, gvm_error *err)
{
    return (f->labels[0] != NULL && is_there(root, f->labels[0], status, err)) ||
           (f->labels[1] != NULL && is_there(root, f->labels[1], status, err)) ||
           (f->folder != NULL && f->folder(root, status, err) != NULL);
}

static gvm_status pick_format(const struct format **format, const char *root, const char *name, gvm_error *err)
{
    gvm_status status = GVM_OK;
    *format = NULL;
    for (int i = 0; i < FORMATS; i++) {
        bool is =
            name != NULL ? g_ascii_strcasecmp(name, formats[i].name) == 0 : is_format(&formats[i], root, &status, err);
        if (status != GVM_OK) return status;
        if (!is) continue;
        if (*format != NULL)
            return fail(err, GVM_ARGUMENT, "%s: it has the labels of both %s and %s; choose one with --format",
                        path_tail(root), (*format)->name, formats[i].name);
        *format = &formats[i];
    }
    if (*format != NULL) return GVM_OK;
    if (name != NULL)
        return fail(err, GVM_ARGUMENT, "unknown data set format '%.40s'; expected CVUSA, CVACT, VIGOR, pairs or photos",
                    name);
    if (access(root, R_OK | X_OK) != 0) return fail_errno(err, "open", path_tail(root));
    return fail(err, GVM_FILE,
                "%s: no data set found: expected pairs.csv, photos.csv, splits/val-19zl.csv (CVUSA), ACT_data.mat "
                "(CVACT) or splits/CITY/satellite_list.txt (VIGOR)",
                path_tail(root));
}

static gvm_status pick_test(struct dataset *d, const struct format *f, const char *name, gvm_error *err)
{
    d->test_name = f->tests[0];
    if (name == NULL || strcmp(name, f->tests[0]) == 0) return GVM_OK;
    d->test_name = f->tests[1];
    if (f->tests[1] != NULL && strcmp(name, f->tests[1]) == 0) return GVM_OK;
    return fail(err, GVM_ARGUMENT, "a %s data set's test split is %s%s%s, not '%.40s'", f->name, f->tests[0],
                f->tests[1] != NULL ? " or " : "", f->tests[1] != NULL ? f->tests[1] : "", name);
}

static gvm_status check_options(const struct dataset_options *options, gvm_error *err)
{
    const double *band = options->elevation;
    if (band != NULL && !(band[0] >= -90 && band[0] < band[1] && band[1] <= 90))
        return fail(err, GVM_ARGUMENT,
                    "invalid elevation range %g to %g degrees; expected rising values within -90 to 90", band[0],
                    band[1]);
    if (!(options->ground_m >= 0 && options->ground_m <= 1e6))
        return fail(err, GVM_ARGUMENT, "invalid ground size %g m of an aerial picture", options->ground_m);
    return GVM_OK;
}

static gvm_status check_pairs(const struct dataset *d, gvm_error *err)
{
    if (d->train.query_count > 0 || d->test.query_count > 0) return GVM_OK;
    if (d->left_out > 0)
        return fail(err, GVM_FILE, "%s: none of its %d pairs has both pictures; the first missing one is %.200s",
                    path_tail(d->root), d->left_out, d->missing);
    return fail(err, GVM_FORMAT, "%s: its labels list no pairs", path_tail(d->root));
}

gvm_status dataset_open(struct dataset **dataset, const char *root, const struct dataset_options *options,
                        gvm_error *err)
{
    const struct format *format;
    const struct dataset_options none = {0};
    if (options == NULL) options = &none;
    *dataset = NULL;
    gvm_status status = check_options(options, err);
    if (status == GVM_OK) status = pick_format(&format, root, options->format, err);
    if (status != GVM_OK) return status;

    struct dataset *d = calloc(1, sizeof *d);
    if (d == NULL || (d->root = strdup(root)) == NULL) {
        free(d);
        return fail(err, GVM_MEMORY, "%s: cannot read it: out of memory", path_tail(root));
    }
    d->format = format->name;
    d->has_gaps = format->has_gaps;
    d->ground_m = options->ground_m > 0 ? options->ground_m : format->ground_m;
    memcpy(d->elevation, options->elevation != NULL ? options->elevation : format->elevation, sizeof d->elevation);
    memcpy(d->street_size, format->street_size, sizeof d->street_size);
    memcpy(d->aerial_size, format->aerial_size, sizeof d->aerial_size);
    status = pick_test(d, format, options->test, err);
    if (status == GVM_OK && options->imagery && format->read != photos_read)
        status =
            fail(err, GVM_ARGUMENT,
                 "%s: it is a %s data set, whose aerial pictures are files; imagery is only for data sets of photos",
                 path_tail(root), format->name);
    if (status == GVM_OK) status = format->read(d, options, err);
    if (status == GVM_OK) status = check_pairs(d, err);
    if (status != GVM_OK) {
        dataset_free(d);
        return status;
    }
    *dataset = d;
    return GVM_OK;
}

void dataset_free(struct dataset *dataset)
{
    if (dataset == NULL) return;
    split_free(&dataset->train);
    if (!dataset->undivided) split_free(&dataset->test);
    g_strfreev(dataset->rasters);
    free(dataset->missing);
    free(dataset->root);
    free(dataset);
}

/* ------------------------------------------------------------------ fingerprint */

/* *error: errno of a file that cannot be looked up */
static uint64_t hash_picture(uint64_t h, const char *path, const char *root, int *error)
{
    struct stat st;
    size_t n = strlen(root);
    int64_t size = stat(path, &st) == 0 ? st.st_size : -1;
    if (size < 0 && errno != ENOENT && errno != ENOTDIR) *error = errno;
    if (strncmp(path, root, n) == 0) path += n;
    while (*path == '/') path++; /* the root may have been given with a trailing slash */
    h = hash_bytes(h, path, strlen(path));
    return hash_bytes(h, &size, sizeof size);
}

/* NaN has many bit patterns: hash a canonical one. */
static uint64_t hash_number(uint64_t h, double number)
{
    if (isnan(number)) number = (double)NAN;
    return hash_bytes(h, &number, sizeof number);
}

static uint64_t hash_split(uint64_t h, const struct split *split, const char *root, int *error)
{
    for (int i = 0; i < split->tile_count; i++) {
        const struct tile *t = &split->tiles[i];
        h = hash_number(hash_number(hash_picture(h, t->path, root, error), t->lat), t->lon);
    }
    for (int i = 0; i < split->query_count; i++) {
        const struct query *q = &split->queries[i];
        h = hash_number(hash_number(hash_picture(h, q->path, root, error), q->lat), q->lon);
        h = hash_number(h, q->heading);
        h = hash_bytes(h, &q->tile, sizeof q->tile);
        h = hash_bytes(h, q->near, (size_t)q->near_count * sizeof q->near[0]);
    }
    return hash_bytes(h, (int[]){split->tile_count, split->query_count}, 2 * sizeof(int));
}

gvm_status dataset_fingerprint(uint64_t *fingerprint, const struct dataset *dataset, gvm_error *err)
{
    const char *root = dataset->root;
    int error = 0;
    uint64_t h = hash_split(1, &dataset->train, root, &error);
    for (char **raster = dataset->rasters; raster && *raster; raster++) h = hash_picture(h, *raster, root, &error);
    h = hash_split(h, &dataset->test, root, &error);
    *fingerprint = h != 0 ? h : 1;
    return error == 0 ? GVM_OK
                      : fail(err, GVM_FILE, "%s: cannot read a picture's size: %s", path_tail(root), strerror(error));
}
