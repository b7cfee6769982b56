/* test_street.c - pictures of any camera as input of weights for panoramas with visibility: the way of each picture,
 * its camera, and what the user knows of it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "api_support.h"

#define SEEN "tests/golden/net_seen.safetensors"
#define PHOTO "examples/demo/aerial/1.png" /* a square without metadata: of 61 degrees, if nothing is known */
#define TILES "examples/demo/tiles.csv"

enum { H = 32, W = 160, PATCHES = H / 4 * (W / 4), BYTES = H * W * 3 + PATCHES };

static gvm_model *model;
static gvm_error err;

static int open_all(void **state)
{
    (void)state;
    return gvm_model_open(&model, SEEN, &err) == GVM_OK ? 0 : 1;
}

static int free_all(void **state)
{
    (void)state;
    gvm_model_free(model);
    return 0;
}

static gvm_picture *open_picture(const char *path)
{
    gvm_picture *picture;
    expect_ok(
        gvm_picture_open(&picture, &(gvm_picture_options){.size = sizeof(gvm_picture_options), .path = path}, &err),
        &err);
    return picture;
}

/* The input of a picture; returns its camera. */
static gvm_camera street(unsigned char pixels[BYTES], const char *path, gvm_street_options o)
{
    gvm_picture *picture = open_picture(path);
    gvm_camera camera = {.size = sizeof camera};
    int count;
    o.size = sizeof o;
    o.room = 1;
    expect_ok(gvm_picture_street(picture, model, pixels, &o, &camera, &count, &err), &err);
    assert_int_equal(count, 1);
    gvm_picture_free(picture);
    return camera;
}

static void refuse(const char *path, gvm_street_options o, gvm_status status, const char *words)
{
    gvm_picture *picture = open_picture(path);
    unsigned char pixels[BYTES];
    int count;
    o.size = sizeof o;
    o.room = 1;
    expect_failure(gvm_picture_street(picture, model, pixels, &o, NULL, &count, &err), status, &err, words);
    assert_int_equal(count, 0);
    gvm_picture_free(picture);
}

/* The number of seen patches, and the mean azimuth of their columns, degrees; of a photo that does not look south. */
static int seen(double *middle, const unsigned char pixels[BYTES])
{
    int count = 0;
    double sum = 0;
    for (int i = 0; i < PATCHES; i++) {
        int patch = pixels[H * W * 3 + i];
        assert_true(patch == 0 || patch == 1);
        count += patch;
        sum += patch * (360.0 * ((i % (W / 4) + 0.5) / (W / 4) - 0.5));
    }
    *middle = sum / count;
    return count;
}

/* Full panoramas have the pixels of weights without visibility, and all is seen of them. */
static void test_panoramas(void **state)
{
    (void)state;
    static const double turned = 77;
    static unsigned char pixels[BYTES], old[BYTES];
    gvm_model *plain = open_model(WEIGHTS);
    double middle;
    for (int i = 0; i < 8; i++) {
        const double *heading = i < 4 ? NULL : &turned;
        gvm_camera camera = street(pixels, streets[i % 4], (gvm_street_options){.heading = heading});
        assert_int_equal(camera.lens, GVM_LENS_SPHERE);
        assert_true(camera.fov == 360);
        gvm_picture *picture = open_picture(streets[i % 4]);
        gvm_part part, was;
        expect_ok(gvm_picture_fit(picture, plain, GVM_STREET, old, heading, 0, &err), &err);
        assert_memory_equal(pixels, old, H * W * 3);
        assert_int_equal(seen(&middle, pixels), PATCHES);
        expect_ok(gvm_picture_part(picture, plain, GVM_STREET, &was, heading, 0, &err), &err);
        expect_ok(gvm_picture_part(picture, model, GVM_STREET, &part, heading, 0, &err), &err);
        assert_memory_equal(&part, &was, sizeof part);
        gvm_picture_free(picture);
    }
    gvm_camera camera = street(pixels, PHOTO, (gvm_street_options){.panorama = GVM_AS_PANORAMA});
    assert_true(camera.lens == GVM_LENS_SPHERE && camera.fov == 360);
    camera = street(pixels, streets[0], (gvm_street_options){.panorama = GVM_AS_PHOTO});
    assert_true(camera.lens == GVM_LENS_PINHOLE && camera.fov < 170);
    assert_true(seen(&middle, pixels) < PATCHES / 2);
    gvm_camera none = {.size = sizeof none, .fov = 3};
    gvm_picture *picture = open_picture(streets[0]);
    int count;
    expect_ok(gvm_picture_street(picture, plain, old,
                                 &(gvm_street_options){.size = sizeof(gvm_street_options), .room = 1}, &none, &count,
                                 &err),
              &err);
    assert_true(none.lens == GVM_LENS_FOUND && none.fov == 0);
    gvm_picture_free(picture);
    gvm_model_free(plain);
}

