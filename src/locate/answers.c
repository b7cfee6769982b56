/* answers.c - see answers.h
 *
 * Tiles overlap, so the best ones of a place are neighbours, and their scores show where between them the camera was:
 * an answer's position is the mean of its tiles' centres, weighted by exp(score / SOFTNESS). Its heading is found the
 * same way. */
#include "locate/answers.h"

#include <math.h>
#include <stdlib.h>

#include "geo/earth.h"

static const double SOFTNESS = 0.05, HEADING_SOFTNESS = 0.02, HEADING_REACH = 50 /* degrees */;

enum { RAW_LEAST = 48, RAW_EACH = 8 /* tiles that overlap with one, at the default stride */ };

int raw_hits_for(int max_hits)
{
    return RAW_LEAST + RAW_EACH * max_hits;
}

/* Best first, then by index and heading, so that the result does not depend on the order of the raw hits. */
static int compare(const void *a, const void *b)
{
    const gvm_hit *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    if (x->lat != y->lat) return x->lat < y->lat ? -1 : 1;
    if (x->lon != y->lon) return x->lon < y->lon ? -1 : 1;
    return (x->heading > y->heading) - (x->heading < y->heading);
}

static double metres(const gvm_hit *a, const gvm_hit *b)
{
    return metres_between(a->lat, a->lon, b->lat, b->lon);
}

/* Distance within which tiles are merged into this hit's answer, metres. */
static double width_of(const gvm_hit *hit, double reach)
{
    return reach > 0 ? reach : 2 * hit->half_tile_m;
}

static bool same_tile(const gvm_hit *a, const gvm_hit *b)
{
    return a->tile == b->tile && a->lat == b->lat && a->lon == b->lon;
}

/* Mean of a tile's headings near its best one, weighted by score. */
static double mean_heading(const gvm_hit *best, const gvm_hit *raw, size_t count)
{
    double weights = 0, turn = 0;
    for (size_t i = 0; i < count; i++) {
        double off = remainder(raw[i].heading - best->heading, 360);
        if (!same_tile(best, &raw[i]) || fabs(off) > HEADING_REACH) continue;
        double weight = exp((raw[i].score - best->score) / HEADING_SOFTNESS);
        weights += weight;
        turn += weight * off;
    }
    return turn == 0 ? best->heading : fmod(best->heading + turn / weights + 360, 360);
}

/* Keep each tile once, with its best score. */
static size_t without_doubles(gvm_hit *raw, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < kept && !same_tile(&raw[k], &raw[i])) k++;
        if (k < kept) continue;
        gvm_hit best = raw[i];
        best.heading = mean_heading(&best, raw + i, count - i);
        raw[kept++] = best;
    }
    return kept;
}

/* Merge the tiles around `seed`, the best of them, into one answer. */
static gvm_hit merged(const gvm_hit *seed, const gvm_hit *raw, size_t count, double reach)
{
    gvm_hit answer = *seed;
    double weights = 0, north = 0, east = 0;
    for (size_t i = 0; i < count; i++) {
        if (metres(seed, &raw[i]) >= width_of(seed, reach)) continue;
        double weight = exp((raw[i].score - seed->score) / SOFTNESS);
        weights += weight;
        north += weight * (raw[i].lat - seed->lat);
        east += weight * remainder(raw[i].lon - seed->lon, 360);
    }
    answer.lat += north / weights;
    answer.lon = remainder(answer.lon + east / weights, 360);
    return answer;
}

size_t answers_sort(gvm_hit *raw, size_t count)
{
    qsort(raw, count, sizeof *raw, compare);
    return without_doubles(raw, count);
}

int answers_make(gvm_hit *answers, int max_hits, double *margin, gvm_hit *raw, size_t count, double reach, bool merge)
{
    int n = 0;
    *margin = NAN;
    count = answers_sort(raw, count);
    for (size_t i = 1; i < count && isnan(*margin); i++)
        if (metres(&raw[0], &raw[i]) >= width_of(&raw[0], reach)) *margin = raw[0].score - raw[i].score;
    for (size_t i = 0; i < count && n < max_hits; i++) {
        bool taken = false;
        for (int k = 0; k < n && merge && !taken; k++)
            taken = metres(&raw[i], &answers[k]) < width_of(&answers[k], reach);
        if (!taken) answers[n++] = raw[i];
    }
    for (int k = 0; k < n && merge; k++) answers[k] = merged(&answers[k], raw, count, reach);
    return n;
}
