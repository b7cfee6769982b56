/* bench.h - shared by the parts of the subcommand bench. */
#ifndef GVM_CLI_BENCH_H
#define GVM_CLI_BENCH_H

#include "cli/cli.h"
#include "image/augment.h"
#include "network/learn.h"

struct arguments {
    struct common common;
    const char *preset, *weights; /* weights: NULL for the preset's initial ones */
    long rounds, batch;
    long steps, gallery; /* with learning */
    long tiles;          /* with search; 0: 100,000, or as many as fit into memory */
    bool train, no_train, learning, search, photos, json;
};

void lower_to(double *best, double value); /* 0: no value yet */

/* GFLOP/s, each the best so far: multiply-adds in registers and oneDNN's best product, on all threads; on a device only
 * its best product. */
struct peak {
    double fma, product;
};

void measure_peak(struct peak *peak, struct tape *tape); /* tape NULL: on the CPU */
double peak_of(const struct peak *peak);                 /* the larger */

/* The requested network; free it with network_free. */
gvm_status bench_network(struct network **network, const struct arguments *b, bool training, gvm_error *err);

/* The data of a training step; may be closed when zero. */
struct bench_training {
    struct network *network;
    struct optimizer *optimizer;
    struct learner learner;
    int passes; /* forward and backward passes of a step */
    struct augmentation amounts;
};

gvm_status bench_training_open(struct bench_training *t, const struct arguments *b, gvm_error *err);
void bench_training_close(struct bench_training *t);

/* A step with ASAM: street (B, H, W, 3), aerial (2 B, H, W, 3), the strong ones first. As in training, a device
 * computes on the pictures of the previous step while these are uploaded. */
gvm_status bench_step(struct bench_training *t, const uint8_t *street, const uint8_t *aerial, gvm_error *err);

/* Time training through the loader, and ranking, and print it. Returns the exit status. */
int bench_learning(const struct arguments *b);

/* Time one query and a batch among tiles of D numbers, and print it. Returns the exit status. */
int bench_search(const struct arguments *b, int D);

/* Time street pictures that show a part of the panorama, and print it. Returns the exit status. */
int bench_photos(const struct arguments *b);

#endif