/* A photo lies around its heading, as wide as its field of view. */
static void test_photos(void **state)
{
    (void)state;
    static unsigned char pixels[BYTES];
    static const double headings[] = {0, 30, -60, 117};
    double middle;
    gvm_camera camera = street(pixels, PHOTO, (gvm_street_options){.room = 1});
    assert_true(camera.fov_from == GVM_SOURCE_ASSUMED && camera.heading_from == GVM_SOURCE_NONE);
    int least = seen(&middle, pixels);
    assert_true(least > 0 && fabs(middle) < 0.1);
    for (int i = 0; i < 4; i++) {
        const gvm_camera_options wishes = {.size = sizeof wishes, .fov = 90, .heading = &headings[i]};
        camera = street(pixels, PHOTO, (gvm_street_options){.camera = &wishes});
        assert_true(camera.fov_from == GVM_SOURCE_OPTION && fabs(camera.fov - 90) < 1e-9);
        assert_true(seen(&middle, pixels) > least && fabs(middle - headings[i]) < 3);
        street(pixels, PHOTO, (gvm_street_options){.camera = &wishes, .heading = &(double){45}});
        seen(&middle, pixels);
        assert_true(fabs(middle - 45) < 3);
    }
    gvm_picture *picture = open_picture(PHOTO);
    gvm_part part;
    expect_failure(gvm_picture_part(picture, model, GVM_STREET, &part, NULL, 0, &err), GVM_ARGUMENT, &err, "canvas");
    gvm_picture_free(picture);
}

static void test_refusals(void **state)
{
    (void)state;
    gvm_camera_options wishes = {.size = sizeof wishes, .fov = 20};
    const gvm_street_options o = {.camera = &wishes};
    refuse(PHOTO, o, GVM_IMAGE, "20.0 degrees is too narrow");
    wishes.fov = 0.5;
    refuse(PHOTO, o, GVM_ARGUMENT, "invalid field of view");
    wishes.fov = 0;
    wishes.pitch = &(double){89};
    refuse(PHOTO, o, GVM_IMAGE, "it shows nothing between");
    wishes.size = 0;
    refuse(PHOTO, o, GVM_ARGUMENT, "set it to its sizeof");
    refuse(PHOTO, (gvm_street_options){.heading = &(double){INFINITY}}, GVM_ARGUMENT, "a finite number of degrees");
    refuse(PHOTO, (gvm_street_options){.panorama = 3}, GVM_ARGUMENT, "0, 1 or 2");
}

