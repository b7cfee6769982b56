/* geotiff.h - an orthophoto's file: JPEG in tiles, with overviews. Relies on GDAL. */
#ifndef GVM_WORLD_GEOTIFF_H
#define GVM_WORLD_GEOTIFF_H

#include <gdal.h>

#include "base/file.h"
#include "world/frame.h"

struct geotiff {
    GDALDatasetH data;
    char memory[40]; /* GDAL's name of the file, in memory until geotiff_commit */
    struct file_writer file;
};

/* GVM_OK or GVM_FILE. Finish with one of the two functions below. */
gvm_status geotiff_create(struct geotiff *tiff, const char *path, const struct frame *frame, gvm_error *err);

/* pixels (rows, size, 3), rows from the top down. GVM_OK or GVM_FILE. */
gvm_status geotiff_write(struct geotiff *tiff, const unsigned char *pixels, int row, int rows, gvm_error *err);

/* Add overviews and write the file. GVM_OK or GVM_FILE; finishes also on failure. */
gvm_status geotiff_commit(struct geotiff *tiff, gvm_error *err);
void geotiff_abort(struct geotiff *tiff);

#endif
