/* test_api.c - the library through its public header, on small networks with random weights and the demo's pictures:
 * weights, sessions, features */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api_support.h"
#include "geoviewmatch.h"

/* Pictures of a view's size with arbitrary bytes. */
static unsigned char *some_pixels(const gvm_model *model, gvm_view view, size_t n)
{
    size_t bytes = view_pixels(model, view);
    unsigned char *pixels = malloc(n * bytes * 3);
    uint32_t state = 1;
    for (size_t i = 0; i < n * bytes * 3; i++) pixels[i] = (state = state * 1664525 + 1013904223) >> 24;
    return pixels;
}

static float *embed_pixels(gvm_session *session, const gvm_model *model, gvm_view view, const unsigned char *pixels,
                           size_t n)
{
    gvm_error err;
    float *features = malloc(n * feature_length(model) * sizeof *features);
    expect_ok(gvm_embed_pixels(session, view, features, pixels, n, &err), &err);
    return features;
}

static void expect_near(const float *x, const float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(x[i] - y[i]) <= 1e-6f)) fail_msg("value %zu of %zu: %.9g and %.9g", i, n, x[i], y[i]);
}

/* ------------------------------------------------------------------ the process and the weights */

static void test_process(void **state)
{
    (void)state;
    gvm_error err;
    int threads = gvm_threads();
    assert_string_equal(gvm_version(), GVM_VERSION);
    assert_true(strcmp(gvm_instructions(), "plain") == 0 || strncmp(gvm_instructions(), "avx", 3) == 0);
    assert_true(threads >= 1);
    expect_failure(gvm_set_threads(0, &err), GVM_ARGUMENT, &err, "0 threads");
    expect_failure(gvm_set_threads(1025, &err), GVM_ARGUMENT, &err, "1025 threads");
    expect_ok(gvm_set_threads(64, &err), &err);
    expect_ok(gvm_set_threads(3, &err), &err);
    assert_int_equal(gvm_threads(), 3);
    gvm_model *model = open_model(WEIGHTS);
    gvm_session *session = open_session(model, 1);
    expect_failure(gvm_set_threads(1, &err), GVM_ARGUMENT, &err, "while a session is open");
    assert_int_equal(gvm_set_threads(1, NULL), GVM_ARGUMENT);
    gvm_session_free(session);
    expect_ok(gvm_set_threads(threads, &err), &err);
    gvm_model_free(model);
    gvm_model_free(NULL);
    gvm_session_free(NULL);
    gvm_map_free(NULL);
}

static void test_about(void **state)
{
    (void)state;
    gvm_model *model = open_model(WEIGHTS);
    gvm_model_info info = {.size = sizeof info};
    gvm_view_info street = {.size = sizeof street}, aerial = {.size = sizeof aerial};
    gvm_error err;
    expect_ok(gvm_model_about(model, &info, &err), &err);
    expect_ok(gvm_view_about(model, GVM_STREET, &street, &err), &err);
    expect_ok(gvm_view_about(model, GVM_AERIAL, &aerial, &err), &err);
    expect_failure(gvm_view_about(model, (gvm_view)2, &aerial, &err), GVM_ARGUMENT, &err, "view");
    assert_true(street.height == 32 && street.width == 160 && street.projection == GVM_EQUIRECTANGULAR);
    assert_true(aerial.height == 64 && aerial.width == 64 && aerial.projection == GVM_NADIR);
    assert_int_equal(info.features, 168);
    assert_int_equal(info.parameters, 166996);
    assert_true(aerial.ground_m == 64 && street.elevation_low == -45 && street.elevation_high == 45);
    assert_int_equal(strspn(info.fingerprint, "0123456789abcdef"), 16);
    gvm_model_free(model);
}

