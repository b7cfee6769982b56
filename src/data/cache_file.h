/* cache_file.h - the file format of a picture cache, shared by cache_file.c, cache_build.c (writes) and cache.c
 * (reads). */
#ifndef GVM_DATA_CACHE_FILE_H
#define GVM_DATA_CACHE_FILE_H

#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "data/cache.h"

#define CACHE_MAGIC "GVMpics" /* eight bytes with its NUL */

enum { CACHE_VERSION = 1, HEADER_ROOM = 4096 };

struct header {
    char magic[8];
    uint32_t version;
    uint32_t complete; /* 1 when every picture has been tried */
    uint64_t sources;  /* hash of everything that the pixels depend on */
    uint64_t bytes;    /* of the whole file */
};

/* An entry of the table after the header, one for each picture: not stored yet, unreadable, or a hash of its pixels (at
 * least ENTRY_GOOD), which detects pixels that were lost in a crash. */
enum { ENTRY_NONE = 0, ENTRY_BAD = 1, ENTRY_GOOD = 2 };

/* A picture in the file. */
struct source {
    const char *path;
    gvm_view view;
    double heading;
    int *place; /* receives its index in the file */
};

struct cache {
    const struct dataset *data;
    struct picture_shape shape[2]; /* of each view */
    int count[2];                  /* number of pictures of each view */
    uint64_t pixels[2];            /* file offset of each view's first picture */
    int *places[2][2];             /* of train and test, of a view: (queries or tiles) place of each picture; NULL: they
                                      are no files */
    struct source *sources;        /* (count[0] + count[1]) in the order of places; only while opening */
    struct header header;          /* the expected header */
    struct file_map map;
};

/* Load a picture file as the network's input; heading: NaN for the picture's own. */
gvm_status cache_load(uint8_t *out, const struct picture_shape *shape, gvm_view view, const char *path, double heading,
                      gvm_error *err);

/* File offset and size of the picture with index `place`. */
uint64_t cache_offset(const struct cache *c, int place, size_t *bytes);

enum found { CACHE_STALE, CACHE_BEGUN, CACHE_COMPLETE };

/* GVM_FORMAT, with a sentence that names both versions, if it is not CACHE_VERSION. Another version's cache may have
 * cost hours, so it is not overwritten. */
gvm_status cache_check_version(uint32_t version, const char *where, gvm_error *err);

/* Classify an existing file: complete, partial or stale for this cache. An empty file is stale. Fails with GVM_FORMAT
 * if it is not a picture cache, or one of another version. */
gvm_status cache_identify(enum found *found, const struct cache *c, int fd, const char *path, gvm_error *err);

/* The part file, held by one process at a time. */
struct cache_part {
    char *path;
    int fd;
};

/* Wait for the lock. *locked: this process has it; if not, its former holder has renamed or deleted the file, and the
 * caller starts over. *stopped: progress asked to stop; no lock is held. */
gvm_status cache_part_lock(struct cache_part *part, bool *locked, bool *stopped, const char *path,
                           const struct cache_options *options, gvm_error *err);

/* Delete it and release the lock. */
void cache_part_drop(struct cache_part *part);

/* Fill it and rename it to `path`. Releases the lock in any case. *stopped: progress asked to stop; the file is kept
 * for the next run. */
gvm_status cache_build(struct cache_part *part, bool *stopped, const struct cache *c, const char *path,
                       const struct cache_options *options, gvm_error *err);

#endif
