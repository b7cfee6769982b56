/* report_photo.c - a photo's section of the report: its answers, the photo, heat maps, its best tiles, a map. The photo
 * was decoded and its feature computed when it was located; a tile's feature is the map's. */
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/report.h"

enum { WIDE = 960 /* pixels of a photo */, TILE = 200, BEST = 256, CANVAS_SCALE = 2 };

/* ------------------------------------------------------------------ text */

static const char *compass(double heading)
{
    static const char *const names[] = {"N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE",
                                        "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"};
    return names[lround(heading / 22.5) & 15];
}

static void put_badges(FILE *out, const struct answers *a, size_t photo)
{
    struct located l = located_photo(a, photo);
    enum outcome o = report_outcome(a, photo);
    if (o == SURE) put(out, " <span class=\"badge sure\">clear</span>");
    if (o == RIGHT || o == WRONG)
        put(out, " <span class=\"badge %s\">%s, %.1f m off</span>", outcome_classes[o],
            o == RIGHT ? "\342\234\223 right" : "\342\234\227 wrong", located_error(&l, l.hits));
    enum weakness weak = located_weakness(l.found, l.min_margin);
    if (weak != CLEAR)
        put(out, " <span class=\"badge unsure\">? %s</span>", weak == WEAK ? "weak" : "no other place searched");
}

#define FACT(name, value) "<div><dt>" name "</dt><dd>" value "</dd></div>"

static void put_chance(FILE *out, const struct located *l)
{
    const gvm_chance *c = l->chance;
    put(out, FACT("p%s", "%.3f"), c->calibrated ? "" : " (uncalibrated)", l->p[0]);
    put(out, FACT("p within 25, 50, 100 m", "%.3f, %.3f, %.3f"), c->within[0], c->within[1], c->within[2]);
    if (!isnan(c->radius_90)) put(out, FACT("0.9 within", "%.0f m"), c->radius_90);
}

static void put_camera(FILE *out, const gvm_camera *c)
{
    put(out, FACT("Field of view", "%.1f\302\260 \303\227 %.1f\302\260, %s"), c->fov, c->fov_vertical,
        located_source(c->fov_from));
    if (c->heading_from != GVM_SOURCE_NONE)
        put(out, FACT("Heading known", "%.1f\302\260, %s"), located_heading(c->heading, 1),
            located_source(c->heading_from));
    if (c->pitch != 0 || c->roll != 0) put(out, FACT("Pitch, roll", "%.1f\302\260, %.1f\302\260"), c->pitch, c->roll);
    for (int i = 0; i < c->warning_count; i++) put(out, FACT("Note", "%s"), c->warnings[i]);
}

static void put_facts(FILE *out, const struct located *l)
{
    const gvm_hit *best = l->hits;
    put(out,
        "<dl><div class=\"place\"><dt>Place</dt><dd><b>%.6f, %.6f</b> <button type=\"button\" class=\"copy\" "
        "data-copy=\"%.6f, %.6f\" hidden>Copy</button> <a rel=\"noopener noreferrer\" "
        "href=\"https://www.openstreetmap.org/?mlat=%.6f&amp;mlon=%.6f#map=18/%.6f/%.6f\">OpenStreetMap</a></dd></div>",
        best->lat, best->lon, best->lat, best->lon, best->lat, best->lon, best->lat, best->lon);
    if (!isnan(best->heading))
        put(out, FACT("Heading%s", "%.1f\302\260 %s"), l->found->heading_found ? " (estimated)" : "",
            located_heading(best->heading, 1), compass(best->heading));
    if (located_has_camera(l)) put_camera(out, l->camera);
    put(out, FACT("Score", "%.4f"), best->score);
    if (l->chance->known) put_chance(out, l);
    if (!isnan(l->found->margin)) put(out, FACT("Margin", "%.4f"), l->found->margin);
    if (!isnan(l->lat)) put(out, FACT("Error", "%.1f m"), located_error(l, best));
    if (l->found->info.has_place) put(out, FACT("From its GPS position", "%.1f m"), located_off_gps(l, best));
    fputs("</dl>", out);
}

/* ------------------------------------------------------------------ the photo */

/* At most as large as shown. */
void report_opened(struct report *r, size_t photo, const gvm_picture *picture)
{
    gvm_picture_info info = {.size = sizeof info};
    gvm_part part;
    if (photo >= r->count || gvm_picture_about(picture, &info, NULL) != GVM_OK) return;
    struct shown s = {.width = info.width < WIDE ? info.width : WIDE};
    s.rectangle = gvm_picture_part(picture, r->model, GVM_STREET, &part, NULL, r->answers->questions[photo].panorama,
                                   NULL) == GVM_OK;
    if (!s.rectangle) /* it was located by several views, or on a panorama's canvas */
        part = (gvm_part){.right = info.width, .bottom = info.height};
    s.height = (int)fmax(1, round((double)info.height * s.width / info.width));
    const double box[4] = {part.left, part.top, part.right, part.bottom};
    for (int i = 0; i < 4; i++)
        s.box[i] = box[i] * (i % 2 == 0 ? (double)s.width / info.width : (double)s.height / info.height);
    s.rgb = malloc((size_t)s.width * (size_t)s.height * 3);
    if (s.rgb != NULL && gvm_picture_scale(picture, s.rgb, s.height, s.width, NULL) != GVM_OK) {
        free(s.rgb);
        s.rgb = NULL;
    }
    r->shown[photo] = s;
}

