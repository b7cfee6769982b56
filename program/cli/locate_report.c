/* locate_report.c - the answers of `locate` as one page that holds its pictures itself, and as GeoJSON beside it. The
 * photos' sections go into a file as they are located, so that the page may be larger than memory. */
#define _GNU_SOURCE /* open_memstream */
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "cli/report.h"

/* ------------------------------------------------------------------ the head */

/* Sources of shown tiles that are gone: said once, before the pictures that lack them, and not among the problems. */
static void find_missing(struct report *r)
{
    GHashTable *seen = g_hash_table_new(g_direct_hash, g_direct_equal); /* a source's name has one address */
    for (size_t i = 0; i < r->count; i++) {
        struct located l = located_photo(r->answers, i);
        for (int k = 0; l.status == GVM_OK && k < l.found->count && k < REPORT_ANSWERS; k++) {
            if (!g_hash_table_add(seen, (gpointer)l.hits[k].tile)) continue;
            gvm_error err;
            char *path;
            guint at;
            if (gvm_map_source(r->map, &path, l.hits[k].tile, &err) != GVM_OK) {
                g_ptr_array_add(r->missing, g_strdup(err.text));
                if (g_ptr_array_find_with_equal_func(r->problems, err.text, g_str_equal, &at))
                    g_ptr_array_remove_index(r->problems, at);
            }
            gvm_free(path);
        }
    }
    g_hash_table_destroy(seen);
    if (r->missing->len == 0) return;
    fputs("<p class=\"notice\"><b>Some of the map\342\200\231s imagery is missing</b>, so its tiles have no pictures "
          "here: ",
          r->out);
    report_text(r->out, g_ptr_array_index(r->missing, 0));
    if (r->missing->len > 1) fprintf(r->out, " (and %u more)", r->missing->len - 1);
    fputs(".</p>", r->out);
}

static void put_figure(FILE *out, const char *name, const char *format, double value)
{
    fputs("<div><b>", out);
    fprintf(out, format, value);
    fprintf(out, "</b><span>%s</span></div>", name);
}

static void put_summary(const struct report *r)
{
    struct summary s = locate_summary(r->answers);
    char text[120];
    fputs("<div class=\"summary\">", r->out);
    put_figure(r->out, s.photos == 1 ? "photo" : "photos", "%.0f", (double)s.photos);
    put_figure(r->out, gvm_map_count(r->map) == 1 ? "tile searched" : "tiles in the map", "%.0f",
               (double)gvm_map_count(r->map));
    snprintf(text, sizeof text, "weak (margin below %g)", r->answers->min_margin);
    put_figure(r->out, text, "%.0f", (double)s.weak);
    if (s.photos > s.located) put_figure(r->out, "not located", "%.0f", (double)(s.photos - s.located));
    if (s.known > 0) {
        put_figure(r->out, s.known == 1 ? "error" : "median error", "%.1f m", s.median_m);
        snprintf(text, sizeof text, "within %d m, of %zu whose place is known", NEAR_M, s.known);
        put_figure(r->out, text, "%.1f%%", 100.0 * (double)s.near / (double)s.known);
        snprintf(text, sizeof text, "within %d m, of the %zu not weak", NEAR_M, s.known - s.weak_known);
        if (s.weak_known > 0 && s.weak_known < s.known)
            put_figure(r->out, text, "%.1f%%", 100.0 * (double)s.other_near / (double)(s.known - s.weak_known));
    }
    fputs("</div>", r->out);
}

/* Whether any photo has a truth, or a GPS position: columns that are empty are not shown. */
static bool any(const struct answers *a, bool gps)
{
    for (size_t i = 0; i < a->photos.count; i++) {
        struct located l = located_photo(a, i);
        if (l.status == GVM_OK && (gps ? l.found->info.has_place : !isnan(l.lat))) return true;
    }
    return false;
}

struct row {
    size_t photo;
    double margin;
};

/* The weakest first; those without a margin last. */
static int by_margin(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (isnan(x->margin) != isnan(y->margin)) return isnan(x->margin) - isnan(y->margin);
    if (x->margin != y->margin && !isnan(x->margin)) return x->margin < y->margin ? -1 : 1;
    return (x->photo > y->photo) - (x->photo < y->photo);
}

static void put_cell(FILE *out, double value, const char *format)
{
    if (isnan(value)) {
        fputs("<td></td>", out);
        return;
    }
    fprintf(out, "<td data-v=\"%.9g\">", value);
    fprintf(out, format, value);
    fputs("</td>", out);
}

