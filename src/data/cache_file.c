/* cache_file.c - see cache_file.h */
#include "data/cache_file.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "image/photo.h"

gvm_status cache_load(uint8_t *out, const struct picture_shape *shape, gvm_view view, const char *path, double heading,
                      gvm_error *err)
{
    if (view == GVM_AERIAL || shape->projection == PROJECTION_NADIR) return aerial_load(out, shape, path, err);
    if (shape->projection == PROJECTION_PERSPECTIVE) return photo_load(out, shape, path, err);
    return panorama_load(out, shape, isnan(heading) ? NULL : &heading, CIRCLE_LISTED, path, err);
}

uint64_t cache_offset(const struct cache *c, int place, size_t *bytes)
{
    int view = place < c->count[GVM_STREET] ? GVM_STREET : GVM_AERIAL;
    *bytes = picture_bytes(&c->shape[view]);
    return c->pixels[view] + (uint64_t)(place - (view == GVM_AERIAL ? c->count[GVM_STREET] : 0)) * *bytes;
}

gvm_status cache_check_version(uint32_t version, const char *where, gvm_error *err)
{
    if (version == CACHE_VERSION) return GVM_OK;
    return fail(err, GVM_FORMAT,
                "%s: unsupported picture cache version %u; this program reads version %d; delete it, or choose another "
                "name for the cache",
                where, version, CACHE_VERSION);
}

gvm_status cache_identify(enum found *found, const struct cache *c, int fd, const char *path, gvm_error *err)
{
    struct header header = {0};
    struct stat st;
    ssize_t size;
    *found = CACHE_STALE;
    if (fstat(fd, &st) != 0) return fail_errno(err, "read", path_tail(path));
    if (!S_ISREG(st.st_mode)) return fail(err, GVM_FILE, "%s: it is not a regular file", path_tail(path));
    if (st.st_size == 0) return GVM_OK;
    if ((size = file_read_at(fd, &header, sizeof header, 0)) < 0) return fail_errno(err, "read", path_tail(path));
    if (memcmp(header.magic, CACHE_MAGIC, sizeof header.magic) != 0)
        return fail(err, GVM_FORMAT,
                    "%s: it is not a picture cache and is left unchanged; choose another file for the cache",
                    path_tail(path));
    if (size < (ssize_t)sizeof header) return GVM_OK;
    gvm_status status = cache_check_version(header.version, path_tail(path), err);
    if (status != GVM_OK) return status;
    bool same =
        header.sources == c->header.sources && header.bytes == c->header.bytes && (uint64_t)st.st_size == header.bytes;
    if (same) *found = header.complete ? CACHE_COMPLETE : CACHE_BEGUN;
    return GVM_OK;
}
