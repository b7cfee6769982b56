/* network_facts.h - what can be said of a network without running it. */
#ifndef GVM_CLI_NETWORK_FACTS_H
#define GVM_CLI_NETWORK_FACTS_H

#include <stdio.h>

#include "network/network.h"

/* Multiply-adds of one picture of a view, by kind, as the layers count them; of a network that is not packed. */
gvm_status count_pass(struct counts *counts, const struct network *network, gvm_view view, gvm_error *err);

static inline uint64_t counts_all(const struct counts *c)
{
    return c->linear + c->bias + c->qkv + c->attention;
}

/* The paper's way: without queries, keys and values, and the products of attention. */
static inline uint64_t counts_paper(const struct counts *c)
{
    return c->linear + c->bias;
}

/* Parameters of a stage's masks, 1..4, in both views; 0 where it takes no part in the feature. */
size_t mask_parameters(const struct network *network, int stage);

/* The sentence on the size of stage 1's masks, without a line break; false where the network has none. */
bool mask_warning(char *text, size_t size, const struct network *network);

/* The stages of an option, as "4,3": each of 1 to 4 at most once; false where the text is none. */
bool stages_read(bool stages[STAGES], const char *text);

#endif
