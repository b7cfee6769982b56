/* api_support.h - shared by tests of the public header: small networks with random weights, the demo's pictures */
#ifndef GVM_TESTS_API_SUPPORT_H
#define GVM_TESTS_API_SUPPORT_H

#include "geoviewmatch.h"

#define WEIGHTS "tests/golden/net_narrow.safetensors"
#define OTHER_WEIGHTS "tests/golden/net_flat.safetensors"

static const char *const streets[] = {"examples/demo/street/1.png", "examples/demo/street/2.png",
                                      "examples/demo/street/3.png", "examples/demo/street/4.png"};

/* Expects success and an empty error message. */
void expect_ok(gvm_status status, const gvm_error *err);

/* Expects a failure: its status, words of its message, and no line break in it. */
void expect_failure(gvm_status got, gvm_status want, const gvm_error *err, const char *words);

/* Open a valid file; fails the test otherwise. */
gvm_model *open_model(const char *path);
gvm_session *open_session(const gvm_model *model, int batch);

size_t feature_length(const gvm_model *model);
size_t view_pixels(const gvm_model *model, gvm_view view); /* values of an input picture */

/* gvm_embed_files for street pictures, and gvm_map_search over all tiles. */
gvm_status embed_streets(gvm_session *session, float *features, const char *const *paths, const double *headings,
                         size_t n, gvm_file_done *done, void *user, gvm_error *err);
gvm_status search_map(const gvm_map *map, const gvm_model *model, gvm_hit *hits, int max_hits, int *count,
                      const float *features, size_t n, gvm_error *err);

/* Write the bytes to a file in the temporary folder. Returns its path, valid until the next call. */
const char *temporary(const void *bytes, size_t size);

/* Arguments of the calls of a gvm_file_done; user is a struct calls. */
struct calls {
    size_t next, count;
    gvm_status statuses[64];
    char texts[64][512];
};
void note_file(void *user, size_t index, size_t count, gvm_status status, const gvm_error *err);

#endif
