/* network_facts.h - multiply-adds, as we count them and as the paper does. */
#ifndef GVM_CLI_NETWORK_FACTS_H
#define GVM_CLI_NETWORK_FACTS_H

#include "tensor/tape.h"

static inline uint64_t counts_all(const struct counts *c)
{
    return c->linear + c->bias + c->qkv + c->attention;
}

/* The paper's way: without queries, keys and values, and the products of attention. */
static inline uint64_t counts_paper(const struct counts *c)
{
    return c->linear + c->bias;
}

#endif
