/* embedder.c - see embedder.h */
#include "network/embedder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "network/place.h"
#include "tensor/gemm.h"

enum { RECORDED = 16 /* a device records batches of up to this size, and full ones */ };

struct embedder {
    const struct network *network;
    const struct branch *branch;
    int view, max_batch, B; /* B: batch size of the current pass */
    size_t bytes;           /* of a picture */
    struct tape *tape;
    struct tensor
        *made;         /* (max_batch + 1): the features of the last pass with this batch size; a replay writes there */
    unsigned failures; /* number of failed products before the pass */
    float *host;       /* embedder_trace's copy of a device's data */
    float *turned;     /* (max_batch, features) of one turn; NULL if a pass gives only one */
};

/* The features of B places from their pictures' last maps (pictures B, L, C) on the host; NULL: dry run. */
static const struct tensor *pool(struct embedder *e, const float *maps, int B)
{
    const struct branch *b = e->branch;
    const int last = b->maps.count - 1;
    struct trace trace = {.mask_count = 0};
    tape_reset(e->tape);
    struct tensor *x =
        tape_tensor(e->tape, B * b->pictures, b->maps.maps[last].H * b->maps.maps[last].W, b->maps.maps[last].C);
    if (maps != NULL) tape_write(e->tape, x, maps);
    trace.maps[last] = x;
    trace.gathered = b->head->forward(&trace, e->tape, b->top);
    return l2_normalise(e->tape, trace.gathered, b->head->epsilon);
}

/* The features (B, turns, D) of one pass; NULL: dry run. Each turn reuses the memory of the one before. */
static void run_turns(struct embedder *e, float *features, const uint8_t *there, int B)
{
    const struct branch *b = e->branch;
    size_t D = (size_t)b->features, turns = (size_t)b->turns;
    struct tensor *maps[MAX_MAPS];
    tape_reset(e->tape);
    b->backbone->forward(maps, e->tape, b->body, there, B, 0);
    size_t mark = tape_mark(e->tape);
    for (int turn = 0; turn < b->turns; turn++) {
        const struct tensor *made = branch_turned(e->tape, b, maps, turn);
        if (features != NULL) tape_read(e->tape, e->turned, made);
        for (size_t i = 0; i < (size_t)B && features != NULL; i++)
            memcpy(features + (i * turns + (size_t)turn) * D, e->turned + i * D, D * sizeof *features);
        tape_release(e->tape, mark);
    }
}

/* Dry run of every batch size up to max_batch, since a layer may use more memory for a smaller batch. */
static gvm_status size_tape(struct embedder *e, gvm_error *err)
{
    for (int B = 1; B <= e->max_batch; B++) {
        size_t used = e->tape->used;
        tape_reset(e->tape);
        branch_forward(NULL, e->tape, e->branch, NULL, B, 0);
        if (e->tape->used < used) e->tape->used = used;
        used = e->tape->used;
        if (e->branch->head->places) pool(e, NULL, B);
        if (e->tape->used < used) e->tape->used = used;
        if (e->turned != NULL) run_turns(e, NULL, NULL, B);
    }
    return tape_allocate(e->tape, err);
}

gvm_status embedder_open(struct embedder **out, const struct network *network, int view, int max_batch, gvm_error *err)
{
    const struct branch *branch = &network->views[view];
    struct embedder *e = *out = calloc(1, sizeof *e);
    if (e != NULL) {
        *e = (struct embedder){.network = network, .branch = branch, .view = view, .max_batch = max_batch};
        e->bytes = branch->bytes;
        e->made = calloc((size_t)max_batch + 1, sizeof *e->made);
        if (branch->turns > 1) e->turned = malloc((size_t)max_batch * (size_t)branch->features * sizeof *e->turned);
    }
    bool room = e && e->made && (branch->turns == 1 || e->turned);
    gvm_status status = room ? network_tape(&e->tape, network, false, err)
                             : fail(err, GVM_MEMORY, "cannot run the network: out of memory");
    if (status == GVM_OK) status = size_tape(e, err);
    if (status == GVM_OK) return GVM_OK;
    embedder_free(e);
    *out = NULL;
    return status;
}

void embedder_free(struct embedder *e)
{
    if (e == NULL) return;
    tape_free(e->tape);
    free(e->made);
    free(e->host);
    free(e->turned);
    free(e);
}

size_t embedder_bytes(const struct embedder *e)
{
    return e->bytes;
}

size_t embedder_memory(const struct embedder *e)
{
    return tape_bytes(e->tape);
}

struct tape *embedder_tape(struct embedder *e)
{
    return e->tape;
}

