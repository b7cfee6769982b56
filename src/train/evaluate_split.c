/* evaluate_split.c - see evaluate_split.h. */
#include "train/evaluate_split.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "geo/earth.h"

/* ------------------------------------------------------------------ right tiles */

struct lists {
    struct truth right, near;
    double *lat, *lon;
};

void truth_free(struct truth *answers)
{
    free(answers->first);
    free(answers->items);
    *answers = (struct truth){0};
}

static void free_lists(struct lists *l)
{
    truth_free(&l->right);
    truth_free(&l->near);
    free(l->lat);
    free(l->lon);
}

static bool have_places(const struct split *split)
{
    for (int t = 0; t < split->tile_count; t++)
        if (!isfinite(split->tiles[t].lat) || !isfinite(split->tiles[t].lon)) return false;
    return true;
}

bool truth_holds(const struct split *split, int q, int t, double hit_m)
{
    const struct query *query = &split->queries[q];
    if (query->tile == t) return true;
    return hit_m > 0 && metres_between(query->lat, query->lon, split->tiles[t].lat, split->tiles[t].lon) <= hit_m;
}

struct placed {
    double lat;
    int tile;
};

static int by_latitude(const void *a, const void *b)
{
    double x = ((const struct placed *)a)->lat, y = ((const struct placed *)b)->lat;
    return (x > y) - (x < y);
}

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* Index of the first of n, sorted by latitude, that is not south of lat. */
static int first_from(const struct placed *sorted, int n, double lat)
{
    int low = 0;
    while (low < n) {
        int middle = low + (n - low) / 2;
        if (sorted[middle].lat < lat)
            low = middle + 1;
        else
            n = middle;
    }
    return low;
}

static bool append(struct truth *right, int *count, int tile)
{
    int *items = array_room(right->items, (size_t)*count, sizeof *items);
    if (items != NULL) (right->items = items)[(*count)++] = tile;
    return items != NULL;
}

/* Append the other tiles within hit_m of a query. Only a band of latitudes is scanned, a millimetre wider than hit_m to
 * allow for rounding. */
static bool append_close(struct truth *right, int *count, const struct placed *sorted, const struct split *split, int q,
                         double hit_m)
{
    double lat = split->queries[q].lat, reach = (hit_m + 1e-3) / EARTH_ARC;
    if (!isfinite(lat)) return true;
    for (int i = first_from(sorted, split->tile_count, lat - reach);
         i < split->tile_count && sorted[i].lat <= lat + reach; i++) {
        int t = sorted[i].tile;
        if (t != split->queries[q].tile && truth_holds(split, q, t, hit_m) && !append(right, count, t)) return false;
    }
    return true;
}

bool truth_list(struct truth *right, const struct split *split, double hit_m)
{
    int Q = split->query_count, T = split->tile_count, count = 0;
    bool search = hit_m > 0 && have_places(split);
    struct placed *sorted = search ? malloc((size_t)T * sizeof *sorted) : NULL;
    right->first = malloc(((size_t)Q + 1) * sizeof(int));
    right->items = NULL;
    bool ok = right->first && (sorted || !search);
    for (int t = 0; ok && search && t < T; t++) sorted[t] = (struct placed){split->tiles[t].lat, t};
    if (ok && search) qsort(sorted, (size_t)T, sizeof *sorted, by_latitude);
    for (int q = 0; ok && q < Q; q++) {
        int begin = right->first[q] = count;
        ok = append(right, &count, split->queries[q].tile);
        if (ok && search) ok = append_close(right, &count, sorted, split, q, hit_m);
        if (ok) qsort(right->items + begin, (size_t)(count - begin), sizeof(int), by_number);
    }
    if (ok) right->first[Q] = count;
    free(sorted);
    return ok;
}

