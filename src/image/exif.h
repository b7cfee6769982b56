/* exif.h - reads EXIF: position, heading and camera of a picture */
#ifndef GVM_IMAGE_EXIF_H
#define GVM_IMAGE_EXIF_H

#include "image/bytes.h"

#include <stdbool.h>

enum { EXIF_NAME = 32 };

/* Initialise to zero, which means no data. */
struct exif {
    bool has_place, has_heading;
    double lat, lon;   /* WGS84 degrees */
    double heading;    /* of the centre column, degrees clockwise from north, 0..360 */
    bool magnetic;     /* relative to magnetic north, up to 30 degrees off true north in inhabited areas */
    int orientation;   /* 1..8 */
    double focal_35mm; /* 35 mm equivalent focal length, mm */
    bool has_focal;    /* any focal length is present */
    bool sweep;        /* stitched by the camera from a sweep (CustomRendered 6) */
    char make[EXIF_NAME], model[EXIF_NAME]; /* of the camera; may be truncated */
    double focal;                           /* of the lens, mm */
    double sensor_width;                    /* of the focal plane, mm: from its resolution; 0 if absurd */
    double width, height;                   /* pixels when it was taken, before it is turned upright */
    double year;                            /* when it was taken, with a fraction, 1900..2200 */
    bool absurd;                            /* a focal length is there, but is no length */
    bool front;                             /* of a phone, by its lens: it looks away from where the phone looks */
    bool has_gravity;
    double
        gravity[3]; /* an iPhone's acceleration vector: where down is, g; to the right, to the top, out of its screen */
};

/* Read the directories of a TIFF file, or of an EXIF block, which has the same format; its header is at offset `at`.
 * Values found replace those of *exif; other members are kept. Any bytes are accepted: values out of range are ignored.
 *
 * The position 0, 0 is ignored too: cameras write it if they have no fix. */
void exif_read(struct exif *exif, const struct bytes *bytes, uint64_t at);

/* The same for a block in memory, with or without the leading "Exif\0\0". */
void exif_read_block(struct exif *exif, const void *block, size_t size);

/* Set position or heading from other metadata; ignored if out of range. reference: 'M' for a heading relative to
 * magnetic north, which does not replace one relative to true north. */
void exif_set_place(struct exif *exif, double lat, double lon);
void exif_set_heading(struct exif *exif, double degrees, char reference);

#endif
