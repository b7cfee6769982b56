/* test_locate.c - locating photos whose heading is from magnetic north */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "geoviewmatch.h"
#include "image_support.h"

#define WEIGHTS "tests/golden/net_narrow.safetensors"

/* The best tile's score with a given heading, or with the photo's own if it is NaN; more results in *found and *best.
 */
static double score(gvm_found *found, gvm_hit *best, gvm_session *session, const gvm_map *map, double heading)
{
    const gvm_question question = {.photo = in_folder("magnetic.jpg"), .heading = heading, .panorama = 1};
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

int main(int argc, char **argv)
{
    (void)argc;
    if (VIPS_INIT(argv[0]) != 0) return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(magnetic)};
    int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
    vips_shutdown();
    return failed;
}