static bool list_forward(struct lists *l, const struct split *split, double hit_m)
{
    int Q = split->query_count, T = split->tile_count, near = 0;
    l->near.first = calloc((size_t)Q + 1, sizeof(int));
    l->near.items = malloc((size_t)Q * MAX_NEAR * sizeof(int));
    if (l->near.first == NULL || l->near.items == NULL || !truth_list(&l->right, split, hit_m)) return false;
    for (int q = 0; q < Q; q++) {
        l->near.first[q] = near;
        for (int i = 0; i < split->queries[q].near_count; i++) l->near.items[near++] = split->queries[q].near[i];
    }
    l->near.first[Q] = near;
    if (!have_places(split)) return true;
    l->lat = malloc((size_t)T * sizeof(double));
    l->lon = malloc((size_t)T * sizeof(double));
    if (l->lat == NULL || l->lon == NULL) return false;
    for (int t = 0; t < T; t++) {
        l->lat[t] = split->tiles[t].lat;
        l->lon[t] = split->tiles[t].lon;
    }
    return true;
}

/* Aerial to street: the queries are the tiles with a street picture; kept[i] are their indices. */
static int list_reverse(struct lists *l, int *kept, const struct split *split)
{
    int Q = split->query_count, T = split->tile_count, n = 0, count = 0;
    l->right.first = calloc((size_t)T + 1, sizeof(int));
    l->right.items = malloc((size_t)Q * sizeof(int));
    int *size = calloc((size_t)T, sizeof(int)), *at = malloc((size_t)T * sizeof(int));
    if (l->right.first == NULL || l->right.items == NULL || size == NULL || at == NULL) {
        free(size);
        free(at);
        return -1;
    }
    for (int q = 0; q < Q; q++) size[split->queries[q].tile]++;
    for (int t = 0; t < T; t++) {
        if (size[t] == 0) continue;
        kept[n] = t;
        l->right.first[n++] = count;
        at[t] = count;
        count += size[t];
    }
    l->right.first[n] = count;
    for (int q = 0; q < Q; q++) l->right.items[at[split->queries[q].tile]++] = q;
    free(size);
    free(at);
    return n;
}

gvm_status evaluate_features(struct evaluation *out, struct ranking **rankings, struct features *features,
                             const struct split *split, double hit_m, bool reverse, gvm_error *err)
{
    struct lists l = {0};
    float *street = features->street, *aerial = features->aerial;
    const int D = features->D;
    assert(!reverse || features->looks <= 1);
    int *kept = malloc((size_t)split->tile_count * sizeof *kept), Q = split->query_count;
    bool ready = kept != NULL;
    if (ready && !reverse) ready = list_forward(&l, split, hit_m);
    if (ready && reverse) {
        Q = list_reverse(&l, kept, split);
        ready = Q >= 0;
        for (int i = 0; ready && i < Q; i++)
            memmove(aerial + (size_t)i * D, aerial + (size_t)kept[i] * D, (size_t)D * sizeof *aerial);
    }
    struct ranking *ranks = ready && rankings ? calloc((size_t)Q + 1, sizeof *ranks) : NULL;
    gvm_status status = GVM_OK;
    if (!ready || (rankings && ranks == NULL)) status = fail(err, GVM_MEMORY, "cannot evaluate: out of memory");
    struct retrieval task = {.queries = reverse ? aerial : street,
                             .gallery = reverse ? street : aerial,
                             .Q = Q,
                             .T = reverse ? split->query_count : split->tile_count,
                             .D = D,
                             .looks = features->looks,
                             .right = l.right,
                             .near = l.near,
                             .lat = l.lat,
                             .lon = l.lon};
    if (status == GVM_OK) status = evaluate(out, ranks, &task, err);
    if (status == GVM_OK && rankings)
        *rankings = ranks;
    else
        free(ranks);
    free_lists(&l);
    free(kept);
    return status;
}

gvm_status evaluate_split(struct evaluation *out, struct ranking **rankings, const struct network *network,
                          const struct pictures *pictures, const struct split *split, bool reverse,
                          features_progress *progress, void *user, gvm_error *err)
{
    struct features f;
    bool stopped;
    *out = (struct evaluation){0};
    if (rankings) *rankings = NULL;
    if (split->query_count < 1 || split->tile_count < 1)
        return fail(err, GVM_ARGUMENT, "%s: its test split is empty", pictures->data->root);
    gvm_status status = features_embed(&f, &stopped, network, pictures, split, NULL, progress, user, err);
    if (status == GVM_OK && !stopped)
        status = evaluate_features(out, rankings, &f, split, pictures->data->hit_m, reverse, err);
    features_free(&f);
    return status;
}
