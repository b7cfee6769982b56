/* cvusa.c - CVUSA (Workman et al., 2015; the crossview pairs of Zhai et al., 2017).
 *
 *   splits/train-19zl.csv, splits/val-19zl.csv   aerial,panorama[,annotation]; no header
 *   split_locations/all.csv or all.csv           line N is image N: aerial lat, lon, panorama lat, lon[, a fifth];
 *                                                published apart, often not there */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "data/labels.h"

struct places {
    double (*of)[4]; /* (count, 4) aerial lat, lon, panorama lat, lon of image 1, 2, ... */
    size_t count;
    const char *file; /* NULL: missing */
};

static gvm_status add_place(void *context, const struct csv *csv, gvm_error *err)
{
    struct places *places = context;
    if (csv->count < 4) return CSV_FAIL(csv, err, "got %d fields, expected the four or five of a place", csv->count);
    if (places->count + 1 != csv->line)
        return fail(err, GVM_FORMAT, "%s, line %zu: it is empty; expected line N to describe image N", csv->where,
                    places->count + 1);
    double(*of)[4] = array_room(places->of, places->count, sizeof *of);
    if (of == NULL) return fail(err, GVM_MEMORY, "%s: cannot read it: out of memory", csv->where);
    places->of = of;
    for (int i = 0; i < 4; i++)
        if (!csv_value(&places->of[places->count][i], csv, csv->fields[i]))
            return CSV_FAIL(csv, err, "\"%.60s\" is not a number", csv->fields[i]);
    places->count++;
    return GVM_OK;
}

static gvm_status read_places(struct places *places, const char *root, gvm_error *err)
{
    gvm_status status = GVM_OK;
    *places = (struct places){0};
    if (is_there(root, "split_locations/all.csv", &status, err))
        places->file = "split_locations/all.csv";
    else if (is_there(root, "all.csv", &status, err))
        places->file = "all.csv";
    else
        return status;
    return read_lines(root, places->file, ',', 5, add_place, places, err);
}

/* "streetview/panos/0001227.jpg": id "0001227", image 1227; image 0 if the name is not a number. */
static size_t name_image(char id[64], const char *path)
{
    const char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    size_t length = strcspn(name, "."), digits = strspn(name, "0123456789");
    if (length > 63) length = 63;
    memcpy(id, name, length);
    id[length] = '\0';
    return digits == length && digits < 16 ? strtoull(id, NULL, 10) : 0;
}

struct list {
    struct filler filler;
    const struct places *places;
};

static gvm_status add_pair(void *context, const struct csv *csv, gvm_error *err)
{
    struct list *list = context;
    const struct places *places = list->places;
    if (csv->count < 2)
        return CSV_FAIL(csv, err, "got one field, expected two or three: aerial, panorama and optionally annotation");
    char id[64];
    const double unknown[4] = {NAN, NAN, NAN, NAN}, *at = unknown;
    size_t image = name_image(id, csv->fields[1]);
    if (image > places->count && places->of != NULL)
        return CSV_FAIL(csv, err, "image %zu is out of range for the %zu lines of %s", image, places->count,
                        places->file);
    if (image > 0 && places->of != NULL) at = places->of[image - 1];
    struct query query = {.path = csv->fields[1], .id = id, .lat = at[2], .lon = at[3]};
    struct source source = {csv->where, "line", csv->line};
    return filler_pair(&list->filler, &query, csv->fields[0], at[0], at[1], &source, err);
}

static gvm_status read_split(struct split *split, const char *name, const struct places *places,
                             struct dataset *dataset, const struct dataset_options *options, gvm_error *err)
{
    struct list list = {.places = places};
    filler_start(&list.filler, dataset, options);
    return filler_end(&list.filler, split, read_lines(dataset->root, name, ',', 3, add_pair, &list, err));
}

gvm_status cvusa_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err)
{
    static const char train[] = "splits/train-19zl.csv", val[] = "splits/val-19zl.csv";
    struct places places;
    gvm_status status = read_places(&places, dataset->root, err);
    bool has_train = is_there(dataset->root, train, &status, err), has_val = is_there(dataset->root, val, &status, err);
    if (status == GVM_OK && has_train) status = read_split(&dataset->train, train, &places, dataset, options, err);
    if (status == GVM_OK && (has_val || !has_train))
        status = read_split(&dataset->test, val, &places, dataset, options, err);
    if (!has_train || !has_val)
        snprintf(dataset->note, sizeof dataset->note, "%s is missing", has_train ? val : train);
    else if (places.of == NULL)
        snprintf(dataset->note, sizeof dataset->note, "all.csv is missing, so positions are unknown");
    free(places.of);
    return status;
}
