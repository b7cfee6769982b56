/* street.h - how a decoded street picture becomes the network's input. */
#ifndef GVM_NETWORK_STREET_H
#define GVM_NETWORK_STREET_H

#include "image/camera_read.h"
#include "image/circle.h"
#include "network/model.h"

struct gvm_picture {
    struct image image;
    char name[]; /* for error messages */
};

/* Fails with GVM_ARGUMENT if only the header was read. */
gvm_status check_pixels(const gvm_picture *picture, gvm_error *err);

/* Whether the weights take any photo with its camera: their view is a panorama with visibility. */
static inline bool takes_cameras(const gvm_model *model)
{
    return model->network->config.views[GVM_STREET].visible;
}

struct street {
    enum street_way {
        STREET_CIRCLE, /* a full panorama */
        STREET_CANVAS, /* any camera's picture, where a panorama would show it */
        STREET_PHOTO,  /* the whole picture, without a heading */
        STREET_VIEWS,  /* a full panorama as several such pictures */
        STREET_ABOVE   /* a drone's picture */
    } way;
    enum circle circle;        /* what is known of it as a panorama */
    struct camera_facts facts; /* STREET_CANVAS: its camera */
};

/* Choose the way by the weights and the picture.
 *
 *   panorama  GVM_AS_FOUND, ...
 *   wishes    what is known of its camera; NULL: nothing. Only for weights that take cameras
 *
 * Returns GVM_OK, GVM_ARGUMENT or GVM_MEMORY. */
gvm_status street_choose(struct street *street, const gvm_picture *picture, const gvm_model *model, int panorama,
                         const gvm_camera_options *wishes, gvm_error *err);

/* Convert it. Arguments and statuses are gvm_picture_street's. */
gvm_status street_fit(const struct street *street, const gvm_picture *picture, const gvm_model *model,
                      unsigned char *pixels, int room, const double *heading, int *count, gvm_error *err);

/* Write the camera that was used; lens GVM_LENS_FOUND if these weights use none. camera may be NULL. */
gvm_status street_describe(gvm_camera *camera, const struct street *street, const gvm_picture *picture, gvm_error *err);

#endif
