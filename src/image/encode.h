/* encode.h - pixels as the bytes of a JPEG or PNG file. Relies on libvips. */
#ifndef GVM_IMAGE_ENCODE_H
#define GVM_IMAGE_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

/* A picture (height, width, 3) as the bytes of a JPEG or PNG file, to be given to g_free; NULL where libvips had not
 * the memory. */
void *image_encode_jpeg(size_t *size, const uint8_t *rgb, int width, int height);
void *image_encode_png(size_t *size, const uint8_t *rgb, int width, int height);
void *image_encode_png_alpha(size_t *size, const uint8_t *rgba, int width, int height); /* (height, width, 4) */

/* Write a picture (height, width, 3) as JPEG, colours at half the resolution, and read it again, in place. quality:
 * 1..100. GVM_OK, or GVM_MEMORY, the picture then as it was. */
gvm_status image_recompress(uint8_t *rgb, int width, int height, int quality);

/* Write a PNG file, whole or not at all: rgb (height, width, 3), sRGB. GVM_OK, GVM_FILE or GVM_MEMORY; GVM_IMAGE
 * where libvips does not start. */
gvm_status image_write_png(const char *path, const uint8_t *rgb, int width, int height, gvm_error *err);

#endif
