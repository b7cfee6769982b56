/* tape.h - runs a network and remembers what its backward pass needs.
 *
 * A network is written once, as its forward pass: a sequence of layer calls (layers.h). Each call
 * computes its output at once and, in training, leaves a record; tape_backward runs the records in
 * reverse. All memory is one block for maps and one for the layers' scratch, both sized by a dry
 * run: the same forward pass on a tape that only adds up sizes. Nothing is allocated in a step. */
#ifndef GVM_NN_TAPE_H
#define GVM_NN_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

/* A map of B pictures, L tokens each, C channels a token: (B, L, C), row-major. A feature has L = 1. */
struct tensor {
    float *data;
    float *grad; /* NULL where nothing learns */
    int B, L, C;
    bool has_grad;         /* grad holds something: the next backward adds to it */
    struct tensor *parent; /* of a tensor that is some rows of another */
};

struct tape;

struct record {
    void (*backward)(struct tape *tape, void *self);
    void *self;
    struct record *previous;
};

/* Multiply-adds of the pass, by kind: the paper's own count leaves the last two out (MODEL.md). */
struct counts {
    uint64_t linear;    /* linear layers, filters, masks and their products */
    uint64_t bias;      /* the position bias's MLPs */
    uint64_t qkv;       /* queries, keys and values */
    uint64_t attention; /* scores and weighted sums */
};

struct tape {
    bool dry;      /* add up sizes only */
    bool training; /* keep what backward needs */
    bool packed;   /* the weight matrices lie in panels (gemm.h) */

    float *block; /* maps */
    size_t used, capacity;
    float *scratch; /* of the layer that runs */
    size_t scratch_used, scratch_need;

    char *objects; /* tensors, records, what layers remember */
    size_t objects_used;
    struct record *last;

    uint64_t seed, step; /* of the drop-path draws, which are the same for the same two */
    int paths;           /* drop paths drawn so far in this pass */

    float loss; /* sum of the losses of this pass */
    struct counts counts;
};

/* An empty tape on which to run the forward pass once, dry. */
gvm_status tape_open(struct tape **tape, bool training, bool packed, gvm_error *err);
/* After the dry run: allocate what it added up. GVM_MEMORY where there is not so much. */
gvm_status tape_allocate(struct tape *tape, gvm_error *err);
void tape_free(struct tape *tape);

/* Start a pass: everything that the last one made is gone. */
void tape_reset(struct tape *tape);

/* From the losses back to the weights: every parameter's gradient grows by its part (+=). */
void tape_backward(struct tape *tape);

/* Bytes of maps and scratch that the passes need. */
size_t tape_bytes(const struct tape *tape);

/* ---- for layers */

/* n floats, 64-byte aligned, until the next reset (NULL on a dry run). */
float *tape_floats(struct tape *tape, size_t n);
/* n floats until the layer returns; several calls add up (NULL on a dry run). */
float *tape_scratch(struct tape *tape, size_t n);
void tape_scratch_release(struct tape *tape);
/* A zeroed small object, until the next reset. */
void *tape_object(struct tape *tape, size_t bytes);

/* A new map, with a gradient in training. */
struct tensor *tape_tensor(struct tape *tape, int B, int L, int C);
/* The map that a residual layer makes of x: in training it shares x's gradient, since the stream's
 * gradient passes through unchanged and the branch's is added to it; in inference it is x's memory. Layers that
 * read x itself must come before. */
struct tensor *tape_residual(struct tape *tape, struct tensor *x);
/* Pictures from..from+count-1 of x as a tensor of their own. */
struct tensor *tape_rows(struct tape *tape, struct tensor *x, int from, int count);
/* Remember a backward. A no-op outside training. */
void tape_record(struct tape *tape, void (*backward)(struct tape *, void *), void *self);

/* 0 where x's gradient is to be overwritten, 1 where another layer has already written to it:
 * the factor that a product puts before what is there. Asks once a backward. */
float tensor_accumulate(struct tensor *x);

#endif
