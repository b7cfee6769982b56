/* tape.h - runs a network and remembers what its backward pass needs.
 *
 * A network is written once, as its forward pass: a sequence of layer calls (layers.h). Each call
 * computes its output at once and, in training, leaves a record; tape_backward runs the records in
 * reverse. All memory is one block for maps and one for the layers' scratch, both sized by a dry
 * run: the same forward pass on a tape that only adds up sizes. Nothing is allocated in a step. */
#ifndef GVM_TENSOR_TAPE_H
#define GVM_TENSOR_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

/* A map of B pictures, L tokens each, C channels a token: (B, L, C), row-major. A feature has L = 1. On a device its
 * memory is the device's, and a map's values may be bfloat16: tape_read and tape_write carry them over. */
struct tensor {
    float *data;
    float *grad; /* NULL where nothing learns */
    int B, L, C;
    int element;           /* bytes of a value: 4, or 2 for bfloat16 */
    bool has_grad;         /* grad holds something: the next backward adds to it */
    struct tensor *parent; /* of a tensor that is some rows of another */
};

struct tape;
struct device;
struct home;

struct record {
    void (*backward)(struct tape *tape, void *self);
    void *self;
    struct record *previous;
};

/* Multiply-adds of the pass, by kind: the paper's own count leaves the last two out (docs/model.md). */
struct counts {
    uint64_t linear;    /* linear layers, filters, masks and their products */
    uint64_t bias;      /* the position bias's MLPs */
    uint64_t qkv;       /* queries, keys and values */
    uint64_t attention; /* scores and weighted sums */
};

static inline uint64_t counts_all(const struct counts *c)
{
    return c->linear + c->bias + c->qkv + c->attention;
}

/* The paper's way: without queries, keys and values, and the products of attention. */
static inline uint64_t counts_paper(const struct counts *c)
{
    return c->linear + c->bias;
}

enum { MAX_LOSSES = 8 };

struct tape {
    bool dry;      /* add up sizes only */
    bool training; /* keep what backward needs */
    bool packed;   /* the weight matrices lie in panels (gemm.h) */

    const struct device *device;
    struct home *home; /* the network's weights on the device; NULL on the CPU */
    void *state;       /* the device's */
    int element;       /* bytes of a map's value */

    float *block;                /* maps */
    size_t used, need, capacity; /* need: the most used at a time */
    float *scratch;              /* of the layer that runs */
    size_t scratch_used, scratch_need;

    char *objects; /* tensors, records, what layers remember */
    size_t objects_used;
    struct record *last;

    uint64_t seed, step; /* of the drop-path draws, which are the same for the same two */
    int paths;           /* drop paths drawn so far in this pass */

    float loss;               /* sum of the losses of this pass, each by its weight */
    float losses[MAX_LOSSES]; /* in the order of their calls */
    int loss_count;
    struct counts counts;
    uint64_t one_way; /* of the counts: what has no backward pass, though the tape is in training */

    float **guards; /* debug build: where each slice's guard band lies, in this pass */
    size_t guard_count;
};

/* An empty tape on which to run the forward pass once, dry, where `home` lies; on the CPU: tape_open (device_cpu.h). */
gvm_status tape_open_on(struct tape **tape, struct home *home, bool training, gvm_error *err);
/* For device_cpu.c. */
gvm_status tape_open_cpu(struct tape **tape, const struct device *device, bool training, bool packed, gvm_error *err);
/* After the dry run: allocate what it added up. GVM_MEMORY where there is not so much. */
gvm_status tape_allocate(struct tape *tape, gvm_error *err);
void tape_free(struct tape *tape);

/* Start a pass: everything that the last one made is gone. */
void tape_reset(struct tape *tape);

/* From the losses back to the weights: every parameter's gradient grows by its part (+=). */
void tape_backward(struct tape *tape);

/* Bytes of maps and scratch that the passes need. */
size_t tape_bytes(const struct tape *tape);

/* ---- what the device of the tape must do for the caller; little or nothing on the CPU */

/* Beside the pictures of view 0 and 1: which pairs of a batch count in a loss. */
enum { TAPE_ALLOWED = 2, TAPE_INPUTS };

/* Pixels of a view, or TAPE_ALLOWED, where a layer takes them from: those given, or their copy on the device, which the
 * next call for the same input overwrites. On a dry run anything. */
const uint8_t *tape_pixels(struct tape *tape, int input, const uint8_t *pixels, size_t bytes);

/* A tensor's values or gradient as float32 on the host, and back. Waits for them. */
void tape_read(struct tape *tape, float *to, const struct tensor *x);
void tape_read_gradient(struct tape *tape, float *to, const struct tensor *x);
void tape_write(struct tape *tape, struct tensor *x, const float *from);
void tape_write_gradient(struct tape *tape, struct tensor *x, const float *from);

/* Where this returns true, the calls between it and tape_recorded are done already: the device has repeated what it
 * recorded under the same key, a number above 0. Else make them; tensors of the pass keep their places. */
struct step_numbers;
bool tape_replays(struct tape *tape, int key, const struct step_numbers *numbers);
void tape_recorded(struct tape *tape);

/* Until all is done. Losses are known then. GVM_DEVICE where something failed since the last call. */
gvm_status tape_wait(struct tape *tape, gvm_error *err);

/* ---- for layers */

/* n floats, 64-byte aligned, until the next reset or release (NULL on a dry run). */
float *tape_floats(struct tape *tape, size_t n);
/* n floats until the layer returns; several calls add up (NULL on a dry run). */
float *tape_scratch(struct tape *tape, size_t n);
void tape_scratch_release(struct tape *tape);
/* In inference: maps and floats that were made after the mark are gone, and their memory serves what comes next. In
 * training, whose backward may need them, nothing happens. */
size_t tape_mark(const struct tape *tape);
void tape_release(struct tape *tape, size_t mark);
/* A zeroed small object, until the next reset. */
void *tape_object(struct tape *tape, size_t bytes);

/* A new map, with a gradient in training. */
struct tensor *tape_tensor(struct tape *tape, int B, int L, int C);
/* The same for features, whose values are float32 on every device: (B, 1, C). */
struct tensor *tape_feature(struct tape *tape, int B, int C);
/* Memory for n of a map's values. */
void *tape_values(struct tape *tape, size_t n);
void *tape_scratch_values(struct tape *tape, size_t n);
/* Note a loss of this pass. Returns its place in tape->losses. */
int tape_loss(struct tape *tape, float loss, float weight);
/* The map that a residual layer makes of x: in training it shares x's gradient, since the stream's
 * gradient passes through unchanged and the branch's is added to it; in inference it is x's memory. Layers that
 * read x itself must come before. */
struct tensor *tape_residual(struct tape *tape, struct tensor *x);
/* x as a map that nothing before it learns from: made while the tape was not in training, its gradient ends here. */
struct tensor *tape_leaf(struct tape *tape, struct tensor *x);
/* Pictures from..from+count-1 of x as a tensor of their own. */
struct tensor *tape_rows(struct tape *tape, struct tensor *x, int from, int count);
/* Remember a backward. A no-op outside training. */
void tape_record(struct tape *tape, void (*backward)(struct tape *, void *), void *self);

/* 0 where x's gradient is to be overwritten, 1 where another layer has already written to it:
 * the factor that a product puts before what is there. Asks once a backward. */
float tensor_accumulate(struct tape *tape, struct tensor *x);

#endif
