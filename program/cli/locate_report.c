/* locate_report.c - writes the answers of `locate` as one HTML file with embedded pictures, and as GeoJSON beside it.
 * The photos' sections are written to a temporary file as they are located, so the page may be larger than memory. */
#include <assert.h>
#include <errno.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json_put.h"
#include "base/output.h"
#include "cli/report.h"

/* ------------------------------------------------------------------ the head */

/* Missing sources of shown tiles: reported once, at the top, and not among the problems. */
static void find_missing(struct report *r)
{
    GHashTable *seen = g_hash_table_new(g_direct_hash, g_direct_equal); /* equal sources share one address */
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
    put(r->out,
        "<p class=\"notice\"><b>Some of the map\342\200\231s imagery is missing</b>, so its tiles have no pictures "
        "here: %s",
        (const char *)g_ptr_array_index(r->missing, 0));
    if (r->missing->len > 1) put(r->out, " (and %u more)", r->missing->len - 1);
    fputs(".</p>", r->out);
}

#define FIGURE(value, name) "<div><b>" value "</b><span>" name "</span></div>"

static void put_summary(const struct report *r)
{
    struct summary s = locate_summary(r->answers);
    size_t tiles = gvm_map_count(r->map), clear = s.known - s.weak_known;
    fputs("<div class=\"summary\">", r->out);
    put(r->out, FIGURE("%zu", "photo%s"), s.photos, s.photos == 1 ? "" : "s");
    put(r->out, FIGURE("%zu", "%s"), tiles, tiles == 1 ? "tile searched" : "tiles in the map");
    put(r->out, FIGURE("%zu", "weak (margin below %g)"), s.weak, r->answers->min_margin);
    if (s.photos > s.located) put(r->out, FIGURE("%zu", "not located"), s.photos - s.located);
    if (s.known > 0) {
        put(r->out, FIGURE("%.1f m", "%s"), s.median_m, s.known == 1 ? "error" : "median error");
        put(r->out, FIGURE("%.1f%%", "within %d m, of %zu of known place"), percent(s.near, s.known), NEAR_M, s.known);
    }
    if (s.weak_known > 0 && clear > 0)
        put(r->out, FIGURE("%.1f%%", "within %d m, of the %zu not weak"), percent(s.other_near, clear), NEAR_M, clear);
    fputs("</div>", r->out);
}

/* Whether any photo has a true place, or a GPS position: empty columns are not shown. */
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
    put(out, "<td data-v=\"%.9g\">", value);
    fprintf(out, format, value);
    fputs("</td>", out);
}

static void put_row(const struct report *r, size_t photo, bool known, bool gps)
{
    static const char *const words[] = {[RIGHT] = "\342\234\223 right",
                                        [WRONG] = "\342\234\227 wrong",
                                        [SURE] = "clear",
                                        [UNSURE] = "? weak",
                                        [ONLY] = "? no other place",
                                        [REFUSED] = ""};
    const struct answers *a = r->answers;
    struct located l = located_photo(a, photo);
    enum outcome o = report_outcome(a, photo);
    bool weak = located_weakness(l.found, l.min_margin) == WEAK && (o == RIGHT || o == WRONG);
    size_t number = photo + 1;
    put(r->out, "<tr class=\"%s\"><td data-v=\"%zu\">%zu</td><td>", outcome_classes[o], number, number);
    if (photo < r->count) put(r->out, "<a href=\"#p%zu\">", number);
    put(r->out, "%s", report_name(r, photo));
    fputs(photo < r->count ? "</a>" : "", r->out);
    put(r->out, "</td><td>%s%s</td>", words[o], weak ? ", ? weak" : "");
    put_cell(r->out, l.found->margin, "%.4f");
    put_cell(r->out, l.hits->score, "%.4f");
    if (known) put_cell(r->out, located_error(&l, l.hits), "%.1f");
    if (gps) put_cell(r->out, located_off_gps(&l, l.hits), "%.1f");
    fprintf(r->out, "<td>%.6f, %.6f</td></tr>\n", l.hits->lat, l.hits->lon);
}

