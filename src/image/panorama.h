/* panorama.h - picture files as the network takes them. */
#ifndef GVM_IMAGE_PANORAMA_H
#define GVM_IMAGE_PANORAMA_H

#include "geoviewmatch.h"
#include "image/circle.h"
#include "image/image.h"

#include <stddef.h>
#include <stdint.h>

/* How a view's pictures show the world. */
enum projection {
    PROJECTION_PANORAMA,   /* columns are all headings, rows elevations */
    PROJECTION_NADIR,      /* a square of the ground, from above */
    PROJECTION_PERSPECTIVE /* an ordinary photo: any heading, any field of view */
};

enum { MAX_ZOOMS = 4 };

/* What a network takes of a view: the input that a picture becomes. */
struct picture_shape {
    int height, width;   /* H, W, pixels */
    double elevation[2]; /* of a panorama: lowest and highest row, degrees above the horizon, that the network was
                            trained with: -90 <= low < high <= 90. Says nothing of an aerial picture */
    enum resize resize;
    enum projection projection;
    int zoom_count;          /* 0: one picture of a place; else so many of one place, and */
    double zooms[MAX_ZOOMS]; /* metres that a pixel of each covers, rising */
    double bearing;          /* of them: degrees clockwise from north that point up */
};

/* Bytes of all pictures of a place. */
static inline size_t picture_bytes(const struct picture_shape *shape)
{
    size_t pictures = shape->zoom_count > 0 ? (size_t)shape->zoom_count : 1;
    return pictures * (size_t)shape->height * (size_t)shape->width * 3;
}

/* A street panorama, north at the centre column and east to its right.
 *
 *   out         (H, W, 3) sRGB
 *   shape       a picture that reaches beyond its elevations is cropped to them; if it does not reach them, its first
 *               or last rows go on to them
 *   heading     degrees clockwise from north at which the picture's centre column looks; NULL: as
 *               its XMP says (GPano:PoseHeadingDegrees), else its EXIF (GPSImgDirection), else 0
 *   circle      whether it is known to be a full circle (circle.h); no other is taken
 *
 * Returns GVM_OK, GVM_ARGUMENT, GVM_PANORAMA (not a full panorama), GVM_IMAGE (nor by its own words, or one without
 * content), or as image_load. */
gvm_status panorama_load(uint8_t *out, const struct picture_shape *shape, const double *heading, enum circle circle,
                         const char *path, gvm_error *err);

/* The same from a picture that was read; what its XMP says is cleared where it does not fit it. `where` names it in
 * sentences. */
gvm_status panorama_fit(uint8_t *out, const struct picture_shape *shape, const double *heading, enum circle circle,
                        struct image *image, const char *where, gvm_error *err);

/* Of a picture that panorama_fit took, with the same heading: the box that was seen (left, top, right, bottom, in its
 * pixels; it may go on above and below the picture), and how many columns of W it was turned. */
void panorama_seen(double box[4], int *turn, const struct picture_shape *shape, const double *heading,
                   const struct image *image);

/* Elevation of a panorama's upper and lower edge, degrees: as its XMP says, else as many degrees a pixel upwards as
 * along the 360 of its width. */
void panorama_elevation(double *high, double *low, const struct image *image);

/* Columns of W that a heading is turned by, 0..W - 1. */
int panorama_columns(double heading, int W);

/* Turn a panorama (H, W, 3) whose centre column looks along `heading` (degrees clockwise from north) so that north is
 * at its centre; whole columns, in place. */
void panorama_turn(uint8_t *pixels, int H, int W, double heading);

/* An aerial picture, north up: the centred part that has the shape of (H, W), for a square network
 * the centred square.
 *
 *   out   (H, W, 3) sRGB
 *
 * Returns as image_load. */
gvm_status aerial_load(uint8_t *out, const struct picture_shape *shape, const char *path, gvm_error *err);

/* The part that is taken, a box as above. */
void aerial_seen(double box[4], const struct picture_shape *shape, const struct image *image);

/* The same from a picture that was read. box: the part of it, as above */
gvm_status aerial_fit(uint8_t *out, double box[4], const struct picture_shape *shape, const struct image *image,
                      const char *where, gvm_error *err);

/* What a picture says of the place and the heading of its camera: XMP's heading comes before EXIF's. */
gvm_photo_info photo_said(const struct image *image);

#endif
