/* tape.h - runs a network's forward pass and records what the backward pass needs
 *
 * A network is written once, as its forward pass: a sequence of layer calls (layers.h). Each call computes its output
 * immediately and, in training, leaves a record; tape_backward runs the records in reverse. Memory is one block for
 * maps and one for the layers' scratch. Both are sized by a dry run: the same forward pass on a tape that only adds up
 * sizes. So a step allocates nothing. */
#ifndef GVM_TENSOR_TAPE_H
#define GVM_TENSOR_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

/* Which tokens of a map are seen. All layers of a stage share it. */
struct seen {
    uint8_t *plane; /* (B, L) 1 if the token is seen, else 0; on a device in its memory; NULL on a dry run */
    int *rows;      /* (count) the seen tokens, ascending; the CPU's only */
    int count;      /* on a dry run B L */
};

/* A map of B pictures, L tokens each, C channels per token: (B, L, C), row-major. A feature has L = 1. On a device, the
 * data are in device memory and may be bfloat16: use tape_read and tape_write. */
struct tensor {
    float *data;
    float *grad; /* NULL if not needed */
    int B, L, C;
    int element;           /* bytes per value: 4, or 2 for bfloat16 */
    bool has_grad;         /* grad is valid: the next backward adds to it */
    struct tensor *parent; /* the tensor of which this is a range of rows, or NULL */
    struct seen *seen;     /* NULL: all tokens are seen */
};

struct tape;
struct device;
struct home;

struct record {
    void (*backward)(struct tape *tape, void *self);
    void *self;
    struct record *previous;
};

/* Multiply-adds of the pass by kind. The paper's count leaves out the last two (docs/model.md). */
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

/* The paper's count: without qkv and attention. */
static inline uint64_t counts_paper(const struct counts *c)
{
    return c->linear + c->bias;
}

enum { MAX_LOSSES = 8 };

struct tape {
    bool dry;      /* only add up sizes */
    bool training; /* record for backward */
    bool packed;   /* weight matrices are in panels (gemm.h) */

    const struct device *device;
    struct home *home; /* weights on the device; NULL on the CPU */
    void *state;       /* the device's */
    int element;       /* bytes per value of a map */

    float *block;                /* maps */
    size_t used, need, capacity; /* need: the maximum of used */
    float *scratch;              /* of the current layer */
    size_t scratch_used, scratch_need;

    char *objects; /* tensors, records and what layers record */
    size_t objects_used;
    struct record *last;

    uint64_t seed, step; /* of the drop-path draws, which depend only on these two */
    int paths;           /* drop paths drawn so far in this pass */

    float loss;               /* weighted sum of this pass's losses */
    float losses[MAX_LOSSES]; /* in call order */
    int loss_count;
    struct counts counts;
    uint64_t one_way; /* the part of the counts that has no backward pass, although the tape is in training */

    float **guards; /* debug build: addresses of this pass's guard bands */
    size_t guard_count;
};

/* Create an empty tape on the device of `home`, ready for the dry run of the forward pass. On the CPU use tape_open
 * (device_cpu.h). */
gvm_status tape_open_on(struct tape **tape, struct home *home, bool training, gvm_error *err);
/* For device_cpu.c. */
gvm_status tape_open_cpu(struct tape **tape, const struct device *device, bool training, bool packed, gvm_error *err);
/* Allocate the memory that the dry run added up. Returns GVM_MEMORY if there is not enough. */
gvm_status tape_allocate(struct tape *tape, gvm_error *err);
void tape_free(struct tape *tape);

/* Start a pass: invalidates everything from the previous one. */
void tape_reset(struct tape *tape);

/* Backpropagate from the losses; adds to the gradient of every parameter (+=). */
void tape_backward(struct tape *tape);

/* Bytes of maps and scratch that a pass needs. */
size_t tape_bytes(const struct tape *tape);

/* ---- device operations; most do little or nothing on the CPU */

/* Inputs besides the pictures of views 0 and 1: which pairs of a batch a loss uses. */
enum { TAPE_ALLOWED = 2, TAPE_INPUTS };

/* The address from which layers read an input (a view's pixels or TAPE_ALLOWED): `pixels` itself, or its copy on the
 * device, which the next call for the same input overwrites. On a dry run unspecified. */
const uint8_t *tape_pixels(struct tape *tape, int input, const uint8_t *pixels, size_t bytes);

/* Copy a tensor's values or gradient to the host as float32, or from it. Waits for completion. */
void tape_read(struct tape *tape, float *to, const struct tensor *x);
void tape_read_gradient(struct tape *tape, float *to, const struct tensor *x);
void tape_write(struct tape *tape, struct tensor *x, const float *from);
void tape_write_gradient(struct tape *tape, struct tensor *x, const float *from);

/* Returns true if a pass recorded under `key` (> 0) was replayed; the caller must then skip the layer calls up to
 * tape_recorded. Returns false if the caller must make them. Tensors keep their addresses. */
struct step_numbers;
bool tape_replays(struct tape *tape, int key, const struct step_numbers *numbers);
void tape_recorded(struct tape *tape);

/* Wait for completion; losses are valid afterwards. Returns GVM_DEVICE if anything failed since the last call. */
gvm_status tape_wait(struct tape *tape, gvm_error *err);

/* ---- for layers */

/* n floats, 64-byte aligned, valid until the next reset or release (NULL on a dry run). */
float *tape_floats(struct tape *tape, size_t n);
/* n floats, valid until the layer returns; calls accumulate (NULL on a dry run). */
float *tape_scratch(struct tape *tape, size_t n);
void tape_scratch_release(struct tape *tape);
/* In inference, tape_release frees the maps and floats made since tape_mark, so that their memory is reused. In
 * training it does nothing, because backward may need them. */
size_t tape_mark(const struct tape *tape);
void tape_release(struct tape *tape, size_t mark);
/* A small zeroed object, valid until the next reset. */
void *tape_object(struct tape *tape, size_t bytes);

/* A new map, in training with a gradient. */
struct tensor *tape_tensor(struct tape *tape, int B, int L, int C);
/* The same for features (B, 1, C), whose values are float32 on every device. */
struct tensor *tape_feature(struct tape *tape, int B, int C);
/* Memory for n map values. */
void *tape_values(struct tape *tape, size_t n);
void *tape_scratch_values(struct tape *tape, size_t n);
/* Add a loss to this pass. Returns its index in tape->losses. */
int tape_loss(struct tape *tape, float loss, float weight);
/* Memory for the visibility of a map, also on a dry run. */
struct seen *tape_seen(struct tape *tape, int B, int L);
/* The output map of a residual layer with input x. In training it shares x's gradient, because the stream's gradient
 * passes through unchanged and the branch's is added to it. In inference it shares x's memory, so layers that read x
 * must be called before. */
struct tensor *tape_residual(struct tape *tape, struct tensor *x);
/* Detach x, which was computed outside training: the result has its own gradient, which is not propagated to x. */
struct tensor *tape_leaf(struct tape *tape, struct tensor *x);
/* Pictures from..from+count-1 of x as a tensor that shares its memory. */
struct tensor *tape_rows(struct tape *tape, struct tensor *x, int from, int count);
/* Record a backward function. Does nothing outside training. */
void tape_record(struct tape *tape, void (*backward)(struct tape *, void *), void *self);

/* The factor beta for a product that writes x's gradient: 0 to overwrite it, 1 if another layer has already written to
 * it. Call once per backward. */
float tensor_accumulate(struct tape *tape, struct tensor *x);

#endif
