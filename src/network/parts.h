/* parts.h - what a network is put together from. A backbone makes maps of a picture, a head makes a feature of the
 * maps, a method is a paper: its backbone, head, losses and recipe. Each is a page in a folder of its own and a row of
 * registry.def.
 *
 * A part's struct in the configuration is opaque to all but its own file; so are its weights, which `open` makes for
 * one view and `list` fills with parameters. Two views may share parameters, never a part's struct: their maps differ
 * in size. */
#ifndef GVM_NETWORK_PARTS_H
#define GVM_NETWORK_PARTS_H

#include "network/config.h"
#include "network/fields.h"
#include "network/lister.h"
#include "tensor/device.h"
#include "tensor/tape.h"

enum { MAX_MAPS = 8 };

/* The maps of one picture, from the shallowest to the deepest. */
struct pyramid {
    int count;
    int pictures;               /* of one place, which a feature is made of together: 1 unless the view has zooms */
    enum projection projection; /* of the view */
    struct {
        int H, W, C;
    } maps[MAX_MAPS];
};

/* What a pass leaves on its tape, until the next reset. */
struct trace {
    struct tensor *maps[MAX_MAPS]; /* (B pictures, L, C) */
    const float *masks[MAX_MAPS];  /* (B, mask_count, L) of the maps that a head gathers by masks, else NULL */
    int mask_count;
    struct tensor *values;   /* (B pictures, L, features) what a head gathers by its masks if it is not the map */
    struct tensor *gathered; /* (B, 1, features) before it is brought to length 1 */
};

struct backbone {
    const char *name, *title; /* "swin_v2", "Swin V2" */
    struct field_list fields; /* of its part of the configuration */

    /* Whether such a network can be built on a picture of this size: GVM_FORMAT says what does not fit. */
    gvm_status (*check)(const void *config, const int size[2], const char *view, const char *where, gvm_error *err);
    /* Its weights for one view, without parameters, and its maps; NULL if memory is short. Freed by close. */
    void *(*open)(struct pyramid *maps, const void *config, const struct view *view);
    void (*close)(void *weights);
    void (*list)(struct lister *lister, void *weights, const void *config);
    /* maps, out: as many as the pyramid has. pixels (B, H, W, 3) as tape_pixels gives them. drop: the rate of the last
     * block's drop path, falling linearly to 0 at the first; only in training. */
    void (*forward)(struct tensor **maps, struct tape *tape, const void *weights, const uint8_t *pixels, int B,
                    float drop);

    /* ---- each may be NULL */
    /* Floats that it keeps beside its parameters, laid out in memory; memory NULL: only counts them. */
    size_t (*plans)(void *weights, float *memory, bool training);
    /* For inference, before the matrices are packed: computes what the plans have room for. scratch: pack_scratch. */
    void (*pack)(void *weights, float *scratch);
    size_t (*pack_scratch)(const void *weights);
    /* Whether a device takes its layers: GVM_DEVICE says what does not fit. */
    gvm_status (*fits)(const void *weights, const struct device *device, enum precision precision, gvm_error *err);
    /* The name that a file of others has for a parameter (without our prefixes), in one of their dialects, 0, 1, ...;
     * false from the first dialect on that does not exist. */
    bool (*foreign)(char *name, size_t size, const char *own, int dialect);
    /* Starts of names in such files that are no backbone's parameters, and parts of names; NULL-terminated. */
    const char *const *skipped_starts, *const *skipped_parts;
};

struct head {
    const char *name;
    float epsilon; /* added to the length that a feature is divided by */
    bool places;   /* takes the maps of several pictures of one place together */
    struct field_list fields;

    gvm_status (*check)(const void *config, const struct pyramid *maps, const char *view, const char *where,
                        gvm_error *err);
    /* features, out: the length of the feature. */
    void *(*open)(int *features, const void *config, const struct pyramid *maps);
    void (*close)(void *weights);
    void (*list)(struct lister *lister, void *weights, const char *view);
    /* The feature (B, 1, features), not yet of length 1; leaves the trace's masks. */
    struct tensor *(*forward)(struct trace *trace, struct tape *tape, const void *weights);
    /* heat (pictures, L): what each position of a map adds to the product of the first place's feature with `other`, of
     * as many numbers; over all maps of the feature they add up to that product. False if the map is not part of the
     * feature. The trace lies on the host. */
    bool (*shares)(double *heat, const struct trace *trace, int map, const void *weights, const float *other);
    /* "stages 3 4 with 8 masks each" */
    void (*about)(char *text, size_t size, const void *config, const void *weights);
    /* Parameters that it takes for a map; NULL: none. */
    size_t (*map_parameters)(const void *weights, int map);
};

struct loss_options {
    float contrast, strong, weak; /* beta, gamma, delta of GeoViewMatch's equation 2 */
    float alpha;                  /* of its equation 1 */
    float smoothing;              /* of labels, in InfoNCE */
};

enum { MAX_LOSS_TERMS = 4 };

struct losses {
    float total, terms[MAX_LOSS_TERMS];
};

struct network;

/* What a step learns from, where the layers take it from (tape_pixels). */
struct step_input {
    const uint8_t *street;  /* (B, H, W, 3) */
    const uint8_t *aerial;  /* (aerial_each B, pictures, H, W, 3), the strongly varied ones first */
    const uint8_t *allowed; /* (B, B) 1 if photo i and place j count in the loss: its own, and those that are far enough
                               from it; NULL: all */
};

/* A default that a method has for an option of training. */
struct setting {
    const char *name, *value;
};

struct method {
    const char *name, *title; /* "geoviewmatch", "GeoViewMatch (Remote Sensing 2024, 16, 678)" */
    const struct backbone *backbone;
    const struct head *head;
    bool shared;              /* one set of weights for both views */
    bool decay_all;           /* weight decay on every parameter, whatever its kind */
    int aerial_each;          /* pictures of a pair's tile in a step, varied each on its own */
    struct field_list fields; /* of its own part of the configuration */
    size_t own_bytes;         /* of its own weights, which `list` fills */
    void (*list)(struct lister *lister, void *own, const struct config *config, int features);

    const char *terms[MAX_LOSS_TERMS + 1]; /* names of the losses, NULL-terminated: as keys of the log, "loss_con" */
    /* One forward pass of training on B pairs. */
    void (*learn)(struct tape *tape, const struct network *network, const struct step_input *input, int B,
                  const struct loss_options *options, float drop);
    /* The factor on the cosine of two features that makes the logits of the loss's softmax; NULL or 0: it has none. */
    double (*score_scale)(const struct network *network);
    /* Of a tape that has run it, and on a device has been waited for. */
    struct losses (*losses)(const struct tape *tape, const struct loss_options *options);

    const struct setting *presets; /* name, configuration as JSON; ends with {NULL, NULL} */
    const struct setting *recipe;  /* defaults of training that differ from the options' own; ends likewise */
};

#endif
