/* test_loader.c - batches prepared ahead of their use. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/loader.h"
#include "data/sampler.h"
#include "small_set.h"

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

/* A hash of all that a batch contains. */
static uint64_t sum_of(const struct batch *batch, const struct pictures *p)
{
    size_t street = picture_bytes(&p->street) * B, aerial = picture_bytes(&p->aerial) * B * 2;
    uint64_t h = batch->epoch * 1000 + (uint64_t)batch->index * 100 + (uint64_t)batch->count;
    for (int i = 0; i < B; i++) h = h * 1000003 + (uint64_t)batch->queries[i];
    for (size_t i = 0; i < street; i++) h = h * 1000003 + batch->street[i];
    for (size_t i = 0; i < aerial; i++) h = h * 1000003 + batch->aerial[i];
    return h;
}

/* Hashes of the first n batches, which come in order and contain no conflict. */
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
        options.first = next[i]; /* also after an epoch's last */
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

/* The same pairs again, with other draws. */
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
            pictures_read(&want, room, p, &set->data.train, GVM_STREET, query, NULL);
            assert_memory_equal(batch.street + b * street_bytes, want, street_bytes);
            pictures_read(&want, room, p, &set->data.train, GVM_AERIAL, tile, NULL);
            assert_memory_equal(batch.aerial + b * aerial_bytes, want, aerial_bytes);
            assert_memory_equal(batch.aerial + (B + b) * aerial_bytes, want, aerial_bytes);
        }
        if (n == 0) assert_int_equal(batch.queries[0], 0);
    }
    loader_free(loader);
}

/* ------------------------------------------------------------------ views, and parts of tiles */

/* Panoramas, half of them turned by an error of their heading, then their views; independent of the workers. */
static void test_views(void **state)
{
    struct small_set set = **(struct small_set **)state;
    struct picture_shape *shape = &set.pictures.street;
    *shape =
        (struct picture_shape){.height = 16, .width = 80, .elevation = {-45, 45}, .masked = true, .unseen = {9, 8, 7}};
    const size_t bytes = picture_bytes(shape);
    struct loader_options options = usual(1), plain;
    options.amounts = augmentation_none;
    options.epoch = 7;
    plain = options;
    options.views = 8;
    options.tolerance = 20;
    uint8_t *want = malloc(bytes), *kept = malloc(2 * B * bytes);
    int turned = 0;
    for (int workers = 1; workers <= 3; workers += 2) {
        options.workers = workers;
        struct loader *loader = open_loader(&set, &options), *without = open_loader(&set, &plain);
        for (int n = 0; n < 3; n++) {
            const struct training_draws draws = {.tolerance = 20, .seed = 5, .epoch = 7, .epochs = 8};
            struct batch batch, panoramas;
            assert_int_equal(loader_next(loader, &batch, NULL), GVM_OK);
            assert_int_equal(loader_next(without, &panoramas, NULL), GVM_OK);
            assert_memory_equal(batch.aerial, panoramas.aerial, 2 * B * picture_bytes(&set.pictures.aerial));
            for (int b = 0; b < B; b++) {
                const uint8_t *panorama = panoramas.street + (size_t)b * bytes;
                const struct training_view view = training_view_draw(&draws, (uint64_t)batch.queries[b]);
                training_view_render(want, panorama, &view, shape);
                assert_memory_equal(batch.street + (size_t)(B + b) * bytes, want, bytes);
                memcpy(want, panorama, bytes);
                panorama_turn(want, shape, training_view_turn(&draws, (uint64_t)batch.queries[b]));
                turned += memcmp(want, panorama, bytes) != 0;
                assert_memory_equal(batch.street + (size_t)b * bytes, want, bytes);
            }
            if (n < 2) continue;
            if (workers == 3) assert_memory_equal(kept, batch.street, 2 * B * bytes);
            memcpy(kept, batch.street, 2 * B * bytes);
        }
        loader_free(loader);
        loader_free(without);
    }
    assert_in_range(turned, 3, 21); /* of 24 */
    free(want);
    free(kept);
}

enum { WHOLE = 15, PART = 12, MOVES = WHOLE - PART + 1 };

/* The part of a whole tile at (x, y). */
static const uint8_t *part_of(uint8_t part[3 * PART * PART], const uint8_t *whole, int x, int y)
{
    for (int i = 0; i < PART; i++) memcpy(part + 3 * PART * i, whole + 3 * ((y + i) * WHOLE + x), 3 * (size_t)PART);
    return part;
}

