/* features.c - see features.h. Each batch is read by all threads, then goes through the network; a device computes one
 * while the next is read. */
#include "train/features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/parallel.h"
#include "geo/earth.h"
#include "tensor/device.h"

enum { BATCH = 16, DEVICE_BATCH = 128 };

struct reading {
    const struct pictures *pictures;
    const struct split *split;
    gvm_view view;
    int batch, first, count;
    size_t each;     /* bytes of a picture */
    uint8_t *pixels; /* (batch, each) */
    uint8_t *rooms;  /* (batch, each): for pictures that are decoded */
    gvm_status status[DEVICE_BATCH];
    gvm_error errors[DEVICE_BATCH];
};

static void read_part(void *argument, struct team team)
{
    struct reading *r = argument;
    for (int i = team.rank; i < r->count; i += team.size) {
        uint8_t *room = r->rooms + (size_t)i * r->each;
        const uint8_t *pixels = NULL;
        r->status[i] = (r->view == GVM_STREET ? pictures_street : pictures_aerial)(&pixels, room, r->pictures, r->split,
                                                                                   r->first + i, &r->errors[i]);
        if (r->status[i] == GVM_OK) memcpy(r->pixels + (size_t)i * r->each, pixels, r->each);
    }
}

/* Pictures from `first` on, as many as a batch holds; none at the end. */
static gvm_status read_batch(struct reading *r, int first, int total, gvm_error *err)
{
    r->first = first;
    r->count = total - first < r->batch ? total - first : r->batch;
    if (r->count > 0) parallel_run(read_part, r);
    for (int i = 0; i < r->count; i++)
        if (r->status[i] != GVM_OK) return fail(err, r->status[i], "%s", r->errors[i].text);
    return GVM_OK;
}

static gvm_status open_side(struct tape **tape, struct reading *r, const struct network *network, gvm_error *err)
{
    const struct swin_geo *view = &network->views[r->view];
    r->batch = network->home ? DEVICE_BATCH : BATCH;
    r->each = (size_t)view->backbone.H * view->backbone.W * 3;
    r->pixels = malloc((size_t)r->batch * r->each);
    r->rooms = malloc((size_t)r->batch * r->each);
    if (r->pixels == NULL || r->rooms == NULL) return fail(err, GVM_MEMORY, "there is not enough memory to evaluate");
    gvm_status status = network_tape(tape, network, false, err);
    for (int B = 1; B <= r->batch && status == GVM_OK; B++) { /* smaller batches may need more scratch */
        size_t used = (*tape)->used;
        tape_reset(*tape);
        swin_geo(NULL, *tape, view, NULL, B, 0);
        if ((*tape)->used < used) (*tape)->used = used;
    }
    return status == GVM_OK ? tape_allocate(*tape, err) : status;
}

/* A device records and repeats full batches; the last one comes but once. */
static void start_batch(struct tensor *y, struct tape *tape, const struct reading *r, const struct swin_geo *view)
{
    const struct step_numbers none = {0, 0, 0, 0};
    const uint8_t *pixels = tape_pixels(tape, r->view, r->pixels, (size_t)r->count * r->each);
    bool full = r->count == r->batch;
    if (full && tape_replays(tape, r->count, &none)) return;
    tape_reset(tape);
    *y = *swin_geo(NULL, tape, view, pixels, r->count, 0);
    if (full) tape_recorded(tape);
}

struct counter {
    features_progress *progress;
    void *user;
    size_t done, total;
    bool stopped; /* progress said so */
};

static gvm_status embed_side(float *features, struct reading *r, const struct network *network, int total,
                             struct counter *counter, gvm_error *err)
{
    struct tape *tape = NULL;
    struct tensor y = {0};
    gvm_status status = open_side(&tape, r, network, err);
    if (status == GVM_OK) status = read_batch(r, 0, total, err);
    while (status == GVM_OK && r->count > 0 && !counter->stopped) {
        int first = r->first, count = r->count;
        gvm_error why;
        start_batch(&y, tape, r, &network->views[r->view]);
        gvm_status next = read_batch(r, first + count, total, &why);
        tape_read(tape, features + (size_t)first * (size_t)y.C, &y);
        status = tape_wait(tape, err);
        if (status == GVM_OK && next != GVM_OK) status = fail(err, next, "%s", why.text);
        if (status != GVM_OK) break;
        counter->done += (size_t)count;
        if (counter->progress && !counter->progress(counter->user, counter->done, counter->total))
            counter->stopped = true;
    }
    tape_free(tape);
    free(r->pixels);
    free(r->rooms);
    return status;
}

/* ------------------------------------------------------------------ who belongs to whom */

struct lists {
    struct answers right, near;
    double *lat, *lon;
};

void answers_free(struct answers *answers)
{
    free(answers->first);
    free(answers->items);
    *answers = (struct answers){0};
}

static void free_lists(struct lists *l)
{
    answers_free(&l->right);
    answers_free(&l->near);
    free(l->lat);
    free(l->lon);
}

static bool have_places(const struct split *split)
{
    for (int t = 0; t < split->tile_count; t++)
        if (!isfinite(split->tiles[t].lat) || !isfinite(split->tiles[t].lon)) return false;
    return true;
}

