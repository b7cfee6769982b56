/* test_out_of_memory.c - each public call with its first allocation failing, then its second, and so on until it makes
 * no more. It returns GVM_MEMORY with a message or works without, and loses nothing (the sanitizer build detects
 * leaks). Only our own allocations fail, not those inside libraries. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faults/fault.h"
#include "folder_support.h"
#include "geoviewmatch.h"
#include "network/model.h"
#include "raster_support.h"

#define WEIGHTS "tests/golden/net_narrow.safetensors"
#define SEEN "tests/golden/net_seen.safetensors"
#define TILES "examples/demo/tiles.csv"

/* ------------------------------------------------------------------ the calls */

enum { TOP = 3 };

static const char *const streets[] = {"examples/demo/street/1.png", "examples/demo/street/2.png"};

/* Arguments of the calls; allocated without failures. */
static struct {
    gvm_model *model, *seen; /* seen: with visibility */
    gvm_session *session;
    gvm_map *map;
    unsigned char *pixels;
    float *features, *heat;
} own;

typedef gvm_status public_call(gvm_error *err);

static gvm_status model_open(gvm_error *err)
{
    gvm_model *model;
    gvm_status status = gvm_model_open(&model, WEIGHTS, err);
    assert_int_equal(model == NULL, status != GVM_OK);
    gvm_model_free(model);
    return status;
}

static gvm_status model_built_in(gvm_error *err)
{
    gvm_model *model;
    gvm_status status = gvm_model_open(&model, NULL, err);
    gvm_model_free(model);
    return status;
}

static gvm_status session_open(gvm_error *err)
{
    gvm_session *session;
    gvm_status status = gvm_session_open(&session, own.model, 2, err);
    assert_int_equal(session == NULL, status != GVM_OK);
    gvm_session_free(session);
    return status;
}

static gvm_status load_picture(gvm_error *err)
{
    return gvm_load_picture(own.model, GVM_STREET, own.pixels, streets[0], NULL, 0, err);
}

static gvm_status picture_open(gvm_error *err)
{
    const gvm_picture_options options = {.size = sizeof options, .path = streets[0]};
    static unsigned char shown[32 * 64 * 3];
    gvm_picture *picture;
    gvm_part part;
    gvm_status status = gvm_picture_open(&picture, &options, err);
    if (status == GVM_OK) status = gvm_picture_fit(picture, own.model, GVM_STREET, own.pixels, NULL, 0, err);
    if (status == GVM_OK) status = gvm_picture_part(picture, own.model, GVM_STREET, &part, NULL, 0, err);
    if (status == GVM_OK) status = gvm_picture_scale(picture, shown, 32, 64, err);
    gvm_picture_free(picture);
    return status;
}

/* Of a photo and of a panorama. */
static gvm_status picture_street(gvm_error *err)
{
    static const char *const paths[] = {"examples/demo/aerial/1.png", "examples/demo/street/1.png"};
    const gvm_street_options way = {.size = sizeof way, .room = 1};
    gvm_status status = GVM_OK;
    int count;
    for (int i = 0; i < 2 && status == GVM_OK; i++) {
        const gvm_picture_options options = {.size = sizeof options, .path = paths[i]};
        gvm_camera camera = {.size = sizeof camera};
        gvm_picture *picture;
        status = gvm_picture_open(&picture, &options, err);
        if (status == GVM_OK) status = gvm_picture_street(picture, own.seen, own.pixels, &way, &camera, &count, err);
        if (status == GVM_OK) assert_int_equal(camera.lens, i == 0 ? GVM_LENS_PINHOLE : GVM_LENS_SPHERE);
        gvm_picture_free(picture);
    }
    return status;
}

static gvm_status embed_pixels(gvm_error *err)
{
    return gvm_embed_pixels(own.session, GVM_STREET, own.features, own.pixels, 1, err);
}

static gvm_status embed_files(gvm_error *err)
{
    const gvm_embed_job job = {
        .size = sizeof job, .view = GVM_STREET, .paths = streets, .count = 2, .features = own.features};
    return gvm_embed_files(own.session, &job, err);
}

static gvm_status heatmap(gvm_error *err)
{
    return gvm_heatmap(own.session, GVM_STREET, 0, own.heat, own.pixels, NULL, err);
}

