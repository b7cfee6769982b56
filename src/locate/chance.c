/* chance.c - see chance.h */
#include "locate/chance.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/parallel.h"
#include "geo/earth.h"

static const double radii[GVM_RADII] = {25, 50, 100}; /* metres */

/* A tile's p and its distance. */
struct spot {
    double p, metres; /* from the first answer's place */
    int answer;       /* index of the answer that it belongs to; -1: none */
};

struct work {
    const struct score_field *field;
    struct spot *spots; /* (field->count) */
    const gvm_hit *hits;
    int count;
    double reach, most; /* the best score */
};

static const struct tile *tile_of(const struct score_field *f, size_t i)
{
    return &f->map->tiles.items[f->items != NULL ? f->items[i] : i];
}

/* Returns true if two tiles are nearer than `reach`; latitude alone rules most out. */
static bool is_within(const struct tile *a, const struct tile *b, double reach)
{
    return fabs(a->lat - b->lat) * EARTH_ARC < reach && metres_between(a->lat, a->lon, b->lat, b->lon) < reach;
}

void chance_scale(struct score_field *f, const gvm_map *map, double score_scale)
{
    bool fitted = map->temperature > 0;
    f->sharpness = fitted ? score_scale / map->temperature : score_scale;
    f->elsewhere = fitted && !isnan(map->elsewhere) ? map->elsewhere / map->temperature : -INFINITY;
}

void chance_places(gvm_hit *hits, int count, double reach, const struct score_field *f)
{
    for (int k = 0; k < count; k++) {
        const struct tile *best = &f->map->tiles.items[hits[k].number];
        double weights = 0, north = 0, east = 0;
        for (size_t i = 0; i < f->count; i++) {
            const struct tile *tile = tile_of(f, i);
            if (!is_within(tile, best, reach)) continue;
            double weight = exp(f->sharpness * (f->scores[i] - hits[k].score));
            weights += weight;
            north += weight * (tile->lat - best->lat);
            east += weight * remainder(tile->lon - best->lon, 360);
        }
        hits[k].lat = best->lat + north / weights;
        hits[k].lon = remainder(best->lon + east / weights, 360);
    }
}

/* ------------------------------------------------------------------ sums */

static void measure_part(void *argument, struct team team)
{
    const struct work *w = argument;
    const struct score_field *f = w->field;
    const struct tile *tiles = f->map->tiles.items;
    size_t rank = (size_t)team.rank, size = (size_t)team.size;
    for (size_t i = f->count * rank / size; i < f->count * (rank + 1) / size; i++) {
        const struct tile *tile = tile_of(f, i);
        struct spot *spot = &w->spots[i];
        spot->p = exp(f->sharpness * (f->scores[i] - w->most));
        spot->metres = metres_between(w->hits->lat, w->hits->lon, tile->lat, tile->lon);
        spot->answer = -1;
        for (int k = 0; k < w->count && spot->answer < 0; k++)
            if (tile == &tiles[w->hits[k].number] || is_within(tile, &tiles[w->hits[k].number], w->reach))
                spot->answer = k;
    }
}

/* Move spots nearer than the pivot to the front; returns how many. */
static size_t partition(struct spot *spots, size_t count, double pivot)
{
    size_t near = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(spots[i].metres < pivot)) continue;
        struct spot swap = spots[i];
        spots[i] = spots[near];
        spots[near++] = swap;
    }
    return near;
}

/* The radius in metres within which the spots' p sums to `wanted`; NaN if all of them sum to less. Quickselect, so it
 * takes linear time. */
static double radius_of(struct spot *spots, size_t count, double wanted)
{
    while (count > 0) {
        double pivot = spots[count / 2].metres, sum = 0, at = 0;
        size_t near = partition(spots, count, pivot), same = 0;
        for (size_t i = 0; i < near; i++) sum += spots[i].p;
        if (sum >= wanted) {
            count = near;
            continue;
        }
        for (size_t i = near; i < count; i++) {
            if (spots[i].metres > pivot) continue;
            struct spot swap = spots[i];
            spots[i] = spots[near + same];
            spots[near + same++] = swap;
            at += swap.p;
        }
        if (sum + at >= wanted) return pivot;
        wanted -= sum + at;
        spots += near + same;
        count -= near + same;
    }
    return NAN;
}

/* Sums run in index order, so they do not depend on threads. */
static void add_up(gvm_chance *chance, double *p, struct work *w)
{
    const struct score_field *f = w->field;
    double total = exp(f->elsewhere - f->sharpness * w->most);
    for (size_t i = 0; i < f->count; i++) total += w->spots[i].p;
    for (int k = 0; k < w->count && p != NULL; k++) p[k] = 0;
    for (size_t i = 0; i < f->count; i++) {
        struct spot *spot = &w->spots[i];
        spot->p /= total;
        if (spot->answer >= 0 && p != NULL) p[spot->answer] += spot->p;
        for (int r = 0; r < GVM_RADII; r++)
            if (spot->metres <= radii[r]) chance->within[r] += spot->p;
    }
    chance->radius_90 = radius_of(w->spots, f->count, 0.9);
}

gvm_status chance_find(gvm_chance *chance, double *p, const gvm_hit *hits, int count, double reach,
                       const struct score_field *f, gvm_error *err)
{
    struct work w = {.field = f, .hits = hits, .count = count, .reach = reach, .most = -INFINITY};
    *chance = (gvm_chance){.known = f->sharpness > 0, .calibrated = f->map->temperature > 0};
    if (!chance->known) {
        *chance = (gvm_chance){.radius_90 = NAN};
        for (int r = 0; r < GVM_RADII; r++) chance->within[r] = NAN;
        for (int k = 0; k < count && p != NULL; k++) p[k] = NAN;
        return GVM_OK;
    }
    w.spots = malloc((f->count + 1) * sizeof *w.spots);
    if (w.spots == NULL) return fail(err, GVM_MEMORY, "out of memory for %zu tiles' p", f->count);
    for (size_t i = 0; i < f->count; i++) w.most = fmax(w.most, f->scores[i]);
    parallel_run(measure_part, &w);
    add_up(chance, p, &w);
    free(w.spots);
    return GVM_OK;
}

void chance_all(float *p, const float *scores, const gvm_map *map, double score_scale)
{
    struct score_field f;
    size_t count = map->tiles.count;
    double most = -INFINITY, total;
    chance_scale(&f, map, score_scale);
    for (size_t i = 0; i < count; i++) most = isnan(scores[i]) ? most : fmax(most, scores[i]);
    total = exp(f.elsewhere - f.sharpness * most);
    for (size_t i = 0; i < count; i++) total += isnan(scores[i]) ? 0 : exp(f.sharpness * (scores[i] - most));
    for (size_t i = 0; i < count; i++) p[i] = (float)(exp(f.sharpness * (scores[i] - most)) / total);
}
