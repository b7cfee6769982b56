/* test_locate.c - locating photos whose heading is from magnetic north, or unknown with weights that need few passes */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "geoviewmatch.h"
#include "image_support.h"
#include "network/checkpoint.h"

#define WEIGHTS "tests/golden/net_narrow.safetensors"

/* The best tile's score with a given heading, or with the photo's own if it is NaN; more results in *found and *best.
 */
static double score_of(gvm_found *found, gvm_hit *best, gvm_session *session, const gvm_map *map, double heading,
                       const char *photo)
{
    const gvm_question question = {.photo = photo, .heading = heading, .panorama = 1};
    const gvm_locate_job job = {.size = sizeof job,
                                .questions = &question,
                                .count = 1,
                                .max_hits = 1,
                                .each_tile = 1,
                                .hits = best,
                                .found = found};
    gvm_error err;
    if (gvm_locate_files(session, map, &job, &err) != GVM_OK) fail_msg("%s", err.text);
    return best->score;
}

static double score(gvm_found *found, gvm_hit *best, gvm_session *session, const gvm_map *map, double heading)
{
    return score_of(found, best, session, map, heading, in_folder("magnetic.jpg"));
}

/* Only it and its neighbours among the sixteen headings are tried, although others may score higher. */
static void magnetic(void **state)
{
    (void)state;
    static const char *const north[] = {"GPSImgDirectionRef", "M", "GPSImgDirection", "35/1", NULL};
    static const double own = 35, step = 22.5;
    struct image image;
    gvm_model *model;
    gvm_session *session;
    gvm_map *map;
    gvm_found found;
    gvm_hit hit;
    gvm_error err;
    if (image_load(&image, "examples/demo/street/2.png", &err) != GVM_OK) fail_msg("%s", err.text);
    save("magnetic.jpg", image.pixels, image.width, image.height, 3, VIPS_FORMAT_UCHAR, (struct extra){.exif = north});
    image_free(&image);
    if (gvm_model_open(&model, WEIGHTS, &err) != GVM_OK) fail_msg("%s", err.text);
    if (gvm_session_open(&session, model, 4, &err) != GVM_OK) fail_msg("%s", err.text);
    if (gvm_map_from_tiles(&map, session, "examples/demo/tiles.csv", NULL, NULL, &err) != GVM_OK)
        fail_msg("%s", err.text);

    double got = score(&found, &hit, session, map, NAN), most = -1, all = -1;
    assert_true(found.info.has_heading && found.info.heading == own && found.info.heading_is_magnetic);
    assert_int_equal(found.heading_found, 1);
    assert_true(fabs(hit.heading - own) <= step);
    for (int i = 0; i < 16; i++) {
        double one = score(&found, &hit, session, map, own + (i - 1) * step);
        assert_int_equal(found.heading_found, 0);
        all = fmax(all, one);
        if (i < 3) most = fmax(most, one);
    }
    assert_true(fabs(got - most) < 1e-6 && most < all);
    gvm_map_free(map);
    gvm_session_free(session);
    gvm_model_free(model);
}

/* Weights that wrap around and were trained with headings 9 degrees off need 20 headings, five for each pass: the best
 * of them is found, as if each had been given. With a tolerance of 180 degrees there is one pass. */
static void turned(void **state)
{
    (void)state;
    static const struct {
        double tolerance;
        int trials;
    } cases[] = {{9, 20}, {17, 10}, {36, 5}, {180, 1}};
    struct network *network;
    gvm_model *model;
    gvm_session *session;
    gvm_map *map;
    gvm_found found;
    gvm_hit hit, best;
    gvm_error err;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const char *weights = in_folder("turned.safetensors");
        if (checkpoint_load(&network, "tests/golden/net_seen.safetensors", false, &err) != GVM_OK)
            fail_msg("%s", err.text);
        network->config.tolerance = cases[c].tolerance;
        if (checkpoint_save(network, weights, false, &err) != GVM_OK) fail_msg("%s", err.text);
        network_free(network);
        if (gvm_model_open(&model, weights, &err) != GVM_OK) fail_msg("%s", err.text);
        if (gvm_session_open(&session, model, 3, &err) != GVM_OK) fail_msg("%s", err.text);
        if (gvm_map_from_tiles(&map, session, "examples/demo/tiles.csv", NULL, NULL, &err) != GVM_OK)
            fail_msg("%s", err.text);
        for (int p = 1; p <= 4; p++) {
            char photo[64];
            snprintf(photo, sizeof photo, "examples/demo/street/%d.png", p);
            double got = score_of(&found, &best, session, map, INFINITY, photo), most = -1, where = 0;
            assert_int_equal(found.heading_found, 1);
            for (int i = 0; i < cases[c].trials; i++) {
                double one = score_of(&found, &hit, session, map, i * 360.0 / cases[c].trials, photo);
                assert_int_equal(found.heading_found, 0);
                if (one > most) most = one, where = i * 360.0 / cases[c].trials;
            }
            assert_true(fabs(got - most) < 1e-5);
            assert_true(fabs(remainder(best.heading - where, 360)) < 50); /* the mean of those near it */
        }
        gvm_map_free(map);
        gvm_session_free(session);
        gvm_model_free(model);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    if (VIPS_INIT(argv[0]) != 0) return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(magnetic), cmocka_unit_test(turned)};
    int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
    vips_shutdown();
    return failed;
}
