/* pictures.c - pictures decoded, and made the network's input. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sized.h"
#include "image/panorama.h"
#include "network/model.h"

struct gvm_picture {
    struct image image;
    char name[]; /* for sentences */
};

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
        return fail(err, GVM_ARGUMENT, "a picture is read from a file or from bytes: one of path and bytes is needed");
    if (o.max_pixels < 0 || !(o.seconds >= 0))
        return fail(err, GVM_ARGUMENT, "a picture's max_pixels and seconds must not be negative");
    const char *name = o.path != NULL ? path_tail(o.path) : o.name != NULL ? o.name : "the picture";
    size_t length = strlen(name) + 1;
    gvm_picture *p = malloc(sizeof *p + length);
    if (p == NULL) return fail(err, GVM_MEMORY, "%s: there is not enough memory to read it", name);
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

/* ------------------------------------------------------------------ what it is */

gvm_status gvm_picture_about(const gvm_picture *picture, gvm_picture_info *info, gvm_error *err)
{
    clear_error(err);
    gvm_picture_info own = {.size = sizeof own,
                            .height = picture->image.height,
                            .width = picture->image.width,
                            .photo = photo_said(&picture->image)};
    return sized_write(info, &own, sizeof own, err);
}

/* ------------------------------------------------------------------ at other sizes */

static gvm_status check_pixels(const gvm_picture *picture, gvm_error *err)
{
    if (picture->image.pixels != NULL) return GVM_OK;
    return fail(err, GVM_ARGUMENT, "%s: only its header was read, so it has no pixels", picture->name);
}

gvm_status gvm_picture_scale(const gvm_picture *picture, unsigned char *pixels, int height, int width, gvm_error *err)
{
    const struct image *image = &picture->image;
    clear_error(err);
    gvm_status status = check_pixels(picture, err);
    if (status != GVM_OK) return status;
    if (height < 1 || width < 1) return fail(err, GVM_ARGUMENT, "%d x %d pixels are no picture", width, height);
    if (image_resize(pixels, height, width, image->pixels, image->height, image->width,
                     (const double[4]){0, 0, image->width, image->height}) == GVM_OK)
        return GVM_OK;
    return fail(err, GVM_MEMORY, "%s: there is not enough memory to resize it", picture->name);
}

static enum circle circle_of(int panorama)
{
    return panorama != 0 ? CIRCLE_GIVEN : CIRCLE_CHECKED;
}

gvm_status gvm_picture_fit(const gvm_picture *picture, const gvm_model *model, gvm_view view, unsigned char *pixels,
                           const double *heading, int panorama, gvm_error *err)
{
    clear_error(err);
    gvm_status status = check_view(view, err);
    if (status == GVM_OK) status = check_pixels(picture, err);
    if (status != GVM_OK) return status;
    const struct picture_shape shape = config_shape(&model->network->config, view);
    struct image image = picture->image; /* what its XMP says may be cleared; its pixels stay the picture's */
    double box[4];
    if (view == GVM_AERIAL) return aerial_fit(pixels, box, &shape, &image, picture->name, err);
    return panorama_fit(pixels, &shape, heading, circle_of(panorama), &image, picture->name, err);
}

gvm_status gvm_picture_part(const gvm_picture *picture, const gvm_model *model, gvm_view view, gvm_part *part,
                            const double *heading, int panorama, gvm_error *err)
{
    clear_error(err);
    *part = (gvm_part){.turn = 0};
    gvm_status status = check_view(view, err);
    if (status == GVM_OK && heading != NULL && !isfinite(*heading))
        status = fail(err, GVM_ARGUMENT, "%s: a heading must be a number of degrees", picture->name);
    if (status == GVM_OK) status = check_pixels(picture, err);
    if (status != GVM_OK) return status;
    const struct picture_shape shape = config_shape(&model->network->config, view);
    struct image image = picture->image;
    double box[4];
    if (view == GVM_AERIAL) {
        aerial_seen(box, &shape, &image);
    } else {
        status = circle_check(&image, circle_of(panorama), picture->name, err);
        if (status != GVM_OK) return status;
        panorama_seen(box, &part->turn, &shape, heading, &image);
    }
    part->left = box[0];
    part->top = box[1];
    part->right = box[2];
    part->bottom = box[3];
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
        status = fail(err, GVM_ARGUMENT, "%s: a heading must be a number of degrees", path_tail(path));
    if (status != GVM_OK) return status;
    status = gvm_picture_open(&picture, &options, err);
    if (status == GVM_OK) status = gvm_picture_fit(picture, model, view, pixels, heading, panorama, err);
    gvm_picture_free(picture);
    return status;
}
