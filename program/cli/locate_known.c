/* locate_known.c - reads the true places and headings of photos from a list.
 *
 * A wrong truth is worse than none: a line whose file exists belongs to that file alone, whatever the names of other
 * photos; otherwise to the only photo whose path ends with its name. */
#define _GNU_SOURCE /* realpath */
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/locate.h"

enum column { IMAGE, STREET, LAT, LON, HEADING, CAMERA, OTHER = CAMERA + CAMERA_COLUMNS, COLUMNS = OTHER + 7 };

/* The last ones are those of lists of pairs and tiles; they are ignored. The camera's are filled in. */
static const char *const names[COLUMNS] = {[IMAGE] = "image",
                                           [STREET] = "street",
                                           [LAT] = "lat",
                                           [LON] = "lon",
                                           [HEADING] = "heading",
                                           [OTHER] = "id",
                                           "aerial",
                                           "split",
                                           "metres",
                                           "aerial_lat",
                                           "aerial_lon",
                                           "altitude"};

/* A photo, and its line so far. */
struct photo {
    char *full;  /* absolute path, links not resolved */
    size_t line; /* 0: none */
    bool exact;  /* the line names the file itself */
};

struct search {
    struct known *known;
    const struct picture_files *photos;
    struct photo *each; /* (photos) */
    GHashTable *real;   /* resolved path > the photos with that file (GArray of size_t) */
    GHashTable *tails;  /* last part of a path > the photos with that ending (GArray of size_t) */
    const char *list;
    size_t unclear; /* lines that match several photos */
};

/* ------------------------------------------------------------------ which photo */

static void add_photo(GHashTable *table, const char *key, size_t photo)
{
    GArray *photos = g_hash_table_lookup(table, key);
    if (photos == NULL) {
        photos = g_array_new(FALSE, FALSE, sizeof photo);
        g_hash_table_insert(table, g_strdup(key), photos);
    }
    g_array_append_val(photos, photo);
}

/* The file that a line names, to be freed: relative to the list's folder, to that of the file it links to, or to the
 * current folder; NULL if there is none. */
static char *find_file(const char *list, const char *name)
{
    g_autofree char *target = realpath(list, NULL);
    const char *const lists[] = {list, target ? target : list, "."};
    char *found = NULL;
    for (int i = 0; i < 3 && found == NULL; i++) {
        g_autofree gchar *folder = g_path_get_dirname(lists[i]), *path = g_build_filename(folder, name, NULL);
        found = realpath(name[0] == '/' ? name : path, NULL);
    }
    return found;
}

/* Whether the path is the name, or ends with "/" and the name. */
static bool ends_in(const char *path, const char *name)
{
    size_t length = strlen(path), part = strlen(name);
    return part > 0 && g_str_has_suffix(path, name) && (part == length || path[length - part - 1] == '/');
}

static bool differs(double a, double b)
{
    return isnan(a) != isnan(b) || (!isnan(a) && a != b);
}

static gvm_status take(struct search *s, size_t photo, bool exact, const struct known *k, const struct csv *csv,
                       gvm_error *err)
{
    struct known *known = &s->known[photo];
    struct photo *p = &s->each[photo];
    if (p->line > 0 && p->exact && !exact) return GVM_OK;
    if (p->line > 0 && p->exact == exact &&
        (differs(known->lat, k->lat) || differs(known->lon, k->lon) || differs(known->heading, k->heading) ||
         camera_differs(&known->camera, &k->camera)))
        return CSV_FAIL(csv, err, "its values for %s contradict line %zu", path_tail(s->photos->paths[photo]), p->line);
    *known = *k;
    p->line = csv->line;
    p->exact = exact;
    return GVM_OK;
}

/* A name without a file, as in a list from another machine. */
static gvm_status take_by_end(struct search *s, const char *name, const struct known *k, const struct csv *csv,
                              gvm_error *err)
{
    g_autofree gchar *plain = g_canonicalize_filename(name, "/"); /* drops leading ".." */
    g_autofree gchar *tail = g_path_get_basename(plain);
    const GArray *photos = g_hash_table_lookup(s->tails, tail);
    size_t count = 0, photo = 0;
    for (guint i = 0; photos != NULL && i < photos->len; i++) {
        size_t which = g_array_index(photos, size_t, i);
        if (!ends_in(s->each[which].full, plain + 1)) continue;
        photo = which;
        count++;
    }
    if (count > 1) s->unclear++;
    return count == 1 ? take(s, photo, false, k, csv, err) : GVM_OK;
}

