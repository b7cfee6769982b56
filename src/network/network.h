/* network.h - a configuration made into weights: both views, what joins them, and where it all lies in memory.
 *
 * The list of parameters, made in one place (branches_list), drives sizes, checkpoints, the optimiser and the golden
 * files. */
#ifndef GVM_NETWORK_NETWORK_H
#define GVM_NETWORK_NETWORK_H

#include "network/branch.h"

/* Where the weights come from, as far as it is known; no part of the fingerprint. */
struct origin {
    char source[512]; /* UTF-8, as are the others; empty if nothing is known */
    char licence[256];
};

struct network {
    struct config config;
    struct branch views[2]; /* GVM_STREET, GVM_AERIAL */
    void *own;              /* the method's own weights, such as a projection head */
    struct param *params;   /* in the order of the checkpoint */
    int param_count;
    size_t floats;          /* length of each block below; every parameter starts at a multiple of 64 bytes */
    float *weights, *grads; /* one block each; grads NULL unless training */
    float *plans;           /* what the backbones keep beside their parameters */
    bool packed;            /* weight matrices lie in panels (gemm.h) */
    struct origin origin;
    struct home *home; /* the weights on a device, of which the blocks above are then a copy; NULL on the CPU */
};

/* A network of this (checked) configuration with all weights zero. training: with gradients. */
gvm_status network_open(struct network **network, const struct config *config, bool training, gvm_error *err);
void network_free(struct network *network);

/* Off its device (place.h), if it is on one. */
void network_leave(struct network *network);

/* First values by each parameter's law, drawn from the seed. */
void network_fresh(struct network *network, uint64_t seed);

/* Bring the weight matrices into panels and compute what the backbones keep, once: for inference only. */
gvm_status network_pack(struct network *network, gvm_error *err);

/* How many numbers it has, and how many a network of a (checked) configuration would have; 0 if memory is short. */
size_t network_parameters(const struct network *network);
uint64_t config_parameters(const struct config *config);

/* In training its backbones stay as they are, and take no backward pass; the heads learn. */
static inline void network_freeze(struct network *network)
{
    network->views[0].frozen = network->views[1].frozen = true;
}

/* Gradients to zero. */
void network_clear_gradients(struct network *network);

/* Multiply-adds of one picture of a view, by kind, as the layers count them; of a network that is not packed. */
gvm_status network_counts(struct counts *counts, const struct network *network, int view, gvm_error *err);

/* ---- what can be said of a network, a line each */

struct fact {
    char label[16], text[160];
};

/* Facts for a person: the method and its paper, backbone, views, feature. Returns how many, at most MAX_FACTS. */
enum { MAX_FACTS = 8 };
int network_facts(struct fact facts[MAX_FACTS], const struct network *network);

/* A sentence, without a line break, on a first map that takes most of the parameters; false if there is none. */
bool network_warning(char *text, size_t size, const struct network *network);

#endif
