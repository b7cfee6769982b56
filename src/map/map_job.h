/* map_job.h - what was built into a map: a job for each set of sources, in the map's table of facts.
 *
 *   imagery   the sources with the sizes and stamps of their files, and how they are cut: imagery_describe. Beside each
 *             name, `at` is where it lies and `beside` the way to it from the map's folder (older maps have neither)
 *   batch     tiles that the network took at once
 *   done      places that were looked at; of them tiles, empty, failed
 *   complete  whether those are all
 *   holes     places that failed, by source; of a hundred sources at most
 *
 * Jobs follow each other, each to its end before the next: their tiles have the map's rows in the jobs' order. A tile
 * that was taken out leaves its row behind. A job may come again, to replace the tiles of the one before. */
#ifndef GVM_MAP_MAP_JOB_H
#define GVM_MAP_MAP_JOB_H

#include "map/map_file.h"

/* For a map of this path. NULL: no memory. */
json_t *job_new(const struct imagery *imagery, const char *map, int batch);

/* The job in the map that is to be done, or is done already; a new one is added, also where one is to be added whose
 * tiles were in part taken out. GVM_ARGUMENT where that must not be:
 * another is not at its end, the map is of other sources and is not to be added to, or the sources changed. */
gvm_status job_find(json_t **job, struct map_file *file, json_t *wanted, bool add, gvm_error *err);

bool job_is_complete(const json_t *job);

/* How far it is, of so many places; what it lacks is not told yet. */
void job_read(struct gvm_map_progress *progress, const json_t *job, size_t places);

/* Say how many of its tiles are in the map. */
gvm_status job_count(struct gvm_map_progress *progress, const struct map_file *file, const json_t *job, gvm_error *err);

/* Count a place of a source among the holes. False without memory. */
bool job_hole(json_t *holes, const char *source);

/* It is complete with the next commit: let the tiles of earlier jobs of the same sources go. */
gvm_status job_replace(struct map_file *file, const json_t *job, gvm_error *err);
bool job_write(json_t *job, const struct gvm_map_progress *progress, bool complete);

#endif
