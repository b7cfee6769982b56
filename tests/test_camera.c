/* test_camera.c - projection of a camera: known pixels, signs of the pose, the inverse, and numbers that are no
 * camera's
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "image/camera.h"
#include "turn_support.h"

static const double DEGREE = 180 / M_PI;

static void expect_at(const struct camera *camera, double azimuth, double elevation, double x, double y)
{
    double px, py;
    assert_true(camera_project(&px, &py, camera, azimuth, elevation));
    if (!(hypot(px - x, py - y) < 1e-9))
        fail_msg("%g, %g is at %.12g, %.12g instead of %.12g, %.12g", azimuth, elevation, px, py, x, y);
}

static void expect_beyond(const struct camera *camera, double azimuth, double elevation)
{
    double x, y;
    assert_false(camera_project(&x, &y, camera, azimuth, elevation));
}

/* ------------------------------------------------------------------ known pixels */

static void test_pinhole(void **state)
{
    (void)state;
    struct camera c = {.lens = LENS_PINHOLE, .width = 400, .height = 300, .focal = 200, .heading = 30};
    expect_at(&c, 30, 0, 200, 150);
    expect_at(&c, 75, 0, 400, 150); /* 45 degrees to the right: a focal length */
    expect_at(&c, 30, 45, 200, -50);
    expect_at(&c, -15, 0, 0, 150);
    expect_beyond(&c, 120.1, 0);
    expect_beyond(&c, 210, 0);
    assert_true(fabs(camera_fov(&c) - 90) < 1e-12);
    c.k1 = 0.1, c.k2 = 0.01; /* at 45 degrees r = 1 */
    expect_at(&c, 75, 0, 200 + 200 * 1.11, 150);
    assert_true(camera_fov(&c) < 90 && camera_fov(&c) > 84);
}

/* r (1 - r^2 / 3) rises up to r = 1, 45 degrees. */
static void test_fold(void **state)
{
    (void)state;
    const struct camera c = {.lens = LENS_PINHOLE, .width = 400, .height = 300, .focal = 200, .k1 = -1.0 / 3};
    double azimuth, elevation;
    expect_at(&c, 44.999999, 0, 200 + 200 * 2.0 / 3, 150);
    expect_beyond(&c, 45.1, 0);
    expect_beyond(&c, 0, 46);
    assert_true(camera_direction(&azimuth, &elevation, &c, 333.333333, 150) && fabs(azimuth - 45) < 0.01);
    assert_false(camera_direction(&azimuth, &elevation, &c, 333.34, 150));
    assert_true(fabs(camera_fov(&c) - 90) < 1e-9); /* the picture's borders show nothing */
}

static void test_other_lenses(void **state)
{
    (void)state;
    const struct camera fish = {.lens = LENS_FISHEYE, .width = 400, .height = 400, .focal = 200 / M_PI, .heading = 90};
    expect_at(&fish, 180, 0, 300, 200);
    expect_at(&fish, 0, 0, 100, 200);
    expect_at(&fish, 0, 90, 200, 100);
    assert_true(fabs(camera_fov(&fish) - 360) < 1e-9);
    struct camera sweep = {.lens = LENS_CYLINDER, .width = 600, .height = 100, .focal = 600 / M_PI, .heading = 10};
    expect_at(&sweep, 100, 0, 600, 50);
    expect_at(&sweep, -80, 0, 0, 50);
    expect_at(&sweep, 10, 45, 300, 50 - 600 / M_PI);
    assert_true(fabs(camera_fov(&sweep) - 180) < 1e-9);
    sweep.full_height = 400, sweep.top = 120; /* a horizon at row 80 */
    expect_at(&sweep, 10, 0, 300, 80);
}

/* A quarter of 4000 x 2000, its centre at longitude 45 and latitude -9 of the sphere. */
static void test_sphere(void **state)
{
    (void)state;
    struct camera c = {.lens = LENS_SPHERE,
                       .width = 1000,
                       .height = 800,
                       .full_width = 4000,
                       .full_height = 2000,
                       .left = 2000,
                       .top = 700,
                       .heading = 45};
    expect_at(&c, 45, -9, 500, 400);
    expect_at(&c, 0, 0, 0, 300);
    expect_at(&c, 90, -63, 1000, 1000);
    assert_true(fabs(camera_fov(&c) - 90) < 1e-12);
    c.pitch = 10; /* the sphere's own centre, heading 0, looks up */
    expect_at(&c, 0, 10, 0, 300);
    c.pitch = 0, c.left = 3900; /* continues over the seam */
    expect_at(&c, 45 + 44, 0, 500 + 44 / 0.09, 300);
    expect_at(&c, 45 - 44, 0, 500 - 44 / 0.09, 300);
}

