/* bytes.h - the bytes of a picture, in memory or in an open file, read anywhere. */
#ifndef GVM_IMAGE_BYTES_H
#define GVM_IMAGE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const void *memory; /* NULL: the file */
    int fd;
    uint64_t size;
};

/* How many of n bytes from `at` on there are, copied to out. */
size_t bytes_read(void *out, const struct bytes *bytes, uint64_t at, size_t n);

/* True where all n are there. */
bool bytes_have(void *out, const struct bytes *bytes, uint64_t at, size_t n);

/* Numbers as formats write them. */
static inline uint32_t big16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t big32(const uint8_t *p)
{
    return big16(p) << 16 | big16(p + 2);
}

static inline uint32_t little32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* Of 1 to 8 bytes. */
static inline uint64_t bytes_number(const uint8_t *p, int size, bool big)
{
    uint64_t n = 0;
    for (int i = 0; i < size; i++) n = n << 8 | p[big ? i : size - 1 - i];
    return n;
}

#endif
