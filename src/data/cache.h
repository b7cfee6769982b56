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

/* Map the cache `path` of all pictures of both splits of p->data, making it first where there is none, or where it does
 * not fit: it holds for these pictures, by name, size and time of change, at these shapes and headings.
 * It is made beside its place, in `path`.part, and moved there when complete. One process makes it while others wait;
 * where one was killed, or told to stop, the next goes on with what is there. A failure leaves nothing of it.
 *
 * What is cut out of rasters is not in it.
 *
 *   cache  out: to be freed with cache_free; NULL on failure, and with GVM_OK where progress said to stop. Keeps
 *          p->data, which must outlive it
 *   p      p->cache is not used
 *
 * Returns GVM_OK, GVM_FILE (cannot be written, or the disk is full), GVM_FORMAT (there is something else under that
 * name, which is left alone), GVM_MEMORY, or as pictures_read for a bad picture. */
gvm_status cache_open(struct cache **cache, const char *path, const struct pictures *p,
                      const struct cache_options *options, gvm_error *err);
void cache_free(struct cache *cache);

/* Pixels (H, W, 3) of picture i of a split, valid until cache_free; NULL if the picture was unreadable or is not in the
 * cache. */
const uint8_t *cache_picture(const struct cache *cache, const struct split *split, gvm_view view, int i);

#endif