/* ------------------------------------------------------------------ pose */

/* From level and north: by the heading, then up, then to the right. */
static void test_axes(void **state)
{
    (void)state;
    double axes[3][3];
    for (int n = 0; n < 100; n++) {
        double pose[3];
        for (int k = 0; k < 3; k++) pose[k] = 180 * (random_uniform(5, (uint64_t)k, (uint64_t)n) - 0.5);
        const struct camera c = {.width = 4, .height = 3, .heading = 2 * pose[0], .pitch = pose[1], .roll = pose[2]};
        double right[3] = {1, 0, 0}, up[3] = {0, 0, 1}, ahead[3] = {0, 1, 0};
        turn(ahead, right, c.heading);
        turn(ahead, up, c.pitch);
        turn(up, right, c.roll);
        camera_axes(axes, &c);
        for (int k = 0; k < 3; k++) {
            assert_true(fabs(axes[0][k] - right[k]) < 1e-12 && fabs(axes[1][k] + up[k]) < 1e-12);
            assert_true(fabs(axes[2][k] - ahead[k]) < 1e-12);
        }
    }
}

static void test_signs(void **state)
{
    (void)state;
    double x, y;
    struct camera c = {.lens = LENS_PINHOLE, .width = 400, .height = 300, .focal = 200, .pitch = 10};
    assert_true(camera_project(&x, &y, &c, 0, 0) && y > 150.1); /* pitched up: the horizon is low */
    c.pitch = 0, c.roll = 10;
    assert_true(camera_project(&x, &y, &c, 20, 0) && y < 149.9); /* rolled clockwise: it rises to the right */
    assert_true(camera_project(&x, &y, &c, -20, 0) && y > 150.1);
}

/* ------------------------------------------------------------------ the inverse */

static double draw(int number, int what, double low, double high)
{
    return low + (high - low) * random_uniform(11, (uint64_t)what, (uint64_t)number);
}

static struct camera draw_camera(int n)
{
    double w = floor(draw(n, 0, 200, 6000)), h = floor(draw(n, 1, 200, 6000)), full = fmax(h, w * draw(n, 2, 1, 6));
    struct camera c = {.lens = (enum lens)(n % 4),
                       .width = w,
                       .height = h,
                       .focal = fmax(w, h) / draw(n, 3, 0.4, n % 4 == LENS_PINHOLE ? 4 : 6),
                       .k1 = n % 8 == 4 ? draw(n, 4, -0.4, 0.4) : 0,
                       .k2 = n % 8 == 4 ? draw(n, 5, -0.1, 0.2) : 0,
                       .heading = draw(n, 6, -400, 400),
                       .pitch = draw(n, 7, -90, 90),
                       .roll = draw(n, 8, -180, 180),
                       .full_width = full};
    if (c.lens == LENS_SPHERE) {
        c.full_height = fmax(full / 2, h);
        c.left = draw(n, 9, 0, full);
        c.top = draw(n, 10, 0, c.full_height - h);
    }
    return c;
}

/* Near its poles a sphere's column, and near the angle 180 degrees a fisheye's, do not depend on the direction. */
static bool is_pole(const double own[3], const struct camera *c)
{
    double length = sqrt(own[0] * own[0] + own[1] * own[1] + own[2] * own[2]);
    return (c->lens == LENS_SPHERE && fabs(own[1]) > 0.9999 * length) ||
           (c->lens == LENS_FISHEYE && own[2] < -0.9999 * length);
}

/* A position in the picture: *worst, the greatest error in pixels. Returns whether the position shows a direction. */
static bool try_position(double *worst, const struct camera *c, double x, double y)
{
    double own[3], px, py, azimuth, elevation;
    if (!camera_ray(own, c, x, y) || is_pole(own, c)) return false;
    assert_true(camera_direction(&azimuth, &elevation, c, x, y));
    if (!camera_project(&px, &py, c, azimuth, elevation)) return false;
    *worst = fmax(*worst, hypot(px - x, py - y));
    return true;
}