static gvm_status map_from_tiles(gvm_error *err)
{
    gvm_map *map;
    gvm_status status = gvm_map_from_tiles(&map, own.session, TILES, NULL, NULL, err);
    bool whole = status == GVM_OK && gvm_map_count(map) == 4; /* an unreadable tile is left out */
    gvm_map_free(map);
    return status == GVM_OK && !whole ? GVM_MEMORY : status;
}

static gvm_status build_map(const gvm_map_options *options, gvm_error *err)
{
    gvm_map_progress progress = {.size = sizeof progress};
    gvm_status status = gvm_map_build(in_folder("built.gpkg"), own.session, options, &progress, NULL, NULL, err);
    empty_folder(NULL);
    return status == GVM_OK && progress.failed > 0 ? GVM_MEMORY : status;
}

static gvm_status map_of_list(gvm_error *err)
{
    return build_map(&(gvm_map_options){.size = sizeof(gvm_map_options), .tiles = TILES}, err);
}

static gvm_status map_of_raster(gvm_error *err)
{
    struct raster_recipe recipe = {.crs = "EPSG:32633"};
    const long wanted = fault_left();
    const char *const rasters[] = {in_folder("a.tif")};
    fault_arm(FAULT_ALLOC, -1);
    place_raster(recipe.place, 480000, 5540000, 1, 0);
    make_raster("a.tif", &recipe);
    fault_arm(FAULT_ALLOC, wanted);
    return build_map(&(gvm_map_options){.size = sizeof(gvm_map_options), .rasters = rasters, .raster_count = 1}, err);
}

static gvm_status map_search(gvm_error *err)
{
    gvm_hit hits[TOP];
    int count;
    const gvm_search search = {.size = sizeof search, .features = own.features, .count = 1, .max_hits = TOP};
    return gvm_map_search(own.map, own.model, &search, hits, &count, err);
}

static gvm_status map_search_near(gvm_error *err)
{
    gvm_hit hits[TOP];
    int count;
    const gvm_search search = {.size = sizeof search,
                               .features = own.features,
                               .count = 1,
                               .max_hits = TOP,
                               .lat = 45,
                               .lon = -30,
                               .within_m = 1e4};
    return gvm_map_search(own.map, own.model, &search, hits, &count, err);
}

static gvm_status map_picture(gvm_error *err)
{
    static unsigned char shown[64 * 64 * 3];
    gvm_hit hit = {.tile = "aerial/1.png", .half_tile_m = 32};
    return gvm_map_picture(own.map, &hit, shown, 64, err);
}

/* Texts of a map. */
static gvm_status map_texts(gvm_error *err)
{
    char *text;
    gvm_status status = gvm_map_outline(own.map, &text, err);
    gvm_free(text);
    if (status == GVM_OK) status = gvm_map_jobs(own.map, &text, err);
    gvm_free(text);
    if (status == GVM_OK) status = gvm_map_source(own.map, &text, "aerial/1.png", err);
    gvm_free(text);
    return status;
}

static gvm_status imagery(gvm_error *err)
{
    static unsigned char rgba[64 * 64 * 4];
    gvm_imagery *imagery;
    gvm_coverage coverage;
    gvm_status status = gvm_imagery_open(&imagery, own.map, err);
    if (status == GVM_OK) status = gvm_imagery_tile(imagery, rgba, &coverage, 3, 3, 2, 64, err);
    gvm_imagery_free(imagery);
    return status;
}

static gvm_status locate(gvm_error *err)
{
    gvm_hit hits[TOP];
    int count;
    return gvm_locate(own.session, own.map, streets[0], NULL, hits, TOP, &count, err);
}

/* With p and the scores of all tiles, which are made into a field. */
static void keep_scores(void *user, size_t index, size_t count, const gvm_located *photo)
{
    (void)index, (void)count;
    if (photo->status == GVM_OK) memcpy(user, photo->scores, gvm_map_count(own.map) * sizeof(float));
}

