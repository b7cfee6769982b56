/* camera.h - a camera: which pixel of its picture shows a direction */
#ifndef GVM_IMAGE_CAMERA_H
#define GVM_IMAGE_CAMERA_H

#include <stdbool.h>

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
    double focal;   /* pixels; of a cylinder or a fisheye: pixels a radian; unused for a sphere */
    double k1, k2;  /* of a pinhole: radial distortion, r -> r (1 + k1 r^2 + k2 r^4) with r = tan(angle from the axis) */
    double heading; /* of the picture's centre, clockwise from north */
    double pitch;   /* above the horizon */
    double roll;    /* clockwise as seen from behind the camera: its right side is lower, so the horizon rises to the
                       right in the picture */
    double full_width, full_height, left, top; /* of a sphere, in pixels: the full circle, and where the picture lies */
};

/* Project the direction (azimuth clockwise from north, elevation above the horizon) to the picture. Returns false if
 * the lens cannot see it; (*x, *y) may lie outside of the picture. */
bool camera_project(double *x, double *y, const struct camera *camera, double azimuth, double elevation);

/* The inverse: the direction that the pixel position (x, y) shows. Returns false if no direction falls there. */
bool camera_direction(double *azimuth, double *elevation, const struct camera *camera, double x, double y);

#endif
