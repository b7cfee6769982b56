/* camera.h - a camera: which pixel of its picture shows a direction */
#ifndef GVM_IMAGE_CAMERA_H
#define GVM_IMAGE_CAMERA_H

#include <stdbool.h>

#include "geoviewmatch.h"

enum lens {
    LENS_PINHOLE,  /* straight lines stay straight, except for k1 and k2 */
    LENS_FISHEYE,  /* the distance from the picture's centre is proportional to the angle */
    LENS_CYLINDER, /* columns are headings, as in a phone's panorama by sweep */
    LENS_SPHERE    /* equirectangular, a full or a partial panorama */
};

/* Pixels are those of the upright picture, (0, 0) its upper left corner. Angles in degrees. */
struct camera {
    enum lens lens;
    double width, height;
    double focal;  /* pixels; of a cylinder or a fisheye: pixels a radian; unused for a sphere */
    double k1, k2; /* of a pinhole: radial distortion, r -> r (1 + k1 r^2 + k2 r^4) with r = tan(angle from the axis) */
    double heading; /* of the picture's centre, clockwise from north */
    double pitch;   /* above the horizon */
    double roll;    /* clockwise as seen from behind the camera: its right side is lower, so the horizon rises to the
                       right in the picture */

    /* Of a sphere, in pixels of the picture (GPano's sizes times width / CroppedAreaImageWidthPixels, and the same for
     * heights): the full sphere, and the picture's upper left corner in it, left in 0..full_width; the picture may
     * continue over the seam. Pitch and roll turn the sphere about its own centre, as GPano's pose does. Of a cylinder:
     * full_height / 2 - top is the row of its horizon; 0, 0: the middle row. */
    double full_width, full_height, left, top;
};

/* Project the direction (azimuth clockwise from north, elevation above the horizon) to the picture. Returns false if
 * the lens cannot see it; (*x, *y) may lie outside of the picture. */
bool camera_project(double *x, double *y, const struct camera *camera, double azimuth, double elevation);

/* The inverse: the direction that the pixel position (x, y) shows, azimuth within -180..180. Returns false if no
 * direction falls there. */
bool camera_direction(double *azimuth, double *elevation, const struct camera *camera, double x, double y);

/* The camera's right, down and ahead as unit vectors, each (east, north, up). */
void camera_axes(double axes[3][3], const struct camera *camera);

/* camera_project and camera_direction in the camera's own axes: own, a vector along (right, down, ahead),
 * of about length 1. */
bool camera_see(double *x, double *y, const struct camera *camera, const double own[3]);
bool camera_ray(double own[3], const struct camera *camera, double x, double y);

/* Horizontal field of view in degrees, through the picture's centre row. */
double camera_fov(const struct camera *camera);

/* Pixels a radian at the centre of the picture: across and down. */
void camera_density(double density[2], const struct camera *camera);

/* Returns GVM_OK, or GVM_IMAGE with a sentence if the numbers are those of no camera. The functions above accept any
 * numbers, and return false if the result is not finite. */
gvm_status camera_check(const struct camera *camera, const char *where, gvm_error *err);

#endif