static void test_bad_weights(void **state)
{
    (void)state;
    gvm_model *model = (gvm_model *)&model;
    gvm_error err;
    expect_failure(gvm_model_open(&model, "tests/nothing", &err), GVM_FILE, &err, "tests/nothing: ");
    assert_null(model);
    expect_failure(gvm_model_open(&model, "tests", &err), GVM_FILE, &err, "directory");
    expect_failure(gvm_model_open(&model, streets[0], &err), GVM_FORMAT, &err, "1.png: ");
    const char *empty = temporary("", 0);
    expect_failure(gvm_model_open(&model, empty, &err), GVM_FORMAT, &err, "empty");
    remove(empty);

    char *bytes = malloc(300000); /* truncated */
    FILE *file = fopen(WEIGHTS, "rb");
    assert_int_equal(fread(bytes, 1, 300000, file), 300000);
    fclose(file);
    const char *half = temporary(bytes, 300000);
    expect_failure(gvm_model_open(&model, half, &err), GVM_FORMAT, &err, half);
    assert_int_equal(gvm_model_open(&model, half, NULL), GVM_FORMAT);
    assert_null(model);
    remove(half);
    free(bytes);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    gvm_model *model = open_model(WEIGHTS);
    gvm_session *session;
    gvm_error err;
    expect_failure(gvm_session_open(&session, model, 0, &err), GVM_ARGUMENT, &err, "1 to 256");
    assert_null(session);
    expect_failure(gvm_session_open(&session, model, 257, &err), GVM_ARGUMENT, &err, "1 to 256");
    session = open_session(model, 2);
    unsigned char *pixels = some_pixels(model, GVM_STREET, 1);
    float features[168];
    const gvm_view no_view = (gvm_view)7;
    const double endless = INFINITY;
    expect_failure(gvm_embed_pixels(session, no_view, features, pixels, 1, &err), GVM_ARGUMENT, &err, "view");
    gvm_embed_job job = {.size = sizeof job, .view = no_view, .paths = streets, .count = 1, .features = features};
    expect_failure(gvm_embed_files(session, &job, &err), GVM_ARGUMENT, &err, "view");
    job = (gvm_embed_job){.view = GVM_STREET};
    expect_failure(gvm_embed_files(session, &job, &err), GVM_ARGUMENT, &err, "size");
    expect_failure(gvm_load_picture(model, no_view, pixels, streets[0], NULL, 0, &err), GVM_ARGUMENT, &err, "view");
    expect_failure(gvm_load_picture(model, GVM_STREET, pixels, streets[0], &endless, 0, &err), GVM_ARGUMENT, &err,
                   "heading");
    expect_ok(gvm_embed_pixels(session, GVM_STREET, NULL, NULL, 0, &err), &err);
    expect_ok(embed_streets(session, NULL, NULL, NULL, 0, NULL, NULL, &err), &err);
    free(pixels);
    gvm_session_free(session);
    gvm_model_free(model);
}

/* ------------------------------------------------------------------ features */

/* Rows of length 1; the same bits when repeated; close results with smaller batches and on one thread. */
static void test_pixels(void **state)
{
    (void)state;
    enum { N = 19 };
    gvm_model *model = open_model(WEIGHTS);
    size_t D = feature_length(model);
    gvm_error err;
    int threads = gvm_threads();
    for (int v = 0; v < 2; v++) {
        unsigned char *pixels = some_pixels(model, (gvm_view)v, N);
        gvm_session *large = open_session(model, 16), *small = open_session(model, 1);
        float *x = embed_pixels(large, model, (gvm_view)v, pixels, N),
              *y = embed_pixels(large, model, (gvm_view)v, pixels, N);
        float *z = embed_pixels(small, model, (gvm_view)v, pixels, N);
        assert_memory_equal(x, y, N * D * sizeof *x);
        expect_near(x, z, N * D);
        for (size_t i = 0; i < N; i++) {
            double square = 0;
            for (size_t k = 0; k < D; k++) square += (double)x[i * D + k] * x[i * D + k];
            assert_true(fabs(square - 1) < 1e-5);
        }
        gvm_session_free(large);
        gvm_session_free(small);
        expect_ok(gvm_set_threads(threads == 1 ? 2 : 1, &err), &err);
        gvm_session *other = open_session(model, 16);
        float *w = embed_pixels(other, model, (gvm_view)v, pixels, N);
        expect_near(x, w, N * D);
        gvm_session_free(other);
        expect_ok(gvm_set_threads(threads, &err), &err);
        free(pixels);
        free(x);
        free(y);
        free(z);
        free(w);
    }
    gvm_model_free(model);
}

/* Valid and invalid files in one list, with lengths around the batch size: valid ones give the same features as alone.
 */
