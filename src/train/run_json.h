/* run_json.h - a run's options and position as JSON, each under its own key. Relies on the rows of run.h.
 *
 *     {"version": 3, "data": "/CVUSA", ..., "jitter": 0.3, ..., "step": 120, "epoch": 3, ...}
 *
 * Version 1, of GeoViewMatch 0.1, stored amounts by position in lists; version 2 lacks the options for orthophotos,
 * clusters and views. Both are read. */
#ifndef GVM_TRAIN_RUN_JSON_H
#define GVM_TRAIN_RUN_JSON_H

#include "train/run.h"

/* Increased with the first option added after a release; a run of an older version gets the defaults of newer options.
 */
enum { RUN_VERSION = 3 };

/* The caller frees the text; NULL if out of memory. */
char *run_json(const struct run_options *options, const struct run_position *position);

/* Read a run. Fails with GVM_FORMAT, naming the key that is missing, unknown or out of range, or both versions if the
 * run is newer, or with GVM_MEMORY. The caller frees *options in any case. `where` is the file's name in error
 * messages. */
gvm_status run_json_read(struct run_options *options, struct run_position *position, const char *json,
                         const char *where, gvm_error *err);

/* run_json_old.c: converts version 1 to version 2, except for the version number. Returns a new reference; NULL with
 * *missing set to a missing key, or NULL if out of memory. */
json_t *run_json_from_1(const json_t *old, const char **missing);

#endif
