/* cache_build.h - makes the file of a picture cache beside its place. */
#ifndef GVM_DATA_CACHE_BUILD_H
#define GVM_DATA_CACHE_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "geoviewmatch.h"

struct cache;

struct cache_options {
    int workers;   /* threads that decode, 1..64 */
    bool skip_bad; /* leave out pictures that cannot be read, rather than fail with the first */
    void *user;
    /* Called now and then on the calling thread while the cache is made; total 0: another process makes it, and this
     * one waits. Returns whether to go on. May be NULL. */
    bool (*progress)(void *user, size_t done, size_t total);
    /* Called for each picture left out, on the calling thread once the cache is made. err names the file. May be NULL.
     */
    void (*bad)(void *user, gvm_status status, const gvm_error *err);
};

/* The file beside its place, which one process at a time holds. */
struct cache_part {
    char *path;
    int fd;
};

/* Wait for it. *locked: it is this process's; else the one who had it has moved or removed it, and all is to be looked
 * at again. *stopped: progress said so, and there is nothing to let go of. */
gvm_status cache_part_lock(struct cache_part *part, bool *locked, bool *stopped, const char *path,
                           const struct cache_options *options, gvm_error *err);

/* Remove it and let go of it. */
void cache_part_drop(struct cache_part *part);

/* Fill it and move it to `path`. Lets go of it in any case. *stopped: progress said so, and it stays for the next. */
gvm_status cache_build(struct cache_part *part, bool *stopped, const struct cache *c, const char *path,
                       const struct cache_options *options, gvm_error *err);

#endif
