/* test_loader.c - the order of queries, and batches prepared ahead of their use. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/random.h"
#include "data/loader.h"
#include "data/sampler.h"
#include "small_set.h"

/* ------------------------------------------------------------------ the order */

enum { MANY = 5000 };

/* Queries on random tiles, each tile with its neighbours as near ones. skewed: most queries on one tile. */
static struct split make_split(int queries, int tiles, int near, bool skewed)
{
    struct split split = {.query_count = queries, .tile_count = tiles};
    split.queries = calloc((size_t)queries, sizeof *split.queries);
    assert_non_null(split.queries);
    for (int i = 0; i < queries; i++) {
        struct query *q = &split.queries[i];
        q->tile = (int)(random_bits(1, 2, (uint64_t)i) % (uint64_t)tiles);
        if (skewed && i % 10 != 0) q->tile = 0;
        q->near_count = near;
        for (int k = 0; k < near; k++) q->near[k] = (q->tile + k + 1) % tiles;
    }
    return split;
}

static void expect_permutation(const int *order, int n)
{
    bool *seen = calloc((size_t)n, sizeof *seen);
    for (int i = 0; i < n; i++) {
        assert_in_range(order[i], 0, n - 1);
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
    }
    free(seen);
}

static void expect_no_conflict(const struct split *split, const int *order, int batches, int B)
{
    for (int b = 0; b < batches; b++)
        for (int i = b * B; i < (b + 1) * B; i++)
            for (int k = b * B; k < i; k++)
                assert_false(sampler_conflict(&split->queries[order[i]], &split->queries[order[k]]));
}

static void test_conflict(void **state)
{
    (void)state;
    const struct query a = {.tile = 1, .near = {2, 3}, .near_count = 2}, b = {.tile = 3}, c = {.tile = 4},
                       d = {.tile = 1}, e = {.tile = 7, .near = {2}, .near_count = 1};
    assert_true(sampler_conflict(&a, &d)); /* a tile shared */
    assert_true(sampler_conflict(&a, &b)); /* one's own is near to the other, both ways round */
    assert_true(sampler_conflict(&b, &a));
    assert_false(sampler_conflict(&a, &c));
    assert_false(sampler_conflict(&a, &e)); /* what both are merely near is no one's true tile */
}

/* With squares a batch holds pictures of few neighbourhoods, in each epoch of others, and each query comes once. */
static void test_clusters(void **state)
{
    (void)state;
    enum { N = 400, B = 20 }; /* 20 x 20 places, 50 m apart */
    static struct query queries[N];
    struct split split = {.queries = queries, .query_count = N, .tile_count = N};
    int order[2][N], batches;
    for (int i = 0; i < N; i++)
        queries[i] = (struct query){.tile = i, .lat = 60 + i / 20 * 50 / 111320.0, .lon = 10 + i % 20 * 50 / 55660.0};
    for (uint64_t epoch = 0; epoch < 2; epoch++) {
        int near = 0;
        assert_int_equal(sampler_epoch(order[epoch], &batches, &split, B, true, 250, 3, epoch, NULL), GVM_OK);
        assert_int_equal(batches, N / B);
        expect_permutation(order[epoch], N);
        for (int i = 0; i < N; i++)
            for (int k = i / B * B; k < i / B * B + B; k++) {
                const struct query *q = &queries[order[epoch][i]], *o = &queries[order[epoch][k]];
                near += fabs(o->lat - q->lat) * 111320 < 249 && fabs(o->lon - q->lon) * 55660 < 249;
            }
        assert_true(near / N > B / 3); /* of a batch; 4 where only shuffled */
    }
    assert_memory_not_equal(order[0], order[1], sizeof order[0]);
    for (int i = 0; i < N; i++) queries[i].lat = NAN;
    assert_int_equal(sampler_epoch(order[0], &batches, &split, B, true, 250, 3, 0, NULL), GVM_OK);
    expect_permutation(order[0], N);
}

