/* config.h - what network a checkpoint holds: the JSON under the key `config` of its
 * safetensors metadata. A file alone says what network it is. */
#ifndef GVM_MODEL_CONFIG_H
#define GVM_MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"
#include "image/panorama.h"

enum { STAGES = 4 };

struct config {
    int dim;             /* channels of stage 1; stage s has dim << (s - 1) */
    int depths[STAGES];  /* blocks a stage */
    int heads[STAGES];   /* attention heads a stage; divides the stage's channels */
    int window;          /* largest side of an attention window, in tokens */
    int street[2];       /* height, width of the street input in pixels */
    int aerial[2];       /* height, width of the aerial input in pixels */
    bool stages[STAGES]; /* stages[s - 1]: stage s takes part in the feature */
    int masks;           /* spatial masks a stage (N of the paper's section 3.2) */
    int head;            /* width of the projection head */
    double ground_m;     /* side of an aerial picture on the ground, metres */
    double elevation[2]; /* lowest and highest row of a street input, degrees above the horizon */
};

/* What it takes of a view. */
struct picture_shape config_shape(const struct config *config, gvm_view view);

extern const struct config config_paper; /* the paper's network */
extern const struct config config_nano;  /* a small one for trying things */

/* Read the JSON text (need not end in NUL) and check it as config_check does. Unknown keys are ignored,
 * known ones must be there, whole and in range; ground_m and elevation may be absent: 64, [-45, 45].
 * `where` names the file in the sentence. GVM_FORMAT where it is not so; *out is all zero then. */
gvm_status config_parse(struct config *out, const char *json, size_t length, const char *where, gvm_error *err);

/* Say whether a network of this configuration can be built: every map divides by its window and
 * halves evenly, heads divide channels, nothing is larger than this program is meant for. A stage's map is
 * (height / 4 >> (s - 1)) x (width / 4 >> (s - 1)), its window square: min(window, the map's short side). */
gvm_status config_check(const struct config *config, const char *where, gvm_error *err);

/* Weights and biases of both views and the head; of a configuration that config_check accepts. */
uint64_t config_parameters(const struct config *config);

/* The JSON of a configuration, to be freed with free(); NULL where memory is short. */
char *config_json(const struct config *config);

#endif