static void test_positions(void **state)
{
    (void)state;
    enum { CAMERAS = 8000, EACH = 20 };
    double worst = 0;
    int shown = 0;
    for (int n = 0; n < CAMERAS; n++) {
        const struct camera c = draw_camera(n);
        assert_int_equal(camera_check(&c, "a", NULL), GVM_OK);
        for (int k = 0; k < EACH; k++)
            shown += try_position(&worst, &c, draw(n, 20 + 2 * k, 0, c.width), draw(n, 21 + 2 * k, 0, c.height));
    }
    print_message("%d positions, at most %.1e pixels off\n", shown, worst);
    assert_true(worst < 1e-9 && shown > CAMERAS * EACH * 0.8);
}

static double apart(double a1, double e1, double a2, double e2)
{
    double x = cos(e1 / DEGREE) * cos(e2 / DEGREE) * sin((a2 - a1) / DEGREE), c = cos((a2 - a1) / DEGREE);
    double y = cos(e1 / DEGREE) * sin(e2 / DEGREE) - sin(e1 / DEGREE) * cos(e2 / DEGREE) * c;
    double z = sin(e1 / DEGREE) * sin(e2 / DEGREE) + cos(e1 / DEGREE) * cos(e2 / DEGREE) * c;
    return atan2(hypot(x, y), z) * DEGREE;
}

/* Directions that fall in the picture, over all lenses. A lens that bends is steep nowhere, so the error is small,
 * except at the fold. */
static void test_directions(void **state)
{
    (void)state;
    enum { CAMERAS = 4000, EACH = 30 };
    double worst = 0;
    int shown = 0;
    for (int n = 0; n < CAMERAS; n++) {
        const struct camera c = draw_camera(n);
        for (int k = 0; k < EACH; k++) {
            double azimuth = draw(n, 100 + 2 * k, -180, 180), elevation = draw(n, 101 + 2 * k, -89, 89), x, y, a, e;
            if (!camera_project(&x, &y, &c, azimuth, elevation)) continue;
            if (!(x >= 0 && x <= c.width && y >= 0 && y <= c.height)) continue;
            shown++;
            assert_true(camera_direction(&a, &e, &c, x, y));
            worst = fmax(worst, apart(azimuth, elevation, a, e));
        }
    }
    print_message("%d directions, at most %.1e degrees off\n", shown, worst);
    assert_true(worst < 1e-6 && shown > CAMERAS * EACH / 20);
}

/* ------------------------------------------------------------------ no cameras */

static void set(struct camera *c, int field, double value)
{
    double *const fields[] = {&c->width, &c->height, &c->focal, &c->k1,         &c->k2,          &c->heading,
                              &c->pitch, &c->roll,   &c->left,  &c->full_width, &c->full_height, &c->top};
    *fields[field] = value;
}

static bool is_used(enum lens lens, int field)
{
    if (field == 2) return lens != LENS_SPHERE;
    if (field >= 10) return lens == LENS_SPHERE || lens == LENS_CYLINDER;
    return field < 8 || lens == LENS_SPHERE;
}

static void test_absurd(void **state)
{
    (void)state;
    static const double absurd[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, -1e7, 0};
    double x, y, density[2];
    for (int field = 0; field < 12; field++)
        for (int lens = 0; lens < 4; lens++)
            for (int k = 0; k < 7; k++) {
                struct camera c = {.lens = (enum lens)lens,
                                   .width = 640,
                                   .height = 480,
                                   .focal = 500,
                                   .full_width = 1280,
                                   .full_height = 640};
                set(&c, field, absurd[k]);
                for (int d = 0; d < 20; d++) {
                    if (camera_project(&x, &y, &c, 18 * d - 180, 8 * d - 80)) assert_true(isfinite(x) && isfinite(y));
                    if (camera_direction(&x, &y, &c, 32 * d, 24 * d)) assert_true(fabs(x) <= 180 && fabs(y) <= 90);
                }
                camera_fov(&c);
                camera_density(density, &c);
                gvm_error err = {""};
                bool may_be_zero = absurd[k] == 0 && (field >= 3 && field != 9 && (field != 10 || lens != LENS_SPHERE));
                if (!is_used(c.lens, field) || may_be_zero) continue;
                assert_int_equal(camera_check(&c, "x.jpg", &err), GVM_IMAGE);
                assert_memory_equal(err.text, "x.jpg: ", 7);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pinhole),   cmocka_unit_test(test_fold),       cmocka_unit_test(test_other_lenses),
        cmocka_unit_test(test_sphere),    cmocka_unit_test(test_axes),       cmocka_unit_test(test_signs),
        cmocka_unit_test(test_positions), cmocka_unit_test(test_directions), cmocka_unit_test(test_absurd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
