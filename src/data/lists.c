/* lists.c - reads a data set with a single list that has a split column, pairs.csv or photos.csv (labels.h). */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "data/labels.h"

gvm_status part_read(enum part *part, const char *text, const struct csv *csv, gvm_error *err)
{
    static const char *const parts[PARTS] = {"train", "val", "test"};
    if (text == NULL) return GVM_OK;
    for (int i = 0; i < PARTS; i++) {
        if (strcmp(text, parts[i]) != 0) continue;
        *part = (enum part)i;
        return GVM_OK;
    }
    return CSV_FAIL(csv, err, "unknown split \"%.60s\"; expected train, val or test", text);
}

struct reading {
    struct filler parts[PARTS];
    const char *name;
    row_filler *add;
};

static gvm_status add_row(void *context, const struct pair_row *row, gvm_error *err)
{
    struct reading *r = context;
    const struct source source = {r->name, "line", row->line};
    return r->add(&r->parts[row->part], row, &source, err);
}

/* Choose the test split: val, unless test is asked for or val is empty. NULL: the list has no splits, and the training
 * pairs are the test pairs. */
static gvm_status pick_test(struct filler **test, struct reading *r, bool has_parts,
                            const struct dataset_options *options, gvm_error *err)
{
    const struct filler *val = &r->parts[PART_VAL];
    struct dataset *d = val->dataset;
    *test = NULL;
    if (!has_parts && options->test != NULL)
        return fail(err, GVM_ARGUMENT, "%s has no column `split`, so the split '%.40s' does not exist", r->name,
                    options->test);
    if (options->test == NULL && val->split.query_count == 0 && val->left_out == 0) d->test_name = "test";
    if (!has_parts)
        d->test_name = "all";
    else
        *test = &r->parts[strcmp(d->test_name, "val") == 0 ? PART_VAL : PART_TEST];
    return GVM_OK;
}

gvm_status list_read(struct dataset *dataset, const struct dataset_options *options, const char *name,
                     list_parser *parse, row_filler *add, gvm_error *err)
{
    struct file_map file;
    struct reading r = {.name = name, .add = add};
    struct filler *test = NULL;
    bool has_parts;
    char *path = path_join(dataset->root, name);
    if (path == NULL) return fail(err, GVM_MEMORY, "cannot read %s: out of memory", name);
    gvm_status status = file_map(&file, path, err);
    free(path);
    if (status != GVM_OK) return status;
    for (int i = 0; i < PARTS; i++) filler_start(&r.parts[i], dataset, options);
    status = parse(&has_parts, (const char *)file.data, file.size, name, add_row, &r, err);
    if (status == GVM_OK) status = pick_test(&test, &r, has_parts, options, err);
    file_unmap(&file);
    for (int i = 0; i < PARTS; i++)
        filler_end(&r.parts[i],
                   i == PART_TRAIN       ? &dataset->train
                   : &r.parts[i] == test ? &dataset->test
                                         : NULL,
                   status);
    dataset->undivided = status == GVM_OK && test == NULL;
    if (dataset->undivided) dataset->test = dataset->train;
    return status;
}