static void test_order(void **state)
{
    (void)state;
    const int shapes[][4] = {{MANY, 1500, 0, 32}, {MANY, 1500, 3, 32}, {MANY, 40, 3, 8}, {MANY, 5, 3, 2},
                             {64, 64, 0, 16},     {7, 7, 0, 8},        {1, 1, 0, 1},     {0, 0, 0, 4}};
    int *order = calloc(MANY, sizeof *order), *again = calloc(MANY, sizeof *again);
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        int n = shapes[s][0], T = shapes[s][1], B = shapes[s][3], batches, count;
        struct split split = make_split(n, T > 0 ? T : 1, shapes[s][2], false);
        for (uint64_t epoch = 0; epoch < 3; epoch++) {
            assert_int_equal(sampler_epoch(order, &batches, &split, B, true, 0, 9, epoch, NULL), GVM_OK);
            assert_in_range(batches, 0, n / B);
            expect_permutation(order, n);
            expect_no_conflict(&split, order, batches, B);
            assert_int_equal(sampler_epoch(again, &count, &split, B, true, 0, 9, epoch, NULL), GVM_OK);
            assert_int_equal(count, batches);
            assert_memory_equal(again, order, (size_t)n * sizeof *order);
            sampler_epoch(again, &count, &split, B, true, 0, 9, epoch + 1, NULL);
            if (n > 7) assert_memory_not_equal(again, order, (size_t)n * sizeof *order);
            sampler_epoch(again, &count, &split, B, true, 0, 10, epoch, NULL);
            if (n > 7) assert_memory_not_equal(again, order, (size_t)n * sizeof *order);
            if (s < 2) assert_in_range(batches, n / B - 2, n / B); /* conflicts cost next to nothing */
            if (s == 3) assert_int_equal(batches, 0);              /* any two of five tiles touch */
        }
        free(split.queries);
    }
    free(order);
    free(again);
}

/* In the list's order but for those that must wait. */
static void test_unshuffled(void **state)
{
    (void)state;
    struct query queries[8] = {{.tile = 0}, {.tile = 0}, {.tile = 1}, {.tile = 0},
                               {.tile = 2}, {.tile = 3}, {.tile = 4}, {.tile = 5, .near = {4}, .near_count = 1}};
    const struct split split = {.queries = queries, .query_count = 8, .tile_count = 6};
    const int want[8] = {0, 2, 1, 4, 3, 5, 6, 7};
    int order[8], batches;
    assert_int_equal(sampler_epoch(order, &batches, &split, 2, false, 0, 1, 5, NULL), GVM_OK);
    assert_int_equal(batches, 3); /* the last two are in conflict */
    assert_memory_equal(order, want, sizeof want);
}

/* Nine of ten on one tile: a batch for each of the others, soon found. */
static void test_skewed(void **state)
{
    (void)state;
    enum { N = 60000 };
    int *order = calloc(N, sizeof *order), batches;
    struct split split = make_split(N, 20000, 0, true);
    assert_int_equal(sampler_epoch(order, &batches, &split, 2, true, 0, 1, 0, NULL), GVM_OK);
    expect_permutation(order, N);
    expect_no_conflict(&split, order, batches, 2);
    assert_in_range(batches, N / 10 - 200, N / 10);
    free(split.queries);
    free(order);
}

/* Each query is as likely at each place. */
static void test_shuffle_is_fair(void **state)
{
    (void)state;
    enum { N = 6, EPOCHS = 6000 };
    int seen[N][N] = {{0}}, order[N], batches;
    struct query queries[N] = {{.tile = 0}, {.tile = 1}, {.tile = 2}, {.tile = 3}, {.tile = 4}, {.tile = 5}};
    const struct split split = {.queries = queries, .query_count = N, .tile_count = N};
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        sampler_epoch(order, &batches, &split, 3, true, 0, 1, epoch, NULL);
        for (int i = 0; i < N; i++) seen[i][order[i]]++;
    }
    for (int i = 0; i < N; i++)
        for (int q = 0; q < N; q++) assert_in_range(seen[i][q], 1000 - 130, 1000 + 130); /* 4.5 deviations of 29 */
}

/* ------------------------------------------------------------------ batches */

enum { QUERIES = 22, TILES = 18, B = 4, BATCHES = 12 };

struct named {
    int count, queries[QUERIES];
    gvm_error first;
};

static void on_bad(void *user, int query, gvm_status status, const gvm_error *err)
{
    struct named *named = user;
    assert_int_not_equal(status, GVM_OK);
    assert_in_range(named->count, 0, QUERIES - 1);
    if (named->count == 0) named->first = *err;
    named->queries[named->count++] = query;
}

