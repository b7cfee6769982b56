/* read_ahead.h - pictures made ready on other threads while the calling thread works on those before them.
 *
 * Which pictures form a batch depends on nothing but their order, so what is computed of a batch does not depend on
 * which was ready first. */
#ifndef GVM_NETWORK_READ_AHEAD_H
#define GVM_NETWORK_READ_AHEAD_H

#include <stddef.h>

#include "geoviewmatch.h"

/* One picture as it came out. */
struct slot {
    gvm_status status;
    gvm_error err;
    gvm_photo_info info; /* for load's use, */
    int inputs;          /* and this */
};

struct read_ahead {
    size_t n;     /* pictures */
    size_t batch; /* that are handed over together; the last batch may be smaller */
    size_t bytes; /* of one picture */
    void *user;
    /* Make picture i ready, on any thread: its bytes, slot->status, slot->err and slot->info. */
    void (*load)(void *user, size_t i, unsigned char *pixels, struct slot *slot);
    /* Pictures from..from+count-1 stand in slots and pixels one behind the other, and may be changed. On the calling
     * thread, batch after batch. Another status than GVM_OK ends it all. */
    gvm_status (*take)(void *user, size_t from, size_t count, struct slot *slots, unsigned char *pixels,
                       gvm_error *err);
};

/* Returns GVM_OK, what `take` returned, or GVM_MEMORY. */
gvm_status read_ahead(const struct read_ahead *work, gvm_error *err);

#endif
