/* bytes.h - random access to a picture file's bytes, in memory or in an open file */
#ifndef GVM_IMAGE_BYTES_H
#define GVM_IMAGE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const void *memory; /* NULL: the file */
    int fd;
    uint64_t size;
    int *error; /* errno of a read that failed, unless NULL; what could not be read counts as not there */
};

/* Copy up to n bytes from offset `at` to out. Returns the number of bytes copied. */
size_t bytes_read(void *out, const struct bytes *bytes, uint64_t at, size_t n);

/* The same; returns whether all n bytes were read. */
bool bytes_have(void *out, const struct bytes *bytes, uint64_t at, size_t n);

/* Integers of a fixed byte order. */
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
