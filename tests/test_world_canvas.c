/* test_world_canvas.c - a photo of the drawn town, written with its metadata, read back and put on a panorama's canvas,
 * equals the panorama that is drawn at its place */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "folder_support.h"
#include "image/camera_read.h"
#include "image/canvas.h"
#include "world/build.h"
#include "world/photo.h"
#include "world/picture.h"
#include "world/places.h"

enum { H = 128, W = 640, FINE = 4, LONGEST = 960 };

static const struct picture_shape shape = {.height = H, .width = W, .elevation = {-45, 45}, .masked = true};
static const struct shot somewhere = {.lat = 47.1, .lon = 8.2, .altitude = 400};

static struct scene scene;
static struct view view;
static uint8_t *panorama, *canvas, *visible; /* (H, W, 3), the same with visibility, (H, W) */

/* ------------------------------------------------------------------ the place */

static int draw_panorama(void **state)
{
    struct world_options options = world_defaults;
    struct place places[4];
    struct image fine = {.width = W * FINE, .height = H * FINE, .pixels = malloc((size_t)W * FINE * H * FINE * 3)};
    options.pairs = 4;
    panorama = malloc((size_t)H * W * 3);
    canvas = malloc(picture_bytes(&shape));
    visible = malloc((size_t)H * W);
    if (make_folder(state) != 0 || world_places(places, &options, NULL) != GVM_OK || picture_start(NULL) != GVM_OK)
        return 1;
    if (scene_open_street(&scene, options.seed, places[1].x, places[1].y, NULL) != GVM_OK) return 1;
    view_draw(&view, WHEN_STREET, options.seed, 1);
    view.noise = 0;
    const double heading = 0;
    const struct picture_shape plain = {.height = H, .width = W, .elevation = {-45, 45}};
    bool drawn = panorama_render(fine.pixels, fine.width, fine.height, &scene, &view, scene.site.x, scene.site.y,
                                 WORLD_CAMERA_M, heading);
    fine.gpano = (struct gpano){.full_width = fine.width,
                                .full_height = 2 * fine.height,
                                .top = fine.height / 2.0,
                                .width = fine.width,
                                .height = fine.height};
    gvm_status status = panorama_fit(panorama, &plain, &heading, CIRCLE_GIVEN, &fine, "a", NULL);
    free(fine.pixels);
    return drawn && status == GVM_OK ? 0 : 1;
}

static int leave(void **state)
{
    scene_free(&scene);
    free(panorama);
    free(canvas);
    free(visible);
    return remove_folder(state);
}

/* ------------------------------------------------------------------ a photo */

/* Draw it, write it, read it back. Lens, pitch and roll are given to the reader unless GPano has them. */
static struct image take(struct camera_facts *facts, const struct photo *photo, bool magnetic)
{
    static const gvm_lens lenses[] = {GVM_LENS_PINHOLE, GVM_LENS_FISHEYE, GVM_LENS_CYLINDER, GVM_LENS_SPHERE};
    const struct camera *c = &photo->camera;
    size_t bytes = (size_t)photo->width * (size_t)photo->height * 3;
    uint8_t *pixels = malloc(2 * bytes);
    struct shot shot = somewhere;
    struct image image;
    gvm_error err;
    shot.heading = c->heading;
    shot.magnetic = magnetic;
    assert_true(photo_render(pixels, photo, &scene, &view, scene.site.x, scene.site.y, WORLD_CAMERA_M));
    photo_store(pixels + bytes, pixels, photo);
    assert_int_equal(photo_save(in_folder("photo.jpg"), pixels + bytes, photo, &shot, NULL), GVM_OK);
    free(pixels);
    const double k[2] = {c->k1, c->k2};
    gvm_camera_options given = {.size = sizeof given, .pitch = &c->pitch, .roll = &c->roll, .lens = lenses[c->lens]};
    if (c->lens == LENS_PINHOLE) given.distortion = k;
    if (photo->focal_35mm == 0) given = (gvm_camera_options){.size = sizeof given};
    assert_int_equal(image_load(&image, in_folder("photo.jpg"), NULL), GVM_OK);
    assert_int_equal(image.width, photo->width);
    assert_int_equal(image.exif.orientation, photo->orientation);
    if (camera_read(facts, &image, &given, "photo.jpg", &err) != GVM_OK) fail_msg("%s", err.text);
    assert_int_equal(facts->magnetic, magnetic);
    return image;
}

