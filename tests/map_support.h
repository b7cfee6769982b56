/* map_support.h - a map on the disk, made row by row, and questions to its GeoPackage. */
#ifndef GVM_TESTS_MAP_SUPPORT_H
#define GVM_TESTS_MAP_SUPPORT_H

#include "folder_support.h"
#include "map/map.h"
#include "map/map_file.h"

enum { WIDTH = 24 };

static const gvm_model_info info = {.features = WIDTH, .fingerprint = "0123456789abcdef"};

/* A status, and words of its sentence. */
void expect_status(gvm_status got, gvm_status status, const gvm_error *err, const char *words);

/* What row `row` of the map has for its feature's number k, and where its tile lies. */
float value_of(size_t row, int k);
struct place place_of(size_t row);

/* Put n rows behind those of m.gpkg, and commit n. */
void append_rows(struct map_file *file, size_t n);
void commit_rows(struct map_file *file, size_t n);

/* m.gpkg, which must be good. */
struct map_file *open_to_write(void);
gvm_map *open_map(void);

/* Five tiles, and two more whose features are there but not their rows. */
void make_map(void);

/* The one number that a query of m.gpkg gives. */
double ask_sql(const char *sql);

/* Tiles, their spatial index and the counts in the GeoPackage agree. */
void check_index(size_t count);

#endif
