/* report_photo.c - a photo's section of the report: what was found, the photo as it was taken, what counted in it, its
 * best tiles, a map. The photo is decoded once; of a tile the feature that the map holds is taken. */
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "cli/report.h"
#include "image/heat.h"
#include "image/image.h"
#include "image/panorama.h"
#include "network/heatmap.h"
#include "network/session.h"

enum { WIDE = 960 /* pixels of a photo */, TILE = 200, BEST = 256 };

/* ------------------------------------------------------------------ words */

static const char *compass(double heading)
{
    static const char *const names[] = {"N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE",
                                        "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"};
    return names[lround(heading / 22.5) & 15];
}

static void put_badges(FILE *out, const struct answers *a, size_t photo)
{
    struct located l = located_photo(a, photo);
    switch (report_outcome(a, photo)) {
    case RIGHT:
        fprintf(out, " <span class=\"badge right\">\342\234\223 right, %.1f m off</span>", located_error(&l, l.hits));
        break;
    case WRONG:
        fprintf(out, " <span class=\"badge wrong\">\342\234\227 wrong, %.1f m off</span>", located_error(&l, l.hits));
        break;
    case SURE: fputs(" <span class=\"badge sure\">clear</span>", out); break;
    default: break;
    }
    switch (located_weakness(l.found, l.min_margin)) {
    case WEAK: fputs(" <span class=\"badge unsure\">? weak</span>", out); break;
    case UNDECIDED: fputs(" <span class=\"badge unsure\">? no other place searched</span>", out); break;
    default: break;
    }
}

static void put_fact(FILE *out, const char *name, const char *format, double value)
{
    fprintf(out, "<div><dt>%s</dt><dd>", name);
    fprintf(out, format, value);
    fputs("</dd></div>", out);
}

static void put_facts(FILE *out, const struct located *l)
{
    const gvm_hit *best = l->hits;
    fprintf(out,
            "<dl><div class=\"place\"><dt>Place</dt><dd><b>%.6f, %.6f</b> <button type=\"button\" class=\"copy\" "
            "data-copy=\"%.6f, %.6f\" hidden>Copy</button> <a rel=\"noopener noreferrer\" "
            "href=\"https://www.openstreetmap.org/?mlat=%.6f&amp;mlon=%.6f#map=18/%.6f/%.6f\">OpenStreetMap</a></dd>"
            "</div>",
            best->lat, best->lon, best->lat, best->lon, best->lat, best->lon, best->lat, best->lon);
    fprintf(out, "<div><dt>Heading%s</dt><dd>%.1f\302\260 %s</dd></div>", l->found->heading_found ? " (estimated)" : "",
            best->heading, compass(best->heading));
    put_fact(out, "Score", "%.4f", best->score);
    if (!isnan(l->found->margin)) put_fact(out, "Margin", "%.4f", l->found->margin);
    if (!isnan(l->lat)) put_fact(out, "Error", "%.1f m", located_error(l, best));
    if (l->found->info.has_place) put_fact(out, "From its own GPS", "%.1f m", located_off_gps(l, best));
    fputs("</dl>", out);
}

/* ------------------------------------------------------------------ heat maps */

/* What the map keeps of a tile, as a row of length 1: rounding to float16 took some of it. */
static void tile_feature(float *feature, const gvm_map *map, size_t number)
{
    size_t D = (size_t)map->width;
    const uint16_t *row = map->features + map->tiles.items[number].row * D;
    double square = 0;
    for (size_t i = 0; i < D; i++) {
        feature[i] = float_from_f16(row[i]);
        square += (double)feature[i] * feature[i];
    }
    for (size_t i = 0; i < D; i++) feature[i] /= (float)sqrt(square);
}

/* ------------------------------------------------------------------ the photo */

/* A photo that was read: no larger than it is shown, and as the network takes it. */
struct shown {
    unsigned char *rgb; /* (height, width, 3) as it was taken */
    int width, height;
    struct heat heat; /* where on it the network's heat map lies */
    int top, bottom;  /* rows that the network sees */
};

