/* bytes.c - see bytes.h */
#include "image/bytes.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"

size_t bytes_read(void *out, const struct bytes *bytes, uint64_t at, size_t n)
{
    if (at >= bytes->size) return 0;
    if (n > bytes->size - at) n = (size_t)(bytes->size - at);
    if (bytes->memory != NULL) {
        memcpy(out, (const uint8_t *)bytes->memory + at, n);
        return n;
    }
    ssize_t got = file_read_at(bytes->fd, out, n, at);
    if (got < 0 && bytes->error != NULL) *bytes->error = errno;
    return got > 0 ? (size_t)got : 0; /* truncated meanwhile, or unreadable: the caller sees a short read */
}

bool bytes_have(void *out, const struct bytes *bytes, uint64_t at, size_t n)
{
    return bytes_read(out, bytes, at, n) == n;
}
