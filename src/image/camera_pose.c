/* camera_pose.c - where a camera looked: heading, pitch and roll; see camera_read.h */
#include <math.h>
#include <time.h>

#include "geo/declination.h"
#include "image/camera_read.h"

static double turned(double degrees)
{
    degrees -= 360 * floor(degrees / 360);
    return degrees >= 0 && degrees < 360 ? degrees : 0; /* not so for numbers just below 0 */
}

/* ------------------------------------------------------------------ heading */

/* Years of 365.2425 days since 1970. */
static double now(void)
{
    return 1970 + (double)time(NULL) / (365.2425 * 86400);
}

static void correct(struct reading *r, const struct exif *e)
{
    struct camera_facts *f = r->facts;
    f->magnetic = true;
    if (!e->has_place) {
        doubt(r, DOUBT_NORTH);
        return;
    }
    f->year = e->year > 0 ? e->year : now();
    if (!declination(&f->declination, e->lat, e->lon, f->year)) doubt(r, DOUBT_YEAR);
    f->camera.heading += f->declination;
}

/* GPano's heading is that of the full circle's centre. */
static double pano_heading(const struct reading *r)
{
    const struct gpano *g = &r->gpano;
    double own = g->heading;
    if (g->full_width > 0 && g->width > 0 && g->has_left) own += 360 * ((g->left + g->width / 2) / g->full_width - 0.5);
    return own;
}

static void read_heading(struct reading *r)
{
    struct camera_facts *f = r->facts;
    const struct exif *e = &r->image->exif;
    const struct attitude *a = &r->image->attitude;
    if (r->user->heading != NULL) {
        f->camera.heading = *r->user->heading;
        f->heading_from = GVM_SOURCE_OPTION;
    } else if (r->gpano.has_heading) {
        f->camera.heading = pano_heading(r);
        f->heading_from = GVM_SOURCE_GPANO;
    } else if (a->has_yaw) {
        f->camera.heading = a->yaw;
        f->heading_from = GVM_SOURCE_XMP;
    } else if (e->has_heading) {
        f->camera.heading = e->heading;
        f->heading_from = GVM_SOURCE_EXIF;
        if (e->magnetic) correct(r, e);
    }
    f->camera.heading = turned(f->camera.heading);
}

/* ------------------------------------------------------------------ pitch and roll */

/* Down in the upright picture's (right, down, ahead). The vector points down in the phone's (right, top, out of the
 * screen); its camera, on the back, looks into the screen, and its stored picture's upper side is the phone's right
 * one: held with that side up it writes Orientation 1. The other orientations turn the picture clockwise: 6 by 90
 * degrees, 3 by 180, 8 by 270. Returns false if the picture is mirrored. */
static bool down_of(double down[3], const struct exif *e)
{
    double right = -e->gravity[1], below = -e->gravity[0];
    down[2] = -e->gravity[2];
    switch (e->orientation) {
    case 0:
    case 1: down[0] = right, down[1] = below; return true;
    case 3: down[0] = -right, down[1] = -below; return true;
    case 6: down[0] = -below, down[1] = right; return true;
    case 8: down[0] = below, down[1] = -right; return true;
    default: return false;
    }
}

/* Of a level camera, down is (0, 1, 0); pitch and roll make it (cos pitch sin roll, cos pitch cos roll, -sin pitch).
 * Orientation is chosen by the same sensor: if it does not turn down to the lower side, the picture was turned later.
 */
static bool tilt_of(double *pitch, double *roll, struct reading *r)
{
    double down[3];
    const struct exif *e = &r->image->exif;
    if (!e->has_gravity || e->front || !down_of(down, e)) return false;
    if (!(down[1] >= fabs(down[0]))) {
        doubt(r, DOUBT_TILT);
        return false;
    }
    *pitch = -asin(fmax(-1, fmin(1, down[2]))) * 180 / M_PI;
    *roll = atan2(down[0], down[1]) * 180 / M_PI;
    return true;
}

/* One angle from its sources. */
static void read_angle(double *angle, gvm_source *from, const double *user, const double *gpano, const double *xmp,
                       const double *tilt)
{
    const struct {
        const double *angle;
        gvm_source from;
    } sources[] = {
        {user, GVM_SOURCE_OPTION}, {gpano, GVM_SOURCE_GPANO}, {xmp, GVM_SOURCE_XMP}, {tilt, GVM_SOURCE_ACCELERATION}};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (sources[i].angle != NULL) {
            *angle = *sources[i].angle;
            *from = sources[i].from;
            return;
        }
}

/* XMP's roll is that of the picture as stored: of a picture that was turned, only a small one can be meant. */
static const double *xmp_roll(struct reading *r)
{
    const struct attitude *a = &r->image->attitude;
    if (!a->has_roll) return NULL;
    if (r->image->exif.orientation <= 1 || fabs(a->roll) <= 45) return &a->roll;
    doubt(r, DOUBT_ROLL);
    return NULL;
}

void camera_pose(struct reading *r)
{
    struct camera_facts *f = r->facts;
    const struct gpano *g = &r->gpano;
    const struct attitude *a = &r->image->attitude;
    double pitch, roll;
    read_heading(r);
    bool tilted = f->camera.lens != LENS_SPHERE && tilt_of(&pitch, &roll, r);
    read_angle(&f->camera.pitch, &f->pitch_from, r->user->pitch, g->has_pitch ? &g->pitch : NULL,
               a->has_pitch ? &a->pitch : NULL, tilted ? &pitch : NULL);
    read_angle(&f->camera.roll, &f->roll_from, r->user->roll, g->has_roll ? &g->roll : NULL, xmp_roll(r),
               tilted ? &roll : NULL);
}
