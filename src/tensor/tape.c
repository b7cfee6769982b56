/* tape.c - see tape.h. Also part of the CUDA module, so it calls only the tape's device.
 *
 * In a debug build each slice of the two blocks is followed by a guard band, which is written when the slice is taken
 * and checked when the pass is over. Its bytes form NaNs. */
#include "tensor/tape.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tensor/device.h"

/* Bytes for small objects: three times what 4 stages of 64 blocks in both views need, the largest configuration
 * allowed. Only pages in use are backed by memory. */
enum { OBJECTS = 2 << 20 };

#ifdef NDEBUG
enum { GUARD = 0 };
#else
enum { GUARD = 64 /* floats */ };
#endif
enum { GUARD_BYTE = 0xff, MAX_GUARDS = 1 << 16 };

/* In floats: 64 bytes for the CPU's vectors, 256 for CUDA's loads. */
static size_t alignment(const struct tape *tape)
{
    return tape->home ? 64 : 16;
}

static size_t aligned(const struct tape *tape, size_t n)
{
    return (n + alignment(tape) - 1) / alignment(tape) * alignment(tape);
}

static gvm_status open_tape(struct tape **tape, const struct device *device, struct home *home, bool training,
                            bool packed, gvm_error *err)
{
    struct tape *t = *tape = calloc(1, sizeof *t);
    if (t != NULL) t->device = device;
    if (t == NULL || (t->objects = malloc(OBJECTS)) == NULL ||
        (GUARD > 0 && (t->guards = malloc(MAX_GUARDS * sizeof *t->guards)) == NULL)) {
        tape_free(t);
        *tape = NULL;
        return fail(err, GVM_MEMORY, "cannot start the network: out of memory");
    }
    t->dry = true;
    t->training = training;
    t->packed = packed;
    t->home = home;
    t->element = home && home->precision == PRECISION_BF16 ? 2 : 4;
    gvm_status status = device->tape_open ? device->tape_open(t, err) : GVM_OK;
    if (status == GVM_OK) return GVM_OK;
    tape_free(t);
    *tape = NULL;
    return status;
}

gvm_status tape_open_on(struct tape **tape, struct home *home, bool training, gvm_error *err)
{
    return open_tape(tape, home->device, home, training, false, err);
}

gvm_status tape_open_cpu(struct tape **tape, const struct device *device, bool training, bool packed, gvm_error *err)
{
    return open_tape(tape, device, NULL, training, packed, err);
}

gvm_status tape_allocate(struct tape *tape, gvm_error *err)
{
    tape->capacity = tape->need;
    size_t floats = tape->capacity + tape->scratch_need;
    gvm_status status = tape->device->tape_allocate(tape, (floats + alignment(tape)) * sizeof(float), err);
    if (status != GVM_OK) return status;
    tape->scratch = tape->block + tape->capacity;
    tape->dry = false;
    tape_reset(tape);
    return GVM_OK;
}

void tape_free(struct tape *tape)
{
    if (tape == NULL) return;
    tape->device->tape_free(tape);
    free(tape->objects);
    free(tape->guards);
    free(tape);
}

/* ------------------------------------------------------------------ guard bands */

static void guard(struct tape *tape, float *at)
{
    if (GUARD == 0 || tape->guard_count == MAX_GUARDS) return;
    tape->device->fill(tape, at, GUARD_BYTE, GUARD * sizeof *at);
    tape->guards[tape->guard_count++] = at;
}

/* Scratch is checked when its layer returns, maps when they are released or the pass ends. */
static void check_guards(struct tape *tape, const float *from, const float *to)
{
    size_t kept = 0;
    for (size_t i = 0; i < tape->guard_count; i++) {
        float *at = tape->guards[i];
        if (at < from || at >= to) {
            tape->guards[kept++] = at;
            continue;
        }
        bool holds = tape->device->holds(tape, at, GUARD_BYTE, GUARD * sizeof(float));
        assert(holds);
        (void)holds;
    }
    tape->guard_count = kept;
}

void tape_reset(struct tape *tape)
{
    if (!tape->dry) check_guards(tape, tape->block, tape->scratch + tape->scratch_need);
    tape->used = 0;
    tape->scratch_used = 0;
    tape->objects_used = 0;
    tape->last = NULL;
    tape->paths = 0;
    tape->loss = 0;
    tape->loss_count = 0;
    tape->counts = (struct counts){0};
    tape->one_way = 0;
}

void tape_backward(struct tape *tape)
{
    for (struct record *r = tape->last; r != NULL; r = r->previous) r->backward(tape, r->self);
}

size_t tape_bytes(const struct tape *tape)
{
    return (tape->capacity + tape->scratch_need) * sizeof(float);
}

/* ------------------------------------------------------------------ the device's part */

const uint8_t *tape_pixels(struct tape *tape, int input, const uint8_t *pixels, size_t bytes)
{
    return tape->dry ? pixels : tape->device->pixels(tape, input, pixels, bytes);
}

static size_t values(const struct tensor *x)
{
    return (size_t)x->B * (size_t)x->L * (size_t)x->C;
}

void tape_read(struct tape *tape, float *to, const struct tensor *x)
{
    tape->device->read(tape, to, x->data, values(x), x->element);
}

void tape_read_gradient(struct tape *tape, float *to, const struct tensor *x)
{
    tape->device->read(tape, to, x->grad, values(x), x->element);
}

void tape_write(struct tape *tape, struct tensor *x, const float *from)
{
    tape->device->write(tape, x->data, from, values(x), x->element);
}

void tape_write_gradient(struct tape *tape, struct tensor *x, const float *from)
{
    tape->device->write(tape, x->grad, from, values(x), x->element);
}

