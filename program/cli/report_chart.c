/* report_chart.c - the maps of the report: the map's imagery in Web Mercator, overlaid with the answers, a tile's size,
 * the area searched and the true place. North is up. */
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"
#include "geo/earth.h"
#include "image/resize.h"

enum {
    CHART = 440,
    OVERVIEW = 720,
    OVERVIEW_HIGH = 640,
    WEB_TILE = 256,
    ZOOM_LAST = 24,
    TILES_MOST = 96,
    PAD = 26,
    NOTHING = 214
};

/* A view of the world: Mercator's x and y, each 0 to 1 for the whole world, east and south of a corner. */
struct chart {
    double left, top, scale; /* pixels for the whole world */
    double lon;              /* longitudes are taken near it */
    double metre;            /* pixels, at the centre */
    int width, height;
};

/* Places that a chart must show. */
struct extent {
    double west, south, east, north, lon;
    bool any;
};

/* ------------------------------------------------------------------ positions */

static double world_x(double lon)
{
    return lon / 360 + 0.5;
}

static double world_y(double lat)
{
    double most = 85.05; /* the limit of web maps */
    return (1 - asinh(tan(fmax(-most, fmin(most, lat)) * EARTH_DEGREE)) / M_PI) / 2;
}

static void include(struct extent *e, double lat, double lon, double around_m)
{
    double box[4];
    if (!e->any) *e = (struct extent){INFINITY, INFINITY, -INFINITY, -INFINITY, lon, true};
    tile_box(box, lat, lon_near(lon, e->lon), 2 * around_m);
    e->west = fmin(e->west, box[0]);
    e->south = fmin(e->south, box[1]);
    e->east = fmax(e->east, box[2]);
    e->north = fmax(e->north, box[3]);
}

/* A chart that shows the whole box with a margin: width by height pixels, or at most that if its shape is free. */
static struct chart chart_of(const struct extent *e, int width, int height, bool fixed)
{
    double x = world_x(e->west), y = world_y(e->north), w = world_x(e->east) - x, h = world_y(e->south) - y;
    double middle = (e->south + e->north) / 2, metre = 1 / (360 * metres_per_lon(middle));
    w = fmax(w, metre);
    h = fmax(h, metre);
    struct chart c = {.lon = (e->west + e->east) / 2, .width = width, .height = height};
    c.scale = fmin((width - 2 * PAD) / w, (height - 2 * PAD) / h);
    if (!fixed) {
        c.width = (int)fmax(width / 2.0, fmin(width, w * c.scale + 2 * PAD));
        c.height = (int)fmax(height / 2.0, fmin(height, h * c.scale + 2 * PAD));
    }
    c.left = x + w / 2 - c.width / c.scale / 2;
    c.top = y + h / 2 - c.height / c.scale / 2;
    c.metre = metre * c.scale;
    return c;
}

static double chart_x(const struct chart *c, double lon)
{
    return (world_x(lon_near(lon, c->lon)) - c->left) * c->scale;
}

static double chart_y(const struct chart *c, double lat)
{
    return (world_y(lat) - c->top) * c->scale;
}

/* ------------------------------------------------------------------ imagery */

/* A row of a web tile (256, 4) over (256, 3). */
static void lay_row(unsigned char *rgb, const uint8_t *rgba)
{
    for (int i = 0; i < WEB_TILE; i++, rgb += 3, rgba += 4)
        for (int c = 0; c < 3; c++)
            rgb[c] = (unsigned char)((rgba[c] * rgba[3] + rgb[c] * (255 - rgba[3]) + 127) / 255);
}

static const char no_memory[] = "out of memory for a map's imagery";

/* Columns by rows of web tiles from x0, y0, side by side (rows * 256, columns * 256, 3). False if none has imagery. */
static bool lay_tiles(struct report *r, unsigned char *mosaic, long zoom, long x0, long y0, int columns, int rows)
{
    uint8_t *tile = malloc((size_t)WEB_TILE * WEB_TILE * 4);
    size_t row = (size_t)columns * WEB_TILE * 3;
    long n = 1L << zoom;
    bool any = false;
    for (int i = 0; i < columns * rows && tile != NULL; i++) {
        gvm_coverage coverage;
        gvm_error err;
        long x = ((x0 + i % columns) % n + n) % n, y = y0 + i / columns;
        if (y < 0 || y >= n) continue;
        if (gvm_imagery_tile(r->imagery, tile, &coverage, zoom, x, y, WEB_TILE, &err) != GVM_OK) {
            report_problem(r, err.text);
            continue;
        }
        if (coverage == GVM_COVERS_NOTHING) continue;
        any = true;
        unsigned char *to = mosaic + (size_t)(i / columns) * WEB_TILE * row + (size_t)(i % columns) * WEB_TILE * 3;
        for (int k = 0; k < WEB_TILE; k++) lay_row(to + (size_t)k * row, tile + (size_t)k * WEB_TILE * 4);
    }
    if (tile == NULL) report_problem(r, no_memory);
    free(tile);
    return any;
}

