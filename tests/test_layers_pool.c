/* test_layers_pool.c - softmax_pool against its reference */
#include <math.h>

#include "layer_support.h"

static void pool_double(struct layer_test *t)
{
    oracle_pool(t->out.value, t->map[0], t->in[0].value, t->in[1].value, t->s.B, t->s.L, t->s.heads, t->s.C);
}

static void pool_double_backward(struct layer_test *t)
{
    oracle_pool_backward(t->in[0].grad, t->in[1].grad, t->out.grad, t->map[0], t->in[1].value, t->s.B, t->s.L,
                         t->s.heads, t->s.C);
}

static struct tensor *pool_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    const float *kept;
    struct tensor *y = softmax_pool(tape, in[0], in[1], t->s.N, &kept);
    size_t n = (size_t)t->s.B * (size_t)t->s.heads * (size_t)t->s.L;
    float *p = layer_floats(t, n);
    if (tape->dry) return y;
    tape->device->read(tape, p, kept, n, sizeof *p);
    check_figure(t->label, "forward", "the weights that it keeps", distance(p, t->map[0], n, 0), 1e-5);
    return y;
}

/* N pictures per feature, with L positions together */
static void open_pool(struct layer_test *t, const struct sizes *s)
{
    layer_open(t, "softmax_pool", s);
    layer_input(t, "a", s->B * s->N, s->L / s->N, s->heads);
    layer_input(t, "v", s->B * s->N, s->L / s->N, s->C);
    layer_output(t, s->B, 1, s->C);
    t->map[0] = layer_doubles(t, (size_t)(s->B * s->heads * s->L));
    t->forward = pool_double;
    t->backward = pool_double_backward;
    t->shipped = pool_shipped;
    if (s->L == 1) t->gain = 1e3; /* a's gradient is mathematically zero */
}

static void test_pool(void **state)
{
    static const struct sizes sizes[] = {
        {.B = 1, .N = 1, .L = 1, .heads = 1, .C = 1},    {.B = 1, .N = 1, .L = 2, .heads = 1, .C = 7},
        {.B = 3, .N = 1, .L = 7, .heads = 3, .C = 9},    {.B = 2, .N = 3, .L = 9, .heads = 5, .C = 5},
        {.B = 3, .N = 1, .L = 37, .heads = 4, .C = 24},  {.B = 1, .N = 4, .L = 300, .heads = 9, .C = 99},
        {.B = 2, .N = 2, .L = 144, .heads = 2, .C = 66}, {.B = 1, .N = 1, .L = 577, .heads = 16, .C = 256},
    };
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        open_pool(&t, &sizes[i]);
        if (sizes[i].L < 100) check_differences(&t);
        run_oracle(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("softmax_pool");
}

/* Logits that overflow unless the softmax subtracts the maximum. */
static void test_large_logits(void **state)
{
    struct layer_test t;
    (void)state;
    open_pool(&t, &(struct sizes){.B = 2, .N = 1, .L = 11, .heads = 2, .C = 6});
    for (size_t i = 0; i < t.in[0].n; i++) /* a constant for each head, and integers, which bfloat16 holds exactly */
        t.in[0].value[i] = (i % 2 ? 200 : -200) + rint(t.in[0].value[i]);
    run_oracle(&t);
    check_shipped(&t);
    layer_free(&t);
    finish("softmax_pool of large logits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pool), cmocka_unit_test(test_large_logits)};
    return run_layer_tests(tests, sizeof tests / sizeof *tests);
}
