/* pictures.c - decodes pictures; their metadata; their pixels at other sizes. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sized.h"
#include "image/camera_read.h"
#include "image/photo.h"
#include "image/views.h"
#include "network/street.h"

/* ------------------------------------------------------------------ decoding */

struct caller {
    int (*stop)(void *user);
    void *user;
};

static bool stops(void *user)
{
    const struct caller *caller = user;
    return caller->stop(caller->user) != 0;
}

static gvm_status decode(struct image *image, const gvm_picture_options *o, const char *name, gvm_error *err)
{
    struct caller caller = {o->stop, o->user};
    const struct image_limit limit = {.pixels = o->max_pixels > 0 ? o->max_pixels : LLONG_MAX,
                                      .until = o->seconds > 0 ? clock_seconds() + o->seconds : INFINITY,
                                      .stop = o->stop != NULL ? stops : NULL,
                                      .user = &caller};
    return image_decode(image, o->bytes, o->byte_count, &limit, name, err);
}

gvm_status gvm_picture_open(gvm_picture **picture, const gvm_picture_options *options, gvm_error *err)
{
    gvm_picture_options o;
    clear_error(err);
    *picture = NULL;
    gvm_status status = sized_read(&o, sizeof o, options, err);
    if (status != GVM_OK) return status;
    if ((o.path == NULL) == (o.bytes == NULL))
        return fail(err, GVM_ARGUMENT, "a picture needs exactly one of path and bytes");
    if (o.max_pixels < 0 || !(o.seconds >= 0))
        return fail(err, GVM_ARGUMENT, "a picture's max_pixels and seconds must not be negative");
    if (o.path != NULL && (o.byte_count > 0 || o.name != NULL || o.max_pixels > 0 || o.seconds > 0 || o.stop != NULL))
        return fail(err, GVM_ARGUMENT,
                    "a picture's byte_count, name, max_pixels, seconds and stop apply to bytes, not to path");
    if (o.bytes != NULL && o.header_only != 0)
        return fail(err, GVM_ARGUMENT, "a picture's header_only applies to path, not to bytes");
    const char *name = o.path != NULL ? path_tail(o.path) : o.name != NULL ? o.name : "the picture";
    size_t length = strlen(name) + 1;
    gvm_picture *p = malloc(sizeof *p + length);
    if (p == NULL) return fail(err, GVM_MEMORY, "%s: cannot read it: out of memory", name);
    memcpy(p->name, name, length);
    if (o.path == NULL)
        status = decode(&p->image, &o, p->name, err);
    else
        status = (o.header_only != 0 ? image_about : image_load)(&p->image, o.path, err);
    if (status == GVM_OK)
        *picture = p;
    else
        free(p);
    return status;
}

void gvm_picture_free(gvm_picture *picture)
{
    if (picture == NULL) return;
    image_free(&picture->image);
    free(picture);
}

/* ------------------------------------------------------------------ metadata */

gvm_status gvm_picture_about(const gvm_picture *picture, gvm_picture_info *info, gvm_error *err)
{
    clear_error(err);
    gvm_picture_info own = {.size = sizeof own,
                            .height = picture->image.height,
                            .width = picture->image.width,
                            .photo = photo_said(&picture->image)};
    return sized_write(info, &own, sizeof own, err);
}

gvm_status gvm_picture_camera(const gvm_picture *picture, const gvm_camera_options *options, gvm_camera *camera,
                              gvm_error *err)
{
    gvm_camera_options own = {.size = sizeof own};
    struct camera_facts facts;
    gvm_camera out;
    clear_error(err);
    gvm_status status = options != NULL ? sized_read(&own, sizeof own, options, err) : GVM_OK;
    if (status == GVM_OK) status = camera_read(&facts, &picture->image, &own, picture->name, err);
    if (status != GVM_OK) return status;
    camera_describe(&out, &facts, &picture->image);
    return sized_write(camera, &out, sizeof out, err);
}

