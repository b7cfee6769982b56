/* process.h - initialises libvips and guards its error buffer, which all threads share */
#ifndef GVM_IMAGE_PROCESS_H
#define GVM_IMAGE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/* Initialise libvips once per process, without its operation cache and without the loaders that it considers unsafe for
 * untrusted files. Returns false on failure. */
bool process_start(void);

/* Use libvips together with other threads, until process_leave. */
void process_enter(void);

/* Use libvips exclusively, until process_leave, so that its error buffer (empty at the start) refers to this thread's
 * work. Waits for other threads until `until`, in seconds of CLOCK_MONOTONIC; returns false after that. Other threads
 * wait meanwhile. */
bool process_enter_alone(double until);

/* Cause of the failure. Only between process_enter_alone and process_leave. */
void process_error(char *message, size_t size);

void process_leave(void);

#endif
