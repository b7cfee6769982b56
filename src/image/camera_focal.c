/* camera_focal.c - the focal length of a photo, in pixels; see camera_read.h for the order of its sources */
#include <math.h>

#include "image/camera_read.h"
#include "image/sensors.h"

/* Diagonal of a frame of 35 mm film, 36 x 24 mm. The equivalent focal length has the same diagonal field of view: CIPA
 * DCG-001, "Guideline for Noting Digital Camera Specifications in Catalogs". */
static const double FILM = 43.27;

/* Field of view if nothing is known: that of a phone, about 61 degrees along the longer side. */
static const double USUAL = 0.85;

/* A pinhole's focal length that a camera can have: 175 to 0.06 degrees along the longer side. */
static double plausible(struct reading *r, double focal)
{
    double longest = fmax(r->image->width, r->image->height);
    if (focal >= 0.022 * longest && focal <= 900 * longest) return focal;
    if (focal > 0) doubt(r, DOUBT_ABSURD);
    return 0;
}

static bool disagree(double a, double b, double factor)
{
    return a > 0 && b > 0 && fmax(a, b) > factor * fmin(a, b);
}

/* The user's field of view: half the width is f times what the lens makes of half the angle. */
static double focal_of_fov(const struct reading *r, double fov)
{
    const struct camera *c = &r->facts->camera;
    double half = fov / 2 * M_PI / 180, t = tan(half), s = t * t;
    return c->width / 2 / (c->lens == LENS_PINHOLE ? t * (1 + s * (c->k1 + s * c->k2)) : half);
}

static double focal_of_film(const struct reading *r, double mm)
{
    return mm * hypot(r->image->width, r->image->height) / FILM;
}

/* EXIF's 35 mm equivalent. Some phones write the lens's own focal length there, 4 mm; the widest lens that keeps lines
 * straight has 9 mm. */
static double equivalent(struct reading *r)
{
    const struct exif *e = &r->image->exif;
    if (e->focal_35mm <= 0) return 0;
    if (e->focal_35mm < 8 && r->facts->camera.lens != LENS_FISHEYE) {
        doubt(r, DOUBT_ABSURD);
        return 0;
    }
    return plausible(r, focal_of_film(r, e->focal_35mm));
}

/* From the lens's focal length and the sensor's width. A program that shrinks a picture seldom corrects the resolution
 * of its focal plane, which makes the sensor too small: the table knows better. */
static double by_sensor(struct reading *r, gvm_source *from)
{
    const struct exif *e = &r->image->exif;
    double plane = e->sensor_width, table = sensor_width_of(e->make, e->model);
    if (e->focal <= 0 || (plane <= 0 && table <= 0)) return 0;
    bool differ = disagree(plane, table, 1.25);
    if (differ) doubt(r, DOUBT_CONTRADICTION);
    *from = plane > 0 && !differ ? GVM_SOURCE_FOCAL_PLANE : GVM_SOURCE_SENSOR_TABLE;
    double width = *from == GVM_SOURCE_FOCAL_PLANE ? plane : table;
    return plausible(r, e->focal / width * fmax(r->image->width, r->image->height));
}

static double by_exif(struct reading *r, gvm_source *from)
{
    gvm_source other = GVM_SOURCE_NONE;
    double film = equivalent(r), sensor = by_sensor(r, &other);
    if (film > 0 && disagree(film, sensor, 1.5)) doubt(r, DOUBT_CONTRADICTION);
    *from = film > 0 ? GVM_SOURCE_FOCAL_35MM : other;
    return film > 0 ? film : sensor;
}

/* A sweep with the phone upright: the picture is as high as the sensor is long, 34.6 of the 43.27 mm of a 4:3 frame. A
 * phone's lens is 26 mm. */
static double by_sweep(struct reading *r, gvm_source *from)
{
    double mm = r->image->exif.focal_35mm, h = r->image->height;
    doubt(r, DOUBT_SWEEP);
    *from = mm >= 8 && mm <= 200 ? GVM_SOURCE_FOCAL_35MM : GVM_SOURCE_ASSUMED;
    return fmax((*from == GVM_SOURCE_ASSUMED ? 26 : mm) * h / 34.6, r->image->width / (2 * M_PI));
}

double camera_focal(struct reading *r)
{
    const struct exif *e = &r->image->exif;
    const struct camera *c = &r->facts->camera;
    gvm_source *from = &r->facts->fov_from;
    double longest = fmax(r->image->width, r->image->height), focal = 0;
    *from = GVM_SOURCE_OPTION;
    if (r->user->fov > 0) return focal_of_fov(r, r->user->fov);
    if (r->user->focal_35mm > 0) return focal_of_film(r, r->user->focal_35mm);
    if (c->lens == LENS_CYLINDER && r->gpano.full_width > 0 && r->gpano.width > 0) {
        *from = GVM_SOURCE_GPANO;
        return c->width * r->gpano.full_width / r->gpano.width / (2 * M_PI);
    }
    if (c->lens == LENS_CYLINDER) return by_sweep(r, from);
    if (r->facts->lens_from == GVM_SOURCE_CALIBRATION) {
        *from = GVM_SOURCE_CALIBRATION;
        return calibration_of(e->make, e->model, e->focal_35mm)->focal * longest;
    }
    if (e->absurd) doubt(r, DOUBT_ABSURD);
    if (r->cropped && (e->focal > 0 || e->focal_35mm > 0))
        doubt(r, DOUBT_CROPPED);
    else
        focal = by_exif(r, from);
    if (focal > 0) return focal;
    *from = GVM_SOURCE_ASSUMED;
    doubt(r, DOUBT_ASSUMED);
    return USUAL * longest;
}
