/* test_batch_plan.c - runs whose batches follow a plan: when neighbours are recomputed, what a state must contain, and
 * that a run interrupted at any step continues with the same bits */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "data/neighbours.h"
#include "network/config_file.h"
#include "small_set.h"
#include "train/batch_plan.h"
#include "train/train.h"

enum { QUERIES = 26, TILES = 13, BATCH = 4, EPOCHS = 4 };

static const char small[] =
    "{\"model\":\"geoviewmatch\",\"dim\":6,\"depths\":[1,1,1,1],\"heads\":[1,1,1,1],\"window\":4,"
    "\"street\":[32,64],\"aerial\":[64,64],\"stages\":[4],\"masks\":1,\"head\":5}";

static struct run_options options_of(int hard, int neighbours, int clusters)
{
    return (struct run_options){.epochs = EPOCHS,
                                .batch = BATCH,
                                .seed = 3,
                                .shuffle = true,
                                .hard = hard,
                                .clusters = clusters,
                                .neighbours = neighbours,
                                .inner = 1,
                                .losses = {.contrast = 1, .strong = 1, .weak = 1, .alpha = 10},
                                .rates = rates_paper,
                                .schedule = {.by_step = neighbours > 0, .warm_up = 1}};
}

/* ------------------------------------------------------------------ the order of an epoch */

static gvm_status begin(struct run_position *p, const struct batch_plan *plan, const struct run_options *o,
                        const struct split *split)
{
    bool stopped = false;
    gvm_status status = batch_plan_epoch(p, &stopped, plan, o, NULL, NULL, split, NULL, NULL, NULL);
    assert_false(stopped);
    return status;
}

static void test_position(void **state)
{
    const struct small_set *set = *state;
    struct split split = set->data.train;
    struct run_options o = options_of(0, 3, 0), none = options_of(0, 0, 0), hard = options_of(5, 0, 0),
                       clusters = options_of(0, 0, 7);
    for (int t = 0; t < TILES; t++) split.tiles[t].lat = 0.001 * t * t, split.tiles[t].lon = 7;
    assert_null(batch_plan_of(&none, &split).order);
    struct batch_plan plan = batch_plan_of(&hard, &split);
    assert_true(plan.size == 5 && plan.most == 10 && plan.every == 1 && !plan.placed && !plan.whole);
    plan = batch_plan_of(&clusters, &split);
    assert_true(plan.size == BATCH && plan.pool == 7 && plan.every == 1 && plan.whole);
    plan = batch_plan_of(&o, &split);
    assert_true(plan.size == BATCH && plan.most == TILES && plan.every == 3 && plan.placed && plan.whole);

    struct run_position p = {.epoch = 0};
    assert_int_equal(begin(&p, &plan, &o, &split), GVM_OK);
    assert_true(p.sequence_count >= 5 * BATCH && p.sequence_count % BATCH == 0);
    assert_int_equal(p.nearest_count, QUERIES * TILES);
    assert_true(p.nearest[0] == 0 && p.nearest[1] == 1 && p.nearest[TILES - 1] == TILES - 1);
    const int *nearest = p.nearest, *sequence = p.sequence;
    p.batch = 2; /* a run interrupted here */
    assert_int_equal(begin(&p, &plan, &o, &split), GVM_OK);
    assert_ptr_equal(p.sequence, sequence);
    const int kept = p.sequence[1];
    const int wrong[] = {p.sequence[0], -1, QUERIES};
    for (int i = 0; i < 3; i++) {
        p.sequence[1] = wrong[i];
        assert_int_equal(begin(&p, &plan, &o, &split), GVM_FORMAT);
    }
    p.sequence[1] = kept;
    p.nearest[5] = TILES;
    assert_int_equal(begin(&p, &plan, &o, &split), GVM_FORMAT);
    p.nearest[5] = -1;
    p.batch = (int)p.sequence_count / BATCH;
    assert_int_equal(begin(&p, &plan, &o, &split), GVM_FORMAT);
    p.batch = 0;
    p.epoch = 1; /* uses the neighbours of the first epoch */
    assert_int_equal(begin(&p, &plan, &o, &split), GVM_OK);
    assert_ptr_equal(p.nearest, nearest);
    p.nearest_count--;
    assert_int_equal(begin(&p, &plan, &o, &split), GVM_FORMAT);
    run_position_free(&p);
    for (int t = 0; t < TILES; t++) split.tiles[t].lat = split.tiles[t].lon = NAN;
    assert_false(batch_plan_of(&o, &split).placed);
}

