/* camera_read.c - see camera_read.h: the lens, and all parts put together */
#include "image/camera_read.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "image/circle.h"
#include "image/panorama.h"
#include "image/sensors.h"

/* Wider pictures of a camera were stitched: the widest sensors are 21:9. */
static const double WIDEST = 2.4;

/* ------------------------------------------------------------------ what the user knows */

static bool outside(const double *value, double most)
{
    return value != NULL && !(fabs(*value) <= most);
}

static gvm_status check_user(const gvm_camera_options *u, gvm_error *err)
{
    const char *what = NULL;
    bool pinhole = u->lens == GVM_LENS_FOUND || u->lens == GVM_LENS_PINHOLE;
    if (u->fov != 0 && !(u->fov >= 1 && u->fov <= 360)) what = "field of view; expected 1 to 360 degrees";
    if (u->focal_35mm != 0 && !(u->focal_35mm >= 1 && u->focal_35mm <= 5000))
        what = "35 mm equivalent focal length; expected 1 to 5000 mm";
    if (u->fov != 0 && u->focal_35mm != 0) what = "lens: give a field of view or a focal length, not both";
    if (outside(u->heading, 360)) what = "heading; expected -360 to 360 degrees";
    if (outside(u->pitch, 90)) what = "pitch; expected -90 to 90 degrees";
    if (outside(u->roll, 180)) what = "roll; expected -180 to 180 degrees";
    if (u->distortion != NULL && (outside(u->distortion, 2) || outside(u->distortion + 1, 2) || !pinhole))
        what = "distortion; expected k1 and k2 of a pinhole, -2 to 2";
    if (u->lens < GVM_LENS_FOUND || u->lens > GVM_LENS_SPHERE) what = "lens";
    return what == NULL ? GVM_OK : fail(err, GVM_ARGUMENT, "invalid %s", what);
}

/* ------------------------------------------------------------------ contradictions */

/* EXIF records the size that a picture was taken with; a program that crops it leaves that as it is. Turning it does
 * not change the shape. */
static bool is_cropped(const struct image *image)
{
    double w = image->exif.width, h = image->exif.height, said = fmax(w, h) / fmin(w, h);
    double is = (double)image->width / image->height;
    if (is < 1) is = 1 / is;
    return w > 0 && h > 0 && fabs(said - is) > 0.02 * is;
}

/* GPano that the picture can have. A full circle of more than a million pixels, or one less wide than a fifth of the
 * picture's height, is none that camera_check accepts. */
static struct gpano valid_gpano(const struct reading *r)
{
    const struct gpano *g = &r->image->gpano;
    double w = r->image->width, h = r->image->height, circle = 2 * w;
    bool sized = g->full_width > 0 && g->width > 0, fits = !gpano_is_stale(g, r->image->width, r->image->height);
    if (sized) {
        circle = w * g->full_width / g->width;
        fits = fits && g->width <= 1.001 * g->full_width && g->width >= g->full_width / 360 && g->left <= g->full_width;
    } else if (g->equirectangular) {
        circle = w;
    }
    if (fits && circle <= 1e6 && h < 4.9 * fmax(w, circle)) return *g;
    if (gpano_says(g)) doubt(r, DOUBT_GPANO);
    return (struct gpano){0};
}

/* ------------------------------------------------------------------ the lens */

static bool is_full(struct reading *r)
{
    struct image copy = *r->image;
    if (copy.pixels == NULL) return false;
    gvm_status status = circle_check(&copy, CIRCLE_CHECKED, "", NULL);
    r->spent = status == GVM_MEMORY;
    return status == GVM_OK;
}

/* A camera's picture of this shape is a sweep, unless it was cropped. */
static bool is_sweep(const struct reading *r)
{
    const struct image *image = r->image;
    const struct exif *e = &image->exif;
    bool camera = e->make[0] != '\0' || e->model[0] != '\0' || e->has_focal;
    return e->sweep || (camera && !r->cropped && image->width > WIDEST * image->height);
}

static enum lens find_lens(struct reading *r)
{
    static const enum lens lenses[] = {LENS_PINHOLE, LENS_PINHOLE, LENS_FISHEYE, LENS_CYLINDER, LENS_SPHERE};
    const struct gpano *g = &r->gpano;
    const struct exif *e = &r->image->exif;
    const gvm_camera_options *u = r->user;
    struct camera_facts *f = r->facts;
    const struct calibration *c = calibration_of(e->make, e->model, e->focal_35mm);
    f->lens_from = u->lens != GVM_LENS_FOUND || u->distortion != NULL ? GVM_SOURCE_OPTION : GVM_SOURCE_GPANO;
    if (u->lens != GVM_LENS_FOUND) return lenses[u->lens];
    if (u->distortion != NULL) return LENS_PINHOLE;
    if (g->cylindrical) return LENS_CYLINDER;
    if (g->other)
        doubt(r, DOUBT_PROJECTION);
    else if ((g->full_width > 0 && g->width > 0) || (g->equirectangular && !e->sweep))
        return LENS_SPHERE;
    bool given = u->fov > 0 || u->focal_35mm > 0;
    f->lens_from = GVM_SOURCE_SHAPE;
    if (!given && !g->other && is_full(r)) {
        doubt(r, DOUBT_SHAPE);
        return LENS_SPHERE;
    }
    if (is_sweep(r)) {
        if (e->sweep) f->lens_from = GVM_SOURCE_EXIF;
        return LENS_CYLINDER;
    }
    f->lens_from = c != NULL && !r->cropped ? GVM_SOURCE_CALIBRATION : GVM_SOURCE_ASSUMED;
    if (f->lens_from == GVM_SOURCE_ASSUMED) return LENS_PINHOLE;
    f->camera.k1 = c->k1;
    f->camera.k2 = c->k2;
    return c->fisheye ? LENS_FISHEYE : LENS_PINHOLE;
}

