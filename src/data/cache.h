/* cache.h - a picture cache: all picture files of a data set, decoded once at the network's size into a memory-mapped
 * file. */
#ifndef GVM_DATA_CACHE_H
#define GVM_DATA_CACHE_H

#include "data/pictures.h"

struct cache_options {
    int workers;   /* threads that decode, 1..64 */
    bool skip_bad; /* leave out unreadable pictures instead of failing with the first */
    void *user;
    /* Called now and then on the calling thread while the cache is made; total 0: another process makes it, and this
     * one waits. Returns whether to go on. May be NULL. */
    bool (*progress)(void *user, size_t done, size_t total);
    /* Called for each picture left out, on the calling thread after the cache is made. err names the file. May be NULL.
     */
    void (*bad)(void *user, gvm_status status, const gvm_error *err);
};

/* Memory-map the cache `path` of all picture files of both splits of p->data. Makes it first if there is none or if it
 * does not match: it is valid for these pictures (name, size and modification time), shapes and headings. Pictures cut
 * from rasters are not cached.
 *
 * It is made in `path`.part and renamed when complete. One process makes it while others wait; if that process is
 * killed or stopped, the next one continues its work. A failure deletes it.
 *
 *   cache  out: freed with cache_free; NULL on failure, and with GVM_OK if progress asked to stop. Keeps p->data, which
 *          must outlive it
 *   p      p->cache is ignored
 *
 * Fails with GVM_FILE (cannot be written, or the disk is full), GVM_FORMAT (another kind of file has this name; it is
 * left unchanged), GVM_MEMORY, or as pictures_read for an unreadable picture. */
gvm_status cache_open(struct cache **cache, const char *path, const struct pictures *p,
                      const struct cache_options *options, gvm_error *err);
void cache_free(struct cache *cache);

/* Pixels (H, W, 3) of picture i of a split, valid until cache_free; NULL if the picture was unreadable or is not in the
 * cache. */
const uint8_t *cache_picture(const struct cache *cache, const struct split *split, gvm_view view, int i);

#endif
