/* config.h - the configuration of a network: members common to all networks, and opaque structs of its backbone, head
 * and method, which only their own files read. config_file.h converts it to and from JSON. */
#ifndef GVM_NETWORK_CONFIG_H
#define GVM_NETWORK_CONFIG_H

#include <stdbool.h>

#include "geoviewmatch.h"
#include "image/panorama.h"

struct method;

/* The input of a view: its pictures and their normalisation. */
struct view {
    enum projection projection;
    int size[2];                 /* height, width of the input in pixels */
    float mean[3], deviation[3]; /* (byte / 255 - mean) / deviation, red first */
    bool bgr;                    /* the first layer takes blue first */
    enum resize resize;
    int zoom_count;          /* pictures of a place, one for each zoom; 0: a single picture that covers ground_m */
    double zooms[MAX_ZOOMS]; /* metres a pixel, ascending */
    double bearing;          /* with zooms: the direction that points up, degrees clockwise from north */
    bool visible;            /* of a panorama: a byte for each patch says whether it is seen (struct picture_shape) */
    bool wrap;               /* of a panorama: windows extend over its left and right edge, which are neighbours */
    bool row_shift;          /* of a view that wraps: maps too low to be shifted are shifted along their rows */
};

/* Number of pictures of a place, which together give one feature: a batch is (B, pictures, H, W, 3). */
static inline int view_pictures(const struct view *view)
{
    return view->zoom_count > 0 ? view->zoom_count : 1;
}

enum { CONFIG_PART = 128 /* bytes */ };

/* The opaque struct of a backbone, a head or a method (parts.h), read by fields.h. */
struct part {
    _Alignas(8) unsigned char bytes[CONFIG_PART];
};

struct config {
    const struct method *method;
    struct view views[2]; /* GVM_STREET, GVM_AERIAL */
    double ground_m;      /* side of an aerial picture on the ground, metres; with zooms: of the finest picture */
    double cell_m;        /* with zooms: side of a cell of the map, metres; else 0 */
    double elevation[2];  /* lowest and highest row of a street input, degrees above the horizon */
    double tolerance; /* error of a heading that the street view was trained with, degrees; 0: not trained with any */
    struct part backbone, head, own;
};

/* A view's mean as a byte. */
static inline uint8_t config_mean(const struct view *view, int channel)
{
    float level = 255 * view->mean[channel] + 0.5f;
    return (uint8_t)(level > 0 ? level < 255 ? level : 255 : 0);
}

/* The picture shape of a view. */
static inline struct picture_shape config_shape(const struct config *config, gvm_view view)
{
    const struct view *v = &config->views[view];
    return (struct picture_shape){.height = v->size[0],
                                  .width = v->size[1],
                                  .elevation = {config->elevation[0], config->elevation[1]},
                                  .resize = v->resize,
                                  .projection = v->projection,
                                  .zoom_count = v->zoom_count,
                                  .zooms = {v->zooms[0], v->zooms[1], v->zooms[2], v->zooms[3]},
                                  .bearing = v->bearing,
                                  .masked = v->visible,
                                  .unseen = {config_mean(v, 0), config_mean(v, 1), config_mean(v, 2)}};
}

#endif
