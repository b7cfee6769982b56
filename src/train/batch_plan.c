/* batch_plan.c - see batch_plan.h. */
#include "train/batch_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "data/clusters.h"
#include "data/neighbours.h"
#include "data/sampler.h"
#include "image/training_view.h"
#include "train/evaluate.h"

enum { HARD_LOOKS = 2 }; /* times the group size: number of a query's best tiles that are considered */

gvm_status hard_groups(int *order, int *batches, const int *nearest, int most, int group, const struct split *split,
                       uint64_t seed, uint64_t epoch, gvm_error *err)
{
    int N = split->query_count, T = split->tile_count, count = 0;
    int *memory = malloc((3 * (size_t)N + (size_t)T + 1) * sizeof *memory);
    *batches = 0;
    if (memory == NULL) return fail(err, GVM_MEMORY, "cannot order %d queries: out of memory", N);
    int *shuffled = memory, *next = shuffled + N, *placed = next + N, *first = placed + N;
    sampler_tiles(first, next, split);
    for (int q = 0; q < N; q++) {
        shuffled[q] = q;
        placed[q] = 0;
    }
    sampler_shuffle(shuffled, N, seed, epoch);
    for (int i = 0; i < N; i++) {
        int leader = shuffled[i], end = count + group;
        if (placed[leader]) continue;
        order[count++] = leader;
        placed[leader] = 1;
        for (int k = 0; k < most && count < end; k++)
            for (int q = first[nearest[(size_t)leader * most + k]]; q >= 0 && count < end; q = next[q]) {
                if (placed[q]) continue;
                order[count++] = q;
                placed[q] = 1;
            }
    }
    free(memory);
    return GVM_OK;
}

/* List the tiles with a query, ascending; returns how many. */
static int list_queried(int *tiles, const struct split *split)
{
    int count = 0;
    memset(tiles, 0, (size_t)split->tile_count * sizeof *tiles);
    for (int q = 0; q < split->query_count; q++) tiles[split->queries[q].tile] = 1;
    for (int t = 0; t < split->tile_count; t++)
        if (tiles[t]) tiles[count++] = t; /* count <= t */
    return count;
}

struct batch_plan batch_plan_of(const struct run_options *o, const struct split *split)
{
    const struct batch_plan plans[] = {
        {.size = o->hard, .most = HARD_LOOKS * o->hard, .every = 1, .order = hard_groups},
        {.size = o->neighbours > 0 ? o->batch : 0,
         .most = NEIGHBOURS + 1, /* and its own */
         .every = o->neighbours,
         .placed = neighbours_have_places(split),
         .queried = true,
         .whole = true,
         .order = neighbours_order},
        {.size = o->clusters > 0 ? o->batch : 0, .pool = o->clusters, .every = 1, .whole = true},
    };
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        struct batch_plan plan = plans[i];
        if (plan.most > split->tile_count) plan.most = split->tile_count;
        if (plan.size > 0) return plan;
    }
    return (struct batch_plan){0};
}

/* Each query's most similar tiles, only those with a query if `queried`; -1 after the last. */
static gvm_status mine(int *nearest, int most, bool queried, struct features *f, const struct split *split,
                       gvm_error *err)
{
    int Q = split->query_count, T = split->tile_count, D = f->D;
    int *tiles = malloc(((size_t)T + 1) * sizeof *tiles);
    if (tiles == NULL) return fail(err, GVM_MEMORY, "cannot compare %d queries: out of memory", Q);
    if (queried) T = list_queried(tiles, split);
    for (int t = 0; t < T && queried; t++)
        memmove(f->aerial + (size_t)t * D, f->aerial + (size_t)tiles[t] * D, (size_t)D * sizeof *f->aerial);
    int found = most < T ? most : T;
    struct retrieval task = {.queries = f->street, .gallery = f->aerial, .Q = Q, .T = T, .D = D};
    gvm_status status = find_nearest(nearest, found, &task, err);
    for (int q = Q - 1; q >= 0 && queried && status == GVM_OK; q--)
        for (int k = most - 1; k >= 0; k--)
            nearest[(size_t)q * most + k] = k < found ? tiles[nearest[(size_t)q * found + k]] : -1;
    free(tiles);
    return status;
}

/* Check that a state's order and tiles fit these pairs: each query once, or whole batches; tiles in range. */
static gvm_status check_position(const struct run_position *p, const struct batch_plan *plan, size_t B,
                                 const struct split *split, gvm_error *err)
{
    size_t N = (size_t)split->query_count, count = p->batch > 0 ? p->sequence_count : 0;
    size_t tiles = p->nearest != NULL ? p->nearest_count : 0;
    bool fine =
        p->batch == 0 || (count <= N && count == (plan->whole ? count / B * B : N) && (size_t)p->batch * B < count);
    fine = fine && (tiles == 0 || tiles == N * (size_t)plan->most);
    bool *seen = calloc(N + 1, sizeof *seen);
    if (seen == NULL) return fail(err, GVM_MEMORY, "cannot order %zu queries: out of memory", N);
    for (size_t i = 0; i < count && fine; i++) {
        int q = p->sequence[i];
        fine = q >= 0 && q < split->query_count && !seen[q];
        if (fine) seen[q] = true;
    }
    for (size_t i = 0; i < tiles && fine; i++)
        fine = p->nearest[i] >= (plan->queried ? -1 : 0) && p->nearest[i] < split->tile_count;
    free(seen);
    if (fine) return GVM_OK;
    return fail(err, GVM_FORMAT, "the run's state does not match the data set's pairs; begin a new run");
}

