/* bytes.c - see bytes.h */
#include "image/bytes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

size_t bytes_read(void *out, const struct bytes *bytes, uint64_t at, size_t n)
{
    if (at >= bytes->size) return 0;
    if (n > bytes->size - at) n = (size_t)(bytes->size - at);
    if (bytes->memory != NULL) {
        memcpy(out, (const uint8_t *)bytes->memory + at, n);
        return n;
    }
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(bytes->fd, (uint8_t *)out + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break; /* it has been cut short meanwhile, or cannot be read: what follows finds too little */
        done += (size_t)got;
    }
    return done;
}

bool bytes_have(void *out, const struct bytes *bytes, uint64_t at, size_t n)
{
    return bytes_read(out, bytes, at, n) == n;
}
