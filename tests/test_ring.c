/* test_ring.c - items processed by threads and consumed in order. No other thread pool is started here, so that
 * ThreadSanitizer sees everything (`cmake --preset tsan`). Workers count their failures, because only the test's own
 * thread can fail the test. */
#define _GNU_SOURCE /* pthread_setattr_default_np */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/random.h"
#include "base/ring.h"

#include <cmocka.h>
#undef fail /* cmocka's */

enum { WORKERS = 8, PLACES = 64, NONE = -1 };

struct job {
    struct ring_work work;
    size_t values[PLACES];       /* results of items, by slot; not protected by a lock */
    size_t finished[PLACES];     /* by slot, the first item of a group for which finish was called */
    size_t done[WORKERS];        /* items processed by each worker */
    atomic_size_t begun, ended;  /* items */
    atomic_size_t taken;         /* groups released by the caller */
    atomic_int wrong;            /* promises broken */
    long fails[2], finish_fails; /* items, and the first item of a group, that fail; or NONE */
    long waits, until;           /* item `waits` ends after item `until` has; or NONE */
    atomic_bool passed;          /* `until` has */
    pthread_t caller;
    bool by_caller; /* no other thread works */
};

static size_t value_of(size_t item)
{
    return (size_t)random_bits(1, 2, item);
}

static size_t place_of(const struct job *j, size_t item)
{
    return item % (j->work.group * j->work.groups);
}

static gvm_status work(void *user, int worker, size_t item, gvm_error *err)
{
    struct job *j = user;
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    if (worker < 0 || worker >= j->work.workers) j->wrong++;
    if (item / j->work.group >= j->taken + j->work.groups) j->wrong++; /* the caller still owns its slot */
    if (j->by_caller != (pthread_equal(pthread_self(), j->caller) != 0)) j->wrong++;
    if (!j->by_caller && sigismember(&blocked, SIGINT) != 1) j->wrong++;
    j->begun++;
    j->done[worker]++;
    while ((long)item == j->waits && !j->passed) sched_yield();
    for (size_t i = value_of(item) % 50; i > 0; i--) sched_yield(); /* some are slow */
    j->values[place_of(j, item)] = value_of(item);
    j->ended++;
    if ((long)item == j->until) j->passed = true;
    if ((long)item == j->fails[0] || (long)item == j->fails[1]) return fail(err, GVM_IMAGE, "item %zu is bad", item);
    return GVM_OK;
}

static gvm_status finish(void *user, int worker, size_t first, size_t count, gvm_error *err)
{
    struct job *j = user;
    j->done[worker] += 0;
    for (size_t i = first; i < first + count; i++)
        if (j->values[place_of(j, i)] != value_of(i)) j->wrong++;
    j->finished[place_of(j, first)] = first + 1;
    return (long)first == j->finish_fails ? fail(err, GVM_FORMAT, "group %zu is bad", first) : GVM_OK;
}

static struct job make_job(size_t items, size_t group, size_t groups, int workers)
{
    return (struct job){.work = {items, group, groups, workers, NULL, work, finish},
                        .fails = {NONE, NONE},
                        .finish_fails = NONE,
                        .waits = NONE,
                        .until = NONE,
                        .caller = pthread_self()};
}

static struct ring *open_ring(struct job *j)
{
    assert_true(j->work.group * j->work.groups <= PLACES);
    j->work.user = j;
    struct ring *ring = ring_open(&j->work);
    assert_non_null(ring);
    return ring;
}

/* Take up to `most` groups and check each; returns the number of groups before the end or the failure, which is
 * *status. */
static size_t take(gvm_status *status, gvm_error *err, struct ring *ring, struct job *j, size_t most)
{
    size_t groups = 0, first, count;
    *status = GVM_OK;
    for (; groups < most; groups++) {
        if (groups > 0) j->taken++; /* by the next call */
        *status = ring_next(ring, &first, &count, err);
        if (*status != GVM_OK) assert_int_equal(count, 0);
        if (count == 0) break;
        size_t want = j->work.items - first < j->work.group ? j->work.items - first : j->work.group;
        assert_int_equal(first, groups * j->work.group);
        assert_int_equal(count, want);
        for (size_t i = first; i < first + count; i++) assert_int_equal(j->values[place_of(j, i)], value_of(i));
        if (j->work.finish != NULL) assert_int_equal(j->finished[place_of(j, first)], first + 1);
        memset(&j->values[place_of(j, first)], 0, count * sizeof *j->values); /* the caller may write there */
        j->finished[place_of(j, first)] = 0;
    }
    return groups;
}

static void test_order(void **state)
{
    (void)state;
    const size_t items[] = {0, 1, 2, 29, 200}, group[] = {1, 4, 7}, groups[] = {1, 2, 5};
    const int workers[] = {1, 2, WORKERS};
    for (int i = 0; i < 5 * 3 * 3 * 3; i++) {
        struct job j = make_job(items[i % 5], group[i / 5 % 3], groups[i / 15 % 3], workers[i / 45]);
        gvm_status status;
        if (i % 2 == 0) j.work.finish = NULL;
        struct ring *ring = open_ring(&j);
        assert_int_equal(take(&status, NULL, ring, &j, SIZE_MAX), (j.work.items + j.work.group - 1) / j.work.group);
        assert_int_equal(status, GVM_OK);
        size_t first, count;
        assert_int_equal(ring_next(ring, &first, &count, NULL), GVM_OK); /* the end is permanent */
        assert_int_equal(count, 0);
        ring_free(ring);
        size_t done = 0;
        for (int w = 0; w < WORKERS; w++) done += j.done[w];
        assert_int_equal(done, j.work.items); /* each once */
        assert_int_equal(j.ended, j.work.items);
        assert_int_equal(j.wrong, 0);
    }
}