/* ------------------------------------------------------------------ panoramas */

/* Rows: from GPano; else square pixels with the horizon in the middle. */
static void read_rows(struct reading *r)
{
    const struct gpano *g = &r->gpano;
    struct camera *c = &r->facts->camera;
    bool sized = g->full_height > 0 && g->height > 0;
    double scale = sized ? c->height / g->height : 1;
    c->full_height = g->full_height * scale;
    c->top = g->top * scale;
    bool fits = c->full_height >= c->height - 1 && c->full_height <= 1e6 && c->top <= c->full_height - c->height + 1;
    double square = c->full_width / 2 / c->full_height;
    if (sized && fits && square < 10 && square > 0.1) return;
    if (sized) doubt(r, DOUBT_GPANO);
    c->full_height = fmax(c->full_width / 2, c->height);
    c->top = (c->full_height - c->height) / 2;
}

/* A field of view of the user's is that of square pixels. */
static void read_sphere(struct reading *r)
{
    const struct gpano *g = &r->gpano;
    struct camera *c = &r->facts->camera;
    gvm_source *from = &r->facts->fov_from;
    bool sized = g->full_width > 0 && g->width > 0;
    if (r->user->fov > 0) {
        r->gpano.full_height = 0;
        *from = GVM_SOURCE_OPTION;
        c->full_width = c->width * 360 / r->user->fov;
    } else {
        *from = r->facts->lens_from;
        c->full_width = sized ? fmax(c->width, c->width * g->full_width / g->width) : c->width;
    }
    double middle = (c->full_width - c->width) / 2;
    c->left = sized && g->has_left && r->user->fov == 0 ? g->left * c->width / g->width : middle;
    c->left = fmin(c->left, c->full_width);
    read_rows(r);
    c->focal = c->full_width / (2 * M_PI);
}

/* The row of a cylinder's horizon. By Google's definition the top of a cylinder counts from the horizon, negative above
 * it; other programs count it from the top of the full picture. */
static void read_horizon(struct reading *r)
{
    const struct gpano *g = &r->gpano;
    struct camera *c = &r->facts->camera;
    if (g->cylindrical && g->above > 0 && g->height > 0 && g->above < 10 * g->height) {
        c->full_height = c->height;
        c->top = c->full_height / 2 - g->above * c->height / g->height;
        return;
    }
    if (!(g->cylindrical && g->full_height > 0 && g->height > 0 && g->top + g->height <= g->full_height + 1)) return;
    double scale = c->height / g->height;
    if (!(g->full_height * scale <= 1e6)) return;
    c->full_height = g->full_height * scale;
    c->top = g->top * scale;
}

/* ------------------------------------------------------------------ all */

static double vertical_fov(const struct camera *c)
{
    if (c->lens == LENS_SPHERE) return fmin(180, 180 * c->height / c->full_height);
    if (c->lens == LENS_CYLINDER) return 2 * atan(c->height / 2 / c->focal) * 180 / M_PI;
    struct camera turned = *c;
    turned.width = c->height;
    return camera_fov(&turned);
}

static void judge_fov(const struct reading *r)
{
    const struct camera *c = &r->facts->camera;
    double fov = fmax(camera_fov(c), vertical_fov(c));
    bool measured = r->facts->fov_from >= GVM_SOURCE_FOCAL_35MM && c->lens == LENS_PINHOLE;
    if (measured && fov > 100 && c->k1 == 0 && c->k2 == 0) doubt(r, DOUBT_WIDE);
    if (camera_fov(c) < 25) doubt(r, DOUBT_NARROW);
}

/* Only by what the user gave can it be impossible. */
static gvm_status check_camera(const struct reading *r, const char *where, gvm_error *err)
{
    gvm_error reason;
    const struct camera *c = &r->facts->camera;
    if (r->user->fov > 0 && !(c->focal > 0 && fabs(camera_fov(c) - r->user->fov) < 0.01))
        return fail(err, GVM_ARGUMENT,
                    "%s: with the distortion %g, %g the lens cannot see %g degrees; correct one of them", where, c->k1,
                    c->k2, r->user->fov);
    if (camera_check(c, where, &reason) != GVM_OK) return fail(err, GVM_ARGUMENT, "%s", reason.text);
    return GVM_OK;
}

