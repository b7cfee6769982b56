/* layer_shipped.c - the shipped layer against its reference in double; see layer_support.h. On a device in each of its
 * precisions. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/parallel.h"
#include "layer_support.h"
#include "layers/layer.h"

/* How to run the layer. */
struct mode {
    bool training, packed;
    int threads;
    bool again;  /* a second pass on the same tape, after a reset */
    bool sum;    /* every gradient is already nonzero */
    bool rows;   /* the inputs are pictures 1..B of B + 2 */
    bool device; /* on layer_device, in this precision */
    enum precision precision;
};

/* Results. */
struct outcome {
    float *y, *dx[MAX_INPUTS], *dw[MAX_PARAMS];
    float loss;
};

static struct tensor *new_input(const struct layer_test *t, struct tape *tape, int B, const int *shape)
{
    return t->features ? tape_feature(tape, B, shape[2]) : tape_tensor(tape, B, shape[1], shape[2]);
}

/* The visibility of a map as patch_embed or patch_merge leave it. */
static struct seen *share_seen(const struct layer_test *t, struct tape *tape, int B, int L)
{
    struct seen *seen = tape_seen(tape, B, L);
    size_t n = (size_t)B * (size_t)L, words = (n + 3) / 4;
    float *bits = layer_floats((struct layer_test *)t, words);
    memcpy(bits, t->seen, n);
    if (seen->plane) tape->device->write(tape, seen->plane, bits, words, sizeof *bits);
    if (seen->plane && layer_device == NULL) list_seen(seen, B, L);
    return seen;
}

static struct tensor *run_forward(struct layer_test *t, struct tape *tape, struct tensor **in, struct mode m)
{
    float *host_keep = t->keep;
    uint8_t *host_pixels = t->pixels;
    for (int i = 0; i < t->inputs; i++) {
        const struct variable *v = &t->in[i];
        int B = v->shape[0];
        size_t margin = m.rows ? (size_t)(v->shape[1] * v->shape[2]) : 0;
        in[i] = new_input(t, tape, m.rows ? B + 2 : B, v->shape);
        if (in[i]->data) {
            float *values = layer_floats(t, v->n + 2 * margin);
            for (size_t j = 0; j < v->n; j++) values[margin + j] = (float)v->value[j];
            tape_write(tape, in[i], values);
        }
        if (m.rows) in[i] = tape_rows(tape, in[i], 1, B);
        if (t->seen && i == 0) in[i]->seen = share_seen(t, tape, B, v->shape[1]);
    }
    if (m.device && host_keep) {
        t->keep = tape_floats(tape, (size_t)t->s.B);
        if (t->keep)
            tape->device->write(tape, t->keep, host_keep, (size_t)t->s.B, sizeof *t->keep);
        else
            t->keep = host_keep; /* dry run: only whether it is NULL */
    }
    if (host_pixels) t->pixels = (uint8_t *)tape_pixels(tape, 0, host_pixels, t->pixel_bytes);
    struct tensor *y = t->shipped(t, tape, in);
    t->keep = host_keep;
    t->pixels = host_pixels;
    return y;
}

/* Initial value of a gradient's element i, if it is nonzero; all different. */
static float before(size_t i)
{
    return (float)(1 + i % 7) / 8;
}

