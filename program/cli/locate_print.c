/* locate_print.c - prints the answers of `locate`: a summary of errors and weak answers; a table, JSON, GeoJSON and
 * CSV. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/output.h"
#include "base/top.h"
#include "cli/locate.h"

/* Avoids "-0.0" for negative values that round to zero; half is half of the last digit shown. */
static double without_minus_zero(double x, double half)
{
    return fabs(x) < half ? 0 : x;
}

/* ------------------------------------------------------------------ the answers as a whole */

struct located located_photo(const struct answers *a, size_t photo)
{
    return (struct located){.status = a->statuses[photo],
                            .sentence = a->errors[photo].text,
                            .hits = a->hits + photo * (size_t)a->top,
                            .found = &a->found[photo],
                            .p = a->p + photo * (size_t)a->top,
                            .chance = &a->chances[photo],
                            .lat = a->known[photo].lat,
                            .lon = a->known[photo].lon,
                            .views = a->views[photo],
                            .camera = &a->cameras[photo],
                            .min_margin = a->min_margin};
}

struct summary locate_summary(const struct answers *a)
{
    struct summary s = {.photos = a->photos.count, .median_m = NAN};
    double *off = malloc((a->photos.count + 1) * sizeof *off);
    for (size_t i = 0; i < a->photos.count; i++) {
        struct located l = located_photo(a, i);
        if (l.status != GVM_OK || l.found->count == 0) continue;
        bool weak = located_weakness(l.found, l.min_margin) == WEAK, among = false;
        s.located++;
        s.weak += weak;
        if (isnan(l.lat)) continue;
        double error = located_error(&l, l.hits);
        bool near = error <= NEAR_M;
        if (off != NULL) off[s.known] = error;
        s.known++;
        s.near += near;
        s.weak_known += weak;
        s.other_near += near && !weak;
        for (int k = 0; k < l.found->count && k < AMONG; k++) among = among || located_error(&l, &l.hits[k]) <= NEAR_M;
        s.among += among;
    }
    if (off != NULL) s.median_m = median(off, s.known);
    free(off);
    return s;
}

void locate_print_summary(const struct answers *a)
{
    struct summary s = locate_summary(a);
    if (s.known > 1) {
        printf("\n%zu photos of known place: median error %.1f m; within %d m %.1f%% at rank 1, %.1f%% among the first "
               "%d\n",
               s.known, s.median_m, NEAR_M, percent(s.near, s.known), percent(s.among, s.known),
               a->top < AMONG ? a->top : AMONG);
        printf("%zu of them weak (margin below %g)", s.weak_known, a->min_margin);
        if (s.weak_known < s.known)
            printf(": of the other %zu, %.1f%% within %d m", s.known - s.weak_known,
                   percent(s.other_near, s.known - s.weak_known), NEAR_M);
        if (s.located < s.photos) printf("; %zu of %zu photos were not located", s.photos - s.located, s.photos);
        putchar('\n');
    } else if (s.photos > 1) {
        printf(s.located < s.photos ? "\n%zu of %zu photos located" : "\n%zu photos located", s.located, s.photos);
        if (s.located > 0) printf(", %zu of them weak (margin below %g)", s.weak, a->min_margin);
        putchar('\n');
    }
}

/* ------------------------------------------------------------------ table */

/* The note on an answer's margin. */
static const char *verdict(const struct located *l)
{
    switch (located_weakness(l->found, l->min_margin)) {
    case WEAK: return "weak: another place is almost as similar";
    case UNDECIDED: return "no other place to compare with";
    default: return NULL;
    }
}

/* Its probability: "  p 0.310 (uncalibrated): ...". */
static void print_chance(const struct located *l)
{
    const gvm_chance *c = l->chance;
    if (!c->known) return;
    printf("  p %.3f%s: within 25 m %.3f, 50 m %.3f, 100 m %.3f", l->p[0], c->calibrated ? "" : " (uncalibrated)",
           c->within[0], c->within[1], c->within[2]);
    if (isnan(c->radius_90))
        puts("; no radius holds 0.9, the rest is off this map");
    else
        printf("; 0.9 within %.0f m\n", c->radius_90);
}

