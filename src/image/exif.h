/* exif.h - what a picture's EXIF says of where it was taken, where its camera looked, and what camera that was. */
#ifndef GVM_IMAGE_EXIF_H
#define GVM_IMAGE_EXIF_H

#include "image/bytes.h"

#include <stdbool.h>

enum { EXIF_NAME = 32 };

/* All zero: nothing is said. */
struct exif {
    bool has_place, has_heading;
    double lat, lon;   /* WGS84 degrees */
    double heading;    /* of the centre column, degrees clockwise from north, 0..360 */
    bool magnetic;     /* from magnetic north, which lies up to 30 degrees off true north where people live */
    int orientation;   /* 1..8 */
    double focal_35mm; /* focal length as of 35 mm film, mm */
    bool has_focal;    /* some focal length is given */
    bool sweep;        /* the camera put the picture together while it was turned (CustomRendered 6) */
    char make[EXIF_NAME], model[EXIF_NAME]; /* of the camera; may be cut short */
};

/* The directories of a TIFF file, or of an EXIF block, which is one: its header lies at `at`. What it says is laid over
 * *exif, the rest stays. Whatever it holds is fine: a value that is not in its range counts as not said.
 *
 * A place of exactly 0, 0 counts as not said either: cameras write it while they do not know. */
void exif_read(struct exif *exif, const struct bytes *bytes, uint64_t at);

/* The same of a block in memory, with or without the leading "Exif\0\0". */
void exif_read_block(struct exif *exif, const void *block, size_t size);

/* A place or heading as other metadata give them; ignored if it is none. reference: 'M' for a heading from magnetic
 * north, which does not replace one from true north. */
void exif_set_place(struct exif *exif, double lat, double lon);
void exif_set_heading(struct exif *exif, double degrees, char reference);

#endif