/* How a pair's view of this epoch is made. */
struct view_maker {
    struct training_draws draws;
    const struct picture_shape *shape;
};

static void see_view(const void *user, uint8_t *out, const uint8_t *picture, int query, int look)
{
    const struct view_maker *m = user;
    const struct training_view view = training_view_draw(&m->draws, (uint64_t)query);
    (void)look;
    training_view_render(out, picture, &view, m->shape);
}

static void drop(int **numbers)
{
    free(*numbers);
    *numbers = NULL;
}

/* Context for making an epoch's batches with the current network. */
struct ask {
    const struct batch_plan *plan;
    const struct run_options *options;
    const struct network *network;
    const struct pictures *pictures;
    const struct split *split;
    features_progress *progress;
    void *user;
};

/* Embed the split; of a network that learns from views, the epoch's views instead of the panoramas. */
static gvm_status embed(struct features *f, bool *stopped, const struct ask *a, int epoch, gvm_error *err)
{
    const struct config *config = &a->network->config;
    struct view_maker maker = {.draws = {.tolerance = config->tolerance,
                                         .seed = a->options->seed,
                                         .epoch = (uint64_t)epoch,
                                         .epochs = a->options->epochs},
                               .shape = &a->pictures->street};
    const struct looks views = {.count = 1, .see = see_view, .user = &maker};
    const bool by_view = run_options_losses(a->options, config).views;
    return features_embed(f, stopped, a->network, a->pictures, a->split, by_view ? &views : NULL, a->progress, a->user,
                          err);
}

static gvm_status find_tiles(int *nearest, bool *stopped, const struct ask *a, int epoch, gvm_error *err)
{
    const struct batch_plan *plan = a->plan;
    if (plan->placed && epoch < plan->every) return neighbours_by_place(nearest, plan->most, a->split, err);
    struct features f;
    gvm_status status = embed(&f, stopped, a, epoch, err);
    if (status == GVM_OK && !*stopped) status = mine(nearest, plan->most, plan->queried, &f, a->split, err);
    features_free(&f);
    return status;
}

/* With pools of one batch the network makes no difference, so the split is not embedded. */
static gvm_status order_clusters(struct run_position *p, int *batches, bool *stopped, const struct ask *a,
                                 gvm_error *err)
{
    int pool = p->epoch < 30 && a->plan->pool > 1 << p->epoch ? 1 << p->epoch : a->plan->pool;
    struct features f = {0};
    gvm_status status = GVM_OK;
    if (pool > 1) status = embed(&f, stopped, a, p->epoch, err);
    struct pair_features pairs = {f.street, f.aerial, f.D};
    if (status == GVM_OK && !*stopped)
        status = clusters_order(p->sequence, batches, pool > 1 ? &pairs : NULL, pool, a->plan->size, a->split,
                                a->options->seed, (uint64_t)p->epoch, err);
    features_free(&f);
    return status;
}

static gvm_status order_nearest(struct run_position *p, int *batches, bool *stopped, const struct ask *a,
                                gvm_error *err)
{
    const struct batch_plan *plan = a->plan;
    size_t N = (size_t)a->split->query_count;
    gvm_status status = GVM_OK;
    if (p->epoch % plan->every == 0) drop(&p->nearest);
    bool find = p->nearest == NULL;
    if (find) p->nearest = malloc((N * (size_t)plan->most + 1) * sizeof *p->nearest);
    p->nearest_count = N * (size_t)plan->most;
    if (p->nearest == NULL) return fail(err, GVM_MEMORY, "cannot order %zu queries: out of memory", N);
    if (find) status = find_tiles(p->nearest, stopped, a, p->epoch, err);
    if (status != GVM_OK || *stopped) return status;
    return plan->order(p->sequence, batches, p->nearest, plan->most, plan->size, a->split, a->options->seed,
                       (uint64_t)p->epoch, err);
}

gvm_status batch_plan_epoch(struct run_position *p, bool *stopped, const struct batch_plan *plan,
                            const struct run_options *o, const struct network *network, const struct pictures *pictures,
                            const struct split *split, features_progress *progress, void *user, gvm_error *err)
{
    const struct ask ask = {plan, o, network, pictures, split, progress, user};
    int batches = 0;
    size_t N = (size_t)split->query_count;
    gvm_status status = check_position(p, plan, (size_t)o->batch, split, err);
    if (status != GVM_OK || p->batch > 0) return status;
    drop(&p->sequence);
    p->sequence = malloc((N + 1) * sizeof *p->sequence);
    if (p->sequence == NULL)
        status = fail(err, GVM_MEMORY, "cannot order %zu queries: out of memory", N);
    else
        status = (plan->pool > 0 ? order_clusters : order_nearest)(p, &batches, stopped, &ask, err);
    bool made = status == GVM_OK && !*stopped;
    if (made) p->sequence_count = plan->whole ? (size_t)batches * (size_t)o->batch : N;
    if (!made || plan->every == 1) drop(&p->nearest); /* an interrupted result must not be saved */
    if (!made) drop(&p->sequence);
    return status;
}