static void put_row(const struct report *r, size_t photo, bool known, bool gps)
{
    static const char *const words[][2] = {[RIGHT] = {"right", "\342\234\223 right"},
                                           [WRONG] = {"wrong", "\342\234\227 wrong"},
                                           [SURE] = {"sure", "clear"},
                                           [UNSURE] = {"unsure", "? weak"},
                                           [ONLY] = {"unsure", "? no other place"},
                                           [REFUSED] = {"", ""}};
    const struct answers *a = r->answers;
    struct located l = located_photo(a, photo);
    enum outcome o = report_outcome(a, photo);
    bool weak = located_weakness(l.found, l.min_margin) == WEAK && (o == RIGHT || o == WRONG);
    fprintf(r->out, "<tr class=\"%s\"><td data-v=\"%zu\">%zu</td><td>", words[o][0], photo + 1, photo + 1);
    if (photo < r->count) fprintf(r->out, "<a href=\"#p%zu\">", photo + 1);
    report_text(r->out, report_name(a, photo));
    fprintf(r->out, "%s</td><td>%s%s</td>", photo < r->count ? "</a>" : "", words[o][1], weak ? ", ? weak" : "");
    put_cell(r->out, l.found->margin, "%.4f");
    put_cell(r->out, l.hits->score, "%.4f");
    if (known) put_cell(r->out, located_error(&l, l.hits), "%.1f");
    if (gps) put_cell(r->out, located_off_gps(&l, l.hits), "%.1f");
    fprintf(r->out, "<td>%.6f, %.6f</td></tr>\n", l.hits->lat, l.hits->lon);
}

static void put_table(const struct report *r)
{
    const struct answers *a = r->answers;
    bool known = any(a, false), gps = any(a, true);
    struct row *rows = malloc(a->photos.count * sizeof *rows + 1);
    size_t count = 0;
    for (size_t i = 0; i < a->photos.count && rows != NULL; i++)
        if (a->statuses[i] == GVM_OK) rows[count++] = (struct row){i, a->found[i].margin};
    if (count > 0) {
        qsort(rows, count, sizeof *rows, by_margin);
        fputs("<h2>All photos</h2><div class=\"wrap\"><table><thead><tr><th>No.</th><th>Photo</th><th>Answer</th><th "
              "aria-sort=\"ascending\">Margin</th><th>Score</th>",
              r->out);
        if (known) fputs("<th>Error, m</th>", r->out);
        if (gps) fputs("<th>From its GPS, m</th>", r->out);
        fputs("<th>Place</th></tr></thead><tbody>\n", r->out);
        for (size_t i = 0; i < count; i++) put_row(r, rows[i].photo, known, gps);
        fputs("</tbody></table></div>", r->out);
    }
    free(rows);
}

/* Photos that were not located: each path once, and why. */
static void put_refused(const struct report *r)
{
    const struct answers *a = r->answers;
    bool first = true;
    for (size_t i = 0; i < a->photos.count; i++) {
        if (a->statuses[i] == GVM_OK) continue;
        const char *path = a->photos.paths[i], *tail = path_tail(path), *why = a->errors[i].text;
        if (first) fputs("<h2>Not located</h2><ul class=\"refused\">", r->out);
        first = false;
        const char *const starts[] = {path, tail};
        for (int k = 0; k < 2; k++)
            if (g_str_has_prefix(why, starts[k]) && strncmp(why + strlen(starts[k]), ": ", 2) == 0) {
                why += strlen(starts[k]) + 2;
                break;
            }
        fputs("<li><b>", r->out);
        report_text(r->out, path);
        fputs("</b><br>", r->out);
        report_text(r->out, why);
        fputs("</li>", r->out);
    }
    if (!first) fputs("</ul>", r->out);
}