/* A question's heading goes before the camera's, which goes before the picture's. */
static void test_questions(void **state)
{
    (void)state;
    static unsigned char pixels[BYTES];
    gvm_picture *picture = open_picture("examples/demo/street/3.png"); /* 90 degrees by its metadata */
    const gvm_camera_options wishes = {.size = sizeof wishes, .heading = &(double){-30}};
    const struct {
        double heading;
        const gvm_camera_options *camera;
        double want;
        gvm_source from;
    } cases[] = {{NAN, NULL, 90, GVM_SOURCE_GPANO},
                 {NAN, &wishes, 330, GVM_SOURCE_OPTION},
                 {-10, &wishes, 350, GVM_SOURCE_OPTION},
                 {INFINITY, &wishes, 0, GVM_SOURCE_NONE},
                 {INFINITY, NULL, 0, GVM_SOURCE_NONE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const gvm_question q = {.photo = "3.png", .heading = cases[i].heading, .camera = cases[i].camera};
        gvm_camera camera = {.size = sizeof camera};
        gvm_located photo = {.size = sizeof photo, .question = &q, .pixels = pixels, .camera = &camera};
        expect_ok(gvm_located_prepare(&photo, picture, model), &photo.err);
        assert_true(camera.heading == cases[i].want);
        assert_int_equal(camera.heading_from, cases[i].from);
        gvm_located old = photo; /* of a program compiled before there was a camera */
        old.size = offsetof(gvm_located, camera);
        old.camera = NULL;
        expect_ok(gvm_located_prepare(&old, picture, model), &old.err);
        assert_true(old.heading == photo.heading);
    }
    gvm_picture_free(picture);
}

static gvm_camera found[2];

static void note_camera(void *user, size_t index, size_t count, const gvm_located *photo)
{
    (void)user, (void)count;
    found[index] = *photo->camera;
}

/* Files are embedded and located with their cameras. */
static void test_files(void **state)
{
    (void)state;
    static unsigned char pixels[2 * BYTES];
    const gvm_camera_options wide = {.size = sizeof wide, .fov = 100}, *const wishes[] = {&wide, NULL};
    const char *const paths[] = {PHOTO, PHOTO};
    gvm_session *session = open_session(model, 2);
    gvm_camera cameras[2] = {{.size = sizeof cameras[0]}, {.size = sizeof cameras[1]}};
    gvm_camera *const used[] = {&cameras[0], &cameras[1]};
    size_t D = feature_length(model);
    float *rows = calloc(4 * D, sizeof *rows);
    const gvm_embed_job job = {.size = sizeof job,
                               .view = GVM_STREET,
                               .paths = paths,
                               .count = 2,
                               .features = rows,
                               .cameras = wishes,
                               .used = used};
    expect_ok(gvm_embed_files(session, &job, &err), &err);
    assert_true(cameras[0].fov_from == GVM_SOURCE_OPTION && cameras[1].fov_from == GVM_SOURCE_ASSUMED);
    for (int i = 0; i < 2; i++) street(pixels + i * BYTES, PHOTO, (gvm_street_options){.camera = wishes[i]});
    expect_ok(gvm_embed_pixels(session, GVM_STREET, rows + 2 * D, pixels, 2, &err), &err);
    assert_memory_equal(rows, rows + 2 * D, 2 * D * sizeof *rows);
    assert_memory_not_equal(rows, rows + D, D * sizeof *rows);

    gvm_map *map;
    gvm_hit hits[2];
    gvm_found answers[2];
    expect_ok(gvm_map_from_tiles(&map, session, TILES, NULL, NULL, &err), &err);
    const gvm_question questions[] = {{.photo = PHOTO, .heading = 20, .camera = &wide},
                                      {.photo = PHOTO, .heading = NAN}};
    const gvm_locate_job locating = {.size = sizeof locating,
                                     .questions = questions,
                                     .count = 2,
                                     .max_hits = 1,
                                     .hits = hits,
                                     .found = answers,
                                     .done = note_camera};
    expect_ok(gvm_locate_files(session, map, &locating, &err), &err);
    assert_true(fabs(found[0].fov - 100) < 1e-9 && found[0].heading == 20 && hits[0].heading == 20);
    assert_true(found[1].fov_from == GVM_SOURCE_ASSUMED && found[1].heading_from == GVM_SOURCE_NONE);
    assert_true(!answers[0].heading_found && answers[1].heading_found);
    gvm_map_free(map);
    gvm_session_free(session);
    free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_panoramas), cmocka_unit_test(test_photos),
                                       cmocka_unit_test(test_refusals), cmocka_unit_test(test_questions),
                                       cmocka_unit_test(test_files)};
    return cmocka_run_group_tests(tests, open_all, free_all);
}