/* The first item takes until the last that has room is done; it is still delivered first. */
static void test_slow_first(void **state)
{
    (void)state;
    struct job j = make_job(40, 2, 4, 2);
    gvm_status status;
    j.waits = 0;
    j.until = 7;
    struct ring *ring = open_ring(&j);
    assert_int_equal(take(&status, NULL, ring, &j, SIZE_MAX), 20);
    ring_free(ring);
    assert_int_equal(j.wrong, 0);
}

/* Of two failing items the first by index is reported, even if the other failed earlier, in its group or in a later
 * one. Good groups before it are delivered first. No item is started after a failure. */
static void test_error_order(void **state)
{
    (void)state;
    for (size_t group = 1; group <= 8; group++) {
        struct job j = make_job(SIZE_MAX, group, 8, 4);
        gvm_status status;
        gvm_error err = {""};
        j.fails[0] = j.waits = 5;
        j.fails[1] = j.until = 7;
        struct ring *ring = open_ring(&j);
        assert_int_equal(take(&status, &err, ring, &j, SIZE_MAX), 5 / group);
        for (int again = 0; again < 3; again++) {
            size_t first, count;
            assert_int_equal(status, GVM_IMAGE);
            assert_string_equal(err.text, "item 5 is bad");
            err.text[0] = '\0';
            status = ring_next(ring, &first, &count, &err);
            assert_int_equal(count, 0);
        }
        ring_free(ring);
        assert_int_equal(j.begun, j.ended);
        assert_int_equal(j.wrong, 0);

        j = make_job(SIZE_MAX, group, 8, 1);
        j.fails[0] = 5;
        ring = open_ring(&j);
        assert_int_equal(take(&status, &err, ring, &j, SIZE_MAX), 5 / group);
        ring_free(ring);
        assert_int_equal(j.begun, 6);
    }
}

static void test_finish_fails(void **state)
{
    (void)state;
    struct job j = make_job(60, 3, 4, 3);
    gvm_status status;
    gvm_error err = {""};
    j.finish_fails = 6;
    struct ring *ring = open_ring(&j);
    assert_int_equal(take(&status, &err, ring, &j, SIZE_MAX), 2);
    assert_int_equal(status, GVM_FORMAT);
    assert_string_equal(err.text, "group 6 is bad");
    ring_free(ring);

    j = make_job(60, 3, 4, 3);
    j.fails[0] = 7; /* then the group is not finished */
    ring = open_ring(&j);
    assert_int_equal(take(&status, NULL, ring, &j, SIZE_MAX), 2);
    assert_int_equal(status, GVM_IMAGE);
    ring_free(ring);
    assert_int_equal(j.finished[place_of(&j, 6)], 0);
    assert_int_equal(j.wrong, 0);
}

/* Freed before the end: items in progress end, and no more than there was room for were started. */
static void test_stop_early(void **state)
{
    (void)state;
    for (size_t most = 0; most < 6; most++) {
        struct job j = make_job(SIZE_MAX, 2, 3, most % 2 == 0 ? 1 : WORKERS);
        gvm_status status;
        struct ring *ring = open_ring(&j);
        assert_int_equal(take(&status, NULL, ring, &j, most), most);
        ring_free(ring);
        assert_int_equal(j.begun, j.ended);
        assert_true(j.begun >= 2 * most && j.begun <= 2 * (most + 3));
        assert_int_equal(j.wrong, 0);
    }
    ring_free(NULL);
}

/* With stacks that do not fit any address space no thread starts, and the caller's does the work. */
static void test_no_thread(void **state)
{
    (void)state;
    pthread_attr_t usual, huge;
    assert_int_equal(pthread_getattr_default_np(&usual), 0);
    assert_int_equal(pthread_attr_init(&huge), 0);
    assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 47), 0);
    for (long bad = NONE; bad <= 10; bad += 11) {
        struct job j = make_job(25, 4, 2, 3);
        gvm_status status;
        gvm_error err = {""};
        j.by_caller = true;
        j.fails[0] = bad;
        assert_int_equal(pthread_setattr_default_np(&huge), 0);
        struct ring *ring = open_ring(&j);
        assert_int_equal(pthread_setattr_default_np(&usual), 0);
        assert_int_equal(take(&status, &err, ring, &j, SIZE_MAX), bad == NONE ? 7 : 2);
        assert_int_equal(status, bad == NONE ? GVM_OK : GVM_IMAGE);
        ring_free(ring);
        assert_int_equal(j.begun, bad == NONE ? 25 : 11);
        assert_int_equal(j.wrong, 0);
    }
    pthread_attr_destroy(&huge);
    pthread_attr_destroy(&usual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),        cmocka_unit_test(test_slow_first), cmocka_unit_test(test_error_order),
        cmocka_unit_test(test_finish_fails), cmocka_unit_test(test_stop_early), cmocka_unit_test(test_no_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
