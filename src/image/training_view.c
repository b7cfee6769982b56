/* training_view.c - see training_view.h. Angles are in degrees. */
#include "image/training_view.h"

#include <math.h>
#include <string.h>

#include "image/augment_parts.h"

static const double NARROWEST = 50, WIDEST_PHOTO = 120, CIRCLE = 360;
static const double CIRCLES = 0.2, PHOTOS = 0.5;             /* shares of the views */
static const double PHOTOS_FROM = 0.3, NARROWEST_FROM = 0.6; /* shares of the training */

/* Standard deviations: of a photo's pose, and of the errors of what is believed. */
static const double PITCH_MEAN = 2, PITCH = 5, ROLL = 3, WRONG_FOV = 0.06, WRONG_PITCH = 3, WRONG_ROLL = 2;

/* Indices of the draws of a pair. */
enum draw {
    KIND,
    FOV,
    HEADING,
    SHAPE,
    PITCH_IS,
    ROLL_IS,
    FOV_ERROR,
    HEADING_ERROR,
    PITCH_ERROR,
    ROLL_ERROR,
    TURNS,
    TURN,
    JITTER, /* four */
    DRAWS = 16
};

static struct dice dice_of(const struct training_draws *d, uint64_t index)
{
    return (struct dice){d->seed, UINT64_C(0x766977) << 40 | d->epoch, index * DRAWS}; /* "viw": a separate stream */
}

static double between(const struct dice *dice, enum draw draw, double low, double high)
{
    return low + (high - low) * (double)dice_uniform(dice, draw);
}

static double normal(const struct dice *dice, enum draw draw)
{
    return random_normal(dice->seed, dice->stream, dice->first + draw);
}

static double radians(double degrees)
{
    return degrees * (3.14159265358979323846 / 180);
}

/* ------------------------------------------------------------------ draws */

static enum view_kind draw_kind(const struct dice *dice, double done)
{
    double kind = between(dice, KIND, 0, 1);
    if (kind < CIRCLES) return VIEW_CIRCLE;
    return kind < CIRCLES + PHOTOS && done >= PHOTOS_FROM ? VIEW_PHOTO : VIEW_STRIP;
}

/* A strip in degrees: x from its left edge, y from the zenith. */
static struct camera strip_camera(double fov)
{
    return (struct camera){.lens = LENS_SPHERE,
                           .width = fov,
                           .height = 180,
                           .full_width = 360,
                           .full_height = 180,
                           .left = (360 - fov) / 2};
}

/* A photo whose longer side is 1 and spans `fov`. */
static struct camera photo_camera(double fov, double shape)
{
    return (struct camera){.lens = LENS_PINHOLE,
                           .width = fmin(1, shape),
                           .height = fmin(1, 1 / shape),
                           .focal = 0.5 / tan(radians(fov) / 2)};
}

/* Believe a strip's or a photo's field of view to be `factor` times as wide. */
static void mistake_fov(struct camera *camera, enum view_kind kind, double fov, double factor)
{
    double wrong = fmin(fov * factor, kind == VIEW_STRIP ? CIRCLE : 170);
    if (kind == VIEW_PHOTO) camera->focal = 0.5 / tan(radians(wrong) / 2);
    if (kind != VIEW_STRIP) return;
    camera->full_width *= fov / wrong;
    camera->left = (camera->full_width - camera->width) / 2;
}

struct training_view training_view_draw(const struct training_draws *draws, uint64_t index)
{
    static const double shapes[] = {4.0 / 3, 3.0 / 4, 16.0 / 9, 9.0 / 16, 3.0 / 2}; /* width over height */
    const struct dice dice = dice_of(draws, index);
    double done = (double)draws->epoch / draws->epochs;
    double narrowest = fmax(NARROWEST, CIRCLE - (CIRCLE - NARROWEST) * fmin(1, done / NARROWEST_FROM));
    struct training_view view = {.kind = draw_kind(&dice, done)};
    struct camera *taken = &view.taken;
    double fov = view.kind == VIEW_CIRCLE  ? CIRCLE
                 : view.kind == VIEW_STRIP ? between(&dice, FOV, narrowest, CIRCLE)
                                           : between(&dice, FOV, NARROWEST, WIDEST_PHOTO);
    if (view.kind == VIEW_PHOTO) {
        *taken = photo_camera(fov, shapes[dice_int(&dice, SHAPE, 0, (int)(sizeof shapes / sizeof *shapes) - 1)]);
        taken->pitch = PITCH_MEAN + PITCH * normal(&dice, PITCH_IS);
        taken->roll = ROLL * normal(&dice, ROLL_IS);
    } else {
        *taken = strip_camera(fov);
    }
    if (view.kind != VIEW_CIRCLE) taken->heading = between(&dice, HEADING, 0, CIRCLE);
    view.believed = *taken;
    mistake_fov(&view.believed, view.kind, fov, exp(WRONG_FOV * normal(&dice, FOV_ERROR)));
    view.believed.heading += between(&dice, HEADING_ERROR, -draws->tolerance, draws->tolerance);
    view.believed.pitch += WRONG_PITCH * normal(&dice, PITCH_ERROR);
    view.believed.roll += WRONG_ROLL * normal(&dice, ROLL_ERROR);
    return view;
}

