/* read_ahead.h - other threads load pictures while the calling thread processes earlier ones.
 *
 * Batches depend only on the order of the pictures, so results do not depend on which picture was loaded first. */
#ifndef GVM_NETWORK_READ_AHEAD_H
#define GVM_NETWORK_READ_AHEAD_H

#include <stddef.h>

#include "geoviewmatch.h"

/* A loaded picture. */
struct slot {
    gvm_status status;
    gvm_error err;
    gvm_photo_info info; /* for load's use, */
    int inputs;          /* and these */
    gvm_camera camera;
};

struct read_ahead {
    size_t n;     /* pictures */
    size_t batch; /* batch size; the last batch may be smaller */
    size_t bytes; /* of one picture */
    void *user;
    /* Load picture i, on any thread: fills in its pixels, slot->status, slot->err and slot->info. */
    void (*load)(void *user, size_t i, unsigned char *pixels, struct slot *slot);
    /* Process pictures from..from+count-1, consecutive in slots and pixels, which may be changed. Called on the calling
     * thread, batch after batch. Any status but GVM_OK ends the work. */
    gvm_status (*take)(void *user, size_t from, size_t count, struct slot *slots, unsigned char *pixels,
                       gvm_error *err);
};

/* Returns GVM_OK, the status that `take` returned, or GVM_MEMORY. */
gvm_status read_ahead(const struct read_ahead *work, gvm_error *err);

#endif