static void put_head(struct report *r)
{
    const struct answers *a = r->answers;
    fprintf(r->out,
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">" OUTPUT_GENERATOR
            " %s\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta "
            "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';img-src data:;style-src "
            "'unsafe-inline';script-src 'unsafe-inline'\"><title>Where ",
            gvm_version());
    if (a->photos.count == 1)
        report_text(r->out, report_name(a, 0));
    else
        fprintf(r->out, "%zu photos", a->photos.count);
    fprintf(r->out, " %s taken \302\267 GeoViewMatch</title><style>%s</style></head><body><main id=\"top\"><h1>Where ",
            a->photos.count == 1 ? "was" : "were", report_style);
    fprintf(r->out, a->photos.count == 1 ? "this photo was taken</h1>" : "these %zu photos were taken</h1>",
            a->photos.count);
    find_missing(r);
    put_summary(r);
    report_overview(r);
    put_table(r);
    put_refused(r);
    fputs("<details><summary>How to read this</summary><p>The <b>score</b> is the cosine similarity of photo and tile, "
          "at "
          "most 1; it compares answers for one photo, not photos. The <b>margin</b> is the first answer\342\200\231s "
          "score less "
          "that of the best tile elsewhere; ",
          r->out);
    fprintf(
        r->out,
        "below %g the answer is called <b>weak</b>, as another place is almost as similar. An answer is <b>right</b> "
        "if it lies within %d m of the true place, which only a list of places (<code>--known</code>) gives; the "
        "distance to the photo\342\200\231s own GPS is no error. <b>Heat maps</b> show each position\342\200\231s "
        "share of the "
        "score with the best tile, the least in blue and the most in red.</p></details>",
        a->min_margin, NEAR_M);
    if (r->count < a->photos.count)
        fprintf(r->out,
                "<p class=\"notice\">The first %zu of %zu photos follow with pictures; "
                "<code>--report-photos</code> sets how many.</p>",
                r->count, a->photos.count);
}

static void put_foot(struct report *r)
{
    if (r->problems->len > 0) {
        fputs("<section><h2>What could not be shown</h2><ul>", r->out);
        for (guint i = 0; i < r->problems->len; i++) {
            fputs("<li>", r->out);
            report_text(r->out, g_ptr_array_index(r->problems, i));
            fputs("</li>", r->out);
        }
        fputs("</ul></section>", r->out);
    }
    fprintf(r->out, "<footer>GeoViewMatch %s</footer></main><script>%s</script></body></html>\n", gvm_version(),
            report_script);
}

/* ------------------------------------------------------------------ the files */

/* Have `put` write a part of the page, and append it to the file. */
static gvm_status write_part(struct file_writer *w, size_t *bytes, struct report *r, void (*put)(struct report *),
                             gvm_error *err)
{
    char *text = NULL;
    size_t size = 0;
    r->out = open_memstream(&text, &size);
    if (r->out == NULL) return fail(err, GVM_MEMORY, "there is not enough memory for the report");
    put(r);
    bool short_of_memory = ferror(r->out) != 0;
    gvm_status status = fclose(r->out) == 0 && !short_of_memory
                            ? file_writer_write(w, text, size, err)
                            : fail(err, GVM_MEMORY, "there is not enough memory for the report");
    free(text);
    *bytes += size;
    return status;
}

/* Append the sections. */
static gvm_status write_sections(struct file_writer *w, size_t *bytes, struct report *r, gvm_error *err)
{
    char part[65536];
    gvm_status status = GVM_OK;
    bool failed = ferror(r->sections) != 0 || fflush(r->sections) != 0;
    rewind(r->sections);
    for (size_t n; !failed && status == GVM_OK && (n = fread(part, 1, sizeof part, r->sections)) > 0; *bytes += n)
        status = file_writer_write(w, part, n, err);
    if (status != GVM_OK || (!failed && !ferror(r->sections))) return status;
    return fail(err, GVM_FILE, "%s: the report cannot be written there: is the disk full?", r->options->folder);
}

static gvm_status write_page(struct report *r, const char *path, size_t *bytes, gvm_error *err)
{
    struct file_writer w;
    gvm_status status = file_writer_open(&w, path, err);
    if (status != GVM_OK) return status;
    status = write_part(&w, bytes, r, put_head, err);
    if (status == GVM_OK) status = write_sections(&w, bytes, r, err);
    if (status == GVM_OK) status = write_part(&w, bytes, r, put_foot, err);
    if (status == GVM_OK) return file_writer_commit(&w, err);
    file_writer_abort(&w);
    return status;
}

static gvm_status write_geojson(const struct answers *answers, const char *path, gvm_error *err)
{
    json_t *geojson = locate_geojson(answers);
    char *text = geojson != NULL ? json_dumps(geojson, JSON_INDENT(2)) : NULL;
    gvm_status status = text != NULL ? file_write(path, text, strlen(text), err)
                                     : fail(err, GVM_MEMORY, "there is not enough memory for the report");
    free(text);
    json_decref(geojson);
    return status;
}

/* A file of its own in the report's folder, without a name: it goes with the process. */
static gvm_status open_sections(struct report *r, gvm_error *err)
{
    gchar *path = g_build_filename(r->options->folder, "geoviewmatch-XXXXXX", NULL);
    int fd = mkstemp(path);
    if (fd >= 0) unlink(path);
    g_free(path);
    r->sections = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (r->sections != NULL) return GVM_OK;
    gvm_status status = fail_errno(err, "write into", r->options->folder);
    if (fd >= 0) close(fd);
    return status;
}