double training_view_turn(const struct training_draws *draws, uint64_t index)
{
    const struct dice dice = dice_of(draws, index);
    if (between(&dice, TURNS, 0, 1) < 0.5) return 0;
    return between(&dice, TURN, -draws->tolerance, draws->tolerance);
}

void training_view_colours(uint8_t *pixels, const struct training_draws *draws, uint64_t index, float amount,
                           const struct picture_shape *shape)
{
    const struct dice dice = dice_of(draws, index);
    if (amount > 0) augment_jitter(pixels, shape->height, shape->width, amount, &dice, JITTER);
}

/* ------------------------------------------------------------------ the canvas */

/* The panorama at a direction, by its four nearest pixels. Returns false if the panorama does not show it. */
static bool sample(uint8_t out[3], const uint8_t *panorama, double azimuth, double elevation,
                   const struct picture_shape *shape)
{
    const int H = shape->height, W = shape->width, across = W / SEEN_PATCH;
    const uint8_t *seen = panorama + (size_t)H * (size_t)W * 3;
    const double high = shape->elevation[1], low = shape->elevation[0];
    double x = (azimuth / 360 + 0.5) * W - 0.5, y = (high - elevation) / (high - low) * H - 0.5;
    y = fmin(fmax(y, 0), H - 1);
    x -= W * floor(x / W);
    int left = (int)x % W, right = (left + 1) % W, top = (int)y, foot = top + 1 < H ? top + 1 : top;
    double along = x - floor(x), down = y - top;
    if (shape->masked && !seen[(size_t)((int)lround(y) / SEEN_PATCH) * (size_t)across + (size_t)(left / SEEN_PATCH)])
        return false;
    const uint8_t *rows[2] = {panorama + (size_t)top * (size_t)W * 3, panorama + (size_t)foot * (size_t)W * 3};
    for (int c = 0; c < 3; c++) {
        double row[2];
        for (int k = 0; k < 2; k++) row[k] = rows[k][left * 3 + c] * (1 - along) + rows[k][right * 3 + c] * along;
        out[c] = (uint8_t)lround(row[0] * (1 - down) + row[1] * down);
    }
    return true;
}

/* Where the believed camera sees the direction of a canvas pixel, the picture shows another one. Returns false if it is
 * outside of the picture. */
static bool look(double *azimuth, double *elevation, const struct training_view *view, double i, double j,
                 const struct picture_shape *shape)
{
    const double high = shape->elevation[1], low = shape->elevation[0];
    const struct camera *taken = &view->taken;
    double x, y;
    if (!camera_project(&x, &y, &view->believed, 360 * ((j + 0.5) / shape->width - 0.5),
                        high - (i + 0.5) / shape->height * (high - low)))
        return false;
    /* Of a full circle each column is in the picture, also those beyond its seam by rounding. */
    bool inside = y >= 0 && y < taken->height && (view->kind == VIEW_CIRCLE || (x >= 0 && x < taken->width));
    return inside && camera_direction(azimuth, elevation, taken, x, y);
}

void training_view_render(uint8_t *out, const uint8_t *panorama, const struct training_view *view,
                          const struct picture_shape *shape)
{
    const int H = shape->height, W = shape->width, across = W / SEEN_PATCH;
    const size_t patches = seen_bytes(shape);
    uint8_t *seen = picture_seen(out, shape), *pixel = out;
    memset(seen, 0, patches);
    for (int i = 0; i < H; i++)
        for (int j = 0; j < W; j++, pixel += 3) {
            double azimuth, elevation;
            if (!look(&azimuth, &elevation, view, i, j, shape) || !sample(pixel, panorama, azimuth, elevation, shape)) {
                memcpy(pixel, shape->unseen, 3);
                continue;
            }
            if (patches > 0) seen[(size_t)(i / SEEN_PATCH) * (size_t)across + (size_t)(j / SEEN_PATCH)]++;
        }
    for (size_t k = 0; k < patches; k++) seen[k] = 2 * seen[k] >= SEEN_PATCH * SEEN_PATCH;
}