const char *gvm_source_name(gvm_source source)
{
    static const char *const names[] = {"unknown",    "option",       "gpano",        "xmp",
                                        "exif",       "acceleration", "shape",        "calibration",
                                        "focal_35mm", "focal_plane",  "sensor_table", "assumed"};
    return source <= GVM_SOURCE_ASSUMED ? names[source] : names[0];
}

/* ------------------------------------------------------------------ at other sizes */

gvm_status gvm_picture_scale(const gvm_picture *picture, unsigned char *pixels, int height, int width, gvm_error *err)
{
    const struct image *image = &picture->image;
    clear_error(err);
    gvm_status status = check_pixels(picture, err);
    if (status != GVM_OK) return status;
    if (height < 1 || width < 1)
        return fail(err, GVM_ARGUMENT, "invalid size of %d x %d pixels; expected at least 1 x 1", width, height);
    if (image_resize(pixels, height, width, image->pixels, image->height, image->width,
                     (const double[4]){0, 0, image->width, image->height}) == GVM_OK)
        return GVM_OK;
    return fail(err, GVM_MEMORY, "%s: cannot resize it: out of memory", picture->name);
}

gvm_status gvm_picture_fit(const gvm_picture *picture, const gvm_model *model, gvm_view view, unsigned char *pixels,
                           const double *heading, int panorama, gvm_error *err)
{
    int count;
    double box[4];
    clear_error(err);
    gvm_status status = check_view(view, err);
    if (status == GVM_OK) status = check_pixels(picture, err);
    if (status != GVM_OK) return status;
    if (view == GVM_AERIAL) {
        const struct picture_shape shape = config_shape(&model->network->config, view);
        if (shape.zoom_count > 0)
            return fail(err, GVM_ARGUMENT,
                        "%s: these weights need %d pictures of a place, which only a map's imagery provides",
                        picture->name, shape.zoom_count);
        return aerial_fit(pixels, box, &shape, &picture->image, picture->name, err);
    }
    return gvm_picture_views(picture, model, pixels, 1, heading, panorama, &count, err);
}

gvm_status gvm_picture_suits(const gvm_picture *picture, int *panoramas, int *photos, gvm_error *err)
{
    static const enum circle circles[] = {CIRCLE_CHECKED, CIRCLE_DOUBTED};
    const struct image *own = &picture->image;
    bool full[2];
    clear_error(err);
    *panoramas = *photos = 0;
    gvm_status status = check_pixels(picture, err);
    for (int i = 0; i < 2 && status == GVM_OK; i++) {
        struct image image = *own;
        gvm_status found = circle_check(&image, circles[i], picture->name, err);
        if (found == GVM_MEMORY) status = found;
        full[i] = found == GVM_OK;
    }
    if (status != GVM_OK) return status;
    *panoramas = full[0];
    if (full[1] || photo_check(own->height, own->width, picture->name, err) == GVM_OK)
        *photos = full[1] ? PANORAMA_VIEWS : 1;
    clear_error(err);
    return GVM_OK;
}

gvm_status gvm_load_picture(const gvm_model *model, gvm_view view, unsigned char *pixels, const char *path,
                            const double *heading, int panorama, gvm_error *err)
{
    const gvm_picture_options options = {.size = sizeof options, .path = path};
    gvm_picture *picture;
    clear_error(err);
    gvm_status status = check_view(view, err);
    if (status == GVM_OK && view == GVM_STREET && heading != NULL && !isfinite(*heading))
        status = fail(err, GVM_ARGUMENT, "%s: a heading must be a finite number of degrees", path_tail(path));
    if (status != GVM_OK) return status;
    status = gvm_picture_open(&picture, &options, err);
    if (status == GVM_OK) status = gvm_picture_fit(picture, model, view, pixels, heading, panorama, err);
    gvm_picture_free(picture);
    return status;
}
