/* camera.c - see camera.h
 *
 * A direction (east, north, up) is turned into the camera's axes: by the heading psi, then by the pitch theta, then by
 * the roll rho.
 *
 *   level:  x = east cos psi - north sin psi,  y = -up,  z = east sin psi + north cos psi   (right, down, ahead)
 *   pitch:  y' = y cos theta + z sin theta,    z' = z cos theta - y sin theta
 *   roll:   x' = x cos rho + y' sin rho,       y" = y' cos rho - x sin rho
 *
 * In these axes the lens is a function of the angle from the axis (pinhole, fisheye) or of own longitude and latitude
 * (cylinder, sphere). */
#include "image/camera.h"

#include <math.h>

#include "base/error.h"

static const double RADIAN = M_PI / 180;

/* Longitude of the picture's centre in its sphere; 0 for the other lenses. */
static double centre_of(const struct camera *c)
{
    return c->lens == LENS_SPHERE ? 2 * M_PI * ((c->left + c->width / 2) / c->full_width - 0.5) : 0;
}

void camera_axes(double axes[3][3], const struct camera *c)
{
    double psi = c->heading * RADIAN - centre_of(c), theta = c->pitch * RADIAN, rho = c->roll * RADIAN;
    double cp = cos(psi), sp = sin(psi), ct = cos(theta), st = sin(theta), cr = cos(rho), sr = sin(rho);
    const double right[3] = {cp, -sp, 0}, down[3] = {st * sp, st * cp, -ct}, ahead[3] = {ct * sp, ct * cp, st};
    for (int k = 0; k < 3; k++) {
        axes[0][k] = cr * right[k] + sr * down[k];
        axes[1][k] = cr * down[k] - sr * right[k];
        axes[2][k] = ahead[k];
    }
}

/* ------------------------------------------------------------------ a pinhole's distortion */

static double bend(const struct camera *c, double r)
{
    double s = r * r;
    return r * (1 + s * (c->k1 + s * c->k2));
}

/* The radius up to which bend rises: the root of its derivative, 1 + 3 k1 s + 5 k2 s^2 with s = r^2. */
static double rise_of(const struct camera *c)
{
    double root = 9 * c->k1 * c->k1 - 20 * c->k2, below = root >= 0 ? sqrt(root) - 3 * c->k1 : 0;
    return below > 0 ? sqrt(2 / below) : INFINITY;
}

/* The inverse of bend up to that radius, by Newton's steps within a bracket; NaN beyond it. If bend rises for ever, it
 * is at least 4/9 r: 1 + k1 s + k2 s^2 >= 1 - k1^2 / (4 k2), and 9 k1^2 < 20 k2. */
static double unbend(const struct camera *c, double bent)
{
    if (c->k1 == 0 && c->k2 == 0) return bent;
    double low = 0, high = fmin(rise_of(c), 2.5 * bent), r = fmin(bent, high);
    if (!(bend(c, high) >= bent)) return NAN;
    for (int step = 0; step < 100; step++) {
        double over = bend(c, r) - bent, s = r * r, before = r;
        if (over > 0)
            high = r;
        else
            low = r;
        r -= over / (1 + s * (3 * c->k1 + s * 5 * c->k2));
        if (!(r >= low && r <= high)) r = (low + high) / 2;
        if (r == before) break;
    }
    return r;
}

/* ------------------------------------------------------------------ lenses */

static double horizon_of(const struct camera *c)
{
    return c->lens == LENS_SPHERE || c->full_height > 0 ? c->full_height / 2 - c->top : c->height / 2;
}

bool camera_see(double *x, double *y, const struct camera *c, const double own[3])
{
    double across = sqrt(own[0] * own[0] + own[1] * own[1]), level = sqrt(own[0] * own[0] + own[2] * own[2]), scale,
           turn;
    *x = c->width / 2;
    *y = c->height / 2;
    switch (c->lens) {
    case LENS_PINHOLE:
        if (!(own[2] > 0 && across <= own[2] * rise_of(c))) return false;
        scale = across > 0 ? c->focal * bend(c, across / own[2]) / across : 0;
        *x += scale * own[0];
        *y += scale * own[1];
        break;
    case LENS_FISHEYE:
        scale = across > 0 ? c->focal * atan2(across, own[2]) / across : 0;
        *x += scale * own[0];
        *y += scale * own[1];
        break;
    case LENS_CYLINDER:
        *x += c->focal * atan2(own[0], own[2]);
        *y = horizon_of(c) + c->focal * own[1] / level;
        break;
    case LENS_SPHERE:
        turn = (atan2(own[0], own[2]) - centre_of(c)) / (2 * M_PI);
        *x += c->full_width * (turn - round(turn));
        *y = horizon_of(c) + c->full_height * atan2(own[1], level) / M_PI;
        break;
    }
    return isfinite(*x) && isfinite(*y);
}

static void ray_of(double own[3], double longitude, double slope_down)
{
    own[0] = sin(longitude);
    own[1] = slope_down;
    own[2] = cos(longitude);
}

