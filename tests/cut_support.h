/* cut_support.h - cuts all tiles of some imagery */
#ifndef GVM_TESTS_CUT_SUPPORT_H
#define GVM_TESTS_CUT_SUPPORT_H

#include "folder_support.h"
#include "imagery/imagery_parts.h"
#include "network/session.h"
#include "raster_support.h"

enum { SIZE = 128 /* maximum side of a tile, pixels */ };

extern gvm_model cut_model; /* its network cannot run */

/* Tiles of all positions, the number of blank ones, and the number of unreadable ones. */
struct cut {
    struct cut_tile *tiles;
    uint8_t *pixels;
    size_t count, empty, failed;
};

/* Open valid imagery; fails the test otherwise. */
struct imagery *open_imagery(const gvm_map_options *options);

/* Cut all positions, as a build does. */
struct cut cut_all(const struct imagery *imagery);
struct cut cut_raster_file(const char *name);
void free_cut(struct cut *cut);

/* Expects a failure with this status and these words in its message. */
void expect_no_imagery(const gvm_map_options *options, gvm_status status, const char *words);

#endif
