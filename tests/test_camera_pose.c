/* test_camera_pose.c - heading, pitch and roll from each kind of metadata */
#include "image/camera_read.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "camera_support.h"
#include "geo/declination.h"

#define HELD(space, prefix, properties) "<x xmlns:" prefix "='" space "'><rdf:Description " properties "/></x>"
#define PIX4D "http://pix4d.com/camera/1.0"
#define DRONE "http://www.dji.com/drone-dji/1.0/"

static void poses(void **state)
{
    (void)state;
    const struct {
        const char *xmp;
        int orientation;
        double pose[3]; /* heading, pitch, roll; NaN: unknown */
        gvm_source from;
        unsigned doubts;
    } cases[] = {
        {HELD(PIX4D, "Camera", "Camera:Yaw='-30' Camera:Pitch='85' Camera:Roll='2.5'"),
         1,
         {330, -5, 2.5},
         GVM_SOURCE_XMP,
         0},
        {HELD(DRONE, "drone-dji",
              "drone-dji:GimbalYawDegree='+123.40' drone-dji:GimbalPitchDegree='-12.00' "
              "drone-dji:GimbalRollDegree='+0.00'"),
         1,
         {123.4, -12, 0},
         GVM_SOURCE_XMP,
         0},
        {HELD(PIX4D, "Camera", "Camera:Pitch='200' Camera:Roll='181' Camera:Yaw='nan'"),
         1,
         {NAN, NAN, NAN},
         GVM_SOURCE_XMP,
         0},
        {HELD(PIX4D, "Camera", "Camera:Pitch='90' Camera:Roll='90'"),
         6,
         {NAN, 0, NAN},
         GVM_SOURCE_XMP,
         BIT(DOUBT_ROLL)},
        {PANO(SIZES(4000, 2000, 0, 0, 4000,
                    2000) "GPano:PosePitchDegrees='-3' GPano:PoseRollDegrees='4' GPano:PoseHeadingDegrees='-90'"),
         1,
         {270, -3, 4},
         GVM_SOURCE_GPANO,
         0},
        {PANO(SIZES(4000, 2000, 0, 0, 4000, 2000) "GPano:PosePitchDegrees='91' GPano:PoseRollDegrees='inf'"),
         1,
         {NAN, NAN, NAN},
         GVM_SOURCE_GPANO,
         0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct said picture[] = {{ORIENTATION, SHORT, 1, {cases[i].orientation}, {0}, 0}, {0}};
        const struct said exif[] = {N(FILM, 26), {0}};
        struct image image = picture_of(4000, 2000, picture, exif, NULL, cases[i].xmp);
        struct camera_facts f = read_camera(&image, NULL);
        const double pose[] = {f.camera.heading, f.camera.pitch, f.camera.roll};
        const gvm_source from[] = {f.heading_from, f.pitch_from, f.roll_from};
        for (int k = 0; k < 3; k++) {
            bool known = !isnan(cases[i].pose[k]);
            if (from[k] != (known ? cases[i].from : GVM_SOURCE_NONE) ||
                !(fabs(pose[k] - (known ? cases[i].pose[k] : 0)) < 1e-9))
                fail_msg("case %zu, angle %d: %g from %d", i, k, pose[k], from[k]);
        }
        assert_int_equal(f.doubts, cases[i].doubts);
    }
}

/* Apple's note with one tag, big-endian. */
static size_t write_note(char note[64], const double g[3], int count)
{
    static const char head[] = "Apple iOS\0\0\1MM\0\1\0\10\0\12\0\0\0";
    memset(note, 0, 64);
    memcpy(note, head, 23);
    note[21] = 0, note[22] = 0;
    note[23] = (char)count; /* of values, at offset 32 */
    note[27] = 32;
    for (int i = 0; i < 3; i++) {
        int32_t n = (int32_t)lround(g[i] * 100000), parts[2] = {n, 100000};
        for (int k = 0; k < 8; k++) note[32 + 8 * i + k] = (char)((uint32_t)parts[k / 4] >> (8 * (3 - k % 4)));
    }
    return 56;
}

static struct camera_facts read_phone(const double g[3], int orientation, const char *lens)
{
    char note[64];
    const struct said picture[] = {{ORIENTATION, SHORT, 1, {orientation}, {0}, 0}, {0}};
    const struct said exif[] = {N(FILM, 26),
                                {NOTE, TEXT, (int)write_note(note, g, 3), {0}, {0}, note},
                                {LENS, TEXT, (int)strlen(lens) + 1, {0}, {0}, lens},
                                {0}};
    struct image image = picture_of(4000, 3000, picture, exif, NULL, NULL);
    return read_camera(&image, NULL);
}

/* For a phone held in each of four ways: down in the camera's axes, by camera_axes, turned back by the orientation, is
 * what the phone's sensor reports. */
static void accelerations(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        for (double pitch = -50; pitch <= 50; pitch += 25)
            for (double roll = -40; roll <= 40; roll += 20) {
                const int orientation = (const int[]){1, 6, 3, 8}[i];
                struct camera held = {.heading = 77, .pitch = pitch, .roll = roll};
                double axes[3][3], right, down;
                camera_axes(axes, &held);
                right =
                    -axes[0][2]; /* of the upright picture; turned counterclockwise i times it is the stored one's */
                down = -axes[1][2];
                for (int turn = 0; turn < i; turn++) {
                    double before = right;
                    right = down;
                    down = -before;
                }
                const double g[] = {-down, -right, axes[2][2]}; /* its right is the stored picture's upper side */
                struct camera_facts f = read_phone(g, orientation, "iPhone 6 back camera 4.15mm f/2.2");
                if (!(fabs(f.camera.pitch - pitch) < 0.01 && fabs(f.camera.roll - roll) < 0.01) ||
                    f.pitch_from != GVM_SOURCE_ACCELERATION || f.roll_from != GVM_SOURCE_ACCELERATION || f.doubts != 0)
                    fail_msg("orientation %d, pitch %g, roll %g: %g, %g", orientation, pitch, roll, f.camera.pitch,
                             f.camera.roll);
            }
    /* As phones wrote it: a landscape picture, slightly down; an upright one, far down. */
    struct camera_facts f = read_phone((const double[]){-0.97132, 0.0518, -0.11773}, 1, "back");
    assert_true(fabs(f.camera.pitch + 6.9) < 0.1 && fabs(f.camera.roll + 3.1) < 0.1);
    f = read_phone((const double[]){0.07994, -0.86486, -0.47642}, 6, "back");
    assert_true(fabs(f.camera.pitch + 28.7) < 0.1 && fabs(f.camera.roll - 5.3) < 0.1);

    f = read_phone((const double[]){0, -1, 0}, 1, "back"); /* contradicts the orientation */
    assert_true(f.pitch_from == GVM_SOURCE_NONE && f.camera.roll == 0 && f.doubts == BIT(DOUBT_TILT));
    f = read_phone((const double[]){0, 1, 0}, 6, "back");
    assert_true(f.pitch_from == GVM_SOURCE_NONE && f.doubts == BIT(DOUBT_TILT));
    f = read_phone((const double[]){0, -1, 0}, 6, "iPhone 6 front camera 2.65mm f/2.2");
    assert_true(f.pitch_from == GVM_SOURCE_NONE && f.doubts == 0);
    f = read_phone((const double[]){0, -1.4, 0}, 6, "back"); /* moved */
    assert_true(f.pitch_from == GVM_SOURCE_NONE && f.doubts == 0);
    f = read_phone((const double[]){0, -1, 0}, 5, "back"); /* mirrored */
    assert_true(f.pitch_from == GVM_SOURCE_NONE && f.doubts == 0);
}

/* ------------------------------------------------------------------ heading */

#define PLACE T(1, "N"), R(2, RATIONAL, 51, 1, 30, 1, 0, 1), T(3, "W"), R(4, RATIONAL, 0, 1, 6, 1, 0, 1)

static void headings(void **state)
{
    (void)state;
    const struct said true_north[] = {PLACE, T(16, "T"), N(17, 359), {0}};
    const struct said magnetic[] = {PLACE, T(16, "M"), N(17, 359), {0}}, nowhere[] = {T(16, "M"), N(17, 359), {0}};
    const struct said taken[] = {T(TAKEN, "2022:07:02 10:00:00"), {0}}, old[] = {T(TAKEN, "1999:01:01 10:00:00"), {0}};
    struct image image = picture_of(400, 300, NULL, taken, true_north, NULL);
    struct camera_facts f = read_camera(&image, NULL);
    assert_true(f.camera.heading == 359 && f.heading_from == GVM_SOURCE_EXIF && !f.magnetic && f.year == 0);

    image = picture_of(400, 300, NULL, taken, magnetic, NULL);
    f = read_camera(&image, NULL);
    double d;
    assert_true(declination(&d, 51.5, -0.1, 2022.5) && fabs(d) > 0.4);
    assert_true(f.magnetic && fabs(f.year - 2022.5) < 0.01 && fabs(f.declination - d) < 0.01);
    assert_true(fabs(f.camera.heading - fmod(359 + d, 360)) < 0.01 && !(f.doubts & BIT(DOUBT_YEAR)));
    double heading = -10;
    f = read_camera(&image, &(gvm_camera_options)OPTIONS(.heading = &heading));
    assert_true(f.camera.heading == 350 && f.heading_from == GVM_SOURCE_OPTION && !f.magnetic);

    image = picture_of(400, 300, NULL, old, magnetic, NULL);
    f = read_camera(&image, NULL);
    assert_true(f.magnetic && f.year == 1999 && (f.doubts & BIT(DOUBT_YEAR)));
    image = picture_of(400, 300, NULL, NULL, magnetic, NULL); /* now */
    f = read_camera(&image, NULL);
    assert_true(f.magnetic && f.year > 2024 && fabs(f.declination) < 20);
    image = picture_of(400, 300, NULL, NULL, nowhere, NULL);
    f = read_camera(&image, NULL);
    assert_true(f.magnetic && f.camera.heading == 359 && f.year == 0 && (f.doubts & BIT(DOUBT_NORTH)));

    const char *const dates[] = {"2022:13:02", "2022:00:02", "0000:00:00 00:00:00", "    :  :", "",
                                 "9999:01:01", "2022"};
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        const struct said exif[] = {{TAKEN, TEXT, (int)strlen(dates[i]) + 1, {0}, {0}, dates[i]}, {0}};
        image = picture_of(400, 300, NULL, exif, NULL, NULL);
        assert_true(image.exif.year == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(poses), cmocka_unit_test(accelerations),
                                       cmocka_unit_test(headings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
