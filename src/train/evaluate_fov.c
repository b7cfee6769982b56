/* evaluate_fov.c - see evaluate_fov.h. */
#include "train/evaluate_fov.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mersenne.h"
#include "image/strip.h"

/* ------------------------------------------------------------------ the strips */

struct strips {
    const struct picture_shape *shape;
    const double *draws; /* (queries) */
    struct fov_task task;
    int headings; /* tried; `look` is the first of those that a pass gives */
};

static void cut_strip(const void *user, uint8_t *out, const uint8_t *picture, int query, int look)
{
    const struct strips *s = user;
    memcpy(out, picture, picture_bytes(s->shape));
    struct strip strip = strip_of(s->draws[query], s->task.fov, 360, s->shape->width);
    if (s->task.heading != FOV_KNOWN) strip = strip_turn(out, strip, 360.0 * look / s->headings, s->shape);
    strip_cut(out, strip, s->shape);
}

/* ------------------------------------------------------------------ progress over all tasks */

struct overall {
    features_progress *progress;
    void *user;
    size_t before, total; /* pictures */
};

static bool tell(void *user, size_t done, size_t total)
{
    const struct overall *o = user;
    (void)total;
    return o->progress == NULL || o->progress(o->user, o->before + done, o->total);
}

/* ------------------------------------------------------------------ the protocol */

static int headings_of(const struct fov_task *task, const struct network *network)
{
    return task->heading == FOV_TRIALS ? network_headings(network) : 1;
}

/* The looks that give all headings, with their turns if a pass gives several. */
static struct looks looks_of(const struct fov_task *task, const struct network *network)
{
    int headings = headings_of(task, network), turns = network->views[GVM_STREET].turns;
    bool turned = headings > 1 && headings % turns == 0;
    return (struct looks){.count = turned ? headings / turns : headings, .turned = turned, .see = cut_strip};
}

/* What stays the same for all tasks. */
struct fixed {
    const struct network *network;
    const struct pictures *pictures;
    const struct split *split;
    struct strips strips;
    struct features features; /* street: room for the task with the most headings */
    struct overall overall;
};

static gvm_status evaluate_one(struct evaluation *out, bool *stopped, struct fixed *f, const struct fov_task *task,
                               gvm_error *err)
{
    struct looks looks = looks_of(task, f->network);
    looks.user = &f->strips;
    f->strips.task = *task;
    f->strips.headings = f->features.looks = headings_of(task, f->network);
    gvm_status status =
        features_street(f->features.street, stopped, f->network, f->pictures, f->split, &looks, tell, &f->overall, err);
    f->overall.before += (size_t)looks.count * (size_t)f->split->query_count;
    if (status != GVM_OK || *stopped) return status;
    return evaluate_features(out, NULL, &f->features, f->split, f->pictures->data->hit_m, false, err);
}

static gvm_status evaluate_all(struct evaluation *out, struct fixed *f, const struct fov_task *tasks, int count,
                               gvm_error *err)
{
    bool stopped;
    gvm_status status =
        features_aerial(f->features.aerial, &stopped, f->network, f->pictures, f->split, tell, &f->overall, err);
    f->overall.before = (size_t)f->split->tile_count;
    for (int i = 0; i < count && status == GVM_OK && !stopped; i++)
        status = evaluate_one(&out[i], &stopped, f, &tasks[i], err);
    return status;
}

static gvm_status check(const struct network *network, const struct pictures *pictures, const struct split *split,
                        gvm_error *err)
{
    if (network->config.views[GVM_STREET].projection != PROJECTION_PANORAMA)
        return fail(err, GVM_ARGUMENT, "%s takes no panoramas, so fields of view cannot be cut from them",
                    network->config.method->title);
    if (split->query_count < 1 || split->tile_count < 1)
        return fail(err, GVM_ARGUMENT, "%s: its test split is empty", path_tail(pictures->data->root));
    return GVM_OK;
}

gvm_status evaluate_fov(struct evaluation *out, const struct fov_task *tasks, int count, uint32_t seed,
                        const struct network *network, const struct pictures *pictures, const struct split *split,
                        features_progress *progress, void *user, gvm_error *err)
{
    size_t Q = (size_t)split->query_count, T = (size_t)split->tile_count, D = (size_t)network->views[0].features;
    size_t most = 1, all = 0;
    for (int i = 0; i < count; i++) {
        size_t headings = (size_t)headings_of(&tasks[i], network);
        out[i] = (struct evaluation){0};
        most = headings > most ? headings : most;
        all += (size_t)looks_of(&tasks[i], network).count;
    }
    gvm_status status = check(network, pictures, split, err);
    if (status != GVM_OK) return status;
    struct mersenne random;
    double *draws = malloc(Q * sizeof *draws);
    struct fixed f = {.network = network,
                      .pictures = pictures,
                      .split = split,
                      .strips = {.shape = &pictures->street, .draws = draws},
                      .features = {.street = malloc(Q * most * D * sizeof(float)),
                                   .aerial = malloc(T * D * sizeof(float)),
                                   .D = (int)D},
                      .overall = {.progress = progress, .user = user, .total = T + all * Q}};
    mersenne_seed(&random, seed);
    for (size_t q = 0; q < Q && draws != NULL; q++) draws[q] = mersenne_rand(&random);
    if (draws == NULL || f.features.street == NULL || f.features.aerial == NULL)
        status = fail(err, GVM_MEMORY, "out of memory for the features of %zu pictures", T + most * Q);
    else
        status = evaluate_all(out, &f, tasks, count, err);
    features_free(&f.features);
    free(draws);
    return status;
}
