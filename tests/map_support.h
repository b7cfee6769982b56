/* map_support.h - a map on disk, written row by row, and queries of its GeoPackage */
#ifndef GVM_TESTS_MAP_SUPPORT_H
#define GVM_TESTS_MAP_SUPPORT_H

#include "folder_support.h"
#include "map/map.h"
#include "map/map_file.h"

enum { WIDTH = 24 };

static const gvm_model_info info = {.features = WIDTH, .fingerprint = "0123456789abcdef"};

/* Expects a status, and words of its message. */
void expect_status(gvm_status got, gvm_status status, const gvm_error *err, const char *words);

/* value_of: element k of the feature in a row of the map. place_of: the position of its tile. */
float value_of(size_t row, int k);
struct place place_of(size_t row);

/* Append n rows to m.gpkg and commit them. */
void append_rows(struct map_file *file, size_t n);
void commit_rows(struct map_file *file, size_t n);

/* Open m.gpkg, which must be valid. */
struct map_file *open_to_write(void);
gvm_map *open_map(void);

/* Five committed tiles, and two more with features but without rows. */
void make_map(void);

/* The single number that a query of m.gpkg returns. */
double ask_sql(const char *sql);

/* Checks that tiles, their spatial index and the counts in the GeoPackage agree. */
void check_index(size_t count);

#endif