/* Rows outside the network's input become paler. */
static void fade(const struct shown *s, int top, int bottom)
{
    for (int y = 0; y < s->height; y++)
        for (int i = 0; i < 3 * s->width && (y < top || y >= bottom); i++) {
            unsigned char *value = s->rgb + (size_t)y * (size_t)s->width * 3 + i;
            *value = (unsigned char)((*value + 2 * 160) / 3);
        }
}

#define LEGEND "<span class=\"legend\">least <span class=\"scale\"></span> most</span>"

/* Whether the network saw it on a panorama's canvas, of which it is no rectangle. */
static bool on_canvas(const struct report *r, size_t photo)
{
    struct located l = located_photo(r->answers, photo);
    return located_has_camera(&l) && !(r->shown[photo].rectangle && located_is_circle(l.camera));
}

/* What the network saw of it, with its heat map; the unseen part hatched. */
static void put_canvas(struct report *r, size_t photo, const gvm_located *located)
{
    enum { PATCH = 4, STRIPE = 4 /* pixels */ };
    const gvm_view_info *v = &r->views[GVM_STREET];
    int H = v->height * CANVAS_SCALE, W = v->width * CANVAS_SCALE, across = v->width / PATCH;
    const unsigned char *seen = located->pixels + (size_t)v->height * (size_t)v->width * 3;
    unsigned char *rgb = malloc((size_t)H * (size_t)W * 3), *to = rgb;
    if (rgb == NULL) {
        report_problem(r, "out of memory for the picture of what the network saw");
        return;
    }
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++, to += 3)
            memcpy(to,
                   located->pixels + 3 * ((size_t)(y / CANVAS_SCALE) * (size_t)v->width + (size_t)(x / CANVAS_SCALE)),
                   3);
    const struct heat heat = {.values = r->heat, .H = v->height, .W = v->width, .box = {0, 0, W, H}};
    heat_cover(rgb, H, W, &heat);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            if (!seen[y / CANVAS_SCALE / PATCH * across + x / CANVAS_SCALE / PATCH])
                memset(rgb + 3 * ((size_t)y * (size_t)W + (size_t)x), (x + y) / STRIPE % 2 == 0 ? 190 : 215, 3);
    fputs("<figure class=\"wide\">", r->out);
    report_picture(r, rgb, W, H, "What the network saw of %s, with its heat map", report_name(r, photo));
    put(r->out,
        "<figcaption>What the network saw: the photo where a panorama would show it, north at the centre; hatched: "
        "unseen. Colours: each position\342\200\231s share of the score of the first answer. " LEGEND
        "</figcaption></figure>");
    free(rgb);
}

/* The photo's heat map: each position's share of the score with its best tile. */
static gvm_status put_photo_heat(struct report *r, const struct shown *s, size_t photo, const gvm_located *located,
                                 gvm_error *err)
{
    const gvm_view_info *v = &r->views[GVM_STREET];
    gvm_status status = gvm_map_feature(r->map, located->hits->number, r->tile_feature, err);
    if (status == GVM_OK)
        status = gvm_heatmap(r->session, GVM_STREET, 0, r->heat, located->pixels, r->tile_feature, err);
    if (status != GVM_OK) return status;
    if (on_canvas(r, photo)) {
        put_canvas(r, photo, located);
        return GVM_OK;
    }
    struct heat heat = {.values = r->heat, .H = v->height, .W = v->width, .turn = located->turn};
    memcpy(heat.box, s->box, sizeof heat.box);
    int top = (int)fmin(s->height - 1, round(heat.box[1]));
    int bottom = (int)fmax(top + 1, fmin(s->height, round(heat.box[3])));
    heat_cover(s->rgb, s->height, s->width, &heat);
    fade(s, top, bottom);
    fputs("<figure class=\"wide\">", r->out);
    report_picture(r, s->rgb, s->width, s->height, "Heat map over %s", report_name(r, photo));
    put(r->out,
        "<figcaption>Each position\342\200\231s share of the score of the first answer. " LEGEND
        "%s</figcaption></figure>",
        top > 0 || bottom < s->height ? " Pale: rows outside the network\342\200\231s input." : "");
    return GVM_OK;
}