/* A random part of each tile, as large as the network's input; elsewhere the middle. From files and from a cache. */
static void test_inner(void **state)
{
    struct small_set set = **(struct small_set **)state, all = set;
    set.pictures.data = all.pictures.data = &set.data;
    set.pictures.aerial = (struct picture_shape){.height = PART, .width = PART};
    all.pictures.aerial = (struct picture_shape){.height = WHOLE, .width = WHOLE};
    pictures_inner(&set.pictures, 0.8);
    const struct split *split = &set.data.train;
    const struct cache_options how = {.workers = 2};
    struct loader_options options = usual(2);
    options.amounts = augmentation_none;
    struct cache *cache = NULL;
    uint8_t room[3 * WHOLE * WHOLE], part[3 * PART * PART], own[3 * PART * PART];
    const uint8_t *whole, *middle;
    int places[MOVES * MOVES] = {0};
    for (int cached = 0; cached < 2; cached++) {
        gvm_error err = {""};
        if (cached && cache_open(&cache, small_set_path(&set, "inner.cache"), &set.pictures, &how, &err) != GVM_OK)
            fail_msg("%s", err.text);
        set.pictures.cache = cache;
        struct loader *loader = open_loader(&set, &options);
        struct batch batch;
        for (int i = 0; i < 10 * B; i++) {
            if (i % B == 0) assert_int_equal(loader_next(loader, &batch, NULL), GVM_OK);
            int found = -1;
            pictures_read(&whole, room, &all.pictures, split, GVM_AERIAL, split->queries[batch.queries[i % B]].tile,
                          NULL);
            for (int k = 0; k < MOVES * MOVES; k++)
                if (memcmp(part_of(part, whole, k % MOVES, k / MOVES), batch.aerial + (size_t)(i % B) * sizeof part,
                           sizeof part) == 0)
                    found = k;
            assert_in_range(found, 0, MOVES * MOVES - 1);
            places[found]++;
        }
        loader_free(loader);
        pictures_read(&whole, room, &all.pictures, split, GVM_AERIAL, 3, NULL);
        pictures_read(&middle, own, &set.pictures, split, GVM_AERIAL, 3, NULL);
        assert_memory_equal(middle, part_of(part, whole, 2, 2), sizeof part);
    }
    assert_true(places[0] + places[3] + places[12] + places[15] > 0 && places[5] + places[10] > 0);
    cache_free(cache);
}

/* ------------------------------------------------------------------ bad pictures */

/* Given batches come in the given order, epoch after epoch; with single pictures, the strong ones. */
static void test_given_batches(void **state)
{
    const struct small_set *set = *state;
    static const int sequence[2 * B] = {7, 0, 18, 3, 5, 21, 2, 9}; /* 0 and 18 share a tile */
    struct loader_options options = usual(2);
    options.sequence = sequence;
    options.batches = 2;
    struct loader *both = open_loader(set, &options);
    options.single = true;
    struct loader *single = open_loader(set, &options);
    for (int i = 0; i < 5; i++) {
        struct batch a, b;
        assert_int_equal(loader_next(both, &a, NULL), GVM_OK);
        assert_int_equal(loader_next(single, &b, NULL), GVM_OK);
        assert_true((int)b.epoch == i / 2 && b.index == i % 2 && b.count == 2);
        assert_memory_equal(b.queries, sequence + i % 2 * B, B * sizeof *sequence);
        assert_memory_equal(a.street, b.street, B * picture_bytes(&set->pictures.street));
        assert_memory_equal(a.aerial, b.aerial, B * picture_bytes(&set->pictures.aerial));
    }
    loader_free(both);
    loader_free(single);
}

static void spoil(const char *path)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "\x89PNG\r\n\x1a\nand no more", 19), 19);
    close(fd);
}

/* Good batches come first, then the error, on every call. */
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
    spoil(split->queries[4].path); /* which would be its replacement */
    unlink(split->tiles[12].path); /* query 12's alone */
    for (int turn = 0; turn < 2; turn++) {
        struct named named = {0};
        struct loader_options options = usual(turn == 0 ? 1 : 3);
        options.skip_bad = true;
        options.user = &named;
        take(sums[turn], BATCHES, set, &options);
        assert_int_equal(named.count, 3); /* each once in more than two epochs */
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
    assert_int_equal(named.count, 3);
    loader_free(loader);
}

/* A bad pair is replaced by the next in the list that is readable and does not conflict. */
static void test_replacement(void **state)
{
    struct small_set *set = *state;
    struct query *queries = set->data.train.queries;
    for (int i = 0; i < QUERIES; i++) queries[i].near_count = 0;
    queries[5].tile = queries[0].tile; /* so it conflicts */
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
        if (i > 2) spoil(set->data.train.queries[i].path); /* three are good, a batch needs four */
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
    options.batch = TILES + 1; /* more than there are tiles */
    assert_int_equal(loader_open(&loader, &set->pictures, &set->data.train, &options, &err), GVM_ARGUMENT);
    assert_null(loader);
    assert_non_null(strstr(err.text, "22 street pictures on 18 tiles do not fill one batch of size 19"));
    options.batch = 2; /* closed immediately, while it reads */
    for (int i = 0; i < 5; i++) loader_free(open_loader(set, &options));
    loader_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_workers_and_resume, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cache_gives_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_epochs_differ, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_plain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_views, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_inner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_given_batches, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_skip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replacement, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_few, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