static struct loader_options usual(int workers)
{
    return (struct loader_options){
        .batch = B, .workers = workers, .shuffle = true, .seed = 5, .amounts = augmentation_paper, .bad = on_bad};
}

static struct loader *open_loader(const struct small_set *set, const struct loader_options *options)
{
    struct loader *loader;
    gvm_error err = {""};
    if (loader_open(&loader, &set->pictures, &set->data.train, options, &err) != GVM_OK) fail_msg("%s", err.text);
    return loader;
}

/* All that a batch says, in one number. */
static uint64_t sum_of(const struct batch *batch, const struct pictures *p)
{
    size_t street = picture_bytes(&p->street) * B, aerial = picture_bytes(&p->aerial) * B * 2;
    uint64_t h = batch->epoch * 1000 + (uint64_t)batch->index * 100 + (uint64_t)batch->count;
    for (int i = 0; i < B; i++) h = h * 1000003 + (uint64_t)batch->queries[i];
    for (size_t i = 0; i < street; i++) h = h * 1000003 + batch->street[i];
    for (size_t i = 0; i < aerial; i++) h = h * 1000003 + batch->aerial[i];
    return h;
}

/* Sums of the first n batches, which come in order and hold no conflict. */
static void take(uint64_t *sums, int n, const struct small_set *set, const struct loader_options *options)
{
    struct loader *loader = open_loader(set, options);
    uint64_t epoch = options->epoch;
    int index = options->first - 1;
    for (int i = 0; i < n; i++) {
        struct batch batch;
        gvm_error err = {""};
        if (loader_next(loader, &batch, &err) != GVM_OK) fail_msg("%s", err.text);
        if (batch.epoch == epoch) {
            assert_int_equal(batch.index, index + 1);
        } else {
            assert_int_equal(batch.epoch, epoch + 1);
            assert_int_equal(batch.index, 0);
        }
        epoch = batch.epoch;
        index = batch.index;
        assert_in_range(index, 0, batch.count - 1);
        assert_true(batch.waited >= 0 && batch.waited < 100);
        expect_no_conflict(&set->data.train, batch.queries, 1, B);
        sums[i] = sum_of(&batch, &set->pictures);
    }
    loader_free(loader);
}

static int set_up(void **state)
{
    struct small_set *set = malloc(sizeof *set);
    small_set_make(set, NULL, QUERIES, TILES);
    struct query *queries = set->data.train.queries;
    for (int i = 0; i < QUERIES; i += 5) {
        queries[i].near[0] = (queries[i].tile + 1) % TILES;
        queries[i].near_count = 1;
    }
    *state = set;
    return 0;
}

static int tear_down(void **state)
{
    small_set_remove(*state);
    free(*state);
    return 0;
}

static void test_workers_and_resume(void **state)
{
    struct small_set *set = *state;
    uint64_t want[BATCHES], got[BATCHES];
    struct loader_options options = usual(1);
    take(want, BATCHES, set, &options);
    for (int i = 0; i < BATCHES; i++)
        for (int k = 0; k < i; k++) assert_true(want[i] != want[k]);
    options.workers = 3;
    take(got, BATCHES, set, &options);
    assert_memory_equal(got, want, sizeof want);

    struct loader *loader = open_loader(set, &options); /* from any position on */
    uint64_t epochs[BATCHES];
    int next[BATCHES];
    for (int i = 0; i < BATCHES; i++) {
        struct batch batch;
        assert_int_equal(loader_next(loader, &batch, NULL), GVM_OK);
        epochs[i] = batch.epoch;
        next[i] = batch.index + 1;
    }
    loader_free(loader);
    for (int i = 0; i + 1 < BATCHES; i++) {
        options.epoch = epochs[i];
        options.first = next[i]; /* also behind an epoch's last */
        loader = open_loader(set, &options);
        for (int k = i + 1; k < BATCHES && k < i + 4; k++) {
            struct batch batch;
            assert_int_equal(loader_next(loader, &batch, NULL), GVM_OK);
            assert_true(sum_of(&batch, &set->pictures) == want[k]);
        }
        loader_free(loader);
    }
    options.epoch = 0;
    options.first = 0;
    options.seed = 6;
    take(got, BATCHES, set, &options);
    for (int i = 0; i < BATCHES; i++) assert_true(got[i] != want[i]);
}