static double square(const float *row, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)row[i] * row[i];
    return sum;
}

bool is_feature(const float *row, size_t n)
{
    return fabs(square(row, n) - 1) < 1e-3; /* false for NaN */
}

bool is_query(const float *row, size_t n)
{
    double s = square(row, n);
    return s > 1e-6 && s < 1 + 1e-3;
}

static const uint8_t *bring(struct embedder *e, const uint8_t *pixels, int B)
{
    return tape_pixels(e->tape, e->view, pixels, (size_t)B * e->bytes);
}

/* Begin a pass on pixels in the device's memory. A device replays a recorded pass of the same batch size, whose
 * features are written to the same address as before. */
static void start(struct embedder *e, const uint8_t *there, int B)
{
    const struct step_numbers none = {0, 0, 0, 0};
    bool recorded = e->network->home && (B <= RECORDED || B == e->max_batch);
    e->failures = gemm_failures();
    e->B = B;
    if (recorded && tape_replays(e->tape, B, &none)) return;
    tape_reset(e->tape);
    e->made[B] = *branch_forward(NULL, e->tape, e->branch, there, B, 0);
    if (recorded) tape_recorded(e->tape);
}

void embedder_start(struct embedder *e, const uint8_t *pixels, int B)
{
    start(e, bring(e, pixels, B), B);
}

static gvm_status fail_memory(const struct embedder *e, gvm_error *err)
{
    return fail(err, GVM_MEMORY, "cannot run the network on %d picture%s: out of memory", e->B, e->B == 1 ? "" : "s");
}

gvm_status embedder_finish(struct embedder *e, float *features, gvm_error *err)
{
    if (gemm_failures() != e->failures) return fail_memory(e, err);
    tape_read(e->tape, features, &e->made[e->B]);
    return tape_wait(e->tape, err);
}

gvm_status embedder_run(struct embedder *e, float *features, const uint8_t *pixels, size_t n, gvm_error *err)
{
    size_t D = (size_t)e->branch->features, most = (size_t)e->max_batch, B = n < most ? n : most;
    gvm_status status = GVM_OK;
    const uint8_t *there = n > 0 ? bring(e, pixels, (int)B) : NULL;
    for (size_t i = 0, next; i < n && status == GVM_OK; i += B, B = next) {
        start(e, there, (int)B);
        next = n - i - B < most ? n - i - B : most;
        if (next > 0) there = bring(e, pixels + (i + B) * e->bytes, (int)next);
        status = embedder_finish(e, features + i * D, err);
    }
    return status;
}

int embedder_turns(const struct embedder *e)
{
    return e->branch->turns;
}

gvm_status embedder_run_turns(struct embedder *e, float *features, const uint8_t *pixels, size_t n, gvm_error *err)
{
    size_t D = (size_t)e->branch->features * (size_t)e->branch->turns, most = (size_t)e->max_batch;
    gvm_status status = GVM_OK;
    if (e->turned == NULL) return embedder_run(e, features, pixels, n, err);
    for (size_t i = 0, B; i < n && status == GVM_OK; i += B) {
        B = n - i < most ? n - i : most;
        e->B = (int)B;
        e->failures = gemm_failures();
        run_turns(e, features + i * D, bring(e, pixels + i * e->bytes, e->B), e->B);
        status = gemm_failures() != e->failures ? fail_memory(e, err) : tape_wait(e->tape, err);
    }
    return status;
}

/* ------------------------------------------------------------------ shared pictures */

/* The last maps (n, L, C) of n pictures, in passes of whole places; the last pass is filled up with earlier pictures.
 */
static gvm_status last_maps(struct embedder *e, float *maps, size_t each, const uint8_t *pixels, size_t n,
                            gvm_error *err)
{
    const struct branch *b = e->branch;
    size_t of_place = (size_t)b->pictures, most = of_place * (size_t)e->max_batch, bytes = e->bytes / of_place;
    uint8_t *batch = malloc(most * bytes);
    float *got = malloc(most * each * sizeof *got);
    gvm_status status = batch != NULL && got != NULL ? GVM_OK : fail_memory(e, err);
    for (size_t i = 0, count; i < n && status == GVM_OK; i += count) {
        count = n - i < most ? n - i : most;
        e->B = (int)((count + of_place - 1) / of_place);
        memcpy(batch, pixels + i * bytes, count * bytes);
        for (size_t k = count; k < (size_t)e->B * of_place; k++) memcpy(batch + k * bytes, pixels, bytes);
        struct tensor *made[MAX_MAPS];
        e->failures = gemm_failures();
        const uint8_t *there = bring(e, batch, e->B);
        tape_reset(e->tape);
        b->backbone->forward(made, e->tape, b->body, there, e->B * b->pictures, 0);
        if (gemm_failures() != e->failures) status = fail_memory(e, err);
        if (status == GVM_OK) tape_read(e->tape, got, made[b->maps.count - 1]);
        if (status == GVM_OK) status = tape_wait(e->tape, err);
        if (status == GVM_OK) memcpy(maps + i * each, got, count * each * sizeof *maps);
    }
    free(batch);
    free(got);
    return status;
}