static void put_table(struct report *r)
{
    const struct answers *a = r->answers;
    bool known = any(a, false), gps = any(a, true);
    struct row *rows = malloc(a->photos.count * sizeof *rows + 1);
    size_t count = 0;
    for (size_t i = 0; i < a->photos.count && rows != NULL; i++)
        if (a->statuses[i] == GVM_OK) rows[count++] = (struct row){i, a->found[i].margin};
    if (rows == NULL) report_problem(r, "out of memory for the table of photos");
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

/* Photos that were not located: each path once, with the error. */
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
        put(r->out, "<li><b>%s</b><br>%s</li>", r->paths[i], why);
    }
    if (!first) fputs("</ul>", r->out);
}

static void put_head(struct report *r)
{
    const struct answers *a = r->answers;
    bool one = a->photos.count == 1;
    g_autofree gchar *what = one ? NULL : g_strdup_printf("%zu photos", a->photos.count);
    put(r->out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">" OUTPUT_GENERATOR
        " %s\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta "
        "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';img-src data:;style-src "
        "'unsafe-inline';script-src 'unsafe-inline'\"><title>Where %s %s taken \302\267 GeoViewMatch</title><style>",
        gvm_version(), one ? report_name(r, 0) : what, one ? "was" : "were");
    fprintf(r->out, "%s</style></head><body><main id=\"top\"><h1>Where %s%s %s taken</h1>", report_style,
            one ? "this photo" : "these ", one ? "" : what, one ? "was" : "were");
    find_missing(r);
    put_summary(r);
    report_overview(r);
    put_table(r);
    put_refused(r);
    put(r->out,
        "<details><summary>How to read this</summary><p>The <b>score</b> is the cosine similarity of photo and tile, "
        "at most 1; compare it between answers for one photo, not between photos. The <b>margin</b> is the first "
        "answer\342\200\231s score less that of the best tile elsewhere; below %g the answer is marked <b>weak</b>: "
        "another place is almost as similar. An answer is <b>right</b> if it lies within %d m of the true place, which "
        "only a list of places (<code>--known</code>) provides; the distance to the photo\342\200\231s GPS position is "
        "not an error. <b>p</b>, which not all weights provide, is each tile\342\200\231s share of the probability "
        "among the tiles searched; <b>uncalibrated</b>, it ranks tiles but is overconfident. <b>Heat maps</b> show "
        "each position\342\200\231s share of the score with the best tile, the least in blue and the most in "
        "red.</p></details>",
        a->min_margin, NEAR_M);
    if (r->count < a->photos.count)
        put(r->out,
            "<p class=\"notice\">The first %zu of %zu photos follow with pictures; <code>--report-photos</code> sets "
            "how many.</p>",
            r->count, a->photos.count);
}

static void put_foot(struct report *r)
{
    if (r->problems->len > 0) {
        fputs("<section><h2>Not shown</h2><ul>", r->out);
        for (guint i = 0; i < r->problems->len; i++)
            put(r->out, "<li>%s</li>", (const char *)g_ptr_array_index(r->problems, i));
        fputs("</ul></section>", r->out);
    }
    fprintf(r->out, "<footer>GeoViewMatch %s</footer></main><script>%s</script></body></html>\n", gvm_version(),
            report_script);
}

/* ------------------------------------------------------------------ the files */

/* Append the sections. */
static gvm_status copy_sections(FILE *out, struct report *r, gvm_error *err)
{
    char part[65536];
    ssize_t n = 0;
    uint64_t at = 0;
    if (fflush(r->sections) != 0 || r->part.error != 0) {
        errno = r->part.error;
        return fail_errno(err, "write a report into", r->options->folder);
    }
    for (; (n = file_read_at(r->part.fd, part, sizeof part, at)) > 0; at += (uint64_t)n)
        (void)fwrite(part, 1, (size_t)n, out); /* committing the page reports a failure */
    return n == 0 ? GVM_OK : fail_errno(err, "read a part of the report in", r->options->folder);
}

