/* test_device.c - devices that fail, and a choice of device that changes meanwhile. The device is the CPU under another
 * name (through a replaced `device_cuda`), which fails on request. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "geoviewmatch.h"
#include "layers/device_cpu.h"
#include "tensor/device.h"

#define WEIGHTS "tests/golden/net_narrow.safetensors"

gvm_status __wrap_device_cuda(const struct device **device, gvm_error *err);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);

static struct device twin;
static int waits_until_failure = -1; /* -1: never */

static gvm_status fits(int window, int C, int heads, enum precision precision, gvm_error *err)
{
    (void)window, (void)C, (void)heads, (void)precision, (void)err;
    return GVM_OK;
}

static enum precision opened_with; /* precision of the last home */

static gvm_status open_home(struct home *home, gvm_error *err)
{
    (void)err;
    opened_with = home->precision;
    return GVM_OK;
}

static void free_home(struct home *home)
{
    (void)home;
}

static void read_floats(struct tape *tape, float *to, const void *from, size_t n, int element)
{
    device_cpu.read(tape, to, from, n, element);
    for (size_t i = 0; i < n && waits_until_failure == 0; i++) to[i] = NAN;
}

static gvm_status wait_for(struct tape *tape, gvm_error *err)
{
    (void)tape;
    if (waits_until_failure < 0 || waits_until_failure-- > 0) return GVM_OK;
    snprintf(err->text, sizeof err->text, "the device fell off the bus");
    return GVM_DEVICE;
}

gvm_status __wrap_device_cuda(const struct device **device, gvm_error *err)
{
    (void)err;
    twin = device_cpu;
    twin.name = "twin";
    twin.fits = fits;
    twin.home_open = open_home;
    twin.home_free = free_home;
    twin.read = read_floats;
    twin.wait = wait_for;
    *device = &twin;
    return GVM_OK;
}

static void expect_ok(gvm_status status, const gvm_error *err)
{
    if (status != GVM_OK) fail_msg("%s", err->text);
}

/* In a batch of two photos the device fails in the first one's passes: the second still gets its answers. */
static void a_photo_fails(void **state)
{
    (void)state;
    enum { TOP = 2 };
    gvm_model *model;
    gvm_session *session;
    gvm_map *map;
    gvm_error err;
    gvm_hit hits[2][TOP];
    gvm_found found[2];
    const gvm_question questions[] = {{.photo = "examples/demo/street/1.png", .heading = INFINITY},
                                      {.photo = "examples/demo/street/2.png", .heading = INFINITY}};
    expect_ok(gvm_set_device(GVM_CUDA, GVM_FP32, &err), &err);
    expect_ok(gvm_model_open(&model, WEIGHTS, &err), &err);
    expect_ok(gvm_session_open(&session, model, 2, &err), &err);
    expect_ok(gvm_map_from_tiles(&map, session, "examples/demo/tiles.csv", NULL, NULL, &err), &err);
    waits_until_failure = 0;
    const gvm_locate_job job = {.size = sizeof job,
                                .questions = questions,
                                .count = 2,
                                .max_hits = TOP,
                                .each_tile = 1,
                                .hits = hits[0],
                                .found = found};
    assert_int_equal(gvm_locate_files(session, map, &job, &err), GVM_DEVICE);
    assert_non_null(strstr(err.text, "1.png: the device fell off the bus"));
    assert_int_equal(found[0].count, 0);
    assert_int_equal(found[1].count, TOP);
    gvm_map_free(map);
    gvm_session_free(session);
    gvm_model_free(model);
    expect_ok(gvm_set_device(GVM_CPU, GVM_BF16, &err), &err);
}

static pthread_t chooser;
static long unlocks_until_change = -1; /* -1: never */

/* Another thread changes the choice as soon as a lock is free. */
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    int result = __real_pthread_mutex_unlock(mutex);
    if (unlocks_until_change < 0 || !pthread_equal(pthread_self(), chooser)) return result;
    if (unlocks_until_change-- == 0) gvm_set_device(GVM_CPU, GVM_BF16, NULL);
    return result;
}

/* Device and precision are one choice: the device of one choice with the precision of another was never chosen. */
static void choice_is_one(void **state)
{
    (void)state;
    gvm_error err;
    bool changed = true;
    chooser = pthread_self();
    for (long at = 0; changed; at++) {
        gvm_model *model;
        expect_ok(gvm_set_device(GVM_CUDA, GVM_FP32, &err), &err);
        opened_with = PRECISION_FP32; /* also if the CPU was chosen before the model looked */
        unlocks_until_change = at;
        gvm_status status = gvm_model_open(&model, WEIGHTS, &err);
        changed = unlocks_until_change < 0;
        unlocks_until_change = -1;
        expect_ok(status, &err);
        gvm_model_free(model);
        assert_int_equal(opened_with, PRECISION_FP32);
        assert_true(at > 0 || changed); /* a lock was taken */
    }
    expect_ok(gvm_set_device(GVM_CPU, GVM_BF16, &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_photo_fails), cmocka_unit_test(choice_is_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
