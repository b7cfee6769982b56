/* camera_read.h - the camera of a picture, from the file's metadata and from what the user knows */
#ifndef GVM_IMAGE_CAMERA_READ_H
#define GVM_IMAGE_CAMERA_READ_H

#include "geoviewmatch.h"
#include "image/camera.h"
#include "image/image.h"

/* What may be wrong with a camera; camera_warning has the sentences. */
enum camera_doubt {
    DOUBT_ASSUMED,
    DOUBT_CROPPED,
    DOUBT_ABSURD,
    DOUBT_CONTRADICTION,
    DOUBT_WIDE,
    DOUBT_NARROW,
    DOUBT_SWEEP,
    DOUBT_SHAPE,
    DOUBT_GPANO,
    DOUBT_PROJECTION,
    DOUBT_TILT,
    DOUBT_ROLL,
    DOUBT_NORTH,
    DOUBT_YEAR,
    DOUBTS
};

struct camera_facts {
    struct camera camera; /* camera_check accepts it; unknown angles are 0 */
    gvm_source lens_from, fov_from, heading_from, pitch_from, roll_from;
    bool magnetic;      /* the heading was relative to magnetic north, and the declination was added */
    double declination; /* 0: the place is unknown */
    double year;        /* of the declination */
    unsigned doubts;    /* a bit for each camera_doubt */
};

/* Put together what the picture says and the user knows (NULL: nothing).
 *
 * Field of view, the first that applies: the user's; GPano; the full circle, if the picture is recognised as one (only
 * with pixels); a table of action cameras; EXIF's 35 mm equivalent focal length; its focal length with the focal
 * plane's resolution; with a table of sensors; 61 degrees along the longer side. Unless the picture has the shape that
 * it was taken with, EXIF's lengths do not hold.
 *
 * Returns GVM_OK, GVM_ARGUMENT (what the user knows is out of range or makes no camera) or GVM_MEMORY. `where` names
 * the picture in errors. */
gvm_status camera_read(struct camera_facts *facts, const struct image *image, const gvm_camera_options *user,
                       const char *where, gvm_error *err);

/* The same as the public struct. */
void camera_describe(gvm_camera *out, const struct camera_facts *facts, const struct image *image);

/* A sentence without the picture's name. */
const char *camera_warning(enum camera_doubt doubt);

/* ------------------------------------------------------------------ parts of camera_read */

struct reading {
    struct camera_facts *facts;
    const struct image *image;
    const gvm_camera_options *user;
    struct gpano gpano; /* all zero if it contradicts the picture */
    bool cropped;       /* the picture has not the shape that it was taken with */
    bool spent;         /* out of memory */
};

/* In camera_focal.c: the focal length in pixels of the upright picture, its source and doubts. */
double camera_focal(struct reading *r);

/* In camera_pose.c: heading, pitch, roll. */
void camera_pose(struct reading *r);

static inline void doubt(const struct reading *r, enum camera_doubt what)
{
    r->facts->doubts |= 1u << what;
}

#endif
