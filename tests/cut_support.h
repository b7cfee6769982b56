/* cut_support.h - all tiles of some imagery, cut. */
#ifndef GVM_TESTS_CUT_SUPPORT_H
#define GVM_TESTS_CUT_SUPPORT_H

#include "folder_support.h"
#include "imagery/imagery_parts.h"
#include "network/session.h"
#include "raster_support.h"

enum { SIZE = 128 /* pixels of a tile, at most */ };

extern gvm_model cut_model; /* without a network that runs */

/* Tiles of all places; how many of them have nothing to show, and how many could not be read. */
struct cut {
    struct cut_tile *tiles;
    uint8_t *pixels;
    size_t count, empty, failed;
};

/* Imagery that must be good. */
struct imagery *open_imagery(const gvm_map_options *options);

/* All places, as a build would have them. */
struct cut cut_all(const struct imagery *imagery);
struct cut cut_raster_file(const char *name);
void free_cut(struct cut *cut);

/* A refusal: its status, and words of its sentence. */
void expect_no_imagery(const gvm_map_options *options, gvm_status status, const char *words);

#endif
