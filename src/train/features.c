/* features.c - see features.h. All threads read a batch; a device computes it while the next one is read. */
#include "train/features.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/parallel.h"
#include "network/embedder.h"

enum { BATCH = 16, DEVICE_BATCH = 128 };

struct reading {
    const struct pictures *pictures;
    const struct split *split;
    gvm_view view;
    struct looks looks;
    int turns;               /* features of a look */
    int batch, first, count; /* pictures of the split, each of which has looks.count looks */
    size_t each;             /* bytes of a picture */
    uint8_t *pixels;         /* (batch, looks, each) */
    uint8_t *rooms;          /* (batch, each) buffers for decoded pictures */
    gvm_status status[DEVICE_BATCH];
    gvm_error errors[DEVICE_BATCH];
};

static void read_part(void *argument, struct team team)
{
    struct reading *r = argument;
    const int looks = r->looks.count;
    for (int i = team.rank; i < r->count; i += team.size) {
        uint8_t *room = r->rooms + (size_t)i * r->each;
        const uint8_t *pixels = NULL;
        r->status[i] = pictures_read(&pixels, room, r->pictures, r->split, r->view, r->first + i, &r->errors[i]);
        for (int l = 0; l < looks && r->status[i] == GVM_OK; l++) {
            uint8_t *to = r->pixels + (size_t)(i * looks + l) * r->each;
            if (r->looks.see)
                r->looks.see(r->looks.user, to, pixels, r->first + i, l);
            else
                memcpy(to, pixels, r->each);
        }
    }
}

/* Read a batch of pictures from `first` on; none after the last. */
static gvm_status read_batch(struct reading *r, int first, int total, gvm_error *err)
{
    r->first = first;
    r->count = total - first < r->batch ? total - first : r->batch;
    if (r->count > 0) parallel_run(read_part, r);
    for (int i = 0; i < r->count; i++)
        if (r->status[i] != GVM_OK) return fail(err, r->status[i], "%s", r->errors[i].text);
    return GVM_OK;
}

struct counter {
    features_progress *progress;
    void *user;
    size_t done, total;
    bool stopped; /* progress asked to stop */
};

/* Refuse rows that are not unit vectors, as `embed` does. */
static gvm_status check_rows(const float *features, int count, size_t D, const struct reading *r, int first,
                             gvm_error *err)
{
    const int looks = r->looks.count * r->turns;
    for (int i = 0; i < count * looks; i++)
        if (!is_feature(features + (size_t)i * D, D))
            return fail(err, GVM_FORMAT, "%s: the model's output is not a unit vector; the weights are corrupt",
                        r->view == GVM_STREET ? r->split->queries[first + i / looks].path
                                              : r->split->tiles[first + i].path);
    return GVM_OK;
}

/* Compute a batch and read the next one meanwhile. */
static gvm_status embed_batches(float *features, struct reading *r, struct embedder *e, int total, size_t D,
                                struct counter *counter, gvm_error *err)
{
    const int looks = r->looks.count;
    gvm_status status = read_batch(r, 0, total, err), next;
    while (status == GVM_OK && r->count > 0 && !counter->stopped) {
        int first = r->first, count = r->count;
        float *rows = features + (size_t)first * (size_t)(looks * r->turns) * D;
        gvm_error why;
        if (r->turns > 1) {
            status = embedder_run_turns(e, rows, r->pixels, (size_t)count * (size_t)looks, err);
            next = read_batch(r, first + count, total, &why);
        } else {
            embedder_start(e, r->pixels, count * looks);
            next = read_batch(r, first + count, total, &why);
            status = embedder_finish(e, rows, err);
        }
        if (status == GVM_OK) status = check_rows(rows, count, D, r, first, err);
        if (status == GVM_OK && next != GVM_OK) status = fail(err, next, "%s", why.text);
        if (status != GVM_OK) break;
        counter->done += (size_t)(count * looks);
        if (counter->progress && !counter->progress(counter->user, counter->done, counter->total))
            counter->stopped = true;
    }
    return status;
}

