/* places.c - see places.h and world.h: the town's position on the globe, and the cameras in it. */
#include "world/places.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "geo/earth.h"

static const double DEGREE = 180 / M_PI; /* degrees a radian */

/* ------------------------------------------------------------------ the town on the globe */

/* Metres per radian at the town's centre, from WGS84's radii of curvature: a town is small. The form and the rounded
 * e^2 are kept so that generated towns stay bit-identical. */
static void metres_per_radian(double *east, double *north, const struct world_options *options)
{
    const double e2 = 0.00669437999014;
    double s = sin(options->lat / DEGREE), w = sqrt(1 - e2 * s * s);
    *north = EARTH_A * (1 - e2) / (w * w * w);
    *east = EARTH_A / w * cos(options->lat / DEGREE);
}

void world_degrees(double *lat, double *lon, const struct world_options *options, double x, double y)
{
    double east, north;
    metres_per_radian(&east, &north, options);
    *lat = options->lat + y / north * DEGREE;
    *lon = remainder(options->lon + x / east * DEGREE, 360);
}

void world_metres(double *x, double *y, const struct world_options *options, double lat, double lon)
{
    double east, north;
    metres_per_radian(&east, &north, options);
    *x = remainder(lon - options->lon, 360) / DEGREE * east;
    *y = (lat - options->lat) / DEGREE * north;
}

void place_text(char text[PLACE_TEXT], const struct world_options *options, double x, double y)
{
    double lat, lon;
    char a[G_ASCII_DTOSTR_BUF_SIZE], o[G_ASCII_DTOSTR_BUF_SIZE];
    world_degrees(&lat, &lon, options, x, y);
    g_ascii_formatd(a, sizeof a, "%.8f", lat);
    g_ascii_formatd(o, sizeof o, "%.8f", lon);
    snprintf(text, PLACE_TEXT, "%s,%s", a, o);
}

/* ------------------------------------------------------------------ cameras */

struct candidate {
    struct place place;
    uint64_t key;
};

static int by_key(const void *a, const void *b)
{
    uint64_t x = ((const struct candidate *)a)->key, y = ((const struct candidate *)b)->key;
    return (x > y) - (x < y);
}

static int by_east(const void *a, const void *b)
{
    const struct place *x = *(const struct place *const *)a, *y = *(const struct place *const *)b;
    if (x->x != y->x) return x->x < y->x ? -1 : 1;
    return (x->y > y->y) - (x->y < y->y);
}

/* Cameras along one piece of road, `every` metres apart, in the right lane of either direction. */
static int edge_places(struct candidate *out, int room, const struct world_options *options, const struct edge *edge,
                       float every)
{
    struct dice d = dice_for(options->seed, USE_CAMERA, 2 * edge->i + edge->dir, edge->j);
    int count = (int)(edge->length / every), n = 0;
    for (int k = 0; k < count && n < room; k++, n++) {
        float tx, ty, along = edge->length * ((float)k + 0.5f + dice_roll(&d, -0.3f, 0.3f)) / (float)count;
        float lane = edge->road == ROAD_LANE ? 0 : edge->half * 0.45f;
        if (dice_chance(&d, 0.5f)) lane = -lane;
        struct point p = edge_at(edge, along, lane, &tx, &ty);
        float radius = (float)options->offset_m * sqrtf(dice_roll(&d, 0, 1)), turn = dice_roll(&d, 0, 2 * PI);
        out[n].place = (struct place){
            .x = p.x, .y = p.y, .tile_x = p.x + radius * sinf(turn), .tile_y = p.y + radius * cosf(turn)};
        out[n].key = (uint64_t)dice_pick(&d, 1 << 30) << 20 | (uint64_t)n;
    }
    return n;
}

/* Room for all cameras of a town of side x side blocks. */
static struct candidate *open_candidates(int *room, int side, float every, gvm_error *err)
{
    *room = side * side * (int)ceilf(8 * PLACES_EVERY_M / every);
    struct candidate *all = malloc((size_t)*room * sizeof *all);
    if (all == NULL) fail(err, GVM_MEMORY, "out of memory for a town of %d x %d blocks", side, side);
    return all;
}

static int town_places(struct candidate *out, int room, const struct world_options *options, int side, float every)
{
    int n = 0;
    for (int j = -side / 2; j < side - side / 2; j++)
        for (int i = -side / 2; i < side - side / 2; i++)
            for (int dir = 0; dir < 2 && n < room; dir++) {
                struct edge edge;
                town_edge(&edge, options->seed, i, j, dir);
                if (edge.road != ROAD_NONE) n += edge_places(out + n, room - n, options, &edge, every);
            }
    return n;
}

gvm_status places_split(struct place *places, const struct world_options *options, gvm_error *err)
{
    struct place **order = malloc((size_t)options->pairs * sizeof *order);
    if (order == NULL) return fail(err, GVM_MEMORY, "out of memory for %d pairs", options->pairs);
    for (int n = 0; n < options->pairs; n++) order[n] = places + n;
    qsort(order, (size_t)options->pairs, sizeof *order, by_east);
    int test = (int)(options->test * options->pairs + 0.5);
    for (int n = options->pairs - test; n < options->pairs; n++) order[n]->test = true;
    free(order);
    return GVM_OK;
}

gvm_status world_places(struct place *places, const struct world_options *options, gvm_error *err)
{
    int side = (int)ceil(sqrt(options->pairs / 3.0)) + 1;
    struct candidate *all = NULL;
    for (int found = 0; found < options->pairs; side++) {
        int room;
        free(all);
        all = open_candidates(&room, side, PLACES_EVERY_M, err);
        if (all == NULL) return GVM_MEMORY;
        found = town_places(all, room, options, side, PLACES_EVERY_M);
        if (found >= options->pairs) qsort(all, (size_t)found, sizeof *all, by_key);
    }
    for (int n = 0; n < options->pairs; n++) places[n] = all[n].place;
    free(all);
    return places_split(places, options, err);
}

/* Metres from the line through a and b, positive to its left. */
static double left_of(struct point a, struct point b, float x, float y)
{
    double dx = b.x - a.x, dy = b.y - a.y;
    return (dx * (y - a.y) - dy * (x - a.x)) / sqrt(dx * dx + dy * dy);
}

static bool lies_within(const struct place *place, const struct point corner[4], float margin)
{
    for (int k = 0; k < 4; k++)
        if (left_of(corner[k], corner[(k + 1) % 4], place->x, place->y) < margin) return false;
    return true;
}

gvm_status places_within(struct place *places, int *found, const struct world_options *options,
                         const struct point corner[4], float margin, float every, gvm_error *err)
{
    const float astray = 90; /* greatest distance of a junction from its lattice point */
    float reach = 0;
    for (int k = 0; k < 4; k++) reach = fmaxf(reach, fmaxf(fabsf(corner[k].x), fabsf(corner[k].y)));
    int side = 2 * (int)ceilf((reach + astray) / TOWN_PITCH) + 2, room;
    struct candidate *all = open_candidates(&room, side, every, err);
    *found = 0;
    if (all == NULL) return GVM_MEMORY;
    int count = town_places(all, room, options, side, every);
    for (int n = 0; n < count; n++)
        if (lies_within(&all[n].place, corner, margin)) all[(*found)++] = all[n];
    qsort(all, (size_t)*found, sizeof *all, by_key);
    for (int n = 0; n < options->pairs && n < *found; n++) places[n] = all[n].place;
    free(all);
    return GVM_OK;
}
