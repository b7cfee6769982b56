/* bench.h - what the parts of the subcommand bench share. */
#ifndef GVM_CLI_BENCH_H
#define GVM_CLI_BENCH_H

#include "cli/cli.h"
#include "image/augment.h"
#include "network/learn.h"

struct arguments {
    struct common common;
    const char *preset, *weights; /* weights: NULL for fresh ones of the preset */
    long rounds, batch;
    long steps, gallery; /* with learning */
    long tiles;          /* with search; 0: 100,000 or what memory has room for */
    bool train, no_train, learning, search, json;
};

void lower_to(double *best, double value); /* 0 is no value yet */

/* GFLOP/s, each the best so far: on all threads, multiply-adds in registers and oneDNN's best product; on a device its
 * best product alone. */
struct peak {
    double fma, product;
};

void measure_peak(struct peak *peak, struct tape *tape); /* tape NULL: of the CPU */
double peak_of(const struct peak *peak);                 /* the larger */

/* The network that is asked for. To be freed with network_free. */
gvm_status bench_network(struct network **network, const struct arguments *b, bool training, gvm_error *err);

/* What a training step works with; zero is fine to be closed. */
struct bench_training {
    struct network *network;
    struct optimizer *optimizer;
    struct learner learner;
    int passes; /* forward and backward, of a step */
    struct augmentation amounts;
};

gvm_status bench_training_open(struct bench_training *t, const struct arguments *b, gvm_error *err);
void bench_training_close(struct bench_training *t);

/* One with ASAM: street (B, H, W, 3), aerial (2 B, H, W, 3), the strong ones first. A device computes on what the step
 * before was given, while these are brought over, as in training. */
gvm_status bench_step(struct bench_training *t, const uint8_t *street, const uint8_t *aerial, gvm_error *err);

/* Time training through the loader, and ranking, and print it. Returns the exit status. */
int bench_learning(const struct arguments *b);

/* Time one query and a batch among tiles of D numbers, and print it. Returns the exit status. */
int bench_search(const struct arguments *b, int D);

#endif