/* The chart's imagery (height, width, 3), to be freed; NULL if there is none. */
static unsigned char *imagery_of(struct report *r, const struct chart *c)
{
    long zoom = lround(log2(c->scale / WEB_TILE) + 0.3);
    zoom = zoom < 0 ? 0 : zoom > ZOOM_LAST ? ZOOM_LAST : zoom;
    double n = (double)(1L << zoom), across = c->width / c->scale, down = c->height / c->scale;
    long x0 = (long)floor(c->left * n), y0 = (long)floor(c->top * n);
    int columns = (int)(floor((c->left + across) * n) - (double)x0) + 1;
    int rows = (int)(floor((c->top + down) * n) - (double)y0) + 1;
    if (columns * rows > TILES_MOST) return NULL;
    size_t bytes = (size_t)columns * WEB_TILE * (size_t)rows * WEB_TILE * 3;
    unsigned char *mosaic = malloc(bytes), *rgb = malloc((size_t)c->width * (size_t)c->height * 3);
    bool good = mosaic != NULL && rgb != NULL;
    if (good) memset(mosaic, NOTHING, bytes);
    const double box[4] = {(c->left * n - (double)x0) * WEB_TILE, (c->top * n - (double)y0) * WEB_TILE,
                           fmin(columns, (c->left + across) * n - (double)x0) * WEB_TILE,
                           fmin(rows, (c->top + down) * n - (double)y0) * WEB_TILE};
    bool any = good && lay_tiles(r, mosaic, zoom, x0, y0, columns, rows);
    good = good &&
           (!any || image_resize(rgb, c->height, c->width, mosaic, rows * WEB_TILE, columns * WEB_TILE, box) == GVM_OK);
    if (!good) report_problem(r, no_memory);
    good = good && any;
    free(mosaic);
    if (good) return rgb;
    free(rgb);
    return NULL;
}

/* ------------------------------------------------------------------ overlays */

static void begin(struct report *r, const struct chart *c, const char *what, const char *of)
{
    put(r->out,
        "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" aria-label=\"%s%s\">",
        c->width, c->height, c->width, c->height, what, of);
    g_autofree unsigned char *rgb = imagery_of(r, c);
    g_autofree gchar *jpeg = rgb != NULL ? report_jpeg(rgb, c->width, c->height) : NULL;
    if (jpeg != NULL)
        fprintf(r->out, "<image width=\"%d\" height=\"%d\" href=\"data:image/jpeg;base64,%s\"/>", c->width, c->height,
                jpeg);
    else
        fprintf(r->out,
                "<rect class=\"bare\" width=\"%d\" height=\"%d\"/><text class=\"note\" x=\"12\" y=\"22\">no imagery to "
                "show</text>",
                c->width, c->height);
}

/* A scale bar and a north arrow. */
static void end(struct report *r, const struct chart *c)
{
    double most = c->width / 4.0 / c->metre, ten = pow(10, floor(log10(most)));
    double bar = most >= 5 * ten ? 5 * ten : most >= 2 * ten ? 2 * ten : ten, px = bar * c->metre;
    int y = c->height - 14, x = c->width - 24;
    fprintf(r->out, "<g class=\"ink\"><path d=\"M14 %dv6h%.1fv-6\"/><text x=\"%.1f\" y=\"%d\">%g %s</text>", y - 6, px,
            14 + px / 2, y - 6, bar < 1000 ? bar : bar / 1000, bar < 1000 ? "m" : "km");
    fprintf(r->out, "<path class=\"north\" d=\"M%d 14l7 20-7-5-7 5z\"/><text x=\"%d\" y=\"48\">N</text></g></svg>", x,
            x);
}

/* The square of a tile. */
static void put_footprint(FILE *out, const struct chart *c, const gvm_hit *hit, bool best)
{
    double box[4];
    tile_box(box, hit->lat, lon_near(hit->lon, c->lon), 2 * hit->half_tile_m);
    double x = chart_x(c, box[0]), y = chart_y(c, box[3]);
    fprintf(out, "<rect class=\"tile%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", best ? " best" : "",
            x, y, chart_x(c, box[2]) - x, chart_y(c, box[1]) - y);
}