bool answers_query(const struct split *split, int q, int t, double hit_m)
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

/* The first of n, by latitude, that is not south of lat. */
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

static bool append(struct answers *right, int *count, int *room, int tile)
{
    if (*count == *room) {
        int *more = realloc(right->items, 2 * (size_t)*room * sizeof *more);
        if (more == NULL) return false;
        right->items = more;
        *room *= 2;
    }
    right->items[(*count)++] = tile;
    return true;
}

/* The other tiles within hit_m of a query. They lie in a band of latitudes, as no two places are closer than their
 * latitudes; it is a millimetre wider here than hit_m, for what is rounded. */
static bool append_close(struct answers *right, int *count, int *room, const struct placed *sorted,
                         const struct split *split, int q, double hit_m)
{
    double lat = split->queries[q].lat, reach = (hit_m + 1e-3) / EARTH_ARC;
    if (!isfinite(lat)) return true;
    for (int i = first_from(sorted, split->tile_count, lat - reach);
         i < split->tile_count && sorted[i].lat <= lat + reach; i++) {
        int t = sorted[i].tile;
        if (t != split->queries[q].tile && answers_query(split, q, t, hit_m) && !append(right, count, room, t))
            return false;
    }
    return true;
}

bool answers_list(struct answers *right, const struct split *split, double hit_m)
{
    int Q = split->query_count, T = split->tile_count, count = 0, room = Q + 1;
    bool search = hit_m > 0 && have_places(split);
    struct placed *sorted = search ? malloc((size_t)T * sizeof *sorted) : NULL;
    right->first = malloc(((size_t)Q + 1) * sizeof(int));
    right->items = malloc((size_t)room * sizeof(int));
    bool ok = right->first && right->items && (sorted || !search);
    for (int t = 0; ok && search && t < T; t++) sorted[t] = (struct placed){split->tiles[t].lat, t};
    if (ok && search) qsort(sorted, (size_t)T, sizeof *sorted, by_latitude);
    for (int q = 0; ok && q < Q; q++) {
        int begin = right->first[q] = count;
        ok = append(right, &count, &room, split->queries[q].tile);
        if (ok && search) ok = append_close(right, &count, &room, sorted, split, q, hit_m);
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
    if (l->near.first == NULL || l->near.items == NULL || !answers_list(&l->right, split, hit_m)) return false;
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

/* Aerial to street: the queries are the tiles that some street picture belongs to, kept[i] their numbers. */
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

static gvm_status rank_split(struct evaluation *out, struct ranking **rankings, float *street, float *aerial, int D,
                             const struct split *split, double hit_m, bool reverse, gvm_error *err)
{
    struct lists l = {0};
    int *kept = malloc((size_t)split->tile_count * sizeof *kept), Q = split->query_count;
    bool ready = kept != NULL;
    if (ready && !reverse) ready = list_forward(&l, split, hit_m);
    if (ready && reverse) {
        Q = list_reverse(&l, kept, split);
        ready = Q >= 0;
        for (int i = 0; ready && i < Q; i++)
            memmove(aerial + (size_t)i * D, aerial + (size_t)kept[i] * D, (size_t)D * sizeof *aerial);
    }
    struct ranking *ranks = ready && rankings ? calloc((size_t)Q, sizeof *ranks) : NULL;
    gvm_status status = GVM_OK;
    if (!ready || (rankings && ranks == NULL)) status = fail(err, GVM_MEMORY, "there is not enough memory to evaluate");
    struct retrieval task = {.queries = reverse ? aerial : street,
                             .gallery = reverse ? street : aerial,
                             .Q = Q,
                             .T = reverse ? split->query_count : split->tile_count,
                             .D = D,
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

gvm_status features_embed(struct features *out, bool *stopped, const struct network *network,
                          const struct pictures *pictures, const struct split *split, features_progress *progress,
                          void *user, gvm_error *err)
{
    size_t Q = (size_t)split->query_count, T = (size_t)split->tile_count;
    int D = network->views[0].features;
    *out = (struct features){malloc((Q + 1) * D * sizeof *out->street), malloc((T + 1) * D * sizeof *out->aerial), D};
    *stopped = false;
    if (out->street == NULL || out->aerial == NULL)
        return fail(err, GVM_MEMORY, "there is not enough memory for the features of %zu pictures", Q + T);
    struct counter counter = {.progress = progress, .user = user, .total = Q + T};
    struct reading r = {.pictures = pictures, .split = split, .view = GVM_STREET};
    gvm_status status = embed_side(out->street, &r, network, split->query_count, &counter, err);
    r.view = GVM_AERIAL;
    if (status == GVM_OK) status = embed_side(out->aerial, &r, network, split->tile_count, &counter, err);
    *stopped = counter.stopped;
    return status;
}

void features_free(struct features *features)
{
    free(features->street);
    free(features->aerial);
    *features = (struct features){0};
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
    gvm_status status = features_embed(&f, &stopped, network, pictures, split, progress, user, err);
    if (status == GVM_OK && !stopped)
        status = rank_split(out, rankings, f.street, f.aerial, f.D, split, pictures->data->hit_m, reverse, err);
    features_free(&f);
    return status;
}
