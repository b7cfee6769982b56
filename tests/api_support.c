/* api_support.c - see api_support.h */
#include "api_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "geoviewmatch.h"

void expect_ok(gvm_status status, const gvm_error *err)
{
    if (status != GVM_OK) fail_msg("%s", err->text);
    assert_string_equal(err->text, "");
}

void expect_failure(gvm_status got, gvm_status want, const gvm_error *err, const char *words)
{
    if (got != want || strstr(err->text, words) == NULL || strchr(err->text, '\n') != NULL)
        fail_msg("status %d (not %d): %s (wanted: %s)", got, want, err->text, words);
}

gvm_model *open_model(const char *path)
{
    gvm_model *model;
    gvm_error err;
    expect_ok(gvm_model_open(&model, path, &err), &err);
    return model;
}

gvm_session *open_session(const gvm_model *model, int batch)
{
    gvm_session *session;
    gvm_error err;
    expect_ok(gvm_session_open(&session, model, batch, &err), &err);
    return session;
}

const char *temporary(const void *bytes, size_t size)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/gvm-api-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
    return path;
}

void note_file(void *user, size_t index, size_t count, gvm_status status, const gvm_error *err)
{
    struct calls *c = user;
    assert_int_equal(index, c->next++);
    c->count = count;
    c->statuses[index] = status;
    snprintf(c->texts[index], sizeof c->texts[index], "%s", err->text);
}

size_t feature_length(const gvm_model *model)
{
    gvm_model_info info = {.size = sizeof info};
    assert_int_equal(gvm_model_about(model, &info, NULL), GVM_OK);
    return (size_t)info.features;
}

size_t view_pixels(const gvm_model *model, gvm_view view)
{
    gvm_view_info info = {.size = sizeof info};
    assert_int_equal(gvm_view_about(model, view, &info, NULL), GVM_OK);
    return (size_t)info.height * (size_t)info.width;
}

gvm_status embed_streets(gvm_session *session, float *features, const char *const *paths, const double *headings,
                         size_t n, gvm_file_done *done, void *user, gvm_error *err)
{
    const gvm_embed_job job = {.size = sizeof job,
                               .view = GVM_STREET,
                               .paths = paths,
                               .count = n,
                               .headings = headings,
                               .features = features,
                               .done = done,
                               .user = user};
    return gvm_embed_files(session, &job, err);
}

gvm_status search_map(const gvm_map *map, const gvm_model *model, gvm_hit *hits, int max_hits, int *count,
                      const float *features, size_t n, gvm_error *err)
{
    const gvm_search s = {.size = sizeof s, .features = features, .count = n, .max_hits = max_hits};
    return gvm_map_search(map, model, &s, hits, count, err);
}
