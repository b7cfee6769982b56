/* photo.h - an ordinary photo of the town, by any camera. */
#ifndef GVM_WORLD_PHOTO_H
#define GVM_WORLD_PHOTO_H

#include "image/camera.h"
#include "world/render.h"

enum { PHOTO_SHAPES = 8 };

/* What cameras to draw. */
struct photo_range {
    int longest;                 /* pixels of the longer side */
    double fov[2];               /* field of view along it, without distortion: degrees */
    int shapes[PHOTO_SHAPES][2]; /* width and height, as 4, 3 */
    int shape_count;
    double pitch, roll; /* standard deviations, degrees */
    enum lens lens;
    double k1, k2;   /* of a pinhole */
    int orientation; /* EXIF's, 1..8; 0: any */
};

struct photo {
    struct camera camera;
    int width, height; /* pixels, upright */
    int focal_35mm;  /* as of 35 mm film, by the diagonal: millimetres; 0: a cylinder or a sphere, which is stitched */
    int orientation; /* in which it is stored */
};

/* Any heading, in hundredths of degrees. Focal lengths are rounded to the whole numbers that metadata have. Depends on
 * the arguments alone. */
void photo_draw(struct photo *photo, const struct photo_range *range, uint64_t seed, int number);

/* Whether all photos of the range show something at their corners. */
bool photo_range_shows(const struct photo_range *range);

/* Taken at (x, y), `above` metres above the ground. pixels (height, width, 3), black where the lens shows nothing.
 * False if out of memory. */
bool photo_render(unsigned char *pixels, const struct photo *photo, const struct scene *scene, const struct view *view,
                  float x, float y, float above);

/* The picture as stored: stored (height, width, 3), or (width, height, 3) in orientations 5 to 8. */
void photo_store(unsigned char *stored, const unsigned char *pixels, const struct photo *photo);

#endif