static void test_cache_gives_the_same(void **state)
{
    struct small_set *set = *state;
    uint64_t want[BATCHES], got[BATCHES];
    struct loader_options options = usual(2);
    const struct cache_options making = {.workers = 2};
    struct cache *cache;
    take(want, BATCHES, set, &options);
    assert_int_equal(cache_open(&cache, small_set_path(set, "cache"), &set->pictures, &making, NULL), GVM_OK);
    set->pictures.cache = cache;
    for (int i = 0; i < QUERIES; i++) unlink(set->data.train.queries[i].path); /* no longer needed */
    take(got, BATCHES, set, &options);
    assert_memory_equal(got, want, sizeof want);
    set->pictures.cache = NULL;
    cache_free(cache);
}

/* The same pairs again, and other draws. */
static void test_epochs_differ(void **state)
{
    struct small_set *set = *state;
    const size_t bytes = (size_t)2 * B * 12 * 12 * 3;
    struct loader_options options = usual(1);
    uint8_t *first = malloc(bytes);
    int queries[B];
    options.shuffle = false;
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        struct batch batch;
        options.epoch = epoch;
        struct loader *loader = open_loader(set, &options);
        assert_int_equal(loader_next(loader, &batch, NULL), GVM_OK);
        if (epoch > 0) {
            assert_memory_equal(batch.queries, queries, sizeof queries);
            assert_memory_not_equal(batch.aerial, first, bytes);
        }
        memcpy(queries, batch.queries, sizeof queries);
        memcpy(first, batch.aerial, bytes);
        loader_free(loader);
    }
    free(first);
}

/* Neither shuffled nor augmented: the pictures of the list. */
static void test_plain(void **state)
{
    struct small_set *set = *state;
    const struct pictures *p = &set->pictures;
    const size_t street_bytes = picture_bytes(&p->street), aerial_bytes = picture_bytes(&p->aerial);
    struct loader_options options = usual(2);
    options.shuffle = false;
    options.amounts = augmentation_none;
    struct loader *loader = open_loader(set, &options);
    uint8_t room[8 * 24 * 3];
    const uint8_t *want;
    for (int n = 0; n < 3; n++) {
        struct batch batch;
        assert_int_equal(loader_next(loader, &batch, NULL), GVM_OK);
        for (int b = 0; b < B; b++) {
            int query = batch.queries[b], tile = set->data.train.queries[query].tile;
            pictures_street(&want, room, p, &set->data.train, query, NULL);
            assert_memory_equal(batch.street + b * street_bytes, want, street_bytes);
            pictures_aerial(&want, room, p, &set->data.train, tile, NULL);
            assert_memory_equal(batch.aerial + b * aerial_bytes, want, aerial_bytes);
            assert_memory_equal(batch.aerial + (B + b) * aerial_bytes, want, aerial_bytes);
        }
        if (n == 0) assert_int_equal(batch.queries[0], 0);
    }
    loader_free(loader);
}

/* ------------------------------------------------------------------ bad pictures */

static void spoil(const char *path)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "\x89PNG\r\n\x1a\nand no more", 19), 19);
    close(fd);
}

/* Good batches come first, then the sentence, again and again. */
static void test_stop(void **state)
{
    struct small_set *set = *state;
    for (int workers = 1; workers <= 3; workers++) {
        struct loader_options options = usual(workers);
        options.shuffle = false;
        if (workers == 2) unlink(set->data.train.queries[9].path);
        if (workers != 2) spoil(set->data.train.queries[9].path);
        struct loader *loader = open_loader(set, &options);
        struct batch batch;
        gvm_error err = {""};
        int good = 0;
        gvm_status status;
        while ((status = loader_next(loader, &batch, &err)) == GVM_OK) {
            good++;
            for (int b = 0; b < B; b++) assert_int_not_equal(batch.queries[b], 9);
        }
        assert_int_equal(status, workers == 2 ? GVM_FILE : GVM_IMAGE);
        assert_in_range(good, 1, 3);
        assert_null(batch.street);
        assert_non_null(strstr(err.text, "street009.png"));
        err.text[0] = '\0';
        assert_int_equal(loader_next(loader, &batch, &err), status);
        assert_non_null(strstr(err.text, "street009.png"));
        loader_free(loader);
        small_set_write(set->data.train.queries[9].path, 32, 16, 5009);
    }
}

