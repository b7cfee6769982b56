/* features_file.h - MAP.features: a header of one page, then the features as a row-major matrix (rows, width) of
 * little-endian float16, to be memory-mapped. MAP.gpkg holds the number of valid rows; rows beyond it are left over
 * from an interrupted build. */
#ifndef GVM_MAP_FEATURES_FILE_H
#define GVM_MAP_FEATURES_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

enum { FEATURES_START = 4096 /* bytes before the first row */, MAP_ID = 32 /* hexadecimal digits */ };

/* The facts that tie it to its MAP.gpkg. */
struct features_facts {
    char id[MAP_ID + 1]; /* drawn when the map is made */
    int width;
};

/* Write the header. */
void features_header(uint8_t header[FEATURES_START], const struct features_facts *facts);

/* Returns true if these are the first bytes of a map's features. */
bool features_start(const uint8_t *bytes, size_t size);

/* GVM_FORMAT, with a sentence that names both versions, if this program does not read that version. */
gvm_status features_check_version(uint32_t version, const char *where, gvm_error *err);

/* Check that a file of `size` bytes that begins with `bytes` belongs to a map with these facts and rows. Fails with
 * GVM_FORMAT if it is not a features file or is truncated, or GVM_MISMATCH if it belongs to another map. */
gvm_status features_check(const uint8_t *bytes, size_t size, const struct features_facts *facts, size_t rows,
                          const char *where, gvm_error *err);

#endif