static void expect_camera(const struct camera *read, const struct camera *drawn)
{
    assert_int_equal(read->lens, drawn->lens);
    assert_true(read->width == drawn->width && read->height == drawn->height);
    assert_true(fabs(camera_fov(read) - camera_fov(drawn)) < 0.02); /* 43.27 mm for 43.2666 */
    assert_true(fabs(remainder(read->heading - drawn->heading, 360)) < 0.006);
    assert_true(fabs(read->pitch - drawn->pitch) < 1e-6 && fabs(read->roll - drawn->roll) < 1e-6);
}

/* Mean difference of the panorama and the canvas, where all of a pixel is seen; *share, percent. */
static double unlike(double *share, const struct camera *camera, const struct image *image)
{
    double sum = 0;
    int count = 0;
    assert_int_equal(canvas_fill(canvas, visible, &shape, camera, image, "a", NULL), GVM_OK);
    for (int n = 0; n < H * W; n++) {
        if (visible[n] < 255) continue;
        for (int k = 0; k < 3; k++) sum += abs(canvas[3 * n + k] - panorama[3 * n + k]);
        count += 3;
    }
    *share = 100.0 * count / (3 * H * W);
    return sum / count;
}

/* The canvas is within 2 levels; with a heading or a roll that is off, it is not. */
static void round_trip(const struct photo *photo, bool magnetic, const char *what)
{
    struct camera_facts facts;
    double share;
    struct image image = take(&facts, photo, magnetic);
    expect_camera(&facts.camera, &photo->camera);
    double off = unlike(&share, &facts.camera, &image), moved[2];
    for (int k = 0; k < 2; k++) {
        double other;
        struct camera wrong = facts.camera;
        wrong.heading += k == 0 ? 1 : 0;
        wrong.roll += k == 1 ? 4 : 0;
        moved[k] = unlike(&other, &wrong, &image);
    }
    print_message("%s, orientation %d: %.0f%% seen, %.2f levels off; %.2f with the heading 1 degree off, %.2f with the "
                  "roll 4\n",
                  what, photo->orientation, share, off, moved[0], moved[1]);
    assert_true(off < 2 && share > 3 && moved[0] > off + 1 && moved[1] > off + 1);
    image_free(&image);
}

static struct photo draw(enum lens lens, int w, int h, double fov, int number)
{
    const struct photo_range range = {.longest = LONGEST,
                                      .fov = {fov, fov},
                                      .shapes = {{w, h}},
                                      .shape_count = 1,
                                      .pitch = 5,
                                      .roll = 5,
                                      .lens = lens,
                                      .orientation = 1};
    struct photo photo;
    photo_draw(&photo, &range, 3, number);
    return photo;
}

static void test_orientations(void **state)
{
    (void)state;
    for (int o = 1; o <= 8; o++) {
        struct photo photo = draw(LENS_PINHOLE, o % 2 ? 4 : 3, o % 2 ? 3 : 4, 70, o);
        photo.orientation = o;
        round_trip(&photo, o % 3 == 0, o % 2 ? "landscape" : "portrait");
    }
}

static void test_lenses(void **state)
{
    (void)state;
    struct photo photo = draw(LENS_PINHOLE, 16, 9, 105, 20);
    round_trip(&photo, false, "wide");
    photo.camera.k1 = -0.15, photo.camera.k2 = 0.03;
    round_trip(&photo, false, "k1 k2");
    photo = draw(LENS_FISHEYE, 1, 1, 170, 21);
    round_trip(&photo, false, "fisheye");
    photo = draw(LENS_CYLINDER, 7, 2, 200, 22);
    round_trip(&photo, false, "cylinder");
    photo.camera.roll = photo.camera.pitch = 0;
    round_trip(&photo, false, "level cylinder");
    for (int k = 0; k < 3; k++) {
        photo = draw(LENS_SPHERE, 3, 2, 150, 23 + k);
        round_trip(&photo, false, "part of a sphere");
    }
    photo = draw(LENS_SPHERE, 2, 1, 360, 26);
    round_trip(&photo, false, "tilted panorama");
}

/* All of a photo's place in its network's input. */
static void test_input(void **state)
{
    (void)state;
    struct camera_facts facts;
    struct photo photo = draw(LENS_PINHOLE, 4, 3, 67, 30);
    struct image image = take(&facts, &photo, false);
    int count = 0;
    assert_int_equal(photo_canvas_fit(canvas, &shape, &facts.camera, false, &image, "a", NULL), GVM_OK);
    for (size_t n = 0; n < seen_bytes(&shape); n++) count += picture_seen(canvas, &shape)[n];
    print_message("%d of %zu patches are seen\n", count, seen_bytes(&shape));
    assert_true(count > 420 && count < 640); /* about 120 x 75 pixels */
    image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_orientations), cmocka_unit_test(test_lenses),
                                       cmocka_unit_test(test_input)};
    return cmocka_run_group_tests(tests, draw_panorama, leave);
}