static void test_skip(void **state)
{
    struct small_set *set = *state;
    const struct split *split = &set->data.train;
    uint64_t sums[2][BATCHES];
    spoil(split->queries[3].path);
    spoil(split->queries[4].path); /* which would stand for it */
    unlink(split->tiles[12].path); /* query 12's alone */
    for (int turn = 0; turn < 2; turn++) {
        struct named named = {0};
        struct loader_options options = usual(turn == 0 ? 1 : 3);
        options.skip_bad = true;
        options.user = &named;
        take(sums[turn], BATCHES, set, &options);
        assert_int_equal(named.count, 3); /* each once in two epochs and more */
        for (int i = 0; i < 3; i++) {
            int query = named.queries[i];
            assert_true(query == 3 || query == 4 || query == 12);
            for (int k = 0; k < i; k++) assert_int_not_equal(query, named.queries[k]);
        }
        assert_non_null(strstr(named.first.text, ".png"));
    }
    assert_memory_equal(sums[0], sums[1], sizeof sums[0]);

    struct named named = {0};
    struct loader_options options = usual(2);
    options.skip_bad = true;
    options.user = &named;
    options.shuffle = false;
    options.amounts = augmentation_none;
    struct loader *loader = open_loader(set, &options);
    struct batch batch;
    for (int n = 0; n < BATCHES; n++) {
        assert_int_equal(loader_next(loader, &batch, NULL), GVM_OK);
        for (int b = 0; b < B; b++)
            assert_true(batch.queries[b] != 3 && batch.queries[b] != 4 && batch.queries[b] != 12);
    }
    assert_int_equal(loader_bad_count(loader), 3);
    loader_free(loader);
}

/* The one that stands for a bad pair is the next in the list that is good and fits. */
static void test_replacement(void **state)
{
    struct small_set *set = *state;
    struct query *queries = set->data.train.queries;
    for (int i = 0; i < QUERIES; i++) queries[i].near_count = 0;
    queries[5].tile = queries[0].tile; /* so it does not fit */
    spoil(queries[1].path);
    spoil(queries[4].path);
    struct named named = {0};
    struct loader_options options = usual(2);
    options.skip_bad = true;
    options.user = &named;
    options.shuffle = false;
    struct loader *loader = open_loader(set, &options);
    struct batch batch;
    const int want[B] = {0, 6, 2, 3}; /* 2 and 3 are in the batch, 4 is bad */
    assert_int_equal(loader_next(loader, &batch, NULL), GVM_OK);
    assert_memory_equal(batch.queries, want, sizeof want);
    assert_int_equal(named.count, 2);
    assert_int_equal(named.queries[0], 1);
    assert_int_equal(named.queries[1], 4);
    assert_non_null(strstr(named.first.text, "street001.png"));
    loader_free(loader);
}

static void test_nothing_left(void **state)
{
    struct small_set *set = *state;
    struct named named = {0};
    struct loader_options options = usual(3);
    options.skip_bad = true;
    options.user = &named;
    for (int i = 0; i < QUERIES; i++)
        if (i > 2) spoil(set->data.train.queries[i].path); /* three are good, a batch takes four */
    struct loader *loader = open_loader(set, &options);
    struct batch batch;
    gvm_error err = {""};
    assert_int_equal(loader_next(loader, &batch, &err), GVM_IMAGE);
    assert_non_null(strstr(err.text, "no pair is left"));
    loader_free(loader);
}

static void test_too_few(void **state)
{
    struct small_set *set = *state;
    struct loader_options options = usual(2);
    struct loader *loader;
    gvm_error err = {""};
    options.batch = TILES + 1; /* more places than there are */
    assert_int_equal(loader_open(&loader, &set->pictures, &set->data.train, &options, &err), GVM_ARGUMENT);
    assert_null(loader);
    assert_non_null(strstr(err.text, "22 street pictures on 18 tiles do not fill one batch of 19"));
    options.batch = 2; /* closed at once, while it reads */
    for (int i = 0; i < 5; i++) loader_free(open_loader(set, &options));
    loader_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conflict),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_unshuffled),
        cmocka_unit_test(test_clusters),
        cmocka_unit_test(test_skewed),
        cmocka_unit_test(test_shuffle_is_fair),
        cmocka_unit_test_setup_teardown(test_workers_and_resume, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cache_gives_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_epochs_differ, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_plain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_skip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replacement, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_few, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
