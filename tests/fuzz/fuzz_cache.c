/* fuzz_cache.c - two bytes as the length of a file and the rest as its start: a picture cache is only what has the
 * header of this very cache and its length. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/cache_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *start;
static size_t start_size, length;

enum { OURS = 12345 /* a descriptor */ };

int __wrap_fstat(int fd, struct stat *st);
int __real_fstat(int fd, struct stat *st);
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset);

int __wrap_fstat(int fd, struct stat *st)
{
    if (fd != OURS) return __real_fstat(fd, st);
    st->st_mode = S_IFREG;
    st->st_size = (off_t)length;
    return 0;
}

ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset)
{
    if (fd != OURS || offset < 0) abort();
    size_t left = (size_t)offset < start_size ? start_size - (size_t)offset : 0, n = size < left ? size : left;
    if (n > 0) memcpy(data, start + offset, n);
    return (ssize_t)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cache cache = {
        .header = {.magic = CACHE_MAGIC, .version = CACHE_VERSION, .sources = 0x1234, .bytes = 8192}};
    struct header header = {.version = 0};
    enum found found;
    gvm_error err = {""};
    if (size < 2) return -1;
    length = (size_t)data[0] << 8 | data[1];
    start = data + 2;
    start_size = size - 2 < length ? size - 2 : length;
    memcpy(&header, start, start_size < sizeof header ? start_size : sizeof header);
    gvm_status status = cache_identify(&found, &cache, OURS, "file", &err);
    bool same = header.version == CACHE_VERSION && header.sources == 0x1234 && header.bytes == 8192 && length == 8192;
    if (status != GVM_OK && (length == 0 || strncmp(err.text, "file: ", 6) != 0)) abort();
    if (status == GVM_OK && found != CACHE_STALE && (!same || (found == CACHE_COMPLETE) != (header.complete != 0)))
        abort();
    return 0;
}
