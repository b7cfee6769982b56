/* features_file.h - MAP.features: a header of one page, then the features as a matrix (rows, width) of float16, row by
 * row, little-endian, to be mapped into memory. Its MAP.gpkg says how many rows count; what lies behind them is the
 * rest of a building that was interrupted. */
#ifndef GVM_MAP_FEATURES_FILE_H
#define GVM_MAP_FEATURES_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

enum { FEATURES_START = 4096 /* bytes before the first row */, MAP_ID = 32 /* hexadecimal digits */ };

/* What ties it to its MAP.gpkg. */
struct features_facts {
    char id[MAP_ID + 1]; /* drawn when the map is made */
    int width;
};

/* Make the header. */
void features_header(uint8_t header[FEATURES_START], const struct features_facts *facts);

/* Whether a file with these first bytes is the features of a map. */
bool features_start(const uint8_t *bytes, size_t size);

/* GVM_FORMAT, by a sentence with both versions, if this program does not read that one. */
gvm_status features_check_version(uint32_t version, const char *where, gvm_error *err);

/* Whether a file with these first bytes, of `size` in all, is the one of a map with these facts and rows. GVM_FORMAT
 * where it is none or too short, GVM_MISMATCH where it belongs to another map. */
gvm_status features_check(const uint8_t *bytes, size_t size, const struct features_facts *facts, size_t rows,
                          const char *where, gvm_error *err);

#endif
