/* encode.h - pixels as the bytes of a JPEG or PNG file. Relies on libvips. */
#ifndef GVM_IMAGE_ENCODE_H
#define GVM_IMAGE_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"
#include "image/kind.h"

/* A picture (height, width, bands) as the bytes of a JPEG or PNG file, to be given to g_free; NULL where libvips had
 * not the memory. bands: 3, or 4 with alpha, in a PNG. */
void *image_encode(size_t *size, enum picture_kind kind, const uint8_t *pixels, int bands, int width, int height);

/* Write a PNG file, whole or not at all: rgb (height, width, 3), sRGB. GVM_OK, GVM_FILE or GVM_MEMORY; GVM_IMAGE
 * where libvips does not start. */
gvm_status image_write_png(const char *path, const uint8_t *rgb, int width, int height, gvm_error *err);

#endif
