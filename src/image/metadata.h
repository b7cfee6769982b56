/* metadata.h - reads a picture file's metadata in all formats */
#ifndef GVM_IMAGE_METADATA_H
#define GVM_IMAGE_METADATA_H

#include "image/bytes.h"
#include "image/cost.h"
#include "image/exif.h"
#include "image/xmp.h"

#include <vips/vips.h>

/* `in` is the file opened by libvips, `bytes` the same file. The outputs are all zero if the file has no such metadata.
 */
void metadata_read(struct gpano *gpano, struct exif *exif, struct attitude *attitude, VipsImage *in,
                   const struct bytes *bytes, enum picture_kind kind);

/* For a JPEG, whose metadata are in segments; used by metadata_read and by tests. The outputs are all zero if it has
 * none. */
void metadata_read_jpeg(struct xmp *xmp, struct exif *exif, const struct bytes *bytes);

#endif
