/* run_json.h - a run's options and position as JSON, each under its name. Relies on the rows of run.h.
 *
 *     {"version": 3, "data": "/CVUSA", ..., "jitter": 0.3, ..., "step": 120, "epoch": 3, ...}
 *
 * Version 1, of GeoViewMatch 0.1, had amounts by their position in lists, and version 2 lacks what photos and clusters
 * brought; both are read too. */
#ifndef GVM_TRAIN_RUN_JSON_H
#define GVM_TRAIN_RUN_JSON_H

#include "train/run.h"

/* One more whenever options are added after a release: a run of an older version gets their defaults. */
enum { RUN_VERSION = 3 };

/* To be freed; NULL without memory. */
char *run_json(const struct run_options *options, const struct run_position *position);

/* Read it. GVM_FORMAT with the key that is missing, unknown or out of its range, or with both versions if it is a newer
 * one; GVM_MEMORY. *options is to be freed in any case. `where` is for the sentence. */
gvm_status run_json_read(struct run_options *options, struct run_position *position, const char *json,
                         const char *where, gvm_error *err);

/* run_json_old.c: what version 1 says, as version 2 would have written it but for its version. A new reference, or NULL
 * with *missing, the key that it lacks, or NULL without memory. */
json_t *run_json_from_1(const json_t *old, const char **missing);

#endif
