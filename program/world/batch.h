/* batch.h - makes pictures, or pieces of one, on all threads of parallel.h. */
#ifndef GVM_WORLD_BATCH_H
#define GVM_WORLD_BATCH_H

#include <stddef.h>

#include "geoviewmatch.h"
#include "terminal/progress.h"

struct batch {
    gvm_status (*make)(const void *context, unsigned char *room, int number, gvm_error *err);
    const void *context;
    int count;   /* numbers 0..count-1, in any order */
    size_t room; /* bytes of uninitialised memory per thread, passed to make; at least 1 */
    struct progress *progress;
    size_t before; /* done earlier, for the progress display */
};

/* GVM_OK, or the first failure, after which no further number is started. */
gvm_status batch_run(const struct batch *batch, gvm_error *err);

#endif
