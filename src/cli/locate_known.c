/* locate_known.c - what is known of photos before they are located. */
#define _GNU_SOURCE /* realpath */
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/distance.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/locate.h"

enum column { IMAGE, STREET, LAT, LON, HEADING, COLUMNS = 12 };

/* Those behind the heading stand in lists of pairs and of tiles, and say nothing of a photo. */
static const char *const names[COLUMNS] = {"image",  "street", "lat",    "lon",        "heading",    "id",
                                           "aerial", "split",  "metres", "aerial_lat", "aerial_lon", "altitude"};

/* The photos, and which line is theirs so far. */
struct search {
    struct known *known;
    const struct picture_files *photos;
    char **real;        /* (photos) resolved paths; NULL where there is none */
    unsigned char *how; /* (photos) 0: no line yet, 1: by the end of its path, 2: by the file itself */
    const char *list;
};

/* Whether the path is the name, or ends in it behind a folder. */
static bool ends_in(const char *path, const char *name)
{
    size_t length = strlen(path), part = strlen(name);
    if (part == 0 || part > length || strcmp(path + length - part, name) != 0) return false;
    return part == length || path[length - part - 1] == '/';
}

static void take_line(const struct search *s, const char *name, const struct known *line)
{
    gchar *folder = g_path_get_dirname(s->list), *beside = g_canonicalize_filename(name, folder);
    char *real = realpath(beside, NULL);
    for (size_t i = 0; i < s->photos->count; i++) {
        bool same = real != NULL && s->real[i] != NULL && strcmp(real, s->real[i]) == 0;
        if (!same && (s->how[i] == 2 || !ends_in(s->photos->paths[i], name))) continue;
        s->known[i] = *line;
        s->how[i] = same ? 2 : 1;
    }
    free(real);
    g_free(beside);
    g_free(folder);
}

static gvm_status read_line(const struct search *s, const struct csv *csv, const int *order, gvm_error *err)
{
    const char *name = "";
    struct known line = {NAN, NAN, NAN, NAN, NAN};
    static const double most[COLUMNS] = {[LAT] = 90, [LON] = 180, [HEADING] = 360};
    double *values[COLUMNS] = {[LAT] = &line.lat, [LON] = &line.lon, [HEADING] = &line.heading};
    for (int i = 0; i < csv->count; i++) {
        const char *text = csv->fields[i];
        int c = order[i];
        if (c == IMAGE || c == STREET) name = text;
        if (values[c] == NULL || (c == HEADING && *text == '\0')) continue;
        if (!csv_number(values[c], text) || fabs(*values[c]) > most[c])
            return fail(err, GVM_FORMAT, "%s, line %zu: %s \"%.60s\" is not a number from %g to %g", csv->where,
                        csv->line, names[c], text, -most[c], most[c]);
    }
    take_line(s, name, &line);
    return GVM_OK;
}

static gvm_status read_list(const struct search *s, struct csv *csv, gvm_error *err)
{
    int order[CSV_FIELDS], has[COLUMNS] = {0};
    gvm_status status = csv_header(order, csv, names, COLUMNS, 0, err);
    for (int i = 0; i < csv->count && status == GVM_OK; i++) has[order[i]] = 1;
    if (status == GVM_OK && (has[IMAGE] + has[STREET] != 1 || !has[LAT] || !has[LON]))
        status = fail(err, GVM_FORMAT, "%s, line %zu: the header needs lat, lon and one of image and street",
                      csv->where, csv->line);
    while (status == GVM_OK && csv_next(csv, &status, err)) status = read_line(s, csv, order, err);
    return status;
}

static gvm_status read_file(struct search *s, gvm_error *err)
{
    struct file_map file;
    struct csv csv;
    size_t n = s->photos->count;
    s->real = calloc(n + 1, sizeof *s->real);
    s->how = calloc(n + 1, sizeof *s->how);
    if (s->real == NULL || s->how == NULL) return fail(err, GVM_MEMORY, "there is not enough memory for %zu photos", n);
    for (size_t i = 0; i < n; i++) s->real[i] = realpath(s->photos->paths[i], NULL);
    gvm_status status = file_map(&file, s->list, err);
    if (status != GVM_OK) return status;
    csv_start(&csv, (const char *)file.data, file.size, ',', COLUMNS, path_tail(s->list));
    status = read_list(s, &csv, err);
    csv_free(&csv);
    file_unmap(&file);
    return status;
}

gvm_status known_read(struct known *known, size_t *found, const struct picture_files *photos, const char *list,
                      gvm_error *err)
{
    struct search s = {.known = known, .photos = photos, .list = list};
    gvm_status status = GVM_OK;
    *found = 0;
    for (size_t i = 0; i < photos->count; i++) known[i] = (struct known){NAN, NAN, NAN, NAN, NAN};
    if (list != NULL) status = read_file(&s, err);
    for (size_t i = 0; i < photos->count; i++) {
        if (s.how != NULL) *found += s.how[i] > 0;
        if (s.real != NULL) free(s.real[i]);
        gvm_photo_info info;
        if (gvm_photo_about(&info, photos->paths[i], NULL) != GVM_OK || !info.has_place) continue;
        known[i].exif_lat = info.lat;
        known[i].exif_lon = info.lon;
    }
    free(s.real);
    free(s.how);
    return status;
}
