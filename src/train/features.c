/* features.c - see features.h. All threads read a batch; a device computes it while the next one is read. */
#include "train/features.h"

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
    int batch, first, count;
    size_t each;     /* bytes of a picture */
    uint8_t *pixels; /* (batch, each) */
    uint8_t *rooms;  /* (batch, each) buffers for decoded pictures */
    gvm_status status[DEVICE_BATCH];
    gvm_error errors[DEVICE_BATCH];
};

static void read_part(void *argument, struct team team)
{
    struct reading *r = argument;
    for (int i = team.rank; i < r->count; i += team.size) {
        uint8_t *room = r->rooms + (size_t)i * r->each;
        const uint8_t *pixels = NULL;
        r->status[i] = pictures_read(&pixels, room, r->pictures, r->split, r->view, r->first + i, &r->errors[i]);
        if (r->status[i] == GVM_OK) memcpy(r->pixels + (size_t)i * r->each, pixels, r->each);
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
    for (int i = 0; i < count; i++)
        if (!is_feature(features + (size_t)i * D, D))
            return fail(err, GVM_FORMAT, "%s: the model's output is not a unit vector; the weights are corrupt",
                        r->view == GVM_STREET ? r->split->queries[first + i].path : r->split->tiles[first + i].path);
    return GVM_OK;
}

/* Compute a batch and read the next one meanwhile. */
static gvm_status embed_batches(float *features, struct reading *r, struct embedder *e, int total, size_t D,
                                struct counter *counter, gvm_error *err)
{
    gvm_status status = read_batch(r, 0, total, err);
    while (status == GVM_OK && r->count > 0 && !counter->stopped) {
        int first = r->first, count = r->count;
        float *rows = features + (size_t)first * D;
        gvm_error why;
        embedder_start(e, r->pixels, count);
        gvm_status next = read_batch(r, first + count, total, &why);
        status = embedder_finish(e, rows, err);
        if (status == GVM_OK) status = check_rows(rows, count, D, r, first, err);
        if (status == GVM_OK && next != GVM_OK) status = fail(err, next, "%s", why.text);
        if (status != GVM_OK) break;
        counter->done += (size_t)count;
        if (counter->progress && !counter->progress(counter->user, counter->done, counter->total))
            counter->stopped = true;
    }
    return status;
}

static gvm_status embed_side(float *features, struct reading *r, const struct network *network, int total,
                             struct counter *counter, gvm_error *err)
{
    struct embedder *e;
    r->batch = network->home ? DEVICE_BATCH : BATCH;
    gvm_status status = embedder_open(&e, network, r->view, r->batch, err);
    if (status != GVM_OK) return status;
    r->each = embedder_bytes(e);
    r->pixels = malloc((size_t)r->batch * r->each);
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

gvm_status features_embed(struct features *out, bool *stopped, const struct network *network,
                          const struct pictures *pictures, const struct split *split, features_progress *progress,
                          void *user, gvm_error *err)
{
    size_t Q = (size_t)split->query_count, T = (size_t)split->tile_count;
    int D = network->views[0].features;
    *out = (struct features){malloc((Q + 1) * D * sizeof *out->street), malloc((T + 1) * D * sizeof *out->aerial), D};
    *stopped = false;
    if (out->street == NULL || out->aerial == NULL)
        return fail(err, GVM_MEMORY, "out of memory for the features of %zu pictures", Q + T);
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
