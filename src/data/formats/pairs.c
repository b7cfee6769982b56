/* pairs.c - a user's own pairs: a folder with pairs.csv, whose header is
 *
 *   id,street,aerial,lat,lon[,heading][,split][,aerial_lat,aerial_lon]
 *
 * in any order. street and aerial are paths below the folder. lat, lon: position of the street picture, and the centre
 * of the aerial one too unless aerial_lat and aerial_lon are given; they may be empty. heading: degrees clockwise from
 * north of the panorama's centre; empty: the picture's own, or else north. split: train, val or test; without the
 * column all pairs are used for both training and testing. */
#include <math.h>

#include "base/error.h"
#include "data/labels.h"

enum column { ID, STREET, AERIAL, LAT, LON, HEADING, SPLIT, AERIAL_LAT, AERIAL_LON, COLUMNS };

static const char *const names[COLUMNS] = {"id",      "street", "aerial",     "lat",       "lon",
                                           "heading", "split",  "aerial_lat", "aerial_lon"};

static gvm_status check_texts(char *const *row, const struct csv *csv, gvm_error *err)
{
    for (int c = ID; c <= AERIAL; c++)
        if (row[c] == NULL || row[c][0] == '\0') return CSV_FAIL(csv, err, "its %s is empty", names[c]);
    return GVM_OK;
}

static gvm_status read_numbers(double *values, char *const *row, const struct csv *csv, gvm_error *err)
{
    static const int numbers[] = {LAT, LON, HEADING, AERIAL_LAT, AERIAL_LON};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int c = numbers[i];
        values[c] = NAN;
        if (row[c] == NULL || row[c][0] == '\0') continue;
        if (!csv_value(&values[c], csv, row[c]))
            return CSV_FAIL(csv, err, "%s \"%.60s\" is not a number", names[c], row[c]);
    }
    if (fabs(values[HEADING]) > 360) return CSV_FAIL(csv, err, "heading %.60s is outside -360 to 360", row[HEADING]);
    if (isnan(values[LAT]) != isnan(values[LON]) || isnan(values[AERIAL_LAT]) != isnan(values[AERIAL_LON]))
        return CSV_FAIL(csv, err, "only one of latitude and longitude is given; expected both or none");
    if (isnan(values[AERIAL_LAT])) {
        values[AERIAL_LAT] = values[LAT];
        values[AERIAL_LON] = values[LON];
    }
    return GVM_OK;
}

static gvm_status read_row(struct csv *csv, const int *order, pair_reader *read, void *context, gvm_error *err)
{
    char *row[COLUMNS] = {NULL};
    double values[COLUMNS];
    enum part part = PART_TRAIN;
    for (int i = 0; i < csv->count; i++) row[order[i]] = csv->fields[i];
    gvm_status status = check_texts(row, csv, err);
    if (status == GVM_OK) status = read_numbers(values, row, csv, err);
    if (status == GVM_OK) status = part_read(&part, row[SPLIT], csv, err);
    if (status != GVM_OK) return status;
    struct pair_row pair = {.query = {.path = row[STREET],
                                      .id = row[ID],
                                      .lat = values[LAT],
                                      .lon = values[LON],
                                      .heading = values[HEADING]},
                            .tile = {row[AERIAL], values[AERIAL_LAT], values[AERIAL_LON]},
                            .part = part,
                            .line = csv->line};
    return read(context, &pair, err);
}

gvm_status pairs_parse(bool *has_parts, const char *text, size_t size, const char *where, pair_reader *read,
                       void *context, gvm_error *err)
{
    struct csv csv;
    int order[CSV_FIELDS];
    *has_parts = false;
    csv_start(&csv, text, size, ',', COLUMNS, where);
    gvm_status status = csv_header(order, &csv, names, COLUMNS, HEADING, false, err);
    bool lat = false, lon = false;
    for (int i = 0; i < csv.count && status == GVM_OK; i++) {
        *has_parts = *has_parts || order[i] == SPLIT;
        lat = lat || order[i] == AERIAL_LAT;
        lon = lon || order[i] == AERIAL_LON;
    }
    if (status == GVM_OK && lat != lon)
        status = CSV_FAIL(&csv, err, "the header has only one of aerial_lat and aerial_lon; expected both or none");
    while (status == GVM_OK && csv_next(&csv, &status, err)) status = read_row(&csv, order, read, context, err);
    csv_free(&csv);
    return status;
}

/* ------------------------------------------------------------------ the data set */

static gvm_status add_pair(struct filler *f, const struct pair_row *row, const struct source *source, gvm_error *err)
{
    const struct tile *t = &row->tile;
    return filler_pair(f, &row->query, t->path, t->lat, t->lon, source, err);
}

gvm_status pairs_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err)
{
    return list_read(dataset, options, "pairs.csv", pairs_parse, add_pair, err);
}