gvm_status embedder_run_shared(struct embedder *e, float *features, const uint8_t *pixels, size_t n, const int *which,
                               size_t places, gvm_error *err)
{
    const struct branch *b = e->branch;
    const int last = b->maps.count - 1;
    size_t each = (size_t)b->maps.maps[last].H * (size_t)b->maps.maps[last].W * (size_t)b->maps.maps[last].C;
    size_t of_place = (size_t)b->pictures, most = (size_t)e->max_batch;
    float *maps = malloc((n + 1) * each * sizeof *maps), *chosen = malloc(most * of_place * each * sizeof *chosen);
    e->B = e->max_batch;
    gvm_status status = maps != NULL && chosen != NULL ? last_maps(e, maps, each, pixels, n, err) : fail_memory(e, err);
    for (size_t i = 0, count; i < places && status == GVM_OK; i += count) {
        count = places - i < most ? places - i : most;
        for (size_t k = 0; k < count * of_place; k++)
            memcpy(chosen + k * each, maps + (size_t)which[i * of_place + k] * each, each * sizeof *maps);
        e->failures = gemm_failures();
        e->B = (int)count;
        const struct tensor *made = pool(e, chosen, e->B);
        if (gemm_failures() != e->failures) status = fail_memory(e, err);
        if (status == GVM_OK) tape_read(e->tape, features + i * (size_t)b->features, made);
        if (status == GVM_OK) status = tape_wait(e->tape, err);
    }
    free(maps);
    free(chosen);
    return status;
}

/* ------------------------------------------------------------------ results of a pass */

static size_t numbers(const struct tensor *x)
{
    return (size_t)x->B * (size_t)x->L * (size_t)x->C;
}

/* Number of mask values over all positions of a map in all pictures. */
static size_t masks_of(const struct trace *trace, int map)
{
    const struct tensor *x = trace->maps[map];
    return (size_t)trace->mask_count * (size_t)x->B * (size_t)x->L;
}

/* Replace *x by a copy at *to; advances *to. */
static void fetch_tensor(struct embedder *e, struct tensor **x, float **to)
{
    struct tensor *copy = tape_object(e->tape, sizeof *copy);
    *copy = **x;
    copy->data = *to;
    copy->element = sizeof(float);
    tape_read(e->tape, *to, *x);
    *to += numbers(*x);
    *x = copy;
}

/* Copy the maps, masks, values and feature of a place from a device to the host. */
static bool fetch(struct embedder *e, struct trace *trace)
{
    int count = e->branch->maps.count;
    size_t need = numbers(trace->gathered) + (trace->values ? numbers(trace->values) : 0);
    for (int i = 0; i < count; i++) need += numbers(trace->maps[i]) + masks_of(trace, i);
    free(e->host);
    e->host = malloc(need * sizeof *e->host);
    if (e->host == NULL) return false;
    float *to = e->host;
    for (int i = 0; i < count; i++) {
        const struct tensor masks = {
            .data = (float *)trace->masks[i], .B = 1, .L = 1, .C = (int)masks_of(trace, i), .element = sizeof(float)};
        fetch_tensor(e, &trace->maps[i], &to);
        if (masks.data == NULL) continue;
        tape_read(e->tape, to, &masks);
        trace->masks[i] = to;
        to += masks.C;
    }
    fetch_tensor(e, &trace->gathered, &to);
    if (trace->values) fetch_tensor(e, &trace->values, &to);
    return true;
}

gvm_status embedder_trace(struct embedder *e, struct trace *trace, float *feature, const uint8_t *pixels,
                          gvm_error *err)
{
    e->failures = gemm_failures();
    e->B = 1;
    const uint8_t *there = bring(e, pixels, 1);
    tape_reset(e->tape);
    e->made[1] = *branch_forward(trace, e->tape, e->branch, there, 1, 0);
    gvm_status status = embedder_finish(e, feature, err);
    if (status != GVM_OK || e->network->home == NULL) return status;
    return fetch(e, trace) ? tape_wait(e->tape, err) : fail_memory(e, err);
}
