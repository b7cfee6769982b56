/* ring.h - numbered items worked on by several threads, taken in order by one.
 *
 * What the caller gets depends on nothing but the items: not on how many threads there are or which was ready first.
 * The ring only counts. What comes of an item lies in the caller's memory, which has room for `groups` groups: item i
 * in place i % (group * groups), so that a group's items lie one behind the other. */
#ifndef GVM_BASE_RING_H
#define GVM_BASE_RING_H

#include <stddef.h>

#include "geoviewmatch.h"

struct ring_work {
    size_t items;  /* 0..items-1; SIZE_MAX: without end */
    size_t group;  /* items that are taken together, >= 1; the last group may be smaller */
    size_t groups; /* in the ring, the one that is taken included, >= 1 */
    int workers;   /* threads, >= 1; no more are started than there are items */
    void *user;
    /* Work on an item, on the thread of a worker, 0..workers-1: what a worker keeps, such as a buffer, needs no lock.
     * Items are begun in order. Its place is nobody else's until the group behind it is asked for. */
    gvm_status (*work)(void *user, int worker, size_t item, gvm_error *err);
    /* For each group of which every item went well, after the last of them. May be NULL. */
    gvm_status (*finish)(void *user, int worker, size_t first, size_t count, gvm_error *err);
};

struct ring;

/* Start to work. The threads block all signals, which are for the caller's. Where none can be started, ring_next works
 * itself. To be freed with ring_free; NULL if there is not enough memory. */
struct ring *ring_open(const struct ring_work *work);

/* Let go of the group taken before, and wait for the next: items *first..*first+*count-1. *count is 0 behind the last.
 * Always from the same thread.
 *
 * Returns GVM_OK, or the first failure by the items' order, after all groups before its own were taken; then each call
 * fails alike. No item is begun after a failure. */
gvm_status ring_next(struct ring *ring, size_t *first, size_t *count, gvm_error *err);

/* At any time: waits for the items that are being worked on and begins no other. NULL is fine. */
void ring_free(struct ring *ring);

#endif
