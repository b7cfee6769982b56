/* vigor.c - VIGOR (Zhu et al., 2021), with the labels corrected by Lentsch et al. (2023) if they are present.
 *
 *   splits__corrected or splits /CITY/satellite_list.txt               the gallery
 *       same_area_balanced_train.txt, same_area_balanced_test.txt      same-area: each city in both splits
 *       pano_label_balanced.txt                                        cross-area: two cities for each split
 *   CITY/panorama, CITY/satellite, or ground/CITY, satellite/CITY      the pictures
 *
 * A file with __corrected before .txt takes precedence. A line of labels has 13 fields: the panorama, then the positive
 * and three semi-positive tiles, each followed by the panorama's offset from its centre in pixels. Positions are in the
 * names: ID,LAT,LON,.jpg and satellite_LAT_LON.png. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "data/labels.h"

static const char *const cities[] = {"NewYork", "Seattle", "SanFrancisco", "Chicago"};

enum { CITIES = 4, FIELDS = 13 };

/* Folders of a city, below the root. */
struct city {
    const char *name, *labels;
    char street[40], aerial[40];
};

const char *vigor_labels(const char *root, gvm_status *status, gvm_error *err)
{
    static const char *const folders[] = {"splits__corrected", "splits"};
    for (int i = 0; i < 2; i++)
        for (int c = 0; c < CITIES; c++) {
            char name[80];
            snprintf(name, sizeof name, "%s/%s", folders[i], cities[c]);
            if (is_there(root, name, status, err)) return folders[i];
        }
    return NULL;
}

static gvm_status find_city(struct city *city, const char *root, const char *labels, const char *name, gvm_error *err)
{
    gvm_status status = GVM_OK;
    *city = (struct city){.name = name, .labels = labels};
    snprintf(city->street, sizeof city->street, "ground/%s", name);
    snprintf(city->aerial, sizeof city->aerial, "satellite/%s", name);
    if (is_there(root, city->street, &status, err) || is_there(root, city->aerial, &status, err)) return status;
    snprintf(city->street, sizeof city->street, "%s/panorama", name);
    snprintf(city->aerial, sizeof city->aerial, "%s/satellite", name);
    return status;
}

/* The last two numbers of a name, before its extension: "ID,LAT,LON,.jpg" with ',', "satellite_LAT_LON.png" with '_'.
 */
static bool read_place(double *lat, double *lon, const char *name, char separator)
{
    char text[80];
    const char *stop = strrchr(name, '.');
    if (stop == NULL) return false;
    if (stop > name && stop[-1] == separator) stop--;
    const char *start = stop;
    for (int parts = 0; start > name && parts < 2;)
        if (*--start == separator) parts++;
    if (*start != separator || stop == start || stop - start >= (ptrdiff_t)sizeof text) return false;
    size_t length = (size_t)(stop - start - 1);
    memcpy(text, start + 1, length);
    text[length] = '\0';
    char *middle = strchr(text, separator);
    if (middle == NULL) return false;
    *middle = '\0';
    return csv_number(lat, text) && csv_number(lon, middle + 1);
}

static gvm_status no_place(const struct csv *csv, const char *name, gvm_error *err)
{
    return CSV_FAIL(csv, err, "'%.100s' has no latitude and longitude in its name", name);
}

/* ------------------------------------------------------------------ lines */

struct lines {
    struct filler filler;
    struct city city;
};

static gvm_status join_name(char path[PATH_MAX], const char *folder, const struct csv *csv, int field, gvm_error *err)
{
    const char *name = csv->fields[field];
    if (strchr(name, '/') == NULL && snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX) return GVM_OK;
    return CSV_FAIL(csv, err, "'%.100s' is not a picture's name in %s", name, folder);
}

static gvm_status read_tile(void *context, const struct csv *csv, gvm_error *err)
{
    struct lines *lines = context;
    char path[PATH_MAX];
    int index;
    double lat, lon;
    if (csv->count != 1) return CSV_FAIL(csv, err, "got %d fields, expected one: a tile's name", csv->count);
    gvm_status status = join_name(path, lines->city.aerial, csv, 0, err);
    if (status != GVM_OK) return status;
    if (!read_place(&lat, &lon, csv->fields[0], '_')) return no_place(csv, csv->fields[0], err);
    struct source source = {csv->where, "line", csv->line};
    return filler_tile(&index, &lines->filler, path, lat, lon, &source, err);
}

static gvm_status find_tile(int *index, const struct lines *lines, const struct csv *csv, int field, gvm_error *err)
{
    char path[PATH_MAX];
    double offset;
    for (int i = 1; i < 3; i++)
        if (!csv_number(&offset, csv->fields[field + i]))
            return CSV_FAIL(csv, err, "the offset \"%.60s\" is not a number", csv->fields[field + i]);
    gvm_status status = join_name(path, lines->city.aerial, csv, field, err);
    if (status != GVM_OK) return status;
    *index = filler_find(&lines->filler, path);
    if (*index != NOT_LISTED) return GVM_OK;
    return CSV_FAIL(csv, err, "the tile '%.100s' is not in the city's satellite_list.txt", csv->fields[field]);
}

