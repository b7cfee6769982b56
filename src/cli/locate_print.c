/* locate_print.c - the answers of `locate` as a table, JSON, GeoJSON and CSV. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/csv.h"
#include "cli/locate.h"
#include "map/locate_json.h"

static const double NEAR = 25; /* metres: what counts as found in the summary */

/* printf gives what rounds to zero from below as -0.0: half is half of the last place shown. */
static double without_minus_zero(double x, double half)
{
    return fabs(x) < half ? 0 : x;
}

static const gvm_hit *hits_of(const struct answers *a, size_t photo)
{
    return a->hits + photo * (size_t)a->top;
}

/* ------------------------------------------------------------------ table */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How far off the answers were, where that is known of two photos or more. */
static void print_summary(const struct answers *a)
{
    size_t known = 0, first = 0, five = 0;
    double *off = malloc((a->photos.count + 1) * sizeof *off);
    for (size_t i = 0; i < a->photos.count && off != NULL; i++) {
        if (a->statuses[i] != GVM_OK || a->found[i].count == 0 || isnan(a->known[i].lat)) continue;
        const gvm_hit *hits = hits_of(a, i);
        bool found = false;
        off[known++] = metres_off(a, i, hits);
        first += off[known - 1] <= NEAR;
        for (int k = 0; k < a->found[i].count && k < 5; k++) found = found || metres_off(a, i, &hits[k]) <= NEAR;
        five += found;
    }
    if (known > 1) {
        qsort(off, known, sizeof *off, by_size);
        double median = known % 2 ? off[known / 2] : (off[known / 2 - 1] + off[known / 2]) / 2;
        printf(
            "\n%zu photos whose place is known: median error %.1f m; within %.0f m %.1f%% at rank 1, %.1f%% among the "
            "first %d\n",
            known, median, NEAR, 100.0 * (double)first / (double)known, 100.0 * (double)five / (double)known,
            a->top < 5 ? a->top : 5);
    }
    free(off);
}

static void print_photo(const struct answers *a, size_t photo)
{
    const gvm_found *f = &a->found[photo];
    const gvm_hit *hits = hits_of(a, photo);
    bool known = !isnan(a->known[photo].lat);
    print_text(a->photos.paths[photo]);
    if (f->count > 0 && f->heading_found) printf("  heading %.1f, estimated", hits[0].heading);
    if (!isnan(f->margin)) printf("  margin %.4f", f->margin);
    if (!is_on_map(a, photo)) printf("  not on this map");
    printf("\n  rank     latitude     longitude  radius m    score%s  tile\n", known ? "   error m" : "");
    for (int k = 0; k < f->count; k++) {
        printf("  %4d  %11.7f  %12.7f  %8.1f  %7.4f", k + 1, without_minus_zero(hits[k].lat, 5e-8),
               without_minus_zero(hits[k].lon, 5e-8), hits[k].radius_m, without_minus_zero(hits[k].score, 5e-5));
        if (known) printf("  %8.1f", metres_off(a, photo, &hits[k]));
        printf("  ");
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
    print_summary(a);
}

void locate_print_lines(const struct answers *a)
{
    printf("    latitude     longitude  radius m    score  margin   error m  photo\n");
    for (size_t i = 0; i < a->photos.count; i++) {
        const gvm_hit *best = hits_of(a, i);
        if (a->statuses[i] != GVM_OK) continue;
        printf(" %11.7f  %12.7f  %8.1f  %7.4f", without_minus_zero(best->lat, 5e-8),
               without_minus_zero(best->lon, 5e-8), best->radius_m, without_minus_zero(best->score, 5e-5));
        printf(isnan(a->found[i].margin) ? "       -" : "  %6.4f", a->found[i].margin);
        printf(isnan(a->known[i].lat) ? "         -  " : "  %8.1f  ", metres_off(a, i, best));
        print_text(a->photos.paths[i]);
        puts(is_on_map(a, i) ? "" : "  not on this map");
    }
    print_summary(a);
}

/* ------------------------------------------------------------------ JSON */

static struct located located(const struct answers *a, size_t photo)
{
    return (struct located){.status = a->statuses[photo],
                            .sentence = a->errors[photo].text,
                            .hits = hits_of(a, photo),
                            .found = &a->found[photo],
                            .lat = a->known[photo].lat,
                            .lon = a->known[photo].lon,
                            .min_margin = a->min_margin};
}

static json_t *json_hit(const struct answers *a, size_t photo, int k)
{
    struct located l = located(a, photo);
    json_t *o = located_hit(&l, k);
    json_object_set_new(o, "tile", json_text(l.hits[k].tile));
    return o;
}

/* What holds for the photo as a whole. */
static void set_photo(json_t *o, const struct answers *a, size_t photo)
{
    struct located l = located(a, photo);
    json_object_set_new(o, "photo", json_text(a->photos.paths[photo]));
    located_facts(o, &l);
}

int locate_print_json(const struct answers *a)
{
    json_t *list = json_array();
    for (size_t i = 0; i < a->photos.count; i++) {
        json_t *photo = json_object(), *hits = json_array();
        set_photo(photo, a, i);
        for (int k = 0; k < a->found[i].count; k++) json_array_append_new(hits, json_hit(a, i, k));
        if (a->statuses[i] == GVM_OK)
            json_object_set_new(photo, "hits", hits);
        else
            json_decref(hits);
        json_array_append_new(list, photo);
    }
    return json_print(list);
}

/* A point for each answer, RFC 7946; a photo that failed has none. */
json_t *locate_geojson(const struct answers *a)
{
    json_t *features = json_array();
    for (size_t i = 0; i < a->photos.count; i++)
        for (int k = 0; k < a->found[i].count && a->statuses[i] == GVM_OK; k++) {
            json_t *properties = json_hit(a, i, k);
            set_photo(properties, a, i);
            const gvm_hit *hit = &hits_of(a, i)[k];
            json_array_append_new(features,
                                  json_pack("{ss,s{ss,s[ff]},so}", "type", "Feature", "geometry", "type", "Point",
                                            "coordinates", hit->lon, hit->lat, "properties", properties));
        }
    return json_pack("{ss,so}", "type", "FeatureCollection", "features", features);
}

/* ------------------------------------------------------------------ CSV */

void locate_print_csv(const struct answers *a)
{
    printf("photo,rank,lat,lon,radius_m,score,heading,heading_estimated,margin,on_map,error_m,tile\n");
    for (size_t i = 0; i < a->photos.count; i++)
        for (int k = 0; k < a->found[i].count && a->statuses[i] == GVM_OK; k++) {
            const gvm_hit *hit = &hits_of(a, i)[k];
            csv_write(stdout, a->photos.paths[i]);
            printf(",%d,%.8f,%.8f,%.1f,%.6f,%.1f,%d,", k + 1, hit->lat, hit->lon, hit->radius_m, hit->score,
                   hit->heading, a->found[i].heading_found);
            if (!isnan(a->found[i].margin)) printf("%.6f", a->found[i].margin);
            printf(",%d,", is_on_map(a, i));
            if (!isnan(a->known[i].lat)) printf("%.2f", metres_off(a, i, hit));
            putchar(',');
            csv_write(stdout, hit->tile);
            putchar('\n');
        }
}
