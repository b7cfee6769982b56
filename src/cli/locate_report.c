/* locate_report.c - the answers of `locate` as one page with its pictures in it, and as GeoJSON beside it. */
#define _GNU_SOURCE /* open_memstream */
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/locate.h"
#include "image/image.h"
#include "image/overlay.h"

enum { SHOWN = 5, PANORAMA = 960 /* pixels wide */, TILE = 192, MAP = 320 };

struct report {
    FILE *out;
    const struct answers *answers;
    gvm_session *session;
    const gvm_model *model;
    const gvm_map *map;
    gvm_model_info info;
    unsigned char *street, *aerial; /* at the network's sizes */
    float *street_feature, *aerial_feature, *heat;
};

static const char style[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
    "content=\"width=device-width\"><title>GeoViewMatch</title><style>"
    "body{font:15px/1.4 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222;background:#fff}"
    "img{display:block;max-width:100%}section{margin:3em 0;border-top:1px solid #ccc}figure{margin:0}"
    ".tiles{display:flex;flex-wrap:wrap;gap:10px;margin:10px 0}figcaption{font-size:13px;margin:2px 0 8px}"
    ".tiles img{width:180px;height:180px}.heat{display:flex;gap:8px;align-items:center}"
    ".heat img{height:128px;image-rendering:pixelated}svg{max-width:100%;background:#f6f6f2}.bad{color:#a00}"
    "@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}svg{background:#2a2a28}}</style>";

/* ------------------------------------------------------------------ pieces */

static void put_text(FILE *out, const char *text)
{
    gchar *valid = g_utf8_make_valid(text, -1), *escaped = g_markup_escape_text(valid, -1);
    fputs(escaped, out);
    g_free(escaped);
    g_free(valid);
}

static void put_picture(FILE *out, const unsigned char *rgb, int width, int height, const char *what)
{
    size_t size;
    void *jpeg = image_encode_jpeg(&size, rgb, width, height);
    if (jpeg == NULL) return;
    gchar *text = g_base64_encode(jpeg, size);
    fprintf(out, "<img alt=\"%s\" width=\"%d\" height=\"%d\" src=\"data:image/jpeg;base64,%s\">", what, width, height,
            text);
    g_free(text);
    g_free(jpeg);
}

/* The photo itself, as it is, no wider than the page. */
static void put_photo(const struct report *r, const char *path)
{
    struct image image;
    if (image_load(&image, path, NULL) != GVM_OK) return;
    int width = image.width < PANORAMA ? image.width : PANORAMA;
    int height = (int)fmax(1, (double)image.height * width / image.width);
    unsigned char *rgb = malloc((size_t)width * (size_t)height * 3);
    if (rgb != NULL && image_resize(rgb, height, width, image.pixels, image.height, image.width,
                                    (const double[4]){0, 0, image.width, image.height}) == GVM_OK)
        put_picture(r->out, rgb, width, height, "photo");
    free(rgb);
    image_free(&image);
}

static void put_tiles(const struct report *r, size_t photo)
{
    const struct answers *a = r->answers;
    const gvm_hit *hits = a->hits + photo * (size_t)a->top;
    unsigned char *rgb = malloc(TILE * TILE * 3);
    fputs("<div class=\"tiles\">", r->out);
    for (int k = 0; k < a->found[photo].count && k < SHOWN; k++) {
        fputs("<figure>", r->out);
        gvm_error err = {"there is not enough memory for its picture"};
        if (rgb != NULL && gvm_map_picture(r->map, &hits[k], rgb, TILE, &err) == GVM_OK) {
            put_picture(r->out, rgb, TILE, TILE, "tile");
        } else {
            fputs("<p class=\"bad\">", r->out);
            put_text(r->out, err.text);
            fputs("</p>", r->out);
        }
        fprintf(r->out, "<figcaption>%d. %.6f, %.6f<br>score %.4f", k + 1, hits[k].lat, hits[k].lon, hits[k].score);
        struct located l = located_photo(a, photo);
        if (!isnan(l.lat)) fprintf(r->out, ", %.1f m off", located_error(&l, &hits[k]));
        fputs("</figcaption></figure>", r->out);
    }
    fputs("</div>", r->out);
    free(rgb);
}

/* Where the photo and its best tile agree: each one's share of their score. */
static void put_heat(const struct report *r, size_t photo)
{
    const gvm_hit *hit = r->answers->hits + photo * (size_t)r->answers->top;
    const gvm_model_info *i = &r->info;
    const char *path = r->answers->photos.paths[photo];
    gvm_session *s = r->session;
    if (i->aerial_height != i->aerial_width) return;
    if (gvm_load_picture(r->model, GVM_STREET, r->street, path, &hit->heading, 1, NULL) != GVM_OK ||
        gvm_map_picture(r->map, hit, r->aerial, i->aerial_width, NULL) != GVM_OK ||
        gvm_embed_pixels(s, GVM_STREET, r->street_feature, r->street, 1, NULL) != GVM_OK ||
        gvm_embed_pixels(s, GVM_AERIAL, r->aerial_feature, r->aerial, 1, NULL) != GVM_OK)
        return;
    fputs("<div class=\"heat\">", r->out);
    if (gvm_heatmap(s, GVM_STREET, 0, r->heat, r->street, r->aerial_feature, NULL) == GVM_OK) {
        overlay(r->street, r->street, r->heat, i->street_height, i->street_width);
        put_picture(r->out, r->street, i->street_width, i->street_height, "heat map of the photo, north at its centre");
    }
    if (gvm_heatmap(s, GVM_AERIAL, 0, r->heat, r->aerial, r->street_feature, NULL) == GVM_OK) {
        overlay(r->aerial, r->aerial, r->heat, i->aerial_height, i->aerial_width);
        put_picture(r->out, r->aerial, i->aerial_width, i->aerial_height, "heat map of the best tile");
    }
    fputs("</div>", r->out);
}

/* ------------------------------------------------------------------ the map */

/* Pixels of a place: the map's area fills a square. */
struct frame {
    double west, north, x_degree, y_degree;
};

static struct frame frame_of(const gvm_map_info *m)
{
    double east = m->east < m->west ? m->east + 360 : m->east;
    double squeeze = cos((m->south + m->north) / 2 * 3.14159265358979323846 / 180);
    double margin = 0.06 * fmax(fmax(m->north - m->south, (east - m->west) * squeeze), 1e-5);
    double side = fmax(m->north - m->south, (east - m->west) * squeeze) + 2 * margin;
    return (struct frame){m->west - margin / squeeze, m->north + margin, MAP / side * squeeze, MAP / side};
}

static void put_place(FILE *out, const struct frame *f, double lat, double lon, const char *kind, int rank)
{
    double x = (lon < f->west ? lon + 360 - f->west : lon - f->west) * f->x_degree, y = (f->north - lat) * f->y_degree;
    if (strcmp(kind, "truth") == 0)
        fprintf(out, "<path d=\"M%.1f %.1fh14m-7 -7v14\" stroke=\"#c22\" stroke-width=\"2\"/>", x - 7, y);
    else
        fprintf(out,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"9\" fill=\"#27a\" fill-opacity=\"%.2f\"/><text x=\"%.1f\" "
                "y=\"%.1f\" font-size=\"11\" text-anchor=\"middle\" fill=\"#fff\">%d</text>",
                x, y, rank == 1 ? 1.0 : 0.45, x, y + 4, rank);
}

static void put_map(const struct report *r, size_t photo)
{
    const struct answers *a = r->answers;
    const gvm_hit *hits = a->hits + photo * (size_t)a->top;
    gvm_map_info about = gvm_map_about(r->map);
    struct frame f = frame_of(&about);
    double metre = f.y_degree / 111195, bar = pow(10, floor(log10(MAP / 2 / metre))); /* a round number of metres */
    fprintf(r->out, "<svg role=\"img\" aria-label=\"map of the answers\" width=\"%d\" height=\"%d\">", MAP, MAP);
    for (int k = a->found[photo].count < SHOWN ? a->found[photo].count : SHOWN; k-- > 0;)
        put_place(r->out, &f, hits[k].lat, hits[k].lon, "answer", k + 1);
    if (!isnan(a->known[photo].lat)) put_place(r->out, &f, a->known[photo].lat, a->known[photo].lon, "truth", 0);
    fprintf(r->out,
            "<path d=\"M12 %dh%.1f\" stroke=\"#888\" stroke-width=\"3\"/><text x=\"12\" y=\"%d\" font-size=\"12\" "
            "fill=\"#888\">%g m</text></svg>",
            MAP - 14, bar * metre, MAP - 20, bar);
}

/* ------------------------------------------------------------------ the page */

static void put_section(const struct report *r, size_t photo)
{
    const struct answers *a = r->answers;
    const gvm_found *found = &a->found[photo];
    const gvm_hit *best = a->hits + photo * (size_t)a->top;
    fputs("<section><h2>", r->out);
    put_text(r->out, a->photos.paths[photo]);
    fputs("</h2>", r->out);
    if (a->statuses[photo] != GVM_OK) {
        fputs("<p class=\"bad\">", r->out);
        put_text(r->out, a->errors[photo].text);
        fputs("</p></section>", r->out);
        return;
    }
    put_photo(r, a->photos.paths[photo]);
    struct located l = located_photo(a, photo);
    static const char *const verdicts[] = {[CLEAR] = "Taken at",
                                           [WEAK] = "Weak answer, as other places are as similar:",
                                           [UNDECIDED] = "The only place searched:"};
    fprintf(r->out, "<p>%s <b>%.6f, %.6f</b>; score %.4f, heading %.1f\302\260%s",
            verdicts[located_weakness(found, a->min_margin)], best->lat, best->lon, best->score, best->heading,
            found->heading_found ? " (estimated)" : "");
    if (!isnan(found->margin)) fprintf(r->out, ", margin %.4f", found->margin);
    if (!isnan(l.lat)) fprintf(r->out, "; <b>%.1f m</b> from the true place", located_error(&l, best));
    if (found->info.has_place) fprintf(r->out, "; %.1f m from its own GPS", located_off_gps(&l, best));
    fputs(".</p>", r->out);
    put_tiles(r, photo);
    put_heat(r, photo);
    put_map(r, photo);
    fputs("</section>", r->out);
}

static gvm_status write_file(const char *folder, const char *name, const void *data, size_t size, gvm_error *err)
{
    struct file_writer w;
    gchar *path = g_strdup_printf("%s/%s", folder, name);
    gvm_status status = file_writer_open(&w, path, err);
    if (status == GVM_OK) {
        status = file_writer_write(&w, data, size, err);
        if (status == GVM_OK)
            status = file_writer_commit(&w, err);
        else
            file_writer_abort(&w);
    }
    g_free(path);
    return status;
}

static gvm_status write_page(struct report *r, const char *folder, gvm_error *err)
{
    char *text = NULL;
    size_t size = 0;
    r->out = open_memstream(&text, &size);
    if (r->out == NULL) return fail(err, GVM_MEMORY, "there is not enough memory for the report");
    fputs(style, r->out);
    fprintf(r->out,
            "<h1>Where these pictures were taken</h1><p>%zu pictures among %zu tiles. A number is an answer's rank, a "
            "red cross the true place where it is known. Heat maps show each position's share of the score with the "
            "best tile, blue to red.</p>",
            r->answers->photos.count, gvm_map_count(r->map));
    for (size_t i = 0; i < r->answers->photos.count; i++) put_section(r, i);
    bool short_of_memory = ferror(r->out) != 0;
    if (fclose(r->out) != 0 || short_of_memory) {
        free(text);
        return fail(err, GVM_MEMORY, "there is not enough memory for the report");
    }
    gvm_status status = write_file(folder, "index.html", text, size, err);
    free(text);
    return status;
}

gvm_status locate_report_folder(const char *folder, gvm_error *err)
{
    if (g_mkdir_with_parents(folder, 0777) != 0 || access(folder, W_OK) != 0) return fail_errno(err, "make", folder);
    return GVM_OK;
}

gvm_status locate_report(const char *folder, const struct answers *answers, gvm_session *session,
                         const gvm_model *model, const gvm_map *map, gvm_error *err)
{
    struct report r = {.answers = answers, .session = session, .model = model, .map = map};
    r.info = gvm_model_about(model);
    size_t street = (size_t)r.info.street_height * (size_t)r.info.street_width;
    size_t aerial = (size_t)r.info.aerial_height * (size_t)r.info.aerial_width;
    r.street = malloc(3 * street);
    r.aerial = malloc(3 * aerial);
    r.heat = malloc((street > aerial ? street : aerial) * sizeof *r.heat);
    r.street_feature = malloc((size_t)r.info.features * sizeof *r.street_feature);
    r.aerial_feature = malloc((size_t)r.info.features * sizeof *r.aerial_feature);
    gvm_status status = GVM_MEMORY;
    if (r.street && r.aerial && r.heat && r.street_feature && r.aerial_feature)
        status = write_page(&r, folder, err);
    else
        fail(err, status, "there is not enough memory for the report");
    json_t *geojson = locate_geojson(answers);
    char *text = geojson != NULL ? json_dumps(geojson, JSON_INDENT(2)) : NULL;
    if (status == GVM_OK)
        status = text != NULL ? write_file(folder, "answers.geojson", text, strlen(text), err)
                              : fail(err, GVM_MEMORY, "there is not enough memory for the report");
    free(text);
    json_decref(geojson);
    free(r.street);
    free(r.aerial);
    free(r.heat);
    free(r.street_feature);
    free(r.aerial_feature);
    return status;
}
