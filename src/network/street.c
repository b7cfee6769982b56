/* street.c - see street.h */
#include "network/street.h"

#include <math.h>

#include "base/error.h"
#include "base/sized.h"
#include "image/canvas.h"
#include "image/photo.h"
#include "image/views.h"

gvm_status check_pixels(const gvm_picture *picture, gvm_error *err)
{
    if (picture->image.pixels != NULL) return GVM_OK;
    return fail(err, GVM_ARGUMENT, "%s: only its header was read, so it has no pixels", picture->name);
}

/* ------------------------------------------------------------------ which way */

/* Weights that take cameras take a full panorama as the camera of a sphere. The user's word that it is one replaces
 * GPano's that it is a part of one. */
static gvm_status choose_camera(struct street *street, const gvm_picture *picture, int panorama,
                                const gvm_camera_options *wishes, gvm_error *err)
{
    gvm_camera_options own = {.size = sizeof own};
    gvm_status status = wishes != NULL ? sized_read(&own, sizeof own, wishes, err) : GVM_OK;
    if (status != GVM_OK) return status;
    if (panorama == GVM_AS_PANORAMA && (own.fov > 0 || own.focal_35mm > 0 || own.distortion != NULL ||
                                        (own.lens != GVM_LENS_FOUND && own.lens != GVM_LENS_SPHERE)))
        return fail(err, GVM_ARGUMENT,
                    "%s: a full panorama has no other lens or field of view; leave one of the two out", picture->name);
    if (panorama == GVM_AS_PHOTO && own.lens == GVM_LENS_FOUND) own.lens = GVM_LENS_PINHOLE;
    if (panorama == GVM_AS_PANORAMA) {
        own = (gvm_camera_options){
            .size = sizeof own, .heading = own.heading, .pitch = own.pitch, .roll = own.roll, .lens = GVM_LENS_SPHERE};
        status = camera_read(&street->facts, &picture->image, &own, picture->name, err);
        if (status != GVM_OK || camera_is_circle(&street->facts.camera)) return status;
        own.fov = 360;
    }
    return camera_read(&street->facts, &picture->image, &own, picture->name, err);
}

gvm_status street_choose(struct street *street, const gvm_picture *picture, const gvm_model *model, int panorama,
                         const gvm_camera_options *wishes, gvm_error *err)
{
    struct image image = picture->image; /* a shallow copy, as its XMP may be cleared */
    const enum projection projection = model->network->config.views[GVM_STREET].projection;
    bool photos = projection == PROJECTION_PERSPECTIVE;
    gvm_error reason;
    if (panorama < GVM_AS_FOUND || panorama > GVM_AS_PHOTO)
        return fail(err, GVM_ARGUMENT, "%s: invalid panorama value %d; expected 0, 1 or 2", picture->name, panorama);
    street->circle = panorama == GVM_AS_PANORAMA ? CIRCLE_GIVEN : photos ? CIRCLE_DOUBTED : CIRCLE_CHECKED;
    street->way = !photos ? STREET_CIRCLE : panorama == GVM_AS_PHOTO ? STREET_PHOTO : STREET_VIEWS;
    if (projection == PROJECTION_NADIR) street->way = STREET_ABOVE;
    if (takes_cameras(model)) street->way = STREET_CANVAS;
    if (street->way == STREET_CANVAS) return choose_camera(street, picture, panorama, wishes, err);
    if (street->way != STREET_VIEWS || street->circle == CIRCLE_GIVEN) return GVM_OK;
    gvm_status status = circle_check(&image, street->circle, picture->name, &reason);
    if (status == GVM_MEMORY) return fail(err, status, "%s", reason.text);
    if (status != GVM_OK) street->way = STREET_PHOTO; /* also partial panoramas, and other projections */
    return GVM_OK;
}

gvm_status street_describe(gvm_camera *camera, const struct street *street, const gvm_picture *picture, gvm_error *err)
{
    gvm_camera own = {.size = sizeof own};
    if (camera == NULL) return GVM_OK;
    if (street->way == STREET_CANVAS) camera_describe(&own, &street->facts, &picture->image);
    return sized_write(camera, &own, sizeof own, err);
}

/* ------------------------------------------------------------------ the input */

static gvm_status refuse_views(const gvm_picture *picture, int room, gvm_error *err)
{
    return fail(err, GVM_ARGUMENT,
                "%s: it is a full panorama, which makes %d views with these weights, but there is room for %d",
                picture->name, PANORAMA_VIEWS, room);
}

static gvm_status fit_canvas(const struct street *street, const gvm_picture *picture, const struct picture_shape *shape,
                             unsigned char *pixels, const double *heading, gvm_error *err)
{
    struct camera camera = street->facts.camera;
    if (heading != NULL && !isfinite(*heading))
        return fail(err, GVM_ARGUMENT, "%s: a heading must be a finite number of degrees", picture->name);
    if (heading != NULL) camera.heading = *heading;
    return photo_canvas_fit(pixels, shape, &camera, false, &picture->image, picture->name, err);
}

