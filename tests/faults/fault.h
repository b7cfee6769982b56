/* fault.h - allocations and threads that fail because a test wants it (calls on files: tests/disk). The linker's --wrap
 * puts the __wrap_NAME of fail_alloc.c before the library's NAME for every object of ours; what libraries call for
 * themselves never fails.
 *
 * A program that is linked with this (geoviewmatch_faults) reads the environment when it starts:
 *   GVM_FAULT=KIND:K        the K-th call of that kind fails (K is 1 for the first), once
 *   GVM_FAULT=KIND:K+       it and every later one
 *   GVM_FAULT=KIND:K:SITE   the K-th of those that come from SITE, as GVM_FAULT_LOG names sites (also K+)
 *   GVM_FAULT_LOG=FILE      gets a line "fired KIND SITE" when a call fails, and at exit a line
 *                           "passed KIND SITE COUNT" for each site that calls came from
 *   GVM_FAULT_FILE=FILE     at the signal SIGUSR2, what GVM_FAULT would hold is read from here and counting begins
 * anew; GVM_FAULT_LOG then gets "armed N", of N calls since the last time */
#ifndef TESTS_FAULTS_FAULT_H
#define TESTS_FAULTS_FAULT_H

#include <stdbool.h>

/* In the order of fault_kinds in fault.c, which has their names. */
enum fault_kind {
    FAULT_ALLOC,  /* malloc and others return NULL */
    FAULT_JSON,   /* the same within jansson, whose allocations our calls ask for */
    FAULT_THREAD, /* pthread_create returns EAGAIN */
    FAULT_KINDS
};

/* Called first by each wrapper, and by it alone, as its caller is the site: whether this call must fail. */
#define fault_due(kind) fault_due_from((kind), __builtin_return_address(0))
bool fault_due_from(enum fault_kind kind, const void *caller);

/* For tests that need no environment: the call of `kind` after `passes` others fails, once; below zero none does. */
void fault_arm(enum fault_kind kind, long passes);
long fault_left(void);  /* calls until one fails, as fault_arm's `passes`, to be set again by it */
bool fault_fired(void); /* since fault_arm */

/* What the environment says when the program starts; each may be NULL. */
void fault_begin(const char *log, const char *fault);

#endif
