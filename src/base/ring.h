/* ring.h - items processed by several threads and consumed in order by one
 *
 * The results depend on the items only, not on the number of threads or their timing. The ring only does the
 * bookkeeping. Results are stored in the caller's memory, which has room for `groups` groups: item i has slot i %
 * (group * groups), so the items of a group are contiguous. */
#ifndef GVM_BASE_RING_H
#define GVM_BASE_RING_H

#include <stddef.h>

#include "geoviewmatch.h"

struct ring_work {
    size_t items;  /* items 0..items-1; SIZE_MAX: no end */
    size_t group;  /* items consumed together, >= 1; the last group may be smaller */
    size_t groups; /* groups in the ring, including the one being consumed, >= 1 */
    int workers;   /* threads, >= 1; at most one for each item is started */
    void *user;
    /* Process an item on the thread of worker 0..workers-1. Per-worker buffers need no lock. Items are started in
     * order. No other item uses the slot until the caller asks for the group after its own. */
    gvm_status (*work)(void *user, int worker, size_t item, gvm_error *err);
    /* Called for each group whose items all succeeded, after the last of them. May be NULL. */
    gvm_status (*finish)(void *user, int worker, size_t first, size_t count, gvm_error *err);
};

struct ring;

/* Start the threads. They block all signals, which stay with the caller's threads. If no thread can be started,
 * ring_next does the work itself. Free with ring_free. Returns NULL if out of memory. */
struct ring *ring_open(const struct ring_work *work);

/* Release the previous group and wait for the next: items *first..*first+*count-1. *count is 0 after the last group.
 * Must always be called from the same thread.
 *
 * Returns GVM_OK, or the failure of the first failed item (by index), once all groups before its own have been
 * consumed; from then on every call returns that failure. No item is started after a failure. */
gvm_status ring_next(struct ring *ring, size_t *first, size_t *count, gvm_error *err);

/* May be called at any time: waits for the items in progress and starts no more. Ignores NULL. */
void ring_free(struct ring *ring);

#endif