static gvm_status locate_field(gvm_error *err)
{
    static float scores[64];
    gvm_hit hits[TOP];
    gvm_found found;
    gvm_chance chance;
    double p[TOP];
    const gvm_question question = {.photo = streets[0]};
    const gvm_locate_job job = {.size = sizeof job,
                                .questions = &question,
                                .count = 1,
                                .max_hits = TOP,
                                .hits = hits,
                                .found = &found,
                                .done = keep_scores,
                                .user = scores,
                                .p = p,
                                .chances = &chance,
                                .scores = 1};
    const gvm_field_options options = {.size = sizeof options, .scores = scores, .score_scale = 20};
    gvm_field *field = NULL;
    void *bytes = NULL;
    size_t size;
    assert_in_range(gvm_map_count(own.map), 1, 64);
    gvm_status status = gvm_locate_files(own.session, own.map, &job, err);
    if (status == GVM_OK) assert_true(chance.known && p[0] > 0);
    if (status == GVM_OK) status = gvm_field_open(&field, own.map, &options, err);
    if (status == GVM_OK) status = gvm_field_tiff(field, &bytes, &size, err);
    gvm_free(bytes);
    gvm_field_free(field);
    return status;
}

/* ------------------------------------------------------------------ each call in turn */

static void each(const char *name, public_call *call)
{
    gvm_error err = {""};
    gvm_status status = GVM_MEMORY;
    long n = 0;
    for (bool failed = true; failed; n++) {
        err.text[0] = '\0';
        fault_arm(FAULT_ALLOC, n);
        status = call(&err);
        failed = fault_fired();
        fault_arm(FAULT_ALLOC, -1);
        if (status != GVM_OK && (status != GVM_MEMORY || !failed))
            fail_msg("%s, allocation %ld: status %d: %s", name, n, status, err.text);
    }
    if (status != GVM_OK) fail_msg("%s: %s", name, err.text);
    assert_true(n > 0);
}

static void all_calls(void **state)
{
    (void)state;
    gvm_error err;
    gvm_model_info info = {.size = sizeof info};
    gvm_view_info street = {.size = sizeof street};
    gvm_set_threads(1, NULL);
    if (gvm_model_open(&own.model, WEIGHTS, &err) != GVM_OK || gvm_model_open(&own.seen, SEEN, &err) != GVM_OK ||
        gvm_session_open(&own.session, own.model, 2, &err) != GVM_OK ||
        gvm_map_from_tiles(&own.map, own.session, TILES, NULL, NULL, &err) != GVM_OK)
        fail_msg("%s", err.text);
    assert_int_equal(gvm_model_about(own.model, &info, &err), GVM_OK);
    assert_int_equal(gvm_view_about(own.model, GVM_STREET, &street, &err), GVM_OK);
    own.model->info.score_scale = 20; /* as if trained with a softmax */
    size_t pixels = (size_t)street.height * (size_t)street.width;
    own.pixels = malloc(3 * pixels + pixels / 16);
    own.heat = malloc(pixels * sizeof *own.heat);
    own.features = malloc(2 * (size_t)info.features * sizeof *own.features);
    const struct {
        const char *name;
        public_call *call;
    } calls[] = {{"gvm_model_open", model_open},
                 {"gvm_model_open, built in", model_built_in},
                 {"gvm_session_open", session_open},
                 {"gvm_picture_open and others", picture_open},
                 {"gvm_load_picture", load_picture},
                 {"gvm_picture_street", picture_street},
                 {"gvm_embed_pixels", embed_pixels},
                 {"gvm_embed_files", embed_files},
                 {"gvm_heatmap", heatmap},
                 {"gvm_map_search", map_search},
                 {"gvm_map_search near a place", map_search_near},
                 {"gvm_map_outline and others", map_texts},
                 {"gvm_imagery_open and others", imagery},
                 {"gvm_map_picture", map_picture},
                 {"gvm_locate", locate},
                 {"gvm_locate_files with p, gvm_field_open and others", locate_field},
                 {"gvm_map_from_tiles", map_from_tiles},
                 {"gvm_map_build, a list", map_of_list},
                 {"gvm_map_build, a raster", map_of_raster}};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) each(calls[i].name, calls[i].call);
    free(own.pixels);
    free(own.heat);
    free(own.features);
    gvm_map_free(own.map);
    gvm_session_free(own.session);
    gvm_model_free(own.model);
    gvm_model_free(own.seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_calls)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