static gvm_status write_page(struct report *r, const char *path, long *bytes, gvm_error *err)
{
    struct file_writer w;
    gvm_status status = file_writer_stream(&r->out, &w, path, err);
    if (status != GVM_OK) return status;
    put_head(r);
    status = copy_sections(r->out, r, err);
    put_foot(r);
    *bytes = ftell(r->out);
    if (status == GVM_OK) return file_writer_commit(&w, err);
    file_writer_abort(&w);
    return status;
}

static gvm_status write_geojson(const struct answers *answers, const char *path, gvm_error *err)
{
    json_t *geojson = locate_geojson(answers);
    char *text = geojson != NULL ? json_write(geojson, JSON_INDENT(2)) : NULL;
    gvm_status status = text != NULL ? file_write(path, text, strlen(text), err)
                                     : fail(err, GVM_MEMORY, "out of memory for the report");
    free(text);
    json_decref(geojson);
    return status;
}

/* A temporary file in the report's folder, which is never renamed to the page. */
static gvm_status open_sections(struct report *r, gvm_error *err)
{
    g_autofree gchar *path = g_build_filename(r->options->folder, "index.html", NULL);
    return file_writer_stream(&r->sections, &r->part, path, err);
}

static gvm_status check_folder(const struct report_options *o, gvm_error *err)
{
    if (g_mkdir_with_parents(o->folder, 0777) != 0 || access(o->folder, W_OK) != 0)
        return fail_errno(err, "make", o->folder);
    static const struct output_kind places = {"a list of answers", .holds = "\"generator\": \"" OUTPUT_SOFTWARE};
    g_autofree gchar *page = g_build_filename(o->folder, "index.html", NULL);
    g_autofree gchar *geojson = g_build_filename(o->folder, "answers.geojson", NULL);
    gvm_status status = output_check(page, &output_page, o->force, NULL, 0, err);
    return status == GVM_OK ? output_check(geojson, &places, o->force, NULL, 0, err) : status;
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
    assert(most > 0);
    r->aerial = malloc(3 * most);
    r->heat = malloc(most * sizeof *r->heat);
    r->tile_feature = malloc((size_t)info.features * sizeof *r->tile_feature);
    r->shown = calloc(r->count + 1, sizeof *r->shown);
    if (r->aerial && r->heat && r->tile_feature && r->shown) return gvm_imagery_open(&r->imagery, r->map, err);
    return fail(err, GVM_MEMORY, "out of memory for the report");
}

gvm_status report_open(struct report **report, const struct report_options *options, const struct answers *answers,
                       gvm_session *session, const gvm_model *model, const gvm_map *map, gvm_error *err)
{
    struct report *r = *report = calloc(1, sizeof *r);
    if (r == NULL) return fail(err, GVM_MEMORY, "out of memory for the report");
    *r = (struct report){.options = options, .answers = answers, .session = session, .model = model, .map = map};
    r->count = options->photos < answers->photos.count ? options->photos : answers->photos.count;
    r->paths = g_new0(char *, answers->photos.count + 1);
    for (size_t i = 0; i < answers->photos.count; i++) r->paths[i] = g_utf8_make_valid(answers->photos.paths[i], -1);
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
    file_writer_abort(&r->part);
    gvm_imagery_free(r->imagery);
    g_ptr_array_free(r->missing, TRUE);
    g_ptr_array_free(r->problems, TRUE);
    g_strfreev(r->paths);
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
    long bytes = 0;
    g_autofree gchar *page = g_build_filename(r->options->folder, "index.html", NULL);
    g_autofree gchar *geojson = g_build_filename(r->options->folder, "answers.geojson", NULL);
    gvm_status status = write_page(r, page, &bytes, &err);
    if (status == GVM_OK) status = write_geojson(r->answers, geojson, &err);
    int end = status == GVM_OK && r->missing->len + r->problems->len == 0 ? DONE : FAILED;
    tell(r->missing);
    tell(r->problems);
    if (status != GVM_OK) failed(&err);
    if (status == GVM_OK && !quiet)
        fprintf(stderr, "%s: %zu photo%s with pictures, %.1f MB\n", page, r->count, r->count == 1 ? "" : "s",
                (double)bytes / 1e6);
    return end;
}
