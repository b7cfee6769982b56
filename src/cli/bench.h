/* bench.h - what the parts of the subcommand bench share. */
#ifndef GVM_CLI_BENCH_H
#define GVM_CLI_BENCH_H

#include "cli/cli.h"
#include "model/network.h"
#include "nn/optimizer.h"

struct bench {
    struct common common;
    const char *preset, *weights; /* weights: NULL for fresh ones of the preset */
    long rounds, batch;
    long steps, gallery; /* with learning */
    bool train, learning, json;
};

/* Seconds of the monotonic clock. */
double bench_now(void);

/* The network that is asked for. To be freed with network_free. */
gvm_status bench_network(struct network **network, const struct bench *b, bool training, gvm_error *err);

/* What a training step works with; zero is fine to be closed. */
struct bench_training {
    struct network *network;
    struct optimizer *optimizer;
    struct tape *tape;
    int B;
};

gvm_status bench_training_open(struct bench_training *t, const struct bench *b, gvm_error *err);
void bench_training_close(struct bench_training *t);

/* One with ASAM: street (B, H, W, 3), aerial (2 B, H, W, 3), the strong ones first. */
void bench_step(struct bench_training *t, const uint8_t *street, const uint8_t *aerial);

/* Time training through the loader, and ranking, and print it. Returns the exit status. */
int bench_learning(const struct bench *b);

#endif