bool tape_replays(struct tape *tape, int key, const struct step_numbers *numbers)
{
    return tape->device->replay(tape, key, numbers);
}

void tape_recorded(struct tape *tape)
{
    tape->device->recorded(tape);
}

gvm_status tape_wait(struct tape *tape, gvm_error *err)
{
    return tape->device->wait(tape, err);
}

/* ------------------------------------------------------------------ for layers */

float *tape_floats(struct tape *tape, size_t n)
{
    size_t at = tape->used, size = aligned(tape, n);
    tape->used += size + GUARD;
    if (tape->used > tape->need) tape->need = tape->used;
    if (tape->dry) return NULL;
    assert(tape->used <= tape->capacity);
    guard(tape, tape->block + at + size);
    return tape->block + at;
}

float *tape_scratch(struct tape *tape, size_t n)
{
    size_t at = tape->scratch_used, size = aligned(tape, n);
    tape->scratch_used += size + GUARD;
    if (tape->dry) {
        if (tape->scratch_used > tape->scratch_need) tape->scratch_need = tape->scratch_used;
        return NULL;
    }
    assert(tape->scratch_used <= tape->scratch_need);
    guard(tape, tape->scratch + at + size);
    return tape->scratch + at;
}

void tape_scratch_release(struct tape *tape)
{
    tape->scratch_used = 0;
    if (!tape->dry) check_guards(tape, tape->scratch, tape->scratch + tape->scratch_need);
}

size_t tape_mark(const struct tape *tape)
{
    return tape->used;
}

void tape_release(struct tape *tape, size_t mark)
{
    if (tape->training) return;
    tape->used = mark;
    if (!tape->dry) check_guards(tape, tape->block + mark, tape->scratch);
}

void *tape_values(struct tape *tape, size_t n)
{
    return tape_floats(tape, (n * (size_t)tape->element + 3) / 4);
}

void *tape_scratch_values(struct tape *tape, size_t n)
{
    return tape_scratch(tape, (n * (size_t)tape->element + 3) / 4);
}

void *tape_object(struct tape *tape, size_t bytes)
{
    bytes = (bytes + 15) / 16 * 16;
    assert(tape->objects_used + bytes <= OBJECTS);
    void *object = tape->objects + tape->objects_used;
    tape->objects_used += bytes;
    return memset(object, 0, bytes);
}

static struct tensor *new_tensor(struct tape *tape, int B, int L, int C, int element)
{
    struct tensor *x = tape_object(tape, sizeof *x);
    size_t floats = ((size_t)B * (size_t)L * (size_t)C * (size_t)element + 3) / 4;
    *x = (struct tensor){.data = tape_floats(tape, floats), .B = B, .L = L, .C = C, .element = element};
    if (tape->training) x->grad = tape_floats(tape, floats);
    return x;
}

struct tensor *tape_tensor(struct tape *tape, int B, int L, int C)
{
    return new_tensor(tape, B, L, C, tape->element);
}

struct tensor *tape_feature(struct tape *tape, int B, int C)
{
    return new_tensor(tape, B, 1, C, 4);
}

struct seen *tape_seen(struct tape *tape, int B, int L)
{
    struct seen *seen = tape_object(tape, sizeof *seen);
    size_t n = (size_t)B * (size_t)L;
    seen->plane = (uint8_t *)tape_floats(tape, (n + 3) / 4);
    seen->rows = (int *)tape_floats(tape, n);
    seen->count = (int)n;
    return seen;
}

struct tensor *tape_residual(struct tape *tape, struct tensor *x)
{
    struct tensor *y = tape_object(tape, sizeof *y);
    *y = *x;
    y->has_grad = false;
    if (tape->training) y->data = tape_floats(tape, (values(x) * (size_t)x->element + 3) / 4);
    x->has_grad = tape->training; /* other readers of x add to the stream's gradient */
    return y;
}

struct tensor *tape_leaf(struct tape *tape, struct tensor *x)
{
    struct tensor *y = tape_object(tape, sizeof *y);
    *y = *x;
    y->grad = tape_floats(tape, (values(x) * (size_t)x->element + 3) / 4);
    return y;
}

struct tensor *tape_rows(struct tape *tape, struct tensor *x, int from, int count)
{
    assert(from >= 0 && from + count <= x->B && x->parent == NULL && x->seen == NULL);
    struct tensor *y = tape_object(tape, sizeof *y);
    size_t at = (size_t)from * (size_t)x->L * (size_t)x->C * (size_t)x->element;
    *y = (struct tensor){.B = count, .L = x->L, .C = x->C, .element = x->element, .parent = x};
    if (x->data) y->data = (float *)((char *)x->data + at);
    if (x->grad) y->grad = (float *)((char *)x->grad + at);
    return y;
}

void tape_record(struct tape *tape, void (*backward)(struct tape *, void *), void *self)
{
    if (!tape->training) return;
    struct record *r = tape_object(tape, sizeof *r);
    *r = (struct record){backward, self, tape->last};
    tape->last = r;
}

int tape_loss(struct tape *tape, float loss, float weight)
{
    assert(tape->loss_count < MAX_LOSSES);
    tape->loss += weight * loss;
    tape->losses[tape->loss_count] = loss;
    return tape->loss_count++;
}

float tensor_accumulate(struct tape *tape, struct tensor *x)
{
    struct tensor *owner = x->parent ? x->parent : x;
    if (!owner->has_grad) {
        owner->has_grad = true;
        if (x->parent == NULL) return 0;
        tape->device->fill(tape, owner->grad, 0, values(owner) * (size_t)owner->element);
    }
    return 1;
}