/* "  field of view 67.4 x 53.1 degrees, assumed; heading 12.0, from EXIF". */
static void print_camera(const struct located *l)
{
    const gvm_camera *c = l->camera;
    if (!located_has_camera(l)) return;
    printf("  field of view %.1f x %.1f degrees, %s", c->fov, c->fov_vertical, located_source(c->fov_from));
    if (c->heading_from != GVM_SOURCE_NONE)
        printf("; heading %.1f, %s%s", located_heading(c->heading, 1), located_source(c->heading_from),
               l->found->heading_found ? ", from magnetic north" : "");
    putchar('\n');
}

static void print_photo(const struct answers *a, size_t photo)
{
    struct located l = located_photo(a, photo);
    const gvm_hit *hits = l.hits;
    bool known = !isnan(l.lat), gps = l.found->info.has_place;
    print_text(a->photos.paths[photo]);
    if (l.found->count > 0 && l.found->heading_found)
        printf("  heading %.1f, estimated", located_heading(hits[0].heading, 1));
    if (!isnan(l.found->margin)) printf("  margin %.4f", l.found->margin);
    if (l.views > 1) printf("  %d views of a panorama", l.views);
    if (verdict(&l) != NULL) printf("  %s", verdict(&l));
    putchar('\n');
    print_camera(&l);
    print_chance(&l);
    printf("  rank     latitude     longitude    score%s%s%s  tile\n", l.chance->known ? "       p" : "",
           known ? "   error m" : "", gps ? "  from GPS m" : "");
    for (int k = 0; k < l.found->count; k++) {
        printf("  %4d  %11.7f  %12.7f  %7.4f", k + 1, without_minus_zero(hits[k].lat, 5e-8),
               without_minus_zero(hits[k].lon, 5e-8), without_minus_zero(hits[k].score, 5e-5));
        if (l.chance->known) printf("  %6.4f", l.p[k]);
        if (known) printf("  %8.1f", located_error(&l, &hits[k]));
        if (gps) printf("  %10.1f", located_off_gps(&l, &hits[k]));
        printf("  %zu of ", hits[k].number);
        print_text(hits[k].tile);
        putchar('\n');
    }
}

void locate_print_table(const struct answers *a)
{
    size_t good = 0;
    for (size_t i = 0; i < a->photos.count; i++) {
        if (a->statuses[i] != GVM_OK) continue;
        if (good++ > 0) putchar('\n');
        print_photo(a, i);
    }
    locate_print_summary(a);
}

void locate_print_lines(const struct answers *a)
{
    printf("    latitude     longitude    score  margin   error m  from GPS m  heading  photo\n");
    for (size_t i = 0; i < a->photos.count; i++) {
        struct located l = located_photo(a, i);
        if (l.status != GVM_OK) continue;
        printf(" %11.7f  %12.7f  %7.4f", without_minus_zero(l.hits->lat, 5e-8), without_minus_zero(l.hits->lon, 5e-8),
               without_minus_zero(l.hits->score, 5e-5));
        printf(isnan(l.found->margin) ? "       -" : "  %6.4f", l.found->margin);
        printf(isnan(l.lat) ? "         -" : "  %8.1f", located_error(&l, l.hits));
        printf(l.found->info.has_place ? "  %10.1f" : "           -", located_off_gps(&l, l.hits));
        printf(isnan(l.hits->heading) ? "       -   " : "  %6.1f%c  ", located_heading(l.hits->heading, 1),
               l.found->heading_found ? '~' : ' ');
        if (l.chance->known) printf("p %.4f%s  ", l.p[0], l.chance->calibrated ? "" : " (uncalibrated)");
        if (located_has_camera(&l))
            printf("fov %.1f%s  ", l.camera->fov, l.camera->fov_from == GVM_SOURCE_ASSUMED ? " (assumed)" : "");
        print_text(a->photos.paths[i]);
        printf(verdict(&l) != NULL ? "  %s\n" : "\n", verdict(&l));
    }
    locate_print_summary(a);
}

/* ------------------------------------------------------------------ JSON */

static json_t *json_hit(const struct answers *a, size_t photo, int k)
{
    struct located l = located_photo(a, photo);
    json_t *o = located_hit(&l, k);
    json_put(&o, "tile", json_integer((json_int_t)l.hits[k].number));
    json_put(&o, "source", json_text(l.hits[k].tile));
    return o;
}

/* Members of the photo as a whole. */
static void set_photo(json_t **o, const struct answers *a, size_t photo)
{
    struct located l = located_photo(a, photo);
    json_put(o, "photo", json_text(a->photos.paths[photo]));
    located_facts(o, &l);
}