static gvm_status read_photo(struct shown *s, struct report *r, size_t photo, gvm_error *err)
{
    const char *path = r->answers->photos.paths[photo], *where = path_tail(path);
    const gvm_hit *best = located_photo(r->answers, photo).hits;
    const struct picture_shape shape = config_shape(&r->model->network->config, GVM_STREET);
    struct image image;
    *s = (struct shown){.heat = {.values = r->heat, .H = shape.height, .W = shape.width}};
    gvm_status status = image_load(&image, path, err);
    if (status != GVM_OK) return status;
    status = panorama_fit(r->street, &shape, &best->heading,
                          r->answers->questions[photo].panorama ? CIRCLE_GIVEN : CIRCLE_CHECKED, &image, where, err);
    if (status == GVM_OK) {
        panorama_seen(s->heat.box, &s->heat.turn, &shape, &best->heading, &image);
        s->width = image.width < WIDE ? image.width : WIDE;
        s->height = (int)fmax(1, round((double)image.height * s->width / image.width));
        heat_scale(&s->heat, (double)s->width / image.width, (double)s->height / image.height);
        s->top = (int)fmin(s->height - 1, round(s->heat.box[1]));
        s->bottom = (int)fmax(s->top + 1, fmin(s->height, round(s->heat.box[3])));
        s->rgb = malloc((size_t)s->width * (size_t)s->height * 3);
        if (s->rgb == NULL || image_resize(s->rgb, s->height, s->width, image.pixels, image.height, image.width,
                                           (const double[4]){0, 0, image.width, image.height}) != GVM_OK)
            status = fail(err, GVM_MEMORY, "%s: there is not enough memory to show it", where);
    }
    image_free(&image);
    return status;
}

/* Rows that the network does not see become paler. */
static void fade(struct shown *s)
{
    for (int y = 0; y < s->height; y++)
        for (int i = 0; i < 3 * s->width && (y < s->top || y >= s->bottom); i++) {
            unsigned char *value = s->rgb + (size_t)y * (size_t)s->width * 3 + i;
            *value = (unsigned char)((*value + 2 * 160) / 3);
        }
}

static void put_legend(FILE *out)
{
    fputs("<span class=\"legend\">least <span class=\"scale\"></span> most</span>", out);
}

/* What counted in the photo: each position's share of the score with its best tile. Leaves the photo's feature, which
 * the tile's heat map needs. */
static gvm_status put_photo_heat(struct report *r, struct shown *s, size_t photo, gvm_error *err)
{
    const gvm_hit *best = located_photo(r->answers, photo).hits;
    tile_feature(r->aerial_feature, r->map, best->number);
    gvm_status status =
        heat_run(r->session, GVM_STREET, 0, r->heat, r->street_feature, r->street, r->aerial_feature, err);
    if (status != GVM_OK) return status;
    heat_cover(s->rgb, s->height, s->width, &s->heat);
    fade(s);
    fputs("<figure class=\"wide\">", r->out);
    report_picture(r, s->rgb, s->width, s->height, "Heat map over ", report_name(r->answers, photo));
    fputs("<figcaption>What in it counts for the first answer: each position\342\200\231s share of the score. ",
          r->out);
    put_legend(r->out);
    if (s->top > 0 || s->bottom < s->height) fputs(" Pale: rows that the network does not look at.", r->out);
    fputs("</figcaption></figure>", r->out);
    return GVM_OK;
}

/* The best tile, and what counted in it. */
static gvm_status put_tile_heat(struct report *r, size_t photo, gvm_error *err)
{
    const gvm_hit *best = located_photo(r->answers, photo).hits;
    const int *size = view_size(r->model, GVM_AERIAL);
    char of[300];
    if (size[0] != size[1]) return GVM_OK; /* imagery is cut in squares */
    gvm_hit tile = map_hit(r->map, best->number);
    unsigned char *rgb = malloc(BEST * BEST * 3);
    gvm_status status = rgb != NULL ? gvm_map_picture(r->map, &tile, r->aerial, size[1], err)
                                    : fail(err, GVM_MEMORY, "there is not enough memory for tile %zu", best->number);
    if (status == GVM_OK) status = gvm_heatmap(r->session, GVM_AERIAL, 0, r->heat, r->aerial, r->street_feature, err);
    if (status == GVM_OK) status = gvm_map_picture(r->map, &tile, rgb, BEST, err);
    if (status == GVM_OK) {
        const struct heat heat = {.values = r->heat, .H = size[0], .W = size[1], .box = {0, 0, BEST, BEST}};
        heat_cover(rgb, BEST, BEST, &heat);
        snprintf(of, sizeof of, "%zu, the best for %s", best->number, report_name(r->answers, photo));
        fputs("<figure class=\"best\">", r->out);
        report_picture(r, rgb, BEST, BEST, "Heat map over tile ", of);
        fprintf(r->out, "<figcaption>The same of tile %zu, the best. ", best->number);
        put_legend(r->out);
        fputs("</figcaption></figure>", r->out);
    }
    free(rgb);
    return status;
}