static void put_mark(FILE *out, double x, double y, const char *kind, bool weak, size_t number)
{
    static const char *const shapes[][2] = {
        {"answer", "<circle r=\"11\"/>"},
        {"other", "<circle r=\"9\"/>"},
        {"right", "<circle r=\"11\"/>"},
        {"sure", "<circle r=\"11\"/>"},
        {"wrong", "<path d=\"M0-14 14 0 0 14-14 0z\"/>"},
        {"unsure", "<rect x=\"-10\" y=\"-10\" width=\"20\" height=\"20\"/>"},
        {"truth", "<circle r=\"13.5\"/><path d=\"M0-20v9M0 11v9M-20 0h9M11 0h9\"/>"},
        {"gps", "<path d=\"M0-21 18 11H-18z\"/>"}};
    fprintf(out, "<g class=\"mark %s%s\" transform=\"translate(%.1f %.1f)\">", kind, weak ? " weak" : "", x, y);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (strcmp(kind, shapes[i][0]) == 0) fputs(shapes[i][1], out);
    if (number > 0) fprintf(out, "<text y=\"4\">%zu</text>", number);
    fputs("</g>", out);
}

/* At a place on the chart. */
static void mark_place(FILE *out, const struct chart *c, double lat, double lon, const char *kind, size_t number)
{
    put_mark(out, chart_x(c, lon), chart_y(c, lat), kind, false, number);
}

/* From the answer to the true place. */
static void put_error(FILE *out, const struct chart *c, const struct located *l)
{
    fprintf(out, "<path class=\"off\" d=\"M%.1f %.1fL%.1f %.1f\"/>", chart_x(c, l->hits->lon), chart_y(c, l->hits->lat),
            chart_x(c, l->lon), chart_y(c, l->lat));
}

/* A mark inside a line of text, drawn as on the chart, because few fonts have such characters. */
static void put_sign(FILE *out, const char *kind, const char *meaning)
{
    fputs(" <svg viewBox=\"-22 -22 44 44\" width=\"18\" height=\"18\" aria-hidden=\"true\">", out);
    put_mark(out, 0, 0, kind, false, 0);
    fprintf(out, "</svg> %s", meaning);
}

/* The heading of the photo's centre, if known. */
static void put_heading(FILE *out, double x, double y, double heading)
{
    if (isnan(heading)) return;
    double s = sin(heading * EARTH_DEGREE), k = -cos(heading * EARTH_DEGREE);
    fprintf(out, "<path class=\"heading\" d=\"M%.1f %.1fL%.1f %.1f\"/>", x + 12 * s, y + 12 * k, x + 34 * s,
            y + 34 * k);
}

/* Whether a place is in or near the map's area; a far one would make a chart of half the world. */
static bool near_map(const struct report *r, double lat, double lon)
{
    const gvm_map_info *m = &r->area;
    double east = m->east < m->west ? m->east + 360 : m->east, high = m->north - m->south, wide = east - m->west;
    double more = fmax(0.01, fmax(high, wide) / 2);
    return fabs(lat - (m->south + m->north) / 2) <= high / 2 + more &&
           fabs(lon_near(lon, (m->west + east) / 2) - (m->west + east) / 2) <= wide / 2 + more;
}

/* ------------------------------------------------------------------ one photo */

