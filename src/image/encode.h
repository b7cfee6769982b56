/* encode.h - encodes pixels as JPEG or PNG. Uses libvips. */
#ifndef GVM_IMAGE_ENCODE_H
#define GVM_IMAGE_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"
#include "image/kind.h"

/* Encode a picture (height, width, bands) in memory. Free the result with g_free. Returns NULL if out of memory. bands:
 * 3, or 4 with alpha for PNG. */
void *image_encode(size_t *size, enum picture_kind kind, const uint8_t *pixels, int bands, int width, int height);

/* Write a PNG file atomically: rgb (height, width, 3), sRGB. Returns GVM_OK, GVM_FILE, GVM_MEMORY, or GVM_IMAGE if
 * libvips cannot be initialised. */
gvm_status image_write_png(const char *path, const uint8_t *rgb, int width, int height, gvm_error *err);

#endif
