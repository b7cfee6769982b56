/* test_layers_attention.c - window_attention against its reference, and its parts: the position bias and the masks of
 * shifted windows */
#include <math.h>
#include <string.h>

#include "layer_support.h"
#include "layers/position_bias.h"
#include "tensor/kernels.h"

enum { LOGIT_SCALE, CPB_W1, CPB_B1, CPB_W2, QKV, Q_BIAS, V_BIAS, PROJ_W, PROJ_B, GAMMA, BETA };

struct pair {
    struct oracle_attention oracle;
    struct attention shipped;
    float *bias; /* for a packed model */
};

static void attention_double(struct layer_test *t)
{
    const struct pair *a = t->more;
    int L = t->s.H * t->s.W, C = t->s.C;
    double *u = t->map[0], *v = t->map[1];
    oracle_attention_forward(u, t->in[0].value, &a->oracle);
    oracle_norm(v, u, t->par[GAMMA].value, t->par[BETA].value, 1e-5f, t->s.B * L, C);
    clear_unseen(v, t, t->s.B * L, C);
    oracle_residual(t->out.value, t->in[0].value, v, t->keep, t->s.B, L * C);
}

static void attention_double_backward(struct layer_test *t)
{
    const struct pair *a = t->more;
    int L = t->s.H * t->s.W, C = t->s.C;
    size_t n = t->out.n;
    double *dv = t->map[2], *du = t->map[3];
    memset(dv, 0, n * sizeof *dv);
    memset(du, 0, n * sizeof *du);
    oracle_residual_backward(t->in[0].grad, dv, t->out.grad, t->keep, t->s.B, L * C);
    clear_unseen(dv, t, t->s.B * L, C);
    oracle_norm_backward(du, t->par[GAMMA].grad, t->par[BETA].grad, dv, t->map[0], t->par[GAMMA].value, 1e-5f,
                         t->s.B * L, C);
    oracle_attention_backward(t->in[0].grad, du, t->in[0].value, &a->oracle);
}

static struct tensor *attention_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    struct pair *a = t->more;
    a->shipped.bias = tape->packed ? a->bias : NULL;
    return window_attention(tape, in[0], &a->shipped, t->keep);
}

/* gentle: no scale above that of initial weights, 10. The rounding errors of the scores grow with it. */
static void open_parameters(struct layer_test *t, const struct sizes *s, bool gentle)
{
    /* ln 100 = 4.605. A score near 100 is rounded to 4e-6, which few channels and tokens do not average out. */
    static const double logit_scales[] = {2.3025, 5, 1.5, 3, 4.7, 1, 2}, small[] = {0.3, -0.5, 0.7, 0, -1, 0.5, -0.2};
    static const double fresh[] = {2.3025, 1, 1.5, 2, 0.5, 1, 2};
    layer_param(t, "logit_scale", 0, 0, 3, (const int[]){s->heads, 1, 1}, false);
    for (int h = 0; h < s->heads; h++)
        t->par[LOGIT_SCALE].value[h] = (float)(s->C / s->heads < 7 ? small : gentle ? fresh : logit_scales)[h % 7];
    t->par[LOGIT_SCALE].exact_zeros = s->window > 1; /* with a single token per window the scale has no effect */
    layer_param(t, "cpb_w1", 0, 0.7, 2, (const int[]){512, 2}, false);
    layer_vector(t, "cpb_b1", 0, 0.3, 512);
    layer_param(t, "cpb_w2", 0, 0.06, 2, (const int[]){s->heads, 512}, false);
    layer_matrix(t, "qkv", 3 * s->C, s->C);
    layer_vector(t, "q_bias", 0, 0.5, s->C);
    layer_vector(t, "v_bias", 0, 0.5, s->C);
    layer_matrix(t, "proj_w", s->C, s->C);
    layer_vector(t, "proj_b", 0, 0.5, s->C);
    layer_vector(t, "gamma", 1, 0.3, s->C);
    layer_vector(t, "beta", 0, 0.3, s->C);
    layer_sync(t);
}

/* The position bias of a packed model, and the masks of a shifted map. */
static void open_bias(struct layer_test *t, struct pair *a, const struct sizes *s)
{
    size_t n = (size_t)(s->window * s->window), np = (size_t)round_up((int)n, 16);
    a->bias = layer_floats(t, (size_t)s->heads * n * np);
    position_bias(a->bias, layer_floats(t, position_scratch(s->window, s->heads)), &a->shipped);
    if (s->shift) {
        a->shipped.masks = layer_floats(t, 3 * n * np);
        shift_masks(a->shipped.masks, s->window, s->shift);
    }
}