static void put_photo(struct report *r, size_t photo)
{
    struct located l = located_photo(r->answers, photo);
    const char *name = report_name(r->answers, photo);
    struct shown s;
    gvm_error err;
    gvm_status status = read_photo(&s, r, photo, &err);
    if (status == GVM_OK) {
        fputs("<figure class=\"wide\">", r->out);
        report_picture(r, s.rgb, s.width, s.height, "The photo ", name);
        fprintf(r->out,
                "<figcaption>The photo as it was taken; its middle looks %.1f\302\260 (%s)%s.</figcaption></figure>",
                l.hits->heading, compass(l.hits->heading), l.found->heading_found ? ", as estimated" : "");
        status = put_photo_heat(r, &s, photo, &err);
    }
    fputs("<div class=\"row\"><figure>", r->out);
    report_chart(r, photo);
    fputs("</figure>", r->out);
    if (status == GVM_OK) status = put_tile_heat(r, photo, &err);
    fputs("</div>", r->out);
    if (status != GVM_OK) report_problem(r, err.text);
    free(s.rgb);
}

/* ------------------------------------------------------------------ its tiles */

static void put_tiles(struct report *r, size_t photo)
{
    struct located l = located_photo(r->answers, photo);
    unsigned char *rgb = malloc(TILE * TILE * 3);
    fputs("<div class=\"tiles\">", r->out);
    for (int k = 0; k < l.found->count && k < REPORT_ANSWERS; k++) {
        const gvm_hit *hit = &l.hits[k];
        char of[300];
        gvm_error err = {"there is not enough memory for the tiles\342\200\231 pictures"};
        snprintf(of, sizeof of, "%d for %s, tile %zu", k + 1, report_name(r->answers, photo), hit->number);
        bool right = !isnan(l.lat) && located_error(&l, hit) <= NEAR_M;
        fprintf(r->out, "<figure%s>", right ? " class=\"right\"" : "");
        if (rgb != NULL && gvm_map_picture(r->map, hit, rgb, TILE, &err) == GVM_OK) {
            report_picture(r, rgb, TILE, TILE, "Overhead picture at answer ", of);
        } else {
            fputs("<div class=\"none\">no picture</div>", r->out);
            report_problem(r, err.text);
        }
        fprintf(r->out, "<figcaption><b>%d</b> score %.4f", k + 1, hit->score);
        if (!isnan(l.lat)) fprintf(r->out, "<br>%s%.1f m off", right ? "\342\234\223 " : "", located_error(&l, hit));
        fprintf(r->out, "<br>%.6f, %.6f</figcaption></figure>", hit->lat, hit->lon);
    }
    fputs("</div>", r->out);
    free(rgb);
}

void report_photo(struct report *r, size_t photo)
{
    static const char *const classes[] = {
        [RIGHT] = "right", [WRONG] = "wrong", [SURE] = "sure", [UNSURE] = "unsure", [ONLY] = "unsure", [REFUSED] = ""};
    const struct answers *a = r->answers;
    struct located l = located_photo(a, photo);
    fprintf(r->out, "<section class=\"photo %s\" id=\"p%zu\"><h2>%zu. ", classes[report_outcome(a, photo)], photo + 1,
            photo + 1);
    report_text(r->out, report_name(a, photo));
    put_badges(r->out, a, photo);
    fputs("</h2><p class=\"path\">", r->out);
    report_text(r->out, a->photos.paths[photo]);
    fputs("</p>", r->out);
    put_facts(r->out, &l);
    put_photo(r, photo);
    put_tiles(r, photo);
    fputs("<p class=\"up\"><a href=\"#top\">\342\206\221 all photos</a></p></section>\n", r->out);
}