int locate_print_json(const struct answers *a)
{
    json_t *list = json_array();
    for (size_t i = 0; i < a->photos.count; i++) {
        json_t *photo = json_object(), *hits = json_array();
        set_photo(&photo, a, i);
        for (int k = 0; k < a->found[i].count; k++) json_push(&hits, json_hit(a, i, k));
        if (a->statuses[i] == GVM_OK)
            json_put(&photo, "hits", hits);
        else
            json_decref(hits);
        json_push(&list, photo);
    }
    return json_print(list);
}

/* A point for each answer, RFC 7946; none for a failed photo. */
json_t *locate_geojson(const struct answers *a)
{
    json_t *features = json_array();
    for (size_t i = 0; i < a->photos.count; i++)
        for (int k = 0; k < a->found[i].count && a->statuses[i] == GVM_OK; k++) {
            json_t *properties = json_hit(a, i, k);
            set_photo(&properties, a, i);
            const gvm_hit *hit = &located_photo(a, i).hits[k];
            json_push(&features, json_pack("{ss,s{ss,s[ff]},so}", "type", "Feature", "geometry", "type", "Point",
                                           "coordinates", hit->lon, hit->lat, "properties", properties));
        }
    char generator[64];
    snprintf(generator, sizeof generator, OUTPUT_SOFTWARE " %s", gvm_version());
    return json_pack("{ss,ss,so}", "type", "FeatureCollection", "generator", generator, "features", features);
}

/* ------------------------------------------------------------------ CSV */

static void put_cell(double value, const char *format)
{
    putchar(',');
    if (!isnan(value)) printf(format, value);
}

static void put_chance(const struct located *l, int k)
{
    const gvm_chance *c = l->chance;
    bool known = c->known;
    put_cell(known ? l->p[k] : NAN, "%.6f");
    for (int r = 0; r < GVM_RADII; r++) put_cell(known ? c->within[r] : NAN, "%.6f");
    put_cell(known ? c->radius_90 : NAN, "%.1f");
    put_cell(known ? (double)c->calibrated : NAN, "%.0f");
}

static void put_camera(const struct located *l)
{
    const gvm_camera *c = l->camera;
    if (!located_has_camera(l)) {
        printf(",,,");
        return;
    }
    put_cell(c->fov, "%.2f");
    printf(",%s,%s", gvm_source_name(c->fov_from),
           c->heading_from != GVM_SOURCE_NONE ? gvm_source_name(c->heading_from) : "");
}

/* The page's CSV has the same columns (server/web/export.js). A failed photo has a line with the error. */
void locate_print_csv(const struct answers *a)
{
    printf("photo,rank,lat,lon,half_tile_m,score,heading,heading_estimated,margin,weak,error_m,gps_lat,gps_lon,gps_m,"
           "tile,source,p,p_within_25_m,p_within_50_m,p_within_100_m,radius_90_m,calibrated,"
           "fov,fov_from,heading_from,problem\n");
    for (size_t i = 0; i < a->photos.count; i++) {
        struct located l = located_photo(a, i);
        if (l.status != GVM_OK) {
            csv_write(stdout, a->photos.paths[i]);
            printf(",,,,,,,,,,,,,,,,,,,,,,,,,");
            csv_write(stdout, l.sentence);
            putchar('\n');
        }
        for (int k = 0; k < l.found->count && l.status == GVM_OK; k++) {
            const gvm_hit *hit = &l.hits[k];
            const gvm_photo_info *info = &l.found->info;
            enum weakness weak = located_weakness(l.found, l.min_margin);
            csv_write(stdout, a->photos.paths[i]);
            printf(",%d,%.8f,%.8f,%.1f,%.6f", k + 1, hit->lat, hit->lon, hit->half_tile_m, hit->score);
            put_cell(located_heading(hit->heading, 2), "%.2f");
            printf(",%d", l.found->heading_found);
            put_cell(l.found->margin, "%.6f");
            put_cell(weak == UNDECIDED ? NAN : weak == WEAK ? 1. : 0., "%.0f");
            put_cell(located_error(&l, hit), "%.2f");
            put_cell(info->has_place ? info->lat : NAN, "%.8f");
            put_cell(info->has_place ? info->lon : NAN, "%.8f");
            put_cell(located_off_gps(&l, hit), "%.2f");
            printf(",%zu,", hit->number);
            csv_write(stdout, hit->tile);
            put_chance(&l, k);
            put_camera(&l);
            puts(",");
        }
    }
}