static void run_backward(struct layer_test *t, struct tape *tape, struct tensor **in, struct tensor *y, struct mode m,
                         struct outcome *o)
{
    for (int i = 0; m.sum && i < t->inputs; i++) {
        float *held = layer_floats(t, t->in[i].n);
        for (size_t j = 0; j < t->in[i].n; j++) held[j] = before(j);
        tape_write_gradient(tape, in[i], held);
        in[i]->has_grad = true;
    }
    if (y) {
        float *direction = layer_floats(t, t->out.n);
        for (size_t i = 0; i < t->out.n; i++) direction[i] = (float)t->out.grad[i];
        tensor_accumulate(tape, y); /* for rows of a tensor, the gradient of the other rows is zero */
        tape_write_gradient(tape, y, direction);
    }
    tape_backward(tape);
    for (int i = 0; i < t->inputs; i++) {
        tape_read_gradient(tape, o->dx[i], in[i]);
        if (!m.rows) continue;
        size_t C = (size_t)t->in[i].shape[2], margin = (size_t)t->in[i].shape[1] * C, n = t->in[i].n;
        float *all = layer_floats(t, n + 2 * margin);
        tape_read_gradient(tape, all, in[i]->parent);
        for (size_t c = 0; c < C; c++) {
            check_true(t->label, "no gradient of rows outside", all[c] == 0);
            check_true(t->label, "no gradient of rows outside", all[margin + n + c] == 0);
        }
    }
}

static void check_shape(const struct layer_test *t, const struct tensor *y)
{
    const int *shape = t->out.shape;
    check_true(t->label, "the output's shape", y->B == shape[0] && y->L == shape[1] && y->C == shape[2]);
}

/* Fill the tape's memory with NaN before a pass, so that reads of uninitialised values show. */
static void spoil(struct tape *tape)
{
    tape->device->fill(tape, tape->block, 0xff, tape_bytes(tape));
}

/* Size of a parameter in a network's block, padded. */
static size_t place(size_t n)
{
    return (n + 15) / 16 * 16;
}

/* Arrange the parameters as in a network: consecutively, in a block of weights and one of gradients. */
static struct home bind_parameters(struct layer_test *t, struct outcome *o, struct mode m)
{
    struct home home = {.device = layer_device, .precision = m.precision, .floats = 16}; /* never none */
    for (int i = 0; i < t->params; i++) home.floats += place(t->par[i].n);
    home.weights = layer_floats(t, home.floats);
    home.grads = m.training ? layer_floats(t, home.floats) : NULL;
    size_t at = 0;
    for (int i = 0; i < t->params; i++) {
        struct variable *v = &t->par[i];
        memcpy(home.weights + at, v->plain, v->n * sizeof(float));
        v->shipped.data = m.packed ? v->packed : m.device ? home.weights + at : v->plain;
        v->shipped.grad = o->dw[i] = m.training ? home.grads + at : NULL;
        at += place(v->n);
    }
    return home;
}

static void run_passes(struct layer_test *t, struct tape *tape, struct home *home, struct outcome *o, struct mode m)
{
    struct tensor *in[MAX_INPUTS], *y;
    gvm_error err = {""};
    y = run_forward(t, tape, in, m);
    if (y) check_shape(t, y);
    assert_int_equal(tape_allocate(tape, &err), GVM_OK);
    for (int pass = m.again ? 0 : 1; pass < 2; pass++) {
        for (int i = 0; m.training && i < t->params; i++)
            for (size_t j = 0; j < t->par[i].n; j++) o->dw[i][j] = m.sum ? before(j) : 0;
        if (m.device) assert_int_equal(layer_device->home_upload(home, &err), GVM_OK);
        tape_reset(tape);
        spoil(tape);
        y = run_forward(t, tape, in, m);
        if (y)
            tape_read(tape, o->y, y);
        else
            o->y[0] = t->loss;
        if (m.training) run_backward(t, tape, in, y, m, o);
        if (tape_wait(tape, &err) != GVM_OK) {
            print_error("%s\n", err.text);
            check_true(t->label, "the device's work", false);
        }
        o->loss = tape->loss;
        if (m.device && y == NULL) o->y[0] = tape->loss / (float)t->out.grad[0];
        if (m.device) assert_int_equal(layer_device->home_download(home, &err), GVM_OK);
        tape_reset(tape); /* checks guard bands */
        assert_int_equal(tape_wait(tape, &err), GVM_OK);
    }
}

