/* kind.h - identifies the format of a picture file */
#ifndef GVM_IMAGE_KIND_H
#define GVM_IMAGE_KIND_H

#include <stddef.h>
#include <stdint.h>

enum picture_kind { NO_PICTURE, JPEG, PNG, WEBP, TIFF, HEIC, AVIF, JPEG_XL };

/* From the first bytes of the file; 32 are enough. */
enum picture_kind picture_kind(const uint8_t *magic, size_t size);

/* "JPEG", ..., "JPEG XL" */
const char *picture_kind_name(enum picture_kind kind);

#endif
