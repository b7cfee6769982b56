/* exif.h - what a picture's EXIF says of where it was taken and where its camera looked. */
#ifndef GVM_IMAGE_EXIF_H
#define GVM_IMAGE_EXIF_H

#include <stdbool.h>
#include <stddef.h>

struct exif {
    bool has_place, has_heading;
    double lat, lon; /* WGS84 degrees */
    double heading;  /* of the centre column, degrees clockwise from north, 0..360 */
};

/* data is an EXIF block of size bytes, with or without the leading "Exif\0\0"; whatever it holds is fine: a value that
 * is not a number in its range counts as not said. A heading from magnetic north is taken as it is: the two norths
 * differ by less than the network minds nearly everywhere, and without a heading it would be guessed. */
void exif_parse(struct exif *exif, const void *data, size_t size);

#endif