void report_chart(struct report *r, size_t photo)
{
    struct located l = located_photo(r->answers, photo);
    const gvm_photo_info *info = &l.found->info;
    const gvm_question *q = &r->answers->questions[photo];
    double near_lat = isnan(q->lat) ? info->lat : q->lat, near_lon = isnan(q->lat) ? info->lon : q->lon;
    struct extent e = {.any = false};
    int count = l.found->count < REPORT_ANSWERS ? l.found->count : REPORT_ANSWERS;
    for (int k = 0; k < count; k++) include(&e, l.hits[k].lat, l.hits[k].lon, l.hits[k].half_tile_m);
    include(&e, l.hits->lat, l.hits->lon, 2 * l.hits->half_tile_m);
    bool truth = !isnan(l.lat) && near_map(r, l.lat, l.lon), gps = info->has_place && near_map(r, info->lat, info->lon);
    if (truth) include(&e, l.lat, l.lon, 0);
    if (gps) include(&e, info->lat, info->lon, 0);
    if (q->within_m > 0 && q->within_m < 1e5) include(&e, near_lat, near_lon, q->within_m);
    struct chart c = chart_of(&e, CHART, CHART, true);
    begin(r, &c, "Map of the answers for ", report_name(r, photo));
    if (q->within_m > 0)
        fprintf(r->out, "<circle class=\"searched\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>", chart_x(&c, near_lon),
                chart_y(&c, near_lat), q->within_m * c.metre);
    for (int k = count; k-- > 0;) put_footprint(r->out, &c, &l.hits[k], k == 0);
    double x = chart_x(&c, l.hits->lon), y = chart_y(&c, l.hits->lat);
    if (truth) put_error(r->out, &c, &l);
    for (int k = count; k-- > 1;) mark_place(r->out, &c, l.hits[k].lat, l.hits[k].lon, "other", (size_t)k + 1);
    if (gps) mark_place(r->out, &c, info->lat, info->lon, "gps", 0);
    put_heading(r->out, x, y, l.hits->heading);
    put_mark(r->out, x, y, "answer", false, 1);
    if (truth) mark_place(r->out, &c, l.lat, l.lon, "truth", 0);
    end(r, &c);
    fputs("<figcaption>Answers by rank, the tile of each as a square", r->out);
    if (!isnan(l.hits->heading)) fputs("; the line is the heading of the photo\342\200\231s centre", r->out);
    fputs(".", r->out);
    if (!isnan(l.lat) && !truth) fputs(" The true place is far outside the map.", r->out);
    if (truth) put_sign(r->out, "truth", "Crosshair: the true place.");
    if (info->has_place && !gps) fputs(" The photo\342\200\231s GPS position is far outside the map.", r->out);
    if (gps) put_sign(r->out, "gps", "Triangle: the photo\342\200\231s GPS position.");
    if (q->within_m > 0) fprintf(r->out, " Dashed circle: the area searched, %g m around.", q->within_m);
    fputs("</figcaption>", r->out);
}

/* ------------------------------------------------------------------ all photos */

static void put_key_line(FILE *out, const char *kind, bool weak, const char *meaning)
{
    fputs("<li><svg viewBox=\"-16 -16 32 32\" width=\"26\" height=\"26\" aria-hidden=\"true\">", out);
    put_mark(out, 0, 0, kind, weak, 0);
    fprintf(out, "</svg>%s</li>", meaning);
}

/* The legend. */
static void put_key(FILE *out, struct summary s)
{
    fputs("<figcaption>The best answer for each photo, with the photo\342\200\231s number:<ul class=\"key\">", out);
    if (s.known > 0) {
        put_key_line(out, "right", false, "right: within 25 m of the true place");
        put_key_line(out, "wrong", false, "wrong; a line leads to the true place");
        put_key_line(out, "right", true, "with a dashed edge: weak");
    }
    if (s.known < s.located) {
        put_key_line(out, "sure", false, s.known > 0 ? "clear answer, true place unknown" : "clear answer");
        put_key_line(out, "unsure", false, "weak answer, or no other place searched");
    }
    fputs("</ul></figcaption>", out);
}

void report_overview(struct report *r)
{
    const struct answers *a = r->answers;
    struct extent e = {.any = false};
    size_t located = 0;
    for (size_t i = 0; i < a->photos.count; i++) {
        struct located l = located_photo(a, i);
        if (l.status != GVM_OK) continue;
        located++;
        include(&e, l.hits->lat, l.hits->lon, 2 * l.hits->half_tile_m);
        if (!isnan(l.lat) && near_map(r, l.lat, l.lon)) include(&e, l.lat, l.lon, l.hits->half_tile_m);
    }
    if (located < 2) return;
    struct chart c = chart_of(&e, OVERVIEW, OVERVIEW_HIGH, false);
    fputs("<figure class=\"overview\">", r->out);
    begin(r, &c, "Map of all photos", "");
    for (size_t i = 0; i < a->photos.count; i++) { /* lines below all marks */
        struct located l = located_photo(a, i);
        if (l.status == GVM_OK && !isnan(l.lat)) put_error(r->out, &c, &l);
    }
    for (int pass = 0; pass < 2; pass++) /* wrong and weak answers are drawn above the rest */
        for (size_t i = 0; i < a->photos.count; i++) {
            enum outcome o = report_outcome(a, i);
            if (o == REFUSED || (o == RIGHT || o == SURE) != (pass == 0)) continue;
            const gvm_hit *hit = located_photo(a, i).hits;
            bool weak = located_weakness(&a->found[i], a->min_margin) == WEAK;
            fprintf(r->out, i < r->count ? "<a href=\"#p%zu\"><title>" : "<g><title>%zu. ", i + 1);
            put(r->out, "%s</title>", report_name(r, i));
            put_mark(r->out, chart_x(&c, hit->lon), chart_y(&c, hit->lat), outcome_classes[o], weak, i + 1);
            fputs(i < r->count ? "</a>" : "</g>", r->out);
        }
    end(r, &c);
    put_key(r->out, locate_summary(a));
    fputs("</figure>", r->out);
}