gvm_status street_fit(const struct street *street, const gvm_picture *picture, const gvm_model *model,
                      unsigned char *pixels, int room, const double *heading, int *count, gvm_error *err)
{
    const struct picture_shape shape = config_shape(&model->network->config, GVM_STREET);
    struct image image = picture->image;
    double box[4];
    int views = street->way == STREET_VIEWS ? PANORAMA_VIEWS : 1;
    gvm_status status = GVM_OK;
    if (pixels != NULL && room < views) return refuse_views(picture, room, err);
    if (pixels == NULL)
        status = GVM_OK;
    else if (street->way == STREET_CANVAS)
        status = fit_canvas(street, picture, &shape, pixels, heading, err);
    else if (street->way == STREET_PHOTO)
        status = photo_fit(pixels, &shape, &image, picture->name, err);
    else if (street->way == STREET_ABOVE)
        status = aerial_fit(pixels, box, &shape, &image, picture->name, err);
    else if (street->way == STREET_VIEWS)
        status = views_fit(pixels, &shape, street->circle, &image, picture->name, err);
    else
        status = panorama_fit(pixels, &shape, heading, street->circle, &image, picture->name, err);
    if (status == GVM_OK) *count = views;
    return status;
}

gvm_status gvm_picture_street(const gvm_picture *picture, const gvm_model *model, unsigned char *pixels,
                              const gvm_street_options *options, gvm_camera *camera, int *count, gvm_error *err)
{
    gvm_street_options o;
    struct street street;
    clear_error(err);
    *count = 0;
    gvm_status status = sized_read(&o, sizeof o, options, err);
    if (status == GVM_OK) status = check_pixels(picture, err);
    if (status == GVM_OK) status = street_choose(&street, picture, model, o.panorama, o.camera, err);
    if (status == GVM_OK && o.heading != NULL && isfinite(*o.heading)) {
        street.facts.camera.heading = *o.heading - 360 * floor(*o.heading / 360);
        street.facts.heading_from = GVM_SOURCE_OPTION;
        street.facts.magnetic = false;
    }
    if (status == GVM_OK) status = street_describe(camera, &street, picture, err);
    if (status == GVM_OK) status = street_fit(&street, picture, model, pixels, o.room, o.heading, count, err);
    return status;
}

gvm_status gvm_picture_views(const gvm_picture *picture, const gvm_model *model, unsigned char *pixels, int room,
                             const double *heading, int panorama, int *count, gvm_error *err)
{
    const gvm_street_options options = {.size = sizeof options, .room = room, .heading = heading, .panorama = panorama};
    return gvm_picture_street(picture, model, pixels, &options, NULL, count, err);
}

/* ------------------------------------------------------------------ the part of the picture */

/* The input's rectangle in the photo's pixels; it extends beyond the photo, over the black border. */
static void photo_seen(double box[4], const struct picture_shape *shape, const struct image *image)
{
    const struct photo_place p = photo_place(shape, image->height, image->width);
    double wide = (double)image->width / p.width, tall = (double)image->height / p.height;
    box[0] = -p.left * wide;
    box[1] = -p.top * tall;
    box[2] = box[0] + shape->width * wide;
    box[3] = box[1] + shape->height * tall;
}

/* Only of a full level panorama is the input a rectangle of the picture. */
static gvm_status canvas_seen(double box[4], int *turn, const struct street *street, const gvm_picture *picture,
                              const struct picture_shape *shape, const double *heading, gvm_error *err)
{
    const struct camera *c = &street->facts.camera;
    if (!canvas_is_strip(c))
        return fail(err, GVM_ARGUMENT, "%s: it is put on a panorama's canvas, of which it is no rectangle",
                    picture->name);
    canvas_strip_seen(box, shape, c, &picture->image);
    *turn = panorama_columns(heading != NULL ? *heading : c->heading, shape->width);
    return GVM_OK;
}

static gvm_status street_seen(double box[4], int *turn, const gvm_picture *picture, const gvm_model *model,
                              const double *heading, int panorama, gvm_error *err)
{
    const struct picture_shape shape = config_shape(&model->network->config, GVM_STREET);
    struct image image = picture->image;
    struct street street;
    gvm_status status = street_choose(&street, picture, model, panorama, NULL, err);
    if (status == GVM_OK && street.way == STREET_VIEWS) return refuse_views(picture, 1, err);
    if (status == GVM_OK && street.way == STREET_CIRCLE)
        status = circle_check(&image, street.circle, picture->name, err);
    if (status != GVM_OK) return status;
    if (street.way == STREET_CANVAS) return canvas_seen(box, turn, &street, picture, &shape, heading, err);
    if (street.way == STREET_PHOTO)
        photo_seen(box, &shape, &image);
    else if (street.way == STREET_ABOVE)
        aerial_seen(box, &shape, &image);
    else
        panorama_seen(box, turn, &shape, heading, &image);
    return GVM_OK;
}

gvm_status gvm_picture_part(const gvm_picture *picture, const gvm_model *model, gvm_view view, gvm_part *part,
                            const double *heading, int panorama, gvm_error *err)
{
    clear_error(err);
    *part = (gvm_part){.turn = 0};
    gvm_status status = check_view(view, err);
    if (status == GVM_OK && heading != NULL && !isfinite(*heading))
        status = fail(err, GVM_ARGUMENT, "%s: a heading must be a finite number of degrees", picture->name);
    if (status == GVM_OK) status = check_pixels(picture, err);
    if (status != GVM_OK) return status;
    double box[4];
    if (view == GVM_AERIAL) {
        const struct picture_shape shape = config_shape(&model->network->config, view);
        aerial_seen(box, &shape, &picture->image);
    } else {
        status = street_seen(box, &part->turn, picture, model, heading, panorama, err);
    }
    if (status != GVM_OK) return status;
    part->left = box[0];
    part->top = box[1];
    part->right = box[2];
    part->bottom = box[3];
    return GVM_OK;
}
