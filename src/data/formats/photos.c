/* photos.c - photos, and rasters of the area: a folder with photos.csv, whose header is
 *
 *   image,lat,lon[,heading][,split][,id]
 *
 * in any order; further columns are ignored. image is a path below the folder; lat, lon: its position; heading: degrees
 * clockwise from north, needed only for panoramas. split: train, val or test; without the column all photos are used
 * for both training and testing.
 *
 * Aerial pictures are not files. A photo's tile is the cell of its position, and is cut from the rasters when it is
 * needed: all rasters in imagery/ and below, or those named by the options. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "data/labels.h"
#include "imagery/cells.h"

enum column { IMAGE, LAT, LON, HEADING, SPLIT, ID, COLUMNS };

static const char *const names[COLUMNS] = {"image", "lat", "lon", "heading", "split", "id"};

/* ------------------------------------------------------------------ the list */

static gvm_status read_numbers(double values[COLUMNS], char *const *row, const struct csv *csv, gvm_error *err)
{
    for (int c = LAT; c <= HEADING; c++) {
        values[c] = NAN;
        if (c == HEADING && (row[c] == NULL || row[c][0] == '\0')) continue;
        if (row[c][0] == '\0') return CSV_FAIL(csv, err, "its %s is empty; every photo needs a position", names[c]);
        if (!csv_value(&values[c], csv, row[c]))
            return CSV_FAIL(csv, err, "%s \"%.60s\" is not a number", names[c], row[c]);
    }
    if (fabs(values[HEADING]) <= 360 || isnan(values[HEADING])) return GVM_OK;
    return CSV_FAIL(csv, err, "heading %.60s is outside -360 to 360", row[HEADING]);
}

static gvm_status read_row(struct csv *csv, const int *order, pair_reader *read, void *context, gvm_error *err)
{
    char *row[COLUMNS + 1] = {NULL}; /* the last entry is for unknown columns */
    double values[COLUMNS];
    enum part part = PART_TRAIN;
    for (int i = 0; i < csv->count; i++) row[order[i]] = csv->fields[i];
    gvm_status status = row[IMAGE] != NULL && row[IMAGE][0] != '\0' ? GVM_OK : CSV_FAIL(csv, err, "its image is empty");
    if (status == GVM_OK) status = read_numbers(values, row, csv, err);
    if (status == GVM_OK) status = part_read(&part, row[SPLIT], csv, err);
    if (status != GVM_OK) return status;
    struct pair_row photo = {.query = {.path = row[IMAGE],
                                       .id = row[ID] != NULL && row[ID][0] != '\0' ? row[ID] : row[IMAGE],
                                       .lat = values[LAT],
                                       .lon = values[LON],
                                       .heading = values[HEADING]},
                             .tile = {NULL, NAN, NAN},
                             .part = part,
                             .line = csv->line};
    return read(context, &photo, err);
}

gvm_status photos_parse(bool *has_parts, const char *text, size_t size, const char *where, pair_reader *read,
                        void *context, gvm_error *err)
{
    struct csv csv;
    int order[CSV_FIELDS];
    *has_parts = false;
    csv_start(&csv, text, size, ',', CSV_FIELDS, where);
    gvm_status status = csv_header(order, &csv, names, COLUMNS, HEADING, true, err);
    for (int i = 0; i < csv.count && status == GVM_OK; i++) *has_parts = *has_parts || order[i] == SPLIT;
    while (status == GVM_OK && csv_next(&csv, &status, err)) status = read_row(&csv, order, read, context, err);
    csv_free(&csv);
    return status;
}

/* Add a photo and its cell; a position that is not on Earth has no cell. */
static gvm_status add_photo(struct filler *f, const struct pair_row *row, const struct source *source, gvm_error *err)
{
    const struct query *q = &row->query;
    char name[64] = "no cell";
    double lat = NAN, lon = NAN;
    if (fabs(q->lat) <= 90 && fabs(q->lon) <= 180) {
        struct cell cell = cell_of(q->lat, q->lon, f->dataset->ground_m);
        cell_centre(&lat, &lon, cell, f->dataset->ground_m);
        snprintf(name, sizeof name, "cell %d,%d", cell.row, cell.col);
    }
    return filler_pair(f, q, name, lat, lon, source, err);
}

/* ------------------------------------------------------------------ the rasters */

enum { DEPTH_MOST = 8 };

static bool is_raster(const char *name)
{
    static const char *const ends[] = {".tif", ".tiff", ".vrt"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < sizeof ends / sizeof *ends && dot != NULL; i++)
        if (g_ascii_strcasecmp(dot, ends[i]) == 0) return true;
    return false;
}

/* List the rasters of a folder and, up to a depth, of its subfolders. */
static gvm_status list_rasters(GPtrArray *rasters, const char *folder, int depth, gvm_error *err)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    gvm_status status = dir != NULL ? GVM_OK : fail_errno(err, "open", path_tail(folder));
    while (status == GVM_OK && (errno = 0, name = g_dir_read_name(dir)) != NULL) {
        gchar *path = g_build_filename(folder, name, NULL);
        struct stat st;
        bool there = stat(path, &st) == 0;
        if (!there && errno != ENOENT) status = fail_errno(err, "read", path_tail(path));
        if (there && S_ISREG(st.st_mode) && is_raster(name)) {
            g_ptr_array_add(rasters, path);
            continue;
        }
        if (there && S_ISDIR(st.st_mode) && depth > 0) status = list_rasters(rasters, path, depth - 1, err);
        g_free(path);
    }
    if (status == GVM_OK && errno != 0) status = fail_errno(err, "read", path_tail(folder));
    return status;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Without imagery/, only files next to photos.csv are considered, since subfolders hold photos. */
static gvm_status find_rasters(struct dataset *d, const char *named, gvm_error *err)
{
    gvm_status status = GVM_OK;
    bool own = is_there(d->root, "imagery", &status, err);
    if (status != GVM_OK) return status;
    g_autofree gchar *place = named ? g_strdup(named)
                              : own ? g_build_filename(d->root, "imagery", NULL)
                                    : g_strdup(d->root);
    g_autoptr(GPtrArray) rasters = g_ptr_array_new_with_free_func(g_free);
    struct stat st;
    if (stat(place, &st) != 0) return fail_errno(err, "open", path_tail(place));
    if (S_ISDIR(st.st_mode))
        status = list_rasters(rasters, place, named || own ? DEPTH_MOST : 0, err);
    else
        g_ptr_array_add(rasters, g_strdup(place));
    if (status == GVM_OK && rasters->len == 0)
        status = fail(err, GVM_FILE,
                      "%s: no raster (.tif, .tiff or .vrt) found to cut the photos' cells from; put orthophotos into "
                      "its folder imagery/, or name them with --imagery",
                      path_tail(place));
    if (status != GVM_OK) return status;
    g_ptr_array_sort(rasters, by_name);
    g_ptr_array_add(rasters, NULL);
    d->rasters = (char **)g_ptr_array_steal(rasters, NULL);
    return GVM_OK;
}

gvm_status photos_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err)
{
    gvm_status status = find_rasters(dataset, options->imagery, err);
    return status == GVM_OK ? list_read(dataset, options, "photos.csv", photos_parse, add_photo, err) : status;
}
