/* parts.h - the parts of a network. A backbone turns a picture into maps, a head turns maps into a feature, and a
 * method is a paper: its backbone, head, losses and training recipe. Each is a file in a folder of its own; each method
 * is a row of registry.def.
 *
 * A part's struct in the configuration is opaque to all other files, and so are its weights, which `open` allocates for
 * one view and `list` fills with parameters. Two views may share parameters but never a part's struct, since their maps
 * differ in size. */
#ifndef GVM_NETWORK_PARTS_H
#define GVM_NETWORK_PARTS_H

#include "network/config.h"
#include "network/fields.h"
#include "network/lister.h"
#include "tensor/device.h"
#include "tensor/tape.h"

enum { MAX_MAPS = 8 };

/* Sizes of the maps of one picture, from the shallowest to the deepest. */
struct pyramid {
    int count;
    int pictures;               /* pictures of a place, which together give one feature: 1 unless the view has zooms */
    enum projection projection; /* of the view */
    struct {
        int H, W, C;
    } maps[MAX_MAPS];
};

/* Results of a pass, on its tape until the next reset. */
struct trace {
    struct tensor *maps[MAX_MAPS]; /* (B pictures, L, C) */
    const float *masks[MAX_MAPS];  /* (B, mask_count, L) weights by which the head pools a map, else NULL */
    int mask_count;
    struct tensor *values;   /* (B pictures, L, features) the values that the head pools, if not the map itself */
    struct tensor *gathered; /* (B, 1, features) before normalisation */
};

struct backbone {
    const char *name, *title; /* "swin_v2", "Swin V2" */
    struct field_list fields; /* of its part of the configuration */
    bool masked, wraps;       /* supports a view's `visible`, and its `wrap` */

    /* Check that the backbone can be built for pictures of this size. Fails with GVM_FORMAT. */
    gvm_status (*check)(const void *config, const int size[2], const char *view, const char *where, gvm_error *err);
    /* Allocate its weights for one view, without parameters, and fill in its maps; NULL if out of memory. Freed by
     * close. */
    void *(*open)(struct pyramid *maps, const void *config, const struct view *view);
    void (*close)(void *weights);
    void (*list)(struct lister *lister, void *weights, const void *config);
    /* maps, out: as many as the pyramid has. pixels: (B, H, W, 3) from tape_pixels. drop: drop path rate of the last
     * block, decreasing linearly to 0 at the first; only in training. */
    void (*forward)(struct tensor **maps, struct tape *tape, const void *weights, const uint8_t *pixels, int B,
                    float drop);

    /* ---- the following may be NULL */
    /* Into how many equal turns a full circle divides such that turning the panorama by one of them only rolls all
     * maps; NULL or 1: none. */
    int (*turns)(const void *weights);
    /* Lay out the floats that it keeps beside its parameters; memory NULL: only count. Returns the number of floats. */
    size_t (*plans)(void *weights, float *memory, bool training);
    /* Called for inference before the matrices are packed: fills the plans. scratch: pack_scratch floats. */
    void (*pack)(void *weights, float *scratch);
    size_t (*pack_scratch)(const void *weights);
    /* Check that a device supports its layers. Fails with GVM_DEVICE. */
    gvm_status (*fits)(const void *weights, const struct device *device, enum precision precision, gvm_error *err);
    /* The name of a parameter (without our prefixes) in files from elsewhere, in dialect 0, 1, ...; returns false for
     * dialects that do not exist. */
    bool (*foreign)(char *name, size_t size, const char *own, int dialect);
    /* Prefixes and substrings of names in such files that are not the backbone's parameters; NULL-terminated. */
    const char *const *skipped_starts, *const *skipped_parts;
};

struct head {
    const char *name;
    float epsilon; /* added to the feature's length in the normalisation */
    bool places;   /* pools over the maps of all pictures of a place */
    bool masked;   /* supports a view's `visible` */
    struct field_list fields;

    gvm_status (*check)(const void *config, const struct pyramid *maps, const char *view, const char *where,
                        gvm_error *err);
    /* features, out: the length of the feature. */
    void *(*open)(int *features, const void *config, const struct pyramid *maps);
    void (*close)(void *weights);
    void (*list)(struct lister *lister, void *weights, const char *view);
    /* The feature (B, 1, features) before normalisation; fills in the trace's masks. */
    struct tensor *(*forward)(struct trace *trace, struct tape *tape, const void *weights);
    /* heat (pictures, L), out: the contribution of each position of a map to the product of the first place's feature
     * with `other` (features); their sum over all maps is that product. Returns false if the map is not part of the
     * feature. The trace must be on the host. */
    bool (*shares)(double *heat, const struct trace *trace, int map, const void *weights, const float *other);
    /* "stages 3 4 with 8 masks each" */
    void (*about)(char *text, size_t size, const void *config, const void *weights);
    /* Number of parameters for a map; NULL: none. */
    size_t (*map_parameters)(const void *weights, int map);
};

struct loss_options {
    float contrast, strong, weak; /* beta, gamma, delta of GeoViewMatch's equation 2 */
    float alpha;                  /* of its equation 1 */
    float smoothing;              /* of labels, in InfoNCE */
    bool views;                   /* each pair also has a view of its panorama. The weights of the losses, whose sum is
                                     taken as 1, are then these instead of the first three: */
    float panorama, view;         /* of the panorama, and of the view, with both aerial pictures, */
    float agreement;              /* of the panorama with its view, */
    float variants;               /* of the two aerial pictures with each other */
};

enum { MAX_LOSS_TERMS = 6 };

struct losses {
    float total, terms[MAX_LOSS_TERMS];
};

struct network;

/* Input of a training step, in the memory that the layers read (tape_pixels). */
struct step_input {
    const uint8_t *street;  /* (B, picture_bytes); with views (2 B, picture_bytes), the panoramas first */
    const uint8_t *aerial;  /* (aerial_each B, pictures, H, W, 3), the strongly augmented ones first */
    const uint8_t *allowed; /* (B, B) 1 if photo i and place j count in the loss: the photo's own place, and places that
                               are far enough away; NULL: all */
};

/* A method's default for a training option. */
struct setting {
    const char *name, *value;
};

struct method {
    const char *name, *title; /* "geoviewmatch", "GeoViewMatch (Remote Sensing 2024, 16, 678)" */
    const struct backbone *backbone;
    const struct head *head;
    bool shared;              /* one set of weights for both views */
    bool decay_all;           /* weight decay on every kind of parameter */
    int aerial_each;          /* aerial pictures of a pair in a step, each augmented independently */
    struct field_list fields; /* of its own part of the configuration */
    size_t own_bytes;         /* size of its own weights, which `list` fills */
    void (*list)(struct lister *lister, void *own, const struct config *config, int features);

    const char *terms[MAX_LOSS_TERMS + 1]; /* names of the losses, NULL-terminated; keys in the log: "loss_con" */
    /* Names of the losses that it has only with views, after `terms`; NULL: it does not learn from views. */
    const char *const *view_terms;
    /* One forward pass of training on B pairs. */
    void (*learn)(struct tape *tape, const struct network *network, const struct step_input *input, int B,
                  const struct loss_options *options, float drop);
    /* The factor that turns a cosine into a logit of the loss's softmax; NULL or 0: the loss has no softmax. */
    double (*score_scale)(const struct network *network);
    /* The losses of a finished pass. */
    struct losses (*losses)(const struct tape *tape, const struct loss_options *options);

    const struct setting *presets; /* name, configuration as JSON; ends with {NULL, NULL} */
    const struct setting *recipe;  /* training defaults that differ from the options' own; ends with {NULL, NULL} */
};

#endif
