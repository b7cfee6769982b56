/* map_job.h - the jobs of a map: one for each set of sources built into it, as JSON in the map's table of facts.
 *
 *   imagery   the sources with the sizes and stamps of their files, and how they are cut: imagery_describe. Each source
 *             has a name, `at` (its absolute path) and `beside` (its path relative to the map's folder); older maps
 * have neither of the two batch     batch size, tiles done      places processed, and how many of these became tiles,
 * were empty, or failed complete  whether all places are done holes     places that failed, by source, for at most a
 * hundred sources
 *
 * A job is finished before the next begins, so rows are in the order of the jobs. A removed tile leaves its row. A job
 * may be repeated, and then replaces the tiles of its predecessor. */
#ifndef GVM_MAP_MAP_JOB_H
#define GVM_MAP_MAP_JOB_H

#include "map/map_file.h"

/* A new job for a map with this path. NULL if out of memory. */
json_t *job_new(const struct imagery *imagery, const char *map, int batch);

/* Find the job equal to `wanted`. If there is none, append it when the map is empty or `add` is set. With `add`, a job
 * some of whose tiles were removed is appended again. Fails with GVM_ARGUMENT if another job is unfinished, if the map
 * has other sources and `add` is not set, or if the sources changed. */
gvm_status job_find(json_t **job, struct map_file *file, json_t *wanted, bool add, gvm_error *err);

bool job_is_complete(const json_t *job);

/* A job's progress out of `places`; the number of missing tiles is not filled in. */
void job_read(struct gvm_map_progress *progress, const json_t *job, size_t places);

/* Fill in how many of the job's tiles are in the map. */
gvm_status job_count(struct gvm_map_progress *progress, const struct map_file *file, const json_t *job, gvm_error *err);

/* Add a place of a source to the holes. Returns false if out of memory. */
bool job_hole(json_t *holes, const char *source);

/* Call before the commit that completes the job: deletes the tiles of earlier jobs with the same sources. */
gvm_status job_replace(struct map_file *file, const json_t *job, gvm_error *err);
bool job_write(json_t *job, const struct gvm_map_progress *progress, bool complete);

#endif
