/* locate_batch.h - street pictures that are in memory, located together. */
#ifndef GVM_MAP_LOCATE_BATCH_H
#define GVM_MAP_LOCATE_BATCH_H

#include <stdbool.h>

#include "map/map.h"

enum { ASKED_TILES = 5 };

/* A picture, and what comes of it. Pointers are the caller's. */
struct asked {
    const gvm_question *question;
    gvm_photo_info info;         /* what the picture says of itself */
    const unsigned char *pixels; /* (H, W, 3) as the network takes it, turned by locate_heading */
    gvm_status status;           /* GVM_OK, or why it could not be read; out: why it could not be located */
    gvm_error err;               /* the sentence */

    gvm_hit *hits;              /* out: room for max_hits answers, */
    gvm_found *found;           /* out: so many */
    gvm_hit tiles[ASKED_TILES]; /* out: the best tiles, each once and as the map has it, */
    int tile_count;             /* out: so many */
};

/* The heading to turn a picture by; *known: false, and 0, if it has to be found, be it near a magnetic one. */
double locate_heading(bool *known, const gvm_question *question, const gvm_photo_info *info);

/* GVM_ARGUMENT where a question's place is none. */
gvm_status locate_check(const gvm_question *question, gvm_error *err);

/* The memory for it. Belongs to the thread that uses the session; session and map must outlive it.
 *
 *   most_hits  answers that a picture may be given at most
 *
 * GVM_ARGUMENT, GVM_MISMATCH (a map of other weights) or GVM_MEMORY. */
struct locate_batch;
gvm_status locate_batch_open(struct locate_batch **batch, gvm_session *session, const gvm_map *map, int most_hits,
                             gvm_error *err);
void locate_batch_free(struct locate_batch *batch); /* NULL is fine */

/* Locate those of `count` pictures, at most the session's max_batch, whose status is GVM_OK. As gvm_locate_files with
 * max_hits, at most most_hits, and merge. */
void locate_batch_run(struct locate_batch *batch, struct asked *asked, size_t count, int max_hits, bool merge);

#endif