gvm_status camera_read(struct camera_facts *facts, const struct image *image, const gvm_camera_options *user,
                       const char *where, gvm_error *err)
{
    static const gvm_camera_options nothing = {.size = sizeof nothing};
    struct reading r = {.facts = facts, .image = image, .user = user != NULL ? user : &nothing};
    struct camera *c = &facts->camera;
    *facts = (struct camera_facts){.camera = {.width = image->width, .height = image->height}};
    gvm_status status = check_user(r.user, err);
    if (status != GVM_OK) return status;
    r.gpano = valid_gpano(&r);
    r.cropped = is_cropped(image);
    c->lens = find_lens(&r);
    if (r.spent) return fail(err, GVM_MEMORY, "%s: cannot read its camera: out of memory", where);
    if (c->lens == LENS_PINHOLE && r.user->fov >= 170)
        return fail(err, GVM_ARGUMENT, "%s: a pinhole camera cannot see %g degrees; give its lens", where, r.user->fov);
    if (r.user->distortion != NULL) {
        c->k1 = r.user->distortion[0];
        c->k2 = r.user->distortion[1];
    }
    if (c->lens == LENS_SPHERE) {
        read_sphere(&r);
    } else {
        c->focal = camera_focal(&r);
        read_horizon(&r);
    }
    camera_pose(&r);
    judge_fov(&r);
    return check_camera(&r, where, err);
}

const char *camera_warning(enum camera_doubt what)
{
    static const char *const sentences[DOUBTS] = {
        [DOUBT_ASSUMED] = "the field of view is assumed, because the metadata have no usable focal length",
        [DOUBT_CROPPED] =
            "the picture was cropped: its shape differs from the EXIF's, whose focal length does not hold",
        [DOUBT_ABSURD] = "a focal length in the EXIF is impossible and was ignored",
        [DOUBT_CONTRADICTION] = "the focal lengths in the EXIF contradict each other",
        [DOUBT_WIDE] = "the field of view exceeds 100 degrees, but the lens's distortion is unknown",
        [DOUBT_NARROW] = "the field of view is below 25 degrees, too little to recognise a place",
        [DOUBT_SWEEP] = "a panorama by sweep does not record its field of view, which is estimated",
        [DOUBT_SHAPE] = "it is taken for a full panorama by its shape",
        [DOUBT_GPANO] = "XMP GPano contradicts the picture and was ignored",
        [DOUBT_PROJECTION] = "XMP GPano names an unknown projection",
        [DOUBT_TILT] = "the acceleration vector contradicts the EXIF orientation and was ignored",
        [DOUBT_ROLL] = "the XMP roll contradicts the EXIF orientation and was ignored",
        [DOUBT_NORTH] = "the heading is relative to magnetic north and cannot be corrected without a position",
        [DOUBT_YEAR] = "the magnetic model does not cover the year in which the picture was taken"};
    return sentences[what];
}

_Static_assert((int)DOUBTS <= (int)GVM_CAMERA_WARNINGS, "the public struct holds all warnings");

void camera_describe(gvm_camera *out, const struct camera_facts *f, const struct image *image)
{
    static const gvm_lens lenses[] = {GVM_LENS_PINHOLE, GVM_LENS_FISHEYE, GVM_LENS_CYLINDER, GVM_LENS_SPHERE};
    const struct camera *c = &f->camera;
    *out = (gvm_camera){.size = sizeof *out,
                        .lens = lenses[c->lens],
                        .width = image->width,
                        .height = image->height,
                        .orientation = image->exif.orientation,
                        .fov = camera_fov(c),
                        .fov_vertical = vertical_fov(c),
                        .focal_px = c->focal,
                        .focal_35mm = image->exif.focal_35mm,
                        .k1 = c->k1,
                        .k2 = c->k2,
                        .heading = c->heading,
                        .pitch = c->pitch,
                        .roll = c->roll,
                        .heading_is_magnetic = f->magnetic,
                        .declination = f->declination,
                        .year = f->year,
                        .full_width = c->lens == LENS_SPHERE ? c->full_width : 0,
                        .full_height = c->lens == LENS_SPHERE ? c->full_height : 0,
                        .left = c->lens == LENS_SPHERE ? c->left : 0,
                        .top = c->lens == LENS_SPHERE ? c->top : 0,
                        .lens_from = f->lens_from,
                        .fov_from = f->fov_from,
                        .heading_from = f->heading_from,
                        .pitch_from = f->pitch_from,
                        .roll_from = f->roll_from};
    _Static_assert(sizeof out->maker == EXIF_NAME && sizeof out->model == EXIF_NAME, "names are copied whole");
    memcpy(out->maker, image->exif.make, sizeof out->maker);
    memcpy(out->model, image->exif.model, sizeof out->model);
    for (int i = 0; i < DOUBTS; i++)
        if (f->doubts & 1u << i) out->warnings[out->warning_count++] = camera_warning((enum camera_doubt)i);
}
