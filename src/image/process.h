/* process.h - libvips in this process: its start, and the one text that it keeps for all threads' errors. */
#ifndef GVM_IMAGE_PROCESS_H
#define GVM_IMAGE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/* Start libvips, the first time: no operation cache, and nothing that libvips holds unfit for untrusted files. False
 * where it does not start. */
bool process_start(void);

/* Work with libvips beside others; then process_leave. */
void process_enter(void);

/* Work alone, to learn from the error text what has failed, which is empty then. Waits for those at work, but no longer
 * than to `until`, seconds of CLOCK_MONOTONIC: false then. Others wait meanwhile. */
bool process_enter_alone(double until);

/* The cause, of one who works alone. */
void process_error(char *message, size_t size);

void process_leave(void);

#endif