static void test_files(void **state)
{
    (void)state;
    static const char *const kinds[] = {"examples/demo/street/1.png",
                                        "tests/nothing.png",
                                        "examples/demo/street/2.png",
                                        "examples/demo/aerial/1.png",
                                        "tests",
                                        "examples/demo/street/3.png",
                                        WEIGHTS};
    static const gvm_status wants[] = {GVM_OK, GVM_FILE, GVM_OK, GVM_PANORAMA, GVM_FILE, GVM_OK, GVM_IMAGE};
    enum { KINDS = 7, MOST = 23 };
    gvm_model *model = open_model(WEIGHTS);
    size_t D = feature_length(model);
    gvm_session *session = open_session(model, 4);
    float *one = calloc(KINDS, D * sizeof *one), *features = malloc(MOST * D * sizeof *features);
    unsigned char *pixels = malloc(view_pixels(model, GVM_STREET) * 3);
    gvm_error err;
    for (int k = 0; k < KINDS; k++) {
        gvm_status status = gvm_load_picture(model, GVM_STREET, pixels, kinds[k], NULL, 0, &err);
        assert_int_equal(status, wants[k]);
        if (status == GVM_OK) expect_ok(gvm_embed_pixels(session, GVM_STREET, one + k * D, pixels, 1, &err), &err);
    }
    for (size_t n = 1; n <= MOST; n++) {
        const char *paths[MOST];
        struct calls calls = {0};
        for (size_t i = 0; i < n; i++) paths[i] = kinds[i * 3 % KINDS];
        memset(features, 0xff, MOST * D * sizeof *features);
        gvm_status status = embed_streets(session, features, paths, NULL, n, note_file, &calls, &err);
        if (n == 1)
            expect_ok(status, &err);
        else
            expect_failure(status, GVM_PANORAMA, &err, "1.png: "); /* the first failure */
        assert_int_equal(calls.next, n);
        assert_int_equal(calls.count, n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(calls.statuses[i], wants[i * 3 % KINDS]);
            if (calls.statuses[i] == GVM_OK)
                assert_string_equal(calls.texts[i], "");
            else
                assert_non_null(strstr(calls.texts[i], paths[i]));
            expect_near(features + i * D, one + i * 3 % KINDS * D, D); /* zeros for failed ones */
        }
    }
    free(pixels);
    free(features);
    free(one);
    gvm_session_free(session);
    gvm_model_free(model);
}

/* Headings from the picture, from the caller, and north. */
static void test_headings(void **state)
{
    (void)state;
    gvm_model *model = open_model(WEIGHTS);
    gvm_session *session = open_session(model, 8);
    const char *const paths[] = {streets[2], streets[2], streets[2], streets[0], streets[0]}; /* 3.png looks east */
    const double headings[] = {NAN, 90, 0, NAN, 0};
    size_t D = feature_length(model);
    float *x = malloc(5 * D * sizeof *x);
    gvm_error err;
    expect_ok(embed_streets(session, x, paths, headings, 5, NULL, NULL, &err), &err);
    expect_near(x, x + D, D);
    expect_near(x + 3 * D, x + 4 * D, D);
    float difference = 0;
    for (size_t i = 0; i < D; i++) difference = fmaxf(difference, fabsf(x[i] - x[2 * D + i]));
    assert_true(difference > 1e-4f);
    free(x);
    gvm_session_free(session);
    gvm_model_free(model);
}

/* ------------------------------------------------------------------ threads */

struct job {
    const gvm_model *model;
    gvm_view view;
    const unsigned char *pixels;
    const float *want;
    bool same;
};

static void *embed_again(void *argument)
{
    enum { N = 5 };
    struct job *j = argument;
    size_t D = feature_length(j->model);
    float *x = malloc(N * D * sizeof *x);
    gvm_session *session = NULL;
    j->same = gvm_session_open(&session, j->model, 4, NULL) == GVM_OK;
    for (int i = 0; i < 5 && j->same; i++)
        j->same = gvm_embed_pixels(session, j->view, x, j->pixels, N, NULL) == GVM_OK &&
                  memcmp(x, j->want, N * D * sizeof *x) == 0;
    gvm_session_free(session);
    free(x);
    return NULL;
}

/* Two sessions on two threads share a model without affecting each other. */
static void test_two_sessions(void **state)
{
    (void)state;
    gvm_model *model = open_model(WEIGHTS);
    gvm_session *session = open_session(model, 4);
    struct job jobs[2];
    pthread_t threads[2];
    unsigned char *pixels[2];
    float *want[2];
    for (int v = 0; v < 2; v++) {
        pixels[v] = some_pixels(model, (gvm_view)v, 5);
        want[v] = embed_pixels(session, model, (gvm_view)v, pixels[v], 5);
        jobs[v] = (struct job){model, (gvm_view)v, pixels[v], want[v], false};
    }
    gvm_session_free(session);
    for (int v = 0; v < 2; v++) assert_int_equal(pthread_create(&threads[v], NULL, embed_again, &jobs[v]), 0);
    for (int v = 0; v < 2; v++) {
        pthread_join(threads[v], NULL);
        assert_true(jobs[v].same);
        free(pixels[v]);
        free(want[v]);
    }
    gvm_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process),       cmocka_unit_test(test_about),        cmocka_unit_test(test_bad_weights),
        cmocka_unit_test(test_bad_arguments), cmocka_unit_test(test_pixels),       cmocka_unit_test(test_files),
        cmocka_unit_test(test_headings),      cmocka_unit_test(test_two_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