static gvm_status read_pair(void *context, const struct csv *csv, gvm_error *err)
{
    struct lines *lines = context;
    char path[PATH_MAX], id[NAME_MAX + 1];
    struct query query = {.path = path, .id = id};
    if (csv->count != FIELDS)
        return CSV_FAIL(csv, err, "got %d fields, expected 13: a panorama, and four tiles with their offsets",
                        csv->count);
    const char *name = csv->fields[0];
    gvm_status status = join_name(path, lines->city.street, csv, 0, err);
    if (status != GVM_OK) return status;
    if (!read_place(&query.lat, &query.lon, name, ',')) return no_place(csv, name, err);
    snprintf(id, sizeof id, "%.*s", (int)strcspn(name, ","), name);
    for (int i = 0; i <= MAX_NEAR && status == GVM_OK; i++) {
        int index = NOT_THERE;
        status = find_tile(&index, lines, csv, 1 + 3 * i, err);
        if (status != GVM_OK) return status;
        if (i == 0)
            query.tile = index;
        else if (index != NOT_THERE)
            query.near[query.near_count++] = index;
    }
    struct source source = {csv->where, "line", csv->line};
    return filler_query(&lines->filler, &query, &source, err);
}

/* ------------------------------------------------------------------ files */

static gvm_status read_file(struct lines *lines, const char *name, line_reader *read, gvm_error *err)
{
    char file[120];
    const char *root = lines->filler.dataset->root;
    const struct city *city = &lines->city;
    gvm_status status = GVM_OK;
    snprintf(file, sizeof file, "%s/%s/%s__corrected.txt", city->labels, city->name, name);
    if (!is_there(root, file, &status, err))
        snprintf(file, sizeof file, "%s/%s/%s.txt", city->labels, city->name, name);
    return status != GVM_OK ? status : read_lines(root, file, ' ', FIELDS, read, lines, err);
}

/* labels: the name of the split's file in each of the cities[from..to). Missing cities are skipped. */
static gvm_status read_split(struct split *split, struct dataset *dataset, const struct dataset_options *options,
                             int from, int to, const char *labels, gvm_error *err)
{
    struct lines lines;
    gvm_status status = GVM_OK;
    const char *folder = vigor_labels(dataset->root, &status, err);
    filler_start(&lines.filler, dataset, options);
    for (int c = from; c < to && status == GVM_OK; c++) {
        char name[80];
        snprintf(name, sizeof name, "%s/%s", folder, cities[c]);
        if (!is_there(dataset->root, name, &status, err)) continue;
        status = find_city(&lines.city, dataset->root, folder, cities[c], err);
        if (status == GVM_OK) status = read_file(&lines, "satellite_list", read_tile, err);
        if (status == GVM_OK) status = read_file(&lines, labels, read_pair, err);
    }
    dataset->tiles_left_out += (int)g_hash_table_size(lines.filler.tiles) - lines.filler.split.tile_count;
    return filler_end(&lines.filler, split, status);
}

static gvm_status note_cities(struct dataset *dataset, const char *folder, gvm_error *err)
{
    gvm_status status = GVM_OK;
    size_t length = 0;
    bool any = false;
    for (int c = 0; c < CITIES; c++) {
        char name[80];
        snprintf(name, sizeof name, "%s/%s", folder, cities[c]);
        if (is_there(dataset->root, name, &status, err)) continue;
        if (status != GVM_OK) return status;
        if (length == 0) length = (size_t)snprintf(dataset->note, sizeof dataset->note, "%s has no labels of ", folder);
        length +=
            (size_t)snprintf(dataset->note + length, sizeof dataset->note - length, "%s%s", any ? ", " : "", cities[c]);
        any = true;
    }
    return GVM_OK;
}

gvm_status vigor_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err)
{
    gvm_status status = GVM_OK;
    const char *folder = vigor_labels(dataset->root, &status, err);
    if (status != GVM_OK) return status;
    if (folder == NULL)
        return fail(err, GVM_FILE, "%s: no folder of a VIGOR city found in splits__corrected or splits",
                    path_tail(dataset->root));
    status = note_cities(dataset, folder, err);
    bool cross = strcmp(dataset->test_name, "cross-area") == 0;
    const char *train = cross ? "pano_label_balanced" : "same_area_balanced_train";
    const char *test = cross ? "pano_label_balanced" : "same_area_balanced_test";
    if (status == GVM_OK)
        status = read_split(&dataset->train, dataset, options, 0, cross ? CITIES / 2 : CITIES, train, err);
    if (status == GVM_OK)
        status = read_split(&dataset->test, dataset, options, cross ? CITIES / 2 : 0, CITIES, test, err);
    return status;
}