static gvm_status check_folder(const struct report_options *o, gvm_error *err)
{
    if (g_mkdir_with_parents(o->folder, 0777) != 0 || access(o->folder, W_OK) != 0)
        return fail_errno(err, "make", o->folder);
    static const struct output_kind places = {"a list of answers", .holds = "\"generator\": \"" OUTPUT_SOFTWARE};
    gchar *page = g_build_filename(o->folder, "index.html", NULL);
    gchar *geojson = g_build_filename(o->folder, "answers.geojson", NULL);
    gvm_status status = output_check(page, &output_page, o->force, NULL, 0, err);
    if (status == GVM_OK) status = output_check(geojson, &places, o->force, NULL, 0, err);
    g_free(page);
    g_free(geojson);
    return status;
}

static gvm_status look_at(struct report *r, gvm_error *err)
{
    gvm_model_info info = {.size = sizeof info};
    gvm_status status = gvm_model_about(r->model, &info, err);
    size_t most = 0;
    for (int v = 0; v < 2 && status == GVM_OK; v++) {
        r->views[v].size = sizeof r->views[v];
        status = gvm_view_about(r->model, (gvm_view)v, &r->views[v], err);
        size_t pixels = (size_t)r->views[v].height * (size_t)r->views[v].width;
        if (pixels > most) most = pixels;
    }
    r->area.size = sizeof r->area;
    if (status == GVM_OK) status = gvm_map_about(r->map, &r->area, err);
    if (status != GVM_OK) return status;
    r->aerial = malloc(3 * most);
    r->heat = malloc(most * sizeof *r->heat);
    r->tile_feature = malloc((size_t)info.features * sizeof *r->tile_feature);
    r->shown = calloc(r->count + 1, sizeof *r->shown);
    if (r->aerial && r->heat && r->tile_feature && r->shown) return gvm_imagery_open(&r->imagery, r->map, err);
    return fail(err, GVM_MEMORY, "there is not enough memory for the report");
}

gvm_status report_open(struct report **report, const struct report_options *options, const struct answers *answers,
                       gvm_session *session, const gvm_model *model, const gvm_map *map, gvm_error *err)
{
    struct report *r = *report = calloc(1, sizeof *r);
    if (r == NULL) return fail(err, GVM_MEMORY, "there is not enough memory for the report");
    *r = (struct report){.options = options, .answers = answers, .session = session, .model = model, .map = map};
    r->count = options->photos < answers->photos.count ? options->photos : answers->photos.count;
    r->missing = g_ptr_array_new_with_free_func(g_free);
    r->problems = g_ptr_array_new_with_free_func(g_free);
    gvm_status status = check_folder(options, err);
    if (status == GVM_OK) status = open_sections(r, err);
    return status == GVM_OK ? look_at(r, err) : status;
}

void report_free(struct report *r)
{
    if (r == NULL) return;
    for (size_t i = 0; i < r->count && r->shown != NULL; i++) free(r->shown[i].rgb);
    if (r->sections != NULL) fclose(r->sections);
    gvm_imagery_free(r->imagery);
    g_ptr_array_free(r->missing, TRUE);
    g_ptr_array_free(r->problems, TRUE);
    free(r->shown);
    free(r->aerial);
    free(r->heat);
    free(r->tile_feature);
    free(r);
}

static void tell(const GPtrArray *sentences)
{
    for (guint i = 0; i < sentences->len; i++)
        fprintf(stderr, "geoviewmatch: %s\n", (const char *)g_ptr_array_index(sentences, i));
}

int report_write(struct report *r, bool quiet)
{
    gvm_error err;
    size_t bytes = 0;
    gchar *page = g_build_filename(r->options->folder, "index.html", NULL);
    gchar *geojson = g_build_filename(r->options->folder, "answers.geojson", NULL);
    gvm_status status = write_page(r, page, &bytes, &err);
    if (status == GVM_OK) status = write_geojson(r->answers, geojson, &err);
    int end = status == GVM_OK && r->missing->len + r->problems->len == 0 ? DONE : FAILED;
    tell(r->missing);
    tell(r->problems);
    if (status != GVM_OK) failed(&err);
    if (status == GVM_OK && !quiet)
        fprintf(stderr, "%s: %zu photo%s with pictures, %.1f MB\n", page, r->count, r->count == 1 ? "" : "s",
                (double)bytes / 1e6);
    g_free(geojson);
    g_free(page);
    return end;
}
