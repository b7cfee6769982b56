/* photo.h - an ordinary photo of the town: a pinhole camera with any heading, nearly level. */
#ifndef GVM_WORLD_PHOTO_H
#define GVM_WORLD_PHOTO_H

#include "world/render.h"

struct photo {
    int width, height; /* pixels */
    int focal_35mm;    /* as of 35 mm film, by the diagonal: millimetres */
    double heading;    /* of the optical axis: degrees clockwise from north, 0..360, in hundredths */
    double pitch;      /* degrees upwards, -30..30 */
    double roll;       /* degrees clockwise: the camera's right side is lower */
};

/* One of the shapes 4:3, 3:4, 16:9 and 9:16 with a longer side of `longest` pixels, with a field of view of about
 * fov[0] to fov[1] degrees along it; any heading, pitch with deviation 3 and roll with deviation 2. Depends on the
 * arguments alone. */
void photo_draw(struct photo *photo, int longest, const double fov[2], uint64_t seed, int number);

/* Degrees from the left border to the right one. */
double photo_hfov(const struct photo *photo);

/* Taken at (x, y), `above` metres above the ground. pixels (height, width, 3). False if out of memory. */
bool photo_render(unsigned char *pixels, const struct photo *photo, const struct scene *scene, const struct view *view,
                  float x, float y, float above);

#endif