static void run_shipped(struct layer_test *t, struct outcome *o, struct mode m)
{
    struct tape *tape;
    gvm_error err = {""};
    parallel_set_threads(m.threads ? m.threads : 1);
    *o = (struct outcome){.y = layer_floats(t, t->out.n)};
    for (int i = 0; i < t->inputs; i++) o->dx[i] = layer_floats(t, t->in[i].n);
    struct home home = bind_parameters(t, o, m);
    if (m.device) {
        assert_int_equal(layer_device->home_open(&home, &err), GVM_OK);
        assert_int_equal(tape_open_on(&tape, &home, m.training, &err), GVM_OK);
    } else {
        assert_int_equal(tape_open(&tape, m.training, m.packed, &err), GVM_OK);
    }
    run_passes(t, tape, &home, o, m);
    tape_free(tape);
    if (m.device) layer_device->home_free(&home);
}

/* As distance, but relative to at least a share of all gradients: for a few sums of mixed signs, such as the gradients
 * of scales, the relative error of bfloat16 means little. */
static double rough_distance(const float *a, const double *b, size_t n, double least)
{
    double size = length(b, n), d = distance(a, b, n, least);
    return size < least && size > 0 ? d * size / least : d;
}

static void check_against_oracle(struct layer_test *t, const struct outcome *o, double limit)
{
    double whole = run_oracle(t) * t->gain, least = limit > 1e-5 ? 5e-2 * whole : 0;
    check_figure(t->label, "forward", "y", distance(o->y, t->out.value, t->out.n, 0), limit);
    for (int i = 0; i < t->inputs; i++)
        check_figure(t->label, "backward", t->in[i].name, distance(o->dx[i], t->in[i].grad, t->in[i].n, whole), limit);
    for (int i = 0; i < t->params; i++) {
        const struct variable *v = &t->par[i];
        double d = least > 0 && v->n < 16 ? rough_distance(o->dw[i], v->grad, v->n, least)
                                          : distance(o->dw[i], v->grad, v->n, whole);
        /* A gradient of one number, such as a logit scale's, is a sum of mixed signs: its error depends on the order of
         * the terms and on what the compiler fuses. */
        check_figure(t->label, "backward", v->name, d, v->n == 1 ? 2 * limit : limit);
        for (size_t j = 0; v->exact_zeros && j < v->n; j++)
            if (v->grad[j] == 0) check_true(t->label, "no gradient under a clamp", o->dw[i][j] == 0);
    }
}

/* Distance between two results of the shipped layer. offset: a includes before(). size: minimum to which it is
 * relative. */
static double float_distance(const float *a, const float *b, size_t n, bool offset, double size)
{
    double error = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - b[i] - (offset ? before(i) : 0);
        error += d * d;
        square += (double)b[i] * b[i] + (offset ? before(i) * before(i) : 0);
    }
    size = fmax(size, sqrt(square));
    return size > 0 ? sqrt(error) / size : sqrt(error);
}

/* o equals `first` up to rounding, apart from the initial values of gradients. A device may choose another product for
 * other addresses, and another GELU if backward does not need its input. */
static void check_same(struct layer_test *t, const char *what, const struct outcome *o, const struct outcome *first,
                       struct mode m, double whole, double looser)
{
    char name[128];
    bool sum = m.sum;
    double of_y = (m.device ? 3e-6 : 1e-6) * looser;
    snprintf(name, sizeof name, "y, %s", what);
    check_figure(t->label, "others", name, float_distance(o->y, first->y, t->out.n, false, 0), of_y);
    if (o->loss != first->loss)
        check_figure(t->label, "others", "loss", fabs((double)o->loss - first->loss) / fabs((double)first->loss), of_y);
    for (int i = 0; m.training && i < t->inputs; i++) {
        if (t->residual && sum && i == 0) continue; /* its input's gradient is its output's */
        snprintf(name, sizeof name, "d%s, %s", t->in[i].name, what);
        check_figure(t->label, "others", name, float_distance(o->dx[i], first->dx[i], t->in[i].n, sum, 1e-2 * whole),
                     5e-6 * looser);
    }
    for (int i = 0; m.training && i < t->params; i++) {
        snprintf(name, sizeof name, "d%s, %s", t->par[i].name, what);
        check_figure(t->label, "others", name, float_distance(o->dw[i], first->dw[i], t->par[i].n, sum, 1e-2 * whole),
                     5e-6 * looser);
    }
}