/* The best tile and its heat map. */
static gvm_status put_tile_heat(struct report *r, size_t photo, const gvm_located *located, gvm_error *err)
{
    const gvm_view_info *v = &r->views[GVM_AERIAL];
    gvm_hit tile;
    if (v->height != v->width || v->zoom_count > 0) return GVM_OK; /* imagery is cut in squares, one per tile */
    unsigned char *rgb = malloc((size_t)BEST * BEST * 3);
    gvm_status status = gvm_map_tile(r->map, located->hits->number, &tile, err);
    if (status == GVM_OK && rgb == NULL) status = fail(err, GVM_MEMORY, "out of memory for tile %zu", tile.number);
    if (status == GVM_OK) status = gvm_map_picture(r->map, &tile, r->aerial, v->width, err);
    if (status == GVM_OK) status = gvm_heatmap(r->session, GVM_AERIAL, 0, r->heat, r->aerial, located->feature, err);
    if (status == GVM_OK) status = gvm_map_picture(r->map, &tile, rgb, BEST, err);
    if (status == GVM_OK) {
        const struct heat heat = {.values = r->heat, .H = v->height, .W = v->width, .box = {0, 0, BEST, BEST}};
        heat_cover(rgb, BEST, BEST, &heat);
        fputs("<figure class=\"best\">", r->out);
        report_picture(r, rgb, BEST, BEST, "Heat map over tile %zu, the best for %s", tile.number,
                       report_name(r, photo));
        put(r->out, "<figcaption>The same for tile %zu, the best. " LEGEND "</figcaption></figure>", tile.number);
    }
    free(rgb);
    return status;
}

static void put_photo(struct report *r, size_t photo, const gvm_located *located)
{
    struct located l = located_photo(r->answers, photo);
    const char *name = report_name(r, photo);
    const struct shown *s = &r->shown[photo];
    gvm_error err;
    gvm_status status = GVM_OK;
    if (s->rgb != NULL) {
        fputs("<figure class=\"wide\">", r->out);
        report_picture(r, s->rgb, s->width, s->height, "The photo %s", name);
        fputs("<figcaption>The photo as it was taken", r->out);
        if (!isnan(l.hits->heading))
            put(r->out, "; heading of its centre %.1f\302\260 (%s)%s", located_heading(l.hits->heading, 1),
                compass(l.hits->heading), l.found->heading_found ? ", as estimated" : "");
        if (l.views > 1) put(r->out, "; scores averaged over %d views of it", l.views);
        fputs(".</figcaption></figure>", r->out);
        if (l.views <= 1) status = put_photo_heat(r, s, photo, located, &err);
    } else {
        status = fail(&err, GVM_MEMORY, "%s: cannot show it: out of memory", name);
    }
    fputs("<div class=\"row\"><figure>", r->out);
    report_chart(r, photo);
    fputs("</figure>", r->out);
    if (status == GVM_OK) status = put_tile_heat(r, photo, located, &err);
    fputs("</div>", r->out);
    if (status != GVM_OK) report_problem(r, err.text);
}

/* ------------------------------------------------------------------ its tiles */

static void put_tiles(struct report *r, size_t photo)
{
    struct located l = located_photo(r->answers, photo);
    unsigned char *rgb = malloc((size_t)TILE * TILE * 3);
    fputs("<div class=\"tiles\">", r->out);
    for (int k = 0; k < l.found->count && k < REPORT_ANSWERS; k++) {
        const gvm_hit *hit = &l.hits[k];
        gvm_error err = {"out of memory for the tiles\342\200\231 pictures"};
        bool right = !isnan(l.lat) && located_error(&l, hit) <= NEAR_M;
        fprintf(r->out, "<figure%s>", right ? " class=\"right\"" : "");
        if (rgb != NULL && gvm_map_picture(r->map, hit, rgb, TILE, &err) == GVM_OK) {
            report_picture(r, rgb, TILE, TILE, "Overhead picture at answer %d for %s, tile %zu", k + 1,
                           report_name(r, photo), hit->number);
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

static void put_section(struct report *r, size_t photo, const gvm_located *located)
{
    const struct answers *a = r->answers;
    struct located l = located_photo(a, photo);
    put(r->out, "<section class=\"photo %s\" id=\"p%zu\"><h2>%zu. %s", outcome_classes[report_outcome(a, photo)],
        photo + 1, photo + 1, report_name(r, photo));
    put_badges(r->out, a, photo);
    put(r->out, "</h2><p class=\"path\">%s</p>", r->paths[photo]);
    put_facts(r->out, &l);
    put_photo(r, photo, located);
    put_tiles(r, photo);
    fputs("<p class=\"up\"><a href=\"#top\">\342\206\221 all photos</a></p></section>\n", r->out);
}

void report_located(struct report *r, size_t photo, const gvm_located *located)
{
    if (photo >= r->count) return;
    r->out = r->sections;
    if (located->status == GVM_OK) put_section(r, photo, located);
    free(r->shown[photo].rgb);
    r->shown[photo].rgb = NULL;
}
