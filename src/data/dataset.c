/* dataset.c - see dataset.h. Which format a folder has is told by its label files. */
#include "data/dataset.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "data/labels.h"

static bool is_cvusa(const char *root)
{
    return is_there(root, "splits/val-19zl.csv") || is_there(root, "splits/train-19zl.csv");
}

static bool is_cvact(const char *root)
{
    return is_there(root, "ACT_data.mat");
}

static bool is_vigor(const char *root)
{
    return vigor_labels(root) != NULL;
}

static bool is_pairs(const char *root)
{
    return is_there(root, "pairs.csv");
}

static const struct format {
    const char *name;
    bool (*is)(const char *root);
    gvm_status (*read)(struct dataset *dataset, const struct dataset_options *options, gvm_error *err);
} formats[] = {
    {"CVUSA", is_cvusa, cvusa_read},
    {"CVACT", is_cvact, cvact_read},
    {"VIGOR", is_vigor, vigor_read},
    {"pairs", is_pairs, pairs_read},
};

enum { FORMATS = sizeof formats / sizeof *formats };

static gvm_status pick_format(const struct format **format, const char *root, const char *name, gvm_error *err)
{
    *format = NULL;
    for (int i = 0; i < FORMATS; i++) {
        if (name != NULL ? g_ascii_strcasecmp(name, formats[i].name) != 0 : !formats[i].is(root)) continue;
        if (*format != NULL)
            return fail(err, GVM_ARGUMENT, "%s: it has the labels of %s and of %s, say which is meant", path_tail(root),
                        (*format)->name, formats[i].name);
        *format = &formats[i];
    }
    if (*format != NULL) return GVM_OK;
    if (name != NULL)
        return fail(err, GVM_ARGUMENT, "a data set's format is CVUSA, CVACT, VIGOR or pairs, not '%.40s'", name);
    if (access(root, R_OK | X_OK) != 0) return fail_errno(err, "open", path_tail(root));
    return fail(err, GVM_FILE,
                "%s: no data set lies there: it has neither pairs.csv nor splits/val-19zl.csv (CVUSA), ACT_data.mat "
                "(CVACT) or splits/CITY/satellite_list.txt (VIGOR)",
                path_tail(root));
}

static gvm_status check_options(const struct dataset_options *options, gvm_error *err)
{
    const double *band = options->elevation;
    if (band != NULL && !(band[0] >= -90 && band[0] < band[1] && band[1] <= 90))
        return fail(err, GVM_ARGUMENT, "elevations from %g to %g degrees are not a band within -90 to 90", band[0],
                    band[1]);
    if (!(options->ground_m >= 0 && options->ground_m <= 1e6))
        return fail(err, GVM_ARGUMENT, "an aerial picture cannot cover %g m of ground", options->ground_m);
    return GVM_OK;
}

static gvm_status check_pairs(const struct dataset *d, gvm_error *err)
{
    if (d->train.query_count > 0 || d->test.query_count > 0) return GVM_OK;
    if (d->left_out > 0)
        return fail(err, GVM_FILE, "%s: of %d pairs none has both pictures; the first that is not there is %.200s",
                    path_tail(d->root), d->left_out, d->missing);
    return fail(err, GVM_FORMAT, "%s: its labels name no pair", path_tail(d->root));
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
        return fail(err, GVM_MEMORY, "%s: there is not enough memory to read it", path_tail(root));
    }
    d->format = format->name;
    status = format->read(d, options, err);
    if (status == GVM_OK) status = check_pairs(d, err);
    if (status != GVM_OK) {
        dataset_free(d);
        return status;
    }
    if (options->elevation != NULL) memcpy(d->elevation, options->elevation, sizeof d->elevation);
    if (options->ground_m > 0) d->ground_m = options->ground_m;
    *dataset = d;
    return GVM_OK;
}

void dataset_free(struct dataset *dataset)
{
    if (dataset == NULL) return;
    split_free(&dataset->train);
    split_free(&dataset->test);
    free(dataset->missing);
    free(dataset->root);
    free(dataset);
}