static gvm_status take_line(struct search *s, const char *name, const struct known *k, const struct csv *csv,
                            gvm_error *err)
{
    if (name[0] == '\0') return CSV_FAIL(csv, err, "the photo's name is empty");
    g_autofree char *file = find_file(s->list, name);
    if (file == NULL) return take_by_end(s, name, k, csv, err);
    gvm_status status = GVM_OK;
    const GArray *photos = g_hash_table_lookup(s->real, file);
    for (guint i = 0; photos != NULL && i < photos->len && status == GVM_OK; i++)
        status = take(s, g_array_index(photos, size_t, i), true, k, csv, err);
    return status;
}

/* ------------------------------------------------------------------ the list */

static gvm_status read_line(struct search *s, const struct csv *csv, const int *order, gvm_error *err)
{
    const char *name = "";
    struct known line = {NAN, NAN, NAN, camera_unknown};
    static const double most[COLUMNS] = {[LAT] = 90, [LON] = 180, [HEADING] = 360};
    double *values[COLUMNS] = {[LAT] = &line.lat, [LON] = &line.lon, [HEADING] = &line.heading};
    for (int i = 0; i < csv->count; i++) {
        const char *text = csv->fields[i];
        int c = order[i];
        if (c == IMAGE || c == STREET) name = text;
        if (c >= CAMERA && c < OTHER) {
            gvm_status status = camera_cell(&line.camera, c - CAMERA, csv, text, err);
            if (status != GVM_OK) return status;
            continue;
        }
        if (c == COLUMNS || values[c] == NULL || (c == HEADING && *text == '\0')) continue;
        if (!csv_value(values[c], csv, text) || fabs(*values[c]) > most[c])
            return CSV_FAIL(csv, err, "%s \"%.60s\" is not a number from %g to %g", names[c], text, -most[c], most[c]);
    }
    return take_line(s, name, &line, csv, err);
}

static gvm_status read_list(struct search *s, struct csv *csv, gvm_error *err)
{
    int order[CSV_FIELDS], has[COLUMNS + 1] = {0};
    const char *all[COLUMNS];
    memcpy(all, names, sizeof all);
    memcpy(all + CAMERA, camera_columns, sizeof camera_columns);
    gvm_status status = csv_header(order, csv, all, COLUMNS, 0, true, err);
    for (int i = 0; i < csv->count && status == GVM_OK; i++) has[order[i]] = 1;
    if (status == GVM_OK && (has[IMAGE] + has[STREET] != 1 || !has[LAT] || !has[LON]))
        status = CSV_FAIL(csv, err, "the header needs lat, lon and one of image and street");
    while (status == GVM_OK && csv_next(csv, &status, err)) status = read_line(s, csv, order, err);
    return status;
}

static gvm_status read_file(struct search *s, gvm_error *err)
{
    struct file_map file;
    struct csv csv;
    for (size_t i = 0; i < s->photos->count; i++) {
        const char *path = s->photos->paths[i];
        g_autofree char *real = realpath(path, NULL);
        s->each[i].full = g_canonicalize_filename(path, NULL);
        g_autofree gchar *tail = g_path_get_basename(s->each[i].full);
        add_photo(s->tails, tail, i);
        if (real != NULL) add_photo(s->real, real, i);
    }
    gvm_status status = file_map(&file, s->list, err);
    if (status != GVM_OK) return status;
    csv_start(&csv, (const char *)file.data, file.size, ',', CSV_FIELDS, path_tail(s->list));
    status = read_list(s, &csv, err);
    csv_free(&csv);
    file_unmap(&file);
    return status;
}

/* Warnings about the list as a whole. */
static void warn(const struct search *s, size_t found)
{
    if (found < s->photos->count)
        fprintf(stderr, "geoviewmatch: warning: --known lists %zu of the %zu photos\n", found, s->photos->count);
    if (s->unclear > 0)
        fprintf(stderr,
                "geoviewmatch: warning: --known: %zu of its names match several photos and are ignored; give their "
                "folders too\n",
                s->unclear);
}

gvm_status known_read(struct known *known, const struct picture_files *photos, const char *list, gvm_error *err)
{
    size_t n = photos->count, found = 0;
    for (size_t i = 0; i < n; i++) known[i] = (struct known){NAN, NAN, NAN, camera_unknown};
    if (list == NULL) return GVM_OK;
    struct search s = {.known = known, .photos = photos, .list = list};
    s.each = g_new0(struct photo, n);
    s.real = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
    s.tails = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
    gvm_status status = read_file(&s, err);
    for (size_t i = 0; i < n; i++) {
        found += s.each[i].line > 0;
        g_free(s.each[i].full);
    }
    if (status == GVM_OK) warn(&s, found);
    g_hash_table_destroy(s.real);
    g_hash_table_destroy(s.tails);
    g_free(s.each);
    return status;
}
