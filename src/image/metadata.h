/* metadata.h - what a picture file says besides its pixels, wherever its format keeps it. */
#ifndef GVM_IMAGE_METADATA_H
#define GVM_IMAGE_METADATA_H

#include "image/bytes.h"
#include "image/cost.h"
#include "image/exif.h"
#include "image/xmp.h"

#include <vips/vips.h>

/* in is the file as libvips opened it, bytes the same file. Both out are all zero where nothing is said. */
void metadata_read(struct gpano *gpano, struct exif *exif, VipsImage *in, const struct bytes *bytes,
                   enum picture_kind kind);

/* Of a JPEG, whose metadata lie in segments: for metadata_read, and to be tested alone. xmp, exif: as above. */
void metadata_read_jpeg(struct xmp *xmp, struct exif *exif, const struct bytes *bytes);

#endif