static gvm_status embed_side(float *features, struct reading *r, const struct network *network, int total,
                             struct counter *counter, gvm_error *err)
{
    struct embedder *e;
    const int most = network->home ? DEVICE_BATCH : BATCH, looks = r->looks.count;
    assert(looks >= 1 && looks <= MAX_LOOKS);
    r->batch = most > looks ? most / looks : 1;
    r->turns = r->looks.turned ? network->views[r->view].turns : 1;
    gvm_status status = embedder_open(&e, network, r->view, r->batch * looks, err);
    if (status != GVM_OK) return status;
    r->each = embedder_bytes(e);
    r->pixels = malloc((size_t)(r->batch * looks) * r->each);
    r->rooms = malloc((size_t)r->batch * r->each);
    if (r->pixels && r->rooms)
        status = embed_batches(features, r, e, total, (size_t)network->views[r->view].features, counter, err);
    else
        status = fail(err, GVM_MEMORY, "cannot evaluate: out of memory");
    embedder_free(e);
    free(r->pixels);
    free(r->rooms);
    return status;
}

static const struct looks as_read = {.count = 1};

static gvm_status embed_street(float *features, const struct network *network, const struct pictures *pictures,
                               const struct split *split, const struct looks *looks, struct counter *counter,
                               gvm_error *err)
{
    struct reading r = {
        .pictures = pictures, .split = split, .view = GVM_STREET, .looks = looks != NULL ? *looks : as_read};
    return embed_side(features, &r, network, split->query_count, counter, err);
}

static gvm_status embed_aerial(float *features, const struct network *network, const struct pictures *pictures,
                               const struct split *split, struct counter *counter, gvm_error *err)
{
    struct reading r = {.pictures = pictures, .split = split, .view = GVM_AERIAL, .looks = as_read};
    return embed_side(features, &r, network, split->tile_count, counter, err);
}

gvm_status features_street(float *features, bool *stopped, const struct network *network,
                           const struct pictures *pictures, const struct split *split, const struct looks *looks,
                           features_progress *progress, void *user, gvm_error *err)
{
    size_t each = looks != NULL ? (size_t)looks->count : 1;
    struct counter counter = {.progress = progress, .user = user, .total = each * (size_t)split->query_count};
    gvm_status status = embed_street(features, network, pictures, split, looks, &counter, err);
    *stopped = counter.stopped;
    return status;
}

gvm_status features_aerial(float *features, bool *stopped, const struct network *network,
                           const struct pictures *pictures, const struct split *split, features_progress *progress,
                           void *user, gvm_error *err)
{
    struct counter counter = {.progress = progress, .user = user, .total = (size_t)split->tile_count};
    gvm_status status = embed_aerial(features, network, pictures, split, &counter, err);
    *stopped = counter.stopped;
    return status;
}

gvm_status features_embed(struct features *out, bool *stopped, const struct network *network,
                          const struct pictures *pictures, const struct split *split, const struct looks *looks,
                          features_progress *progress, void *user, gvm_error *err)
{
    size_t T = (size_t)split->tile_count, count = looks != NULL ? (size_t)looks->count : 1;
    assert(looks == NULL || !looks->turned);
    size_t Q = (size_t)split->query_count * count, D = (size_t)network->views[0].features;
    *out = (struct features){.street = malloc((Q + 1) * D * sizeof *out->street),
                             .aerial = malloc((T + 1) * D * sizeof *out->aerial),
                             .D = (int)D,
                             .looks = (int)count};
    *stopped = false;
    if (out->street == NULL || out->aerial == NULL)
        return fail(err, GVM_MEMORY, "out of memory for the features of %zu pictures", Q + T);
    struct counter counter = {.progress = progress, .user = user, .total = Q + T};
    gvm_status status = embed_street(out->street, network, pictures, split, looks, &counter, err);
    if (status == GVM_OK) status = embed_aerial(out->aerial, network, pictures, split, &counter, err);
    *stopped = counter.stopped;
    return status;
}

void features_free(struct features *features)
{
    free(features->street);
    free(features->aerial);
    *features = (struct features){0};
}
