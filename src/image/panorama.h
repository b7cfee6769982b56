/* panorama.h - converts picture files to the network's input */
#ifndef GVM_IMAGE_PANORAMA_H
#define GVM_IMAGE_PANORAMA_H

#include "geoviewmatch.h"
#include "image/circle.h"
#include "image/image.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Projection of a view's pictures. */
enum projection {
    PROJECTION_PANORAMA,   /* equirectangular: columns are headings over 360 degrees, rows elevations */
    PROJECTION_NADIR,      /* a square of the ground, from above */
    PROJECTION_PERSPECTIVE /* an ordinary photo: any heading, any field of view */
};

enum { MAX_ZOOMS = 4 };

/* A view's input to the network. */
struct picture_shape {
    int height, width;   /* H, W, pixels */
    double elevation[2]; /* of a panorama's lowest and highest row, as in training; degrees, -90 <= low < high <= 90 */
    enum resize resize;
    enum projection projection;
    int zoom_count;          /* 0: one picture per place; else the number of pictures of a place, */
    double zooms[MAX_ZOOMS]; /* their metres per pixel, rising, */
    double bearing;          /* and the bearing that points up in them, degrees clockwise from north */
    bool masked;             /* with visibility: its pixels are followed by SEEN_PATCH's bytes */
    uint8_t unseen[3];       /* colour of what a panorama does not show: the network's mean */
};

/* Side of the patches of a picture with visibility, pixels: H and W are multiples of it. After its pixels (H, W, 3)
 * come (H / 4, W / 4) bytes, 1 for a patch of which at least half is seen, else 0. */
enum { SEEN_PATCH = 4 };

/* Number of those bytes: 0 without visibility. */
static inline size_t seen_bytes(const struct picture_shape *shape)
{
    return shape->masked ? (size_t)(shape->height / SEEN_PATCH) * (size_t)(shape->width / SEEN_PATCH) : 0;
}

/* Bytes of all pictures of a place. */
static inline size_t picture_bytes(const struct picture_shape *shape)
{
    size_t pictures = shape->zoom_count > 0 ? (size_t)shape->zoom_count : 1;
    return pictures * ((size_t)shape->height * (size_t)shape->width * 3 + seen_bytes(shape));
}

/* The visibility (H / 4, W / 4) of a picture that has it. */
static inline uint8_t *picture_seen(uint8_t *pixels, const struct picture_shape *shape)
{
    return pixels + (size_t)shape->height * (size_t)shape->width * 3;
}

/* Load a street panorama, with north at the centre column and east to its right.
 *
 *   out         (H, W, 3) sRGB; and the visibility
 *   shape       a picture that extends beyond its elevations is cropped to them; if it spans less, its first or last
 *               row is repeated, or with visibility the rows beyond it are unseen
 *   heading     degrees clockwise from north of the picture's centre column; NULL: from XMP (GPano:PoseHeadingDegrees),
 *               else from EXIF (GPSImgDirection), else 0
 *   circle      what is known of it (circle.h); only full panoramas are accepted
 *
 * Returns GVM_OK, GVM_ARGUMENT, GVM_PANORAMA (not recognised as a full panorama), GVM_IMAGE (certainly not a full
 * panorama, or blank), or as image_load. */
gvm_status panorama_load(uint8_t *out, const struct picture_shape *shape, const double *heading, enum circle circle,
                         const char *path, gvm_error *err);

/* The same for a decoded picture. Its gpano is cleared if it does not fit the picture. `where` names it in error
 * messages. */
gvm_status panorama_fit(uint8_t *out, const struct picture_shape *shape, const double *heading, enum circle circle,
                        struct image *image, const char *where, gvm_error *err);

/* The same for a full level panorama whose edges are known: span, the elevation of its lower and upper edge; heading,
 * of its centre column. checked: a blank picture is GVM_IMAGE. */
gvm_status panorama_strip(uint8_t *out, const struct picture_shape *shape, const double span[2], double heading,
                          bool checked, const struct image *image, const char *where, gvm_error *err);

/* Returns GVM_ARGUMENT if the shape's elevations are no range within -90 to 90 degrees. */
gvm_status panorama_check(const struct picture_shape *shape, gvm_error *err);

/* For a picture that panorama_fit accepted, with the same heading: the box that was used (left, top, right, bottom, in
 * pixels; may extend above and below the picture), and the number of columns out of W by which it was turned. */
void panorama_seen(double box[4], int *turn, const struct picture_shape *shape, const double *heading,
                   const struct image *image);

/* The elevation band of a full level panorama whose edges are at the elevations `span` (lower, upper), as the box of
 * panorama_seen. */
void panorama_band(double box[4], const struct image *image, const double span[2], const double elevation[2]);

/* Elevation of a panorama's upper and lower edge, degrees: from its XMP, else assuming square pixels over 360 degrees
 * of width, with the horizon in the middle. */
void panorama_elevation(double *high, double *low, const struct image *image);

/* Columns out of W that a heading corresponds to, 0..W - 1. */
int panorama_columns(double heading, int W);

/* Turn a panorama whose centre column looks along `heading` (degrees clockwise from north) in place, so that north is
 * at its centre. Shifts by whole columns, and its visibility by the nearest number of patches. */
void panorama_turn(uint8_t *pixels, const struct picture_shape *shape, double heading);

/* Load an aerial picture, north up: the centred part with the aspect ratio H:W.
 *
 *   out   (H, W, 3) sRGB
 *
 * Returns as image_load. */
gvm_status aerial_load(uint8_t *out, const struct picture_shape *shape, const char *path, gvm_error *err);

/* The box of the picture that is used, as in panorama_seen. */
void aerial_seen(double box[4], const struct picture_shape *shape, const struct image *image);

/* The same for a decoded picture. box, out: the part that was used */
gvm_status aerial_fit(uint8_t *out, double box[4], const struct picture_shape *shape, const struct image *image,
                      const char *where, gvm_error *err);

/* The position and heading in a picture's metadata. GPano's heading takes precedence over EXIF's. */
gvm_photo_info photo_said(const struct image *image);

#endif
