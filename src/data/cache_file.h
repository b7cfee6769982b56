/* cache_file.h - the file of a picture cache: what cache_file.c knows of it, cache_build.c makes and cache.c reads. */
#ifndef GVM_DATA_CACHE_FILE_H
#define GVM_DATA_CACHE_FILE_H

#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "data/cache.h"

#define CACHE_MAGIC "GVMpics" /* and its end: eight bytes */

enum { CACHE_VERSION = 1, HEADER_ROOM = 4096 };

struct header {
    char magic[8];
    uint32_t version;
    uint32_t complete; /* 1 once every picture was tried */
    uint64_t sources;  /* hash of what the pixels depend on */
    uint64_t bytes;    /* of the whole file */
};

/* The table behind the header holds a number a picture: not there yet, broken, or a hash of its pixels, at least
 * ENTRY_GOOD, by which one that the disk did not keep is found out. */
enum { ENTRY_NONE = 0, ENTRY_BAD = 1, ENTRY_GOOD = 2 };

/* A picture, once for each place in the file. */
struct source {
    const char *path;
    gvm_view view;
    double heading;
    int *place; /* where the number of its place is kept */
};

struct cache {
    const struct dataset *data;
    struct picture_shape shape[2]; /* of a view */
    int count[2];                  /* of a view: pictures */
    uint64_t pixels[2];            /* of a view: where its pictures start in the file */
    int *places[2][2];             /* of train and test, of a view: (queries or tiles) place of each picture; NULL: they
                                      are no files */
    struct source *sources;        /* (count[0] + count[1]) in the order of places; only while opening */
    struct header header;          /* as it must be */
    struct file_map map;
};

/* A picture from its file, as the network takes it; heading: NaN for what the picture says. */
gvm_status cache_load(uint8_t *out, const struct picture_shape *shape, gvm_view view, const char *path, double heading,
                      gvm_error *err);

/* Where the picture at a place starts in the file, and its size. */
uint64_t cache_offset(const struct cache *c, int place, size_t *bytes);

enum found { CACHE_STALE, CACHE_BEGUN, CACHE_COMPLETE };

/* GVM_FORMAT, by a sentence with both versions, if it is not CACHE_VERSION: what another version wrote may have cost
 * hours, so it is not overwritten. */
gvm_status cache_check_version(uint32_t version, const char *where, gvm_error *err);

/* What a file is to this cache. GVM_FORMAT if it is no cache or one of another version; an empty one counts as stale.
 */
gvm_status cache_identify(enum found *found, const struct cache *c, int fd, const char *path, gvm_error *err);

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
