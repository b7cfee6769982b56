/* network.h - a network: both views, the method's own weights, and their memory.
 *
 * The list of parameters, made in one place (branches_list), determines sizes, checkpoints, the optimiser's state and
 * the golden files. */
#ifndef GVM_NETWORK_NETWORK_H
#define GVM_NETWORK_NETWORK_H

#include "network/branch.h"

/* The origin of the weights, if known; not part of the fingerprint. */
struct origin {
    char source[512]; /* UTF-8, as are the others; empty if unknown */
    char licence[256];
};

struct network {
    struct config config;
    struct branch views[2]; /* GVM_STREET, GVM_AERIAL */
    void *own;              /* the method's own weights, such as a projection head */
    struct param *params;   /* in the order of the checkpoint */
    int param_count;
    size_t floats;          /* length of each block below; every parameter is aligned to 64 bytes */
    float *weights, *grads; /* one block each; grads is NULL unless training */
    float *plans;           /* the backbones' masks and position biases */
    bool packed;            /* weight matrices are packed into panels (gemm.h) */
    struct origin origin;
    struct home *home; /* the weights on a device; the blocks above are then a copy. NULL on the CPU */
};

/* Open a network of a checked configuration with all weights zero. training: with gradients. */
gvm_status network_open(struct network **network, const struct config *config, bool training, gvm_error *err);
void network_free(struct network *network);

/* Remove the network from its device (place.h), if it is on one. */
void network_leave(struct network *network);

/* Draw initial values from the seed, by each parameter's distribution. */
void network_fresh(struct network *network, uint64_t seed);

/* Pack the weight matrices into panels and compute the position biases, once; for inference only. */
gvm_status network_pack(struct network *network, gvm_error *err);

/* Number of trainable numbers of a network, or of a network of a checked configuration; 0 if out of memory. */
size_t network_parameters(const struct network *network);
uint64_t config_parameters(const struct config *config);

/* Freeze the backbones in training: they take no backward pass, and only the heads are trained. */
static inline void network_freeze(struct network *network)
{
    network->views[0].frozen = network->views[1].frozen = true;
}

/* Set all gradients to zero. */
void network_clear_gradients(struct network *network);

/* Multiply-adds of one picture of a view, by kind, counted by the layers. The network must not be packed. */
gvm_status network_counts(struct counts *counts, const struct network *network, int view, gvm_error *err);

/* How many headings to try, evenly around the circle, for a street picture whose heading is unknown: those that a
 * network trained with wrong headings needs, a multiple of the turns that a pass gives (struct branch); else 16. */
int network_headings(const struct network *network);

/* ---- description */

struct fact {
    char label[16], text[160];
};

/* Facts for display: the method and its paper, backbone, views, feature. Returns how many, at most MAX_FACTS. */
enum { MAX_FACTS = 8 };
int network_facts(struct fact facts[MAX_FACTS], const struct network *network);

/* A one-line warning if the masks of the first map take most of the parameters; returns false if there is none. */
bool network_warning(char *text, size_t size, const struct network *network);

#endif
