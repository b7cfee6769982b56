/* network.h - GeoViewMatch: the configuration made into parameters, and the forward passes.
 *
 * swin.c is Swin V2, swin_geo.c adds the masks (the paper's Swin-Geo), geoviewmatch.c joins two views, the
 * projection head and the losses. The list of parameters, made in one place (parameters.c), drives sizes,
 * checkpoints, the optimiser and the golden files. */
#ifndef GVM_MODEL_NETWORK_H
#define GVM_MODEL_NETWORK_H

#include "layers/layers.h"
#include "network/config.h"

struct block {
    struct attention attention;
    struct feed_forward feed_forward;
};

struct stage {
    int H, W, C; /* its map */
    int depth;
    struct block *blocks;     /* (depth) */
    struct patch_merge merge; /* to the next stage; unused after the last */
};

struct swin {
    int H, W; /* of the picture */
    struct patch_embed embed;
    struct stage stages[STAGES];
    struct norm norm; /* of the last stage's map */
};

struct swin_geo {
    struct swin backbone;
    bool uses[STAGES];          /* stages that take part in the feature */
    struct masks masks[STAGES]; /* of those stages */
    int features;               /* length of the feature */
};

struct network {
    struct config config;
    struct swin_geo views[2]; /* GVM_STREET, GVM_AERIAL */
    struct linear head[2];    /* projection head: ReLU between the two */
    struct param *params;     /* in the order of the checkpoint */
    int param_count;
    size_t floats;          /* length of each block below; every parameter starts at a multiple of 64 bytes */
    float *weights, *grads; /* one block each; grads NULL unless training */
    float *plans;           /* shift masks, and position biases of a packed network */
    bool packed;            /* weight matrices lie in panels (gemm.h) */
    struct home *home;      /* the weights on a device, of which the blocks above are then a copy; NULL on the CPU */
};

/* A network of this (checked) configuration with all weights zero. training: with gradients. */
gvm_status network_open(struct network **network, const struct config *config, bool training, gvm_error *err);
void network_free(struct network *network);

/* The official initial weights, as `fresh` in tools/network.py, drawn from the seed. */
void network_fresh(struct network *network, uint64_t seed);

/* Bring the weight matrices into panels and compute the position biases once: for inference only. */
gvm_status network_pack(struct network *network, gvm_error *err);

/* ---- place.c: where it computes */

/* What gvm_set_device chose for networks that are placed from now on. */
const struct device *chosen_device(void);

/* Make it ready to compute there. On the CPU that packs a network which does not learn; on a device it brings the
 * weights over, which then change there alone until network_fetch. GVM_MEMORY, or GVM_DEVICE where it does not fit. */
gvm_status network_place(struct network *network, gvm_error *err);
void network_leave(struct network *network);
/* Weights and gradients as they are now on the device, to the host. */
gvm_status network_fetch(struct network *network, gvm_error *err);

/* A tape for it, empty and dry (tape.h). */
gvm_status network_tape(struct tape **tape, const struct network *network, bool training, gvm_error *err);

size_t network_parameters(const struct network *network); /* how many numbers */

/* Gradients to zero. */
void network_clear_gradients(struct network *network);

/* The four stages' maps; the last one normalised. drop: the rate of the last block's drop path, falling
 * linearly to 0 at the first; only in training. */
void swin(struct tensor *maps[STAGES], struct tape *tape, const struct swin *w, const uint8_t *pixels, int B,
          float drop);

/* What a pass leaves on its tape, until the next reset. */
struct swin_trace {
    struct tensor *maps[STAGES]; /* (B, L, C) as swin gives them */
    const float *masks[STAGES];  /* (B, N, L) of the stages that take part in the feature, NULL of others */
    struct tensor *gathered;     /* (B, 1, features) before it is brought to length 1 */
};

/* Features (B, 1, features) of length 1; trace may be NULL. */
struct tensor *swin_geo(struct swin_trace *trace, struct tape *tape, const struct swin_geo *w, const uint8_t *pixels,
                        int B, float drop);

/* The projection head, (B, 1, head) of length 1. */
struct tensor *project(struct tape *tape, const struct network *network, struct tensor *features);

struct loss_weights {
    float contrast, strong, weak; /* beta, gamma, delta of the paper's equation 2 */
    float alpha;                  /* of equation 1 */
};

extern const struct loss_weights loss_weights_paper; /* 0.5, 0.25, 0.25; 10 */

struct losses {
    float total, contrast, strong, weak; /* the paper's L_total, L_con, L_ret1, L_ret2 */
};

/* One forward pass of training on B pairs, pixels as tape_pixels gives them. aerial holds B strongly and then B weakly
 * augmented pictures. On a device that works behind the caller's back the losses are known after tape_wait: losses_of.
 */
struct losses geoviewmatch(struct tape *tape, const struct network *network, const uint8_t *street,
                           const uint8_t *aerial, int B, const struct loss_weights *weights, float drop);
struct losses losses_of(const struct tape *tape, const struct loss_weights *weights);

#endif
