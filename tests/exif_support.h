/* exif_support.h - EXIF blocks as cameras and programs write them, valid or not */
#ifndef GVM_TESTS_EXIF_SUPPORT_H
#define GVM_TESTS_EXIF_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHORT = 3, LONG = 4, RATIONAL = 5, SRATIONAL = 10, FLOAT = 11, DOUBLE = 12, TEXT = 2 };

/* A tag and its values; a fraction takes two numbers. */
struct said {
    int tag, type, count; /* 0: ends a list */
    long long numbers[6];
    double real[3];   /* of FLOAT and DOUBLE */
    const char *text; /* of TEXT, count bytes */
};

/* Write a block with one directory for each list that is not NULL. block: room for 4096 bytes. Returns the size. */
size_t exif_block(uint8_t *block, bool big, const struct said *picture, const struct said *exif,
                  const struct said *gps);

#endif