static void open_statements(struct layer_test *t, const struct sizes *s)
{
    struct variable *p = t->par;
    struct pair *a = t->more = layer_bytes(t, sizeof *a);
    a->oracle = (struct oracle_attention){
        s->B,
        s->H,
        s->W,
        s->C,
        s->window,
        s->shift,
        s->heads,
        s->wrap,
        s->slide,
        t->seen,
        p[LOGIT_SCALE].value,
        p[CPB_W1].value,
        p[CPB_B1].value,
        p[CPB_W2].value,
        p[QKV].value,
        p[Q_BIAS].value,
        p[V_BIAS].value,
        p[PROJ_W].value,
        p[PROJ_B].value,
        p[LOGIT_SCALE].grad,
        p[CPB_W1].grad,
        p[CPB_B1].grad,
        p[CPB_W2].grad,
        p[QKV].grad,
        p[Q_BIAS].grad,
        p[V_BIAS].grad,
        p[PROJ_W].grad,
        p[PROJ_B].grad,
        .hidden = NULL,
    };
    oracle_attention_open(&a->oracle, layer_map, t);
    a->shipped = (struct attention){
        .H = s->H,
        .W = s->W,
        .window = s->window,
        .shift = s->shift,
        .heads = s->heads,
        .wrap = s->wrap,
        .slide = s->slide,
        .logit_scale = &p[LOGIT_SCALE].shipped,
        .cpb_w1 = &p[CPB_W1].shipped,
        .cpb_b1 = &p[CPB_B1].shipped,
        .cpb_w2 = &p[CPB_W2].shipped,
        .qkv = &p[QKV].shipped,
        .q_bias = &p[Q_BIAS].shipped,
        .v_bias = &p[V_BIAS].shipped,
        .proj_w = &p[PROJ_W].shipped,
        .proj_b = &p[PROJ_B].shipped,
        .norm = {&p[GAMMA].shipped, &p[BETA].shipped, 1e-5f},
    };
    open_bias(t, a, s);
}

static void open_attention(struct layer_test *t, const struct sizes *s, bool keep, bool gentle)
{
    layer_open(t, keep ? "window_attention, drop path" : "window_attention", s);
    layer_input(t, "x", s->B, s->H * s->W, s->C);
    layer_output(t, s->B, s->H * s->W, s->C);
    layer_seen(t, s->B, s->H, s->W);
    open_parameters(t, s, gentle);
    open_statements(t, s);
    for (int i = 0; i < 4; i++) t->map[i] = layer_doubles(t, t->out.n);
    if (keep) layer_keep(t);
    t->residual = true;
    if (s->window == 1) t->gain = 16; /* the bias is 16 sigmoid */
    t->forward = attention_double;
    t->backward = attention_double_backward;
    t->shipped = attention_shipped;
    layer_aim(t);
}

/* The columns of a position bias and of the masks, including padding, against the reference. */
static void check_parts(const struct layer_test *t)
{
    const struct pair *a = t->more;
    const struct oracle_attention *o = &a->oracle;
    int n = o->window * o->window, np = round_up(n, 16), down = o->H / o->window - 1, right = o->W / o->window - 1;
    double error = 0, size = 0;
    bool padded = true, masked = true;
    oracle_position_table(o);
    for (int h = 0; h < o->heads; h++)
        for (int i = 0; i < n; i++) {
            const float *row = a->bias + (h * n + i) * np;
            for (int j = 0; j < n; j++) {
                double b = o->table[oracle_offset(o->window, i, j) * o->heads + h];
                error += (row[j] - b) * (row[j] - b);
                size += b * b;
            }
            for (int j = n; j < np; j++) padded = padded && row[j] == -1e30f;
        }
    check_figure(t->label, "forward", "position_bias", sqrt(error / size), 1e-5);
    check_true(t->label, "-1e30 behind the position bias", padded);
    for (int i = 0; o->shift && i < n; i++)
        for (int j = 0; j < n; j++) {
            const float *m = a->shipped.masks + i * np + j;
            /* a map that is one window wide has none at its lower edge only */
            masked = masked && (right == 0 || m[0] == oracle_mask(o, down, 0, i, j));
            masked = masked && (o->wrap || down == 0 || m[n * np] == oracle_mask(o, 0, right, i, j));
            masked = masked && (o->wrap || m[2 * n * np] == oracle_mask(o, down, right, i, j));
        }
    check_true(t->label, "the masks of shifted windows", masked);
}

