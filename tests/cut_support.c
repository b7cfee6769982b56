/* cut_support.c - see cut_support.h */
#include "cut_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "folder_support.h"
#include "imagery/imagery_parts.h"
#include "network/session.h"

static struct network network = {.config = {.views = {[GVM_AERIAL] = {.size = {SIZE, SIZE}}}}};
gvm_model cut_model = {.network = &network, .views[GVM_AERIAL] = {.ground_m = 64, .height = SIZE, .width = SIZE}};

struct imagery *open_imagery(const gvm_map_options *options)
{
    struct imagery *imagery;
    gvm_error err;
    if (imagery_open(&imagery, options, &cut_model, &err) != GVM_OK) fail_msg("%s", err.text);
    return imagery;
}

struct cut cut_all(const struct imagery *imagery)
{
    enum { BYTES = SIZE * SIZE * 3 };
    size_t n = imagery_places(imagery);
    struct cut cut = {.tiles = calloc(n + GRID_MOST, sizeof *cut.tiles), .pixels = calloc(n + GRID_MOST, BYTES)};
    struct cutter cutter = {.raster = NULL};
    for (size_t i = 0; i < n + GRID_MOST; i++) cut.tiles[i].pixels = cut.pixels + i * BYTES;
    for (size_t i = 0; i < imagery_pieces(imagery); i++) {
        struct piece piece = {.tiles = cut.tiles + cut.count};
        imagery_cut(&piece, &cutter, imagery, i);
        assert_int_equal(piece.before, cut.count);
        for (size_t k = 0; k < (size_t)piece.count; k++) assert_int_equal(imagery_find(imagery, cut.count + k), i);
        for (int k = 0; k < piece.count; k++) {
            cut.empty += piece.tiles[k].status == GVM_OK && piece.tiles[k].empty;
            cut.failed += piece.tiles[k].status != GVM_OK;
        }
        cut.count += (size_t)piece.count;
    }
    assert_int_equal(cut.count, n);
    assert_int_equal(imagery_find(imagery, n), imagery_pieces(imagery));
    cutter_close(&cutter);
    return cut;
}

void free_cut(struct cut *cut)
{
    free(cut->tiles);
    free(cut->pixels);
}

struct cut cut_raster_file(const char *name)
{
    const char *path = in_folder(name);
    struct imagery *imagery = open_imagery(&(gvm_map_options){.rasters = &path, .raster_count = 1});
    struct cut cut = cut_all(imagery);
    for (size_t i = 0; i < cut.count; i++) assert_string_equal(cut.tiles[i].place.source, path);
    for (size_t i = 0; i < cut.count; i++) cut.tiles[i].place.source = NULL;
    imagery_free(imagery);
    return cut;
}

void expect_no_imagery(const gvm_map_options *options, gvm_status status, const char *words)
{
    struct imagery *imagery;
    gvm_error err = {""};
    gvm_status got = imagery_open(&imagery, options, &cut_model, &err);
    if (got != status || strstr(err.text, words) == NULL) fail_msg("status %d: %s (wanted: %s)", got, err.text, words);
    assert_null(imagery);
}