/* ------------------------------------------------------------------ runs */

struct run {
    char folder[64];
    struct run_options options;
    struct run_position position;
    struct network *network;
    struct optimizer *optimizer;
};

static void run_begin(struct run *r, struct run_options options)
{
    struct config config;
    *r = (struct run){.folder = "/tmp/gvm-plan-XXXXXX", .options = options, .position = {.best = -1}};
    assert_non_null(mkdtemp(r->folder));
    r->options.data = strdup("data");
    gvm_error err;
    if (config_parse(&config, small, sizeof small - 1, "small", &err) != GVM_OK) fail_msg("%s", err.text);
    assert_int_equal(network_open(&r->network, &config, true, NULL), GVM_OK);
    network_fresh(r->network, 1);
    const struct network *n = r->network;
    assert_int_equal(optimizer_open(&r->optimizer, n->params, n->param_count, n->weights, n->grads, n->floats,
                                    &r->options.rates, NULL),
                     GVM_OK);
}

static void run_end(struct run *r)
{
    run_options_free(&r->options);
    optimizer_free(r->optimizer);
    network_free(r->network);
}

/* As a new process would; `options` are those that the state does not store. */
static void run_again(struct run *r, struct run_options options)
{
    gvm_error err;
    run_end(r);
    r->position = (struct run_position){0};
    if (run_load(r->folder, &r->options, &r->position, &r->network, &r->optimizer, &err) != GVM_OK)
        fail_msg("%s", err.text);
    r->options.neighbours = options.neighbours;
    r->options.clusters = options.clusters;
    r->options.schedule = options.schedule;
}

static void run_to(struct run *r, const struct small_set *set, long steps)
{
    struct train_result result;
    const struct train_events events = {0};
    gvm_error err;
    if (train(&result, r->folder, &r->options, &set->data, r->position, r->network, r->optimizer, steps, 1e9, &events,
              &err) != GVM_OK)
        fail_msg("%s", err.text);
    r->position = result.position;
}

static void run_remove(struct run *r)
{
    static const char *const files[] = {"log.jsonl", "last.safetensors", "best.safetensors", "state.safetensors"};
    run_end(r);
    run_position_free(&r->position);
    for (int i = 0; i < 4; i++) {
        char *path = path_join(r->folder, files[i]);
        unlink(path);
        free(path);
    }
    assert_int_equal(rmdir(r->folder), 0);
}

/* Hard negatives from the network in epochs 0 and 2, because no tile has a position; or neighbourhoods first, then hard
 * negatives; or hard groups. */
static void expect_same(const struct small_set *set, struct run_options options)
{
    struct run whole, parts;
    run_begin(&whole, options);
    run_begin(&parts, options);
    run_to(&whole, set, 0);
    assert_true(whole.position.epoch == EPOCHS && whole.position.step >= 4 * EPOCHS);
    for (long step = 1; parts.position.epoch < EPOCHS; step += 3 + step % 4) {
        run_to(&parts, set, step);
        run_again(&parts, options);
    }
    assert_int_equal(parts.position.step, whole.position.step);
    assert_memory_equal(parts.network->weights, whole.network->weights, whole.network->floats * sizeof(float));
    run_remove(&whole);
    run_remove(&parts);
}

static void test_resume(void **state)
{
    struct small_set *set = *state;
    expect_same(set, options_of(0, 2, 0));
    expect_same(set, options_of(3, 0, 0));
    expect_same(set, options_of(0, 0, 3)); /* from pools of 1, 2 and 3 batches */
    for (int t = 0; t < TILES; t++) set->data.train.tiles[t].lat = 0.01 * t, set->data.train.tiles[t].lon = 7;
    expect_same(set, options_of(0, 2, 0));
}

static int make_set(void **state)
{
    static struct small_set set;
    small_set_make(&set, NULL, QUERIES, TILES);
    set.data.ground_m = 64;
    *state = &set;
    return 0;
}

static int remove_set(void **state)
{
    small_set_remove(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_position), cmocka_unit_test(test_resume)};
    return cmocka_run_group_tests(tests, make_set, remove_set);
}