static void check_same_bits(struct layer_test *t, const struct outcome *a, const struct outcome *b)
{
    check_true(t->label, "the same bits of y", memcmp(a->y, b->y, t->out.n * sizeof(float)) == 0);
    check_true(t->label, "the same bits of the loss", memcmp(&a->loss, &b->loss, sizeof a->loss) == 0);
    for (int i = 0; i < t->inputs; i++)
        check_true(t->label, "the same bits of dx", memcmp(a->dx[i], b->dx[i], t->in[i].n * sizeof(float)) == 0);
    for (int i = 0; i < t->params; i++)
        check_true(t->label, t->par[i].name, memcmp(a->dw[i], b->dw[i], t->par[i].n * sizeof(float)) == 0);
}

/* On the device in one precision: against the reference, twice with the same bits, and in the other modes. */
static void check_precision(struct layer_test *t, enum precision precision, double limit)
{
    static const struct {
        const char *what;
        struct mode mode;
    } ways[] = {{"added to what was there", {.training = true, .sum = true}},
                {"rows of a larger tensor", {.training = true, .rows = true}},
                {"inference", {.training = false}}};
    const struct mode plain = {.training = true, .device = true, .precision = precision};
    struct mode again = plain;
    struct outcome first, o;
    again.again = true;
    run_shipped(t, &first, plain);
    check_against_oracle(t, &first, limit);
    if (precision == PRECISION_TF32) return; /* same kernels as fp32, other products */
    double whole = run_oracle(t) * t->gain;
    run_shipped(t, &o, again);
    check_same_bits(t, &o, &first);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct mode m = ways[i].mode;
        m.device = true;
        m.precision = precision;
        run_shipped(t, &o, m);
        check_same(t, ways[i].what, &o, &first, m, whole, limit / 1e-5);
    }
}

static void check_device(struct layer_test *t)
{
    static const struct {
        const char *name;
        enum precision precision;
        double limit;
    } precisions[] = {
        {", fp32", PRECISION_FP32, 1e-5}, {", tf32", PRECISION_TF32, 4e-3}, {", bf16", PRECISION_BF16, 2e-2}};
    size_t end = strlen(t->label);
    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++) {
        if (t->exact_only && precisions[i].precision != PRECISION_FP32) continue;
        snprintf(t->label + end, sizeof t->label - end, "%s", precisions[i].name);
        check_precision(t, precisions[i].precision, precisions[i].limit);
    }
    t->label[end] = '\0';
}

void check_shipped(struct layer_test *t)
{
    if (layer_device) {
        check_device(t);
        return;
    }
    static const struct {
        const char *what;
        struct mode mode;
    } ways[] = {
        {"1 thread", {.training = true, .threads = 1}},
        {"3 threads", {.training = true, .threads = 3}},
        {"9 threads", {.training = true, .threads = 9}},
        {"added to what was there", {.training = true, .threads = 2, .sum = true}},
        {"rows of a larger tensor", {.training = true, .threads = 2, .rows = true}},
        {"inference", {.threads = 2}},
        {"inference, weights in panels", {.threads = 2, .packed = true}},
        {"inference, weights in panels, 1 thread", {.threads = 1, .packed = true}},
    };
    const struct mode plain = {.training = true, .threads = 2}, again = {.training = true, .threads = 2, .again = true};
    struct outcome first, o;
    run_shipped(t, &first, plain);
    check_against_oracle(t, &first, 1e-5);
    double whole = run_oracle(t) * t->gain;
    run_shipped(t, &o, again);
    check_same_bits(t, &o, &first);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        run_shipped(t, &o, ways[i].mode);
        check_same(t, ways[i].what, &o, &first, ways[i].mode, whole, 1);
    }
}
