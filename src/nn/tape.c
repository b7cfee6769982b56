/* tape.c - see tape.h */
#include "nn/tape.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "nn/kernels.h"

/* Bytes for small objects: three times what 4 stages of 64 blocks need in both views, the most that a configuration
 * may ask for. Only the pages in use take memory. */
enum { OBJECTS = 2 << 20, ALIGN = 16 /* floats: 64 bytes */ };

static size_t aligned(size_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

gvm_status tape_open(struct tape **tape, bool training, bool packed, gvm_error *err)
{
    kernels(); /* limits oneDNN too, which must happen before its first product */
    struct tape *t = *tape = calloc(1, sizeof *t);
    if (t == NULL || (t->objects = malloc(OBJECTS)) == NULL) {
        tape_free(t);
        *tape = NULL;
        return fail(err, GVM_MEMORY, "there is not enough memory to start the network");
    }
    t->dry = true;
    t->training = training;
    t->packed = packed;
    return GVM_OK;
}

gvm_status tape_allocate(struct tape *tape, gvm_error *err)
{
    tape->capacity = tape->used;
    size_t floats = tape->capacity + tape->scratch_need;
    tape->block = aligned_alloc(ALIGN * sizeof(float), (floats + ALIGN) * sizeof(float));
    if (tape->block == NULL)
        return fail(err, GVM_MEMORY,
                    "the network needs %.1f GiB for its maps, which this machine does not give; use a smaller batch",
                    (double)floats * sizeof(float) / (1 << 30));
    tape->scratch = tape->block + tape->capacity;
    tape->dry = false;
    tape_reset(tape);
    return GVM_OK;
}

void tape_free(struct tape *tape)
{
    if (tape == NULL) return;
    free(tape->objects);
    free(tape->block);
    free(tape);
}

void tape_reset(struct tape *tape)
{
    tape->used = 0;
    tape->scratch_used = 0;
    tape->objects_used = 0;
    tape->last = NULL;
    tape->paths = 0;
    tape->loss = 0;
    tape->counts = (struct counts){0};
}

void tape_backward(struct tape *tape)
{
    for (struct record *r = tape->last; r != NULL; r = r->previous) r->backward(tape, r->self);
}

size_t tape_bytes(const struct tape *tape)
{
    return (tape->capacity + tape->scratch_need) * sizeof(float);
}

float *tape_floats(struct tape *tape, size_t n)
{
    size_t at = tape->used;
    tape->used += aligned(n);
    if (tape->dry) return NULL;
    assert(tape->used <= tape->capacity);
    return tape->block + at;
}

float *tape_scratch(struct tape *tape, size_t n)
{
    size_t at = tape->scratch_used;
    tape->scratch_used += aligned(n);
    if (tape->dry) {
        if (tape->scratch_used > tape->scratch_need) tape->scratch_need = tape->scratch_used;
        return NULL;
    }
    assert(tape->scratch_used <= tape->scratch_need);
    return tape->scratch + at;
}

void tape_scratch_release(struct tape *tape)
{
    tape->scratch_used = 0;
}

void *tape_object(struct tape *tape, size_t bytes)
{
    bytes = (bytes + 15) / 16 * 16;
    assert(tape->objects_used + bytes <= OBJECTS);
    void *object = tape->objects + tape->objects_used;
    tape->objects_used += bytes;
    return memset(object, 0, bytes);
}

struct tensor *tape_tensor(struct tape *tape, int B, int L, int C)
{
    struct tensor *x = tape_object(tape, sizeof *x);
    size_t n = (size_t)B * L * C;
    *x = (struct tensor){.data = tape_floats(tape, n), .B = B, .L = L, .C = C};
    if (tape->training) x->grad = tape_floats(tape, n);
    return x;
}

struct tensor *tape_residual(struct tape *tape, struct tensor *x)
{
    struct tensor *y = tape_object(tape, sizeof *y);
    *y = *x;
    y->has_grad = false;
    if (tape->training) y->data = tape_floats(tape, (size_t)x->B * x->L * x->C);
    x->has_grad = tape->training; /* what else reads x adds to the stream's gradient */
    return y;
}

struct tensor *tape_rows(struct tape *tape, struct tensor *x, int from, int count)
{
    assert(from >= 0 && from + count <= x->B && x->parent == NULL);
    struct tensor *y = tape_object(tape, sizeof *y);
    size_t at = (size_t)from * x->L * x->C;
    *y = (struct tensor){.B = count, .L = x->L, .C = x->C, .parent = x};
    if (x->data) y->data = x->data + at;
    if (x->grad) y->grad = x->grad + at;
    return y;
}

void tape_record(struct tape *tape, void (*backward)(struct tape *, void *), void *self)
{
    if (!tape->training) return;
    struct record *r = tape_object(tape, sizeof *r);
    *r = (struct record){backward, self, tape->last};
    tape->last = r;
}

float tensor_accumulate(struct tensor *x)
{
    struct tensor *owner = x->parent ? x->parent : x;
    if (!owner->has_grad) {
        owner->has_grad = true;
        if (x->parent == NULL) return 0;
        memset(owner->grad, 0, (size_t)owner->B * owner->L * owner->C * sizeof *owner->grad);
    }
    return 1;
}