bool camera_ray(double own[3], const struct camera *c, double x, double y)
{
    double right = x - c->width / 2, down = y - c->height / 2, from = hypot(right, down), radius, turn, latitude;
    switch (c->lens) {
    case LENS_PINHOLE:
        radius = unbend(c, from / c->focal);
        own[0] = from > 0 ? radius * right / from : 0;
        own[1] = from > 0 ? radius * down / from : 0;
        own[2] = 1;
        break;
    case LENS_FISHEYE:
        radius = from / c->focal;
        if (!(radius <= M_PI)) return false;
        own[0] = from > 0 ? sin(radius) * right / from : 0;
        own[1] = from > 0 ? sin(radius) * down / from : 0;
        own[2] = cos(radius);
        break;
    case LENS_CYLINDER:
        if (!(fabs(right) <= M_PI * c->focal)) return false;
        ray_of(own, right / c->focal, (y - horizon_of(c)) / c->focal);
        break;
    case LENS_SPHERE:
        turn = right / c->full_width;
        latitude = M_PI * (y - horizon_of(c)) / c->full_height;
        if (!(fabs(turn) <= 0.5 && fabs(latitude) <= M_PI / 2)) return false;
        ray_of(own, centre_of(c) + 2 * M_PI * turn, 0);
        own[0] *= cos(latitude);
        own[1] = sin(latitude);
        own[2] *= cos(latitude);
        break;
    }
    return isfinite(own[0]) && isfinite(own[1]) && isfinite(own[2]);
}

/* ------------------------------------------------------------------ directions */

bool camera_project(double *x, double *y, const struct camera *c, double azimuth, double elevation)
{
    double axes[3][3], own[3], a = azimuth * RADIAN, e = elevation * RADIAN;
    const double direction[3] = {cos(e) * sin(a), cos(e) * cos(a), sin(e)};
    camera_axes(axes, c);
    for (int k = 0; k < 3; k++)
        own[k] = axes[k][0] * direction[0] + axes[k][1] * direction[1] + axes[k][2] * direction[2];
    return camera_see(x, y, c, own);
}

bool camera_direction(double *azimuth, double *elevation, const struct camera *c, double x, double y)
{
    double axes[3][3], own[3], world[3];
    if (!camera_ray(own, c, x, y)) return false;
    camera_axes(axes, c);
    for (int k = 0; k < 3; k++) world[k] = axes[0][k] * own[0] + axes[1][k] * own[1] + axes[2][k] * own[2];
    *azimuth = atan2(world[0], world[1]) / RADIAN;
    *elevation = atan2(world[2], hypot(world[0], world[1])) / RADIAN;
    return isfinite(*azimuth) && isfinite(*elevation);
}

/* ------------------------------------------------------------------ the whole camera */

double camera_fov(const struct camera *c)
{
    double radius;
    switch (c->lens) {
    case LENS_PINHOLE:
        radius = unbend(c, c->width / 2 / c->focal);
        return 2 * atan(isnan(radius) ? rise_of(c) : radius) / RADIAN;
    case LENS_SPHERE: return fmin(360, 360 * c->width / c->full_width);
    default: return fmin(360, c->width / c->focal / RADIAN);
    }
}

void camera_density(double density[2], const struct camera *c)
{
    density[0] = c->lens == LENS_SPHERE ? c->full_width / (2 * M_PI) : c->focal;
    density[1] = c->lens == LENS_SPHERE ? c->full_height / M_PI : c->focal;
}

static bool within(double value, double low, double high)
{
    return value >= low && value <= high; /* false for NaN */
}

/* The least focal length is that of a pinhole of 175 degrees, the greatest that of a telescope. */
gvm_status camera_check(const struct camera *c, const char *where, gvm_error *err)
{
    double w = c->width, h = c->height, longest = fmax(w, h);
    if (!(within(w, 1, 1e6) && within(h, 1, 1e6)))
        return fail(err, GVM_IMAGE, "%s: a camera's picture cannot have %g x %g pixels", where, w, h);
    if (c->lens != LENS_SPHERE && !within(c->focal, 0.02 * longest, 1000 * longest))
        return fail(err, GVM_IMAGE,
                    "%s: a focal length of %g pixels does not fit a picture of %g x %g pixels; give its field of view",
                    where, c->focal, w, h);
    if (!(within(c->k1, -10, 10) && within(c->k2, -10, 10)))
        return fail(err, GVM_IMAGE, "%s: the lens distortion %g, %g is out of range; expected -10 to 10", where, c->k1,
                    c->k2);
    if (!(within(c->heading, -3600, 3600) && within(c->pitch, -90, 90) && within(c->roll, -360, 360)))
        return fail(err, GVM_IMAGE,
                    "%s: the pose (heading %g, pitch %g, roll %g degrees) is out of range; expected a pitch of -90 to "
                    "90 and a roll of -360 to 360",
                    where, c->heading, c->pitch, c->roll);
    if (c->lens == LENS_SPHERE && !(within(c->full_width, w - 1, 1e6) && within(c->full_height, h - 1, 1e6) &&
                                    within(c->full_width, 0.2 * c->full_height, 20 * c->full_height) &&
                                    within(c->left, 0, c->full_width) && within(c->top, -1, c->full_height - h + 1)))
        return fail(err, GVM_IMAGE,
                    "%s: a part of %g x %g pixels at %g, %g does not lie in a full panorama of %g x %g pixels", where,
                    w, h, c->left, c->top, c->full_width, c->full_height);
    if (c->lens == LENS_CYLINDER && !(within(c->full_height, 0, 1e6) && within(c->top, -1e6, 1e6)))
        return fail(err, GVM_IMAGE, "%s: a horizon %g pixels from the top does not fit a picture %g pixels high", where,
                    horizon_of(c), h);
    return GVM_OK;
}