static const struct {
    struct sizes s;
    bool keep, differences;
} cases[] = {
    {{.B = 1, .H = 4, .W = 4, .window = 2, .shift = 1, .C = 7, .heads = 1}, false, true},
    {{.B = 3, .H = 2, .W = 4, .window = 2, .shift = 0, .C = 18, .heads = 2}, true, true},
    {{.B = 1, .H = 6, .W = 9, .window = 3, .shift = 1, .C = 9, .heads = 3}, true, true},
    {{.B = 1, .H = 1, .W = 5, .window = 1, .shift = 0, .C = 9, .heads = 1}, false, true},
    {{.B = 3, .H = 1, .W = 5, .window = 1, .shift = 0, .C = 7, .heads = 1}, true, false},
    {{.B = 1, .H = 7, .W = 14, .window = 7, .shift = 0, .C = 7, .heads = 7}, false, false},
    {{.B = 3, .H = 7, .W = 14, .window = 7, .shift = 0, .C = 20, .heads = 1}, true, false},
    {{.B = 3, .H = 8, .W = 8, .window = 4, .shift = 2, .C = 9, .heads = 1}, true, false},
    {{.B = 1, .H = 8, .W = 8, .window = 4, .shift = 2, .C = 12, .heads = 3}, false, false},
    {{.B = 3, .H = 4, .W = 20, .window = 4, .shift = 0, .C = 48, .heads = 3}, true, false},
    {{.B = 1, .H = 9, .W = 18, .window = 9, .shift = 0, .C = 14, .heads = 2}, false, false},
    {{.B = 3, .H = 12, .W = 8, .window = 4, .shift = 2, .C = 33, .heads = 3}, true, false},
    {{.B = 1, .H = 16, .W = 8, .window = 8, .shift = 4, .C = 24, .heads = 1}, false, false},
    {{.B = 1, .H = 16, .W = 16, .window = 8, .shift = 4, .C = 96, .heads = 3}, true, false},
    {{.B = 3, .H = 24, .W = 16, .window = 4, .shift = 2, .C = 7, .heads = 7}, true, false},
    {{.B = 1, .H = 4, .W = 4, .window = 4, .shift = 0, .C = 136, .heads = 8}, false, false},
    {{.B = 1, .H = 10, .W = 10, .window = 5, .shift = 2, .C = 16, .heads = 2}, false, false},
    {{.B = 1, .H = 4, .W = 6, .window = 2, .shift = 1, .C = 9, .heads = 1, .wrap = true}, false, true},
    {{.B = 1, .H = 8, .W = 16, .window = 8, .shift = 4, .C = 24, .heads = 1, .wrap = true}, true, false},
    {{.B = 3, .H = 4, .W = 6, .window = 2, .shift = 1, .C = 9, .heads = 1, .masked = true}, true, true},
    {{.B = 3, .H = 6, .W = 9, .window = 3, .shift = 1, .C = 18, .heads = 2, .masked = true, .wrap = true}, false, true},
    {{.B = 3, .H = 8, .W = 20, .window = 4, .shift = 0, .C = 24, .heads = 3, .masked = true}, true, false},
    {{.B = 3, .H = 2, .W = 10, .window = 2, .C = 9, .heads = 1, .masked = true, .wrap = true, .slide = 1}, true, true},
    {{.B = 1, .H = 4, .W = 20, .window = 4, .C = 24, .heads = 2, .wrap = true, .slide = 2}, false, false},
    {{.B = 5, .H = 16, .W = 40, .window = 8, .shift = 4, .C = 24, .heads = 1, .masked = true}, false, false},
    {{.B = 1, .H = 4, .W = 20, .window = 4, .shift = 0, .C = 48, .heads = 2, .masked = true, .wrap = true},
     true,
     false},
};

static void test_window_attention(void **state)
{
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_attention(&t, &cases[i].s, cases[i].keep, false);
        t.exact_only = true;
        check_parts(&t);
        if (cases[i].differences) check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
        if (layer_device == NULL || cases[i].s.C == cases[i].s.heads) continue; /* of one channel cosines are signs */
        open_attention(&t, &cases[i].s, cases[i].keep, true);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("window_attention");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_window_attention)};
    return run_layer_tests(tests, sizeof tests / sizeof *tests);
}
