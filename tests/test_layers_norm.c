/* test_layers_norm.c - layer_norm, patch_embed and patch_merge against their references */
#include <string.h>

#include "layer_support.h"

/* ------------------------------------------------------------------ y = LN(x) */

static void norm_double(struct layer_test *t)
{
    oracle_norm(t->out.value, t->in[0].value, t->par[0].value, t->par[1].value, t->s.epsilon, t->s.B * t->s.L, t->s.C);
}

static void norm_double_backward(struct layer_test *t)
{
    oracle_norm_backward(t->in[0].grad, t->par[0].grad, t->par[1].grad, t->out.grad, t->in[0].value, t->par[0].value,
                         t->s.epsilon, t->s.B * t->s.L, t->s.C);
}

static struct tensor *norm_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    struct norm *w = t->more;
    *w = (struct norm){&t->par[0].shipped, &t->par[1].shipped, t->s.epsilon};
    return layer_norm(tape, in[0], w);
}

static void open_norm(struct layer_test *t, const struct sizes *s)
{
    layer_open(t, "layer_norm", s);
    layer_input(t, "x", s->B, s->L, s->C);
    layer_vector(t, "gamma", 1, 0.3, s->C);
    layer_vector(t, "beta", 0, 0.3, s->C);
    layer_output(t, s->B, s->L, s->C);
    for (size_t i = 0; i < t->in[0].n; i++) t->in[0].value[i] = (float)(0.5 + 2 * t->in[0].value[i]);
    t->more = layer_bytes(t, sizeof(struct norm));
    if (s->C == 1) t->gain = NORM_GAIN;
    t->forward = norm_double;
    t->backward = norm_double_backward;
    t->shipped = norm_shipped;
    layer_sync(t);
}

static void test_layer_norm(void **state)
{
    static const struct sizes sizes[] = {
        {.B = 1, .L = 1, .C = 1},
        {.B = 3, .L = 4, .C = 1},
        {.B = 1, .L = 1, .C = 7},
        {.B = 3, .L = 5, .C = 7},
        {.B = 1, .L = 9, .C = 9},
        {.B = 3, .L = 4, .C = 16},
        {.B = 3, .L = 7, .C = 17},
        {.B = 2, .L = 9, .C = 33},
        {.B = 1, .L = 1, .C = 96},
        {.B = 3, .L = 20, .C = 96},
        {.B = 3, .L = 5, .C = 33, .epsilon = 0.5f},
    };
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        open_norm(&t, &sizes[i]);
        check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("layer_norm");
}

/* float32 on every device, whatever the type of its maps */
static void test_norm_of_features(void **state)
{
    static const struct sizes sizes[] = {{.B = 1, .L = 1, .C = 9}, {.B = 3, .L = 1, .C = 96, .epsilon = 1e-6f}};
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        open_norm(&t, &sizes[i]);
        t.features = true;
        check_shipped(&t);
        layer_free(&t);
    }
    finish("layer_norm of features");
}

/* ------------------------------------------------------------------ y = LN(W patch + b) */

enum { WEIGHT, BIAS, GAMMA, BETA, UNSEEN };

/* A patch embedding and its pictures without visibility. */
struct embedding {
    struct patch_embed w;
    uint8_t *pixels;
};

/* Rows of tokens that are not seen are the vector `unseen`. */
static void set_unseen(struct layer_test *t, const uint8_t *seen, int M, int C)
{
    const double *unseen = t->par[t->params - 1].value;
    for (int i = 0; seen && i < M * C; i++)
        if (!seen[i / C]) t->out.value[i] = unseen[i % C];
}

/* dy of the seen tokens; that of the others is added to the gradient of `unseen`. */
static void split_gradient(double *dy, struct layer_test *t, const uint8_t *seen, int M, int C)
{
    double *unseen = t->par[t->params - 1].grad;
    memcpy(dy, t->out.grad, t->out.n * sizeof *dy);
    for (int i = 0; seen && i < M * C; i++)
        if (!seen[i / C]) unseen[i % C] += dy[i], dy[i] = 0;
}

/* K: side of the patch */
static int patches_of(const struct sizes *s)
{
    return s->B * (s->H / s->K) * (s->W / s->K);
}

static void embed_double(struct layer_test *t)
{
    const struct variable *p = t->par;
    double *patches = t->map[0], *u = t->map[1];
    int M = patches_of(&t->s), C = t->s.C;
    const struct embedding *e = t->more;
    oracle_patches(patches, e->pixels, &e->w, t->s.B, t->s.H, t->s.W);
    oracle_linear(u, u, patches, p[WEIGHT].value, p[BIAS].value, M, C, 3 * t->s.K * t->s.K, IDENTITY);
    oracle_norm(t->out.value, u, p[GAMMA].value, p[BETA].value, t->s.epsilon, M, C);
    set_unseen(t, t->seen, M, C);
}

static void embed_double_backward(struct layer_test *t)
{
    struct variable *p = t->par;
    double *patches = t->map[0], *u = t->map[1], *du = t->map[2], *dy = t->map[3];
    int M = patches_of(&t->s), C = t->s.C;
    for (int i = 0; i < M * C; i++) du[i] = 0;
    split_gradient(dy, t, t->seen, M, C);
    oracle_norm_backward(du, p[GAMMA].grad, p[BETA].grad, dy, u, p[GAMMA].value, t->s.epsilon, M, C);
    oracle_linear_backward(NULL, p[WEIGHT].grad, p[BIAS].grad, du, u, patches, p[WEIGHT].value, M, C,
                           3 * t->s.K * t->s.K, IDENTITY);
}

static struct tensor *embed_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    (void)in;
    const struct embedding *e = t->more;
    return patch_embed(tape, t->pixels, t->s.B, t->s.H, t->s.W, &e->w);
}

static void open_embed(struct layer_test *t, const struct sizes *s)
{
    int M = patches_of(s), H = s->H / s->K, W = s->W / s->K;
    layer_open(t, s->no_bias ? "patch_embed, other levels, BGR" : "patch_embed", s);
    layer_param(t, "weight", 0, 0.14, 4, (const int[]){s->C, 3, s->K, s->K}, true);
    layer_vector(t, "bias", 0, 0.5, s->C);
    layer_vector(t, "gamma", 1, 0.3, s->C);
    layer_vector(t, "beta", 0, 0.3, s->C);
    if (s->masked) layer_vector(t, "unseen", 0, 1, s->C);
    layer_output(t, s->B, M / s->B, s->C);
    layer_seen(t, s->B, H, W);
    struct embedding *e = t->more = layer_bytes(t, sizeof *e);
    size_t picture = (size_t)(s->H * s->W * 3), tail = s->masked ? (size_t)(H * W) : 0;
    t->pixel_bytes = (size_t)s->B * (picture + tail);
    t->pixels = layer_bytes(t, t->pixel_bytes);
    e->pixels = layer_bytes(t, (size_t)s->B * picture);
    for (size_t i = 0; i < (size_t)s->B * picture; i++) e->pixels[i] = (uint8_t)(draw_uniform() * 256);
    for (size_t b = 0; b < (size_t)s->B; b++) {
        memcpy(t->pixels + b * (picture + tail), e->pixels + b * picture, picture);
        if (tail > 0) memcpy(t->pixels + b * (picture + tail) + picture, t->seen + b * tail, tail);
    }
    t->map[0] = layer_doubles(t, (size_t)(M * 3 * s->K * s->K));
    t->map[1] = layer_doubles(t, t->out.n);
    t->map[2] = layer_doubles(t, t->out.n);
    t->map[3] = layer_doubles(t, t->out.n);
    struct patch_embed *w = &e->w;
    *w = (struct patch_embed){&t->par[WEIGHT].shipped,
                              &t->par[BIAS].shipped,
                              {&t->par[GAMMA].shipped, &t->par[BETA].shipped, t->s.epsilon},
                              s->K,
                              {0.485f, 0.456f, 0.406f},
                              {0.229f, 0.224f, 0.225f},
                              false,
                              s->masked ? &t->par[UNSEEN].shipped : NULL};
    for (int c = 0; c < 3 && s->no_bias; c++) w->mean[c] -= 0.2f * (float)c, w->deviation[c] *= 1 + (float)c;
    w->bgr = s->no_bias;
    if (s->C == 1) t->gain = NORM_GAIN;
    t->forward = embed_double;
    t->backward = embed_double_backward;
    t->shipped = embed_shipped;
    layer_sync(t);
}

static void test_patch_embed(void **state)
{
    static const struct sizes sizes[] = {
        {.B = 1, .H = 4, .W = 4, .C = 7, .K = 4},
        {.B = 3, .H = 4, .W = 28, .C = 9, .K = 4},
        {.B = 1, .H = 8, .W = 12, .C = 24, .K = 4},
        {.B = 2, .H = 10, .W = 15, .C = 7, .K = 4, .no_bias = true},
        {.B = 3, .H = 28, .W = 36, .C = 33, .K = 4},
        {.B = 1, .H = 64, .W = 80, .C = 20, .K = 4},
        {.B = 3, .H = 80, .W = 72, .C = 7, .K = 4},
        {.B = 1, .H = 16, .W = 16, .C = 96, .K = 4},
        {.B = 1, .H = 8, .W = 4, .C = 400, .K = 4},
        {.B = 2, .H = 33, .W = 50, .C = 12, .K = 16},
        {.B = 3, .H = 16, .W = 21, .C = 9, .K = 7, .no_bias = true},
        {.B = 3, .H = 8, .W = 24, .C = 9, .K = 4, .masked = true},
        {.B = 1, .H = 64, .W = 80, .C = 20, .K = 4, .masked = true},
        {.B = 5, .H = 32, .W = 160, .C = 24, .K = 4, .masked = true},
    };
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        open_embed(&t, &sizes[i]);
        if (i < 4 || sizes[i].W == 24) check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("patch_embed");
}

/* ------------------------------------------------------------------ y = LN(W four neighbours) */

/* Which of the merged tokens are seen, (B, H W / 4): any of the four is; NULL: all. */
static uint8_t *merged_seen(struct layer_test *t)
{
    int H = t->s.H, W = t->s.W, n = t->s.B * H * W;
    if (t->seen == NULL) return NULL;
    uint8_t *merged = layer_bytes(t, (size_t)n / 4);
    for (int i = 0; i < n; i++) merged[(i / W / H * (H / 2) + i / W % H / 2) * (W / 2) + i % W / 2] |= t->seen[i];
    return merged;
}

static void merge_double(struct layer_test *t)
{
    const struct variable *p = t->par;
    double *four = t->map[0], *u = t->map[1];
    int M = t->s.B * t->s.H * t->s.W / 4, C = t->s.C;
    oracle_gather(four, t->in[0].value, t->s.B, t->s.H, t->s.W, C);
    oracle_linear(u, u, four, p[0].value, NULL, M, 2 * C, 4 * C, IDENTITY);
    oracle_norm(t->out.value, u, p[1].value, p[2].value, t->s.epsilon, M, 2 * C);
    set_unseen(t, t->more, M, 2 * C);
}

static void merge_double_backward(struct layer_test *t)
{
    struct variable *p = t->par;
    double *four = t->map[0], *u = t->map[1], *du = t->map[2], *dfour = t->map[3], *dy = t->map[4];
    int M = t->s.B * t->s.H * t->s.W / 4, C = t->s.C;
    for (int i = 0; i < M * 2 * C; i++) du[i] = 0;
    for (int i = 0; i < M * 4 * C; i++) dfour[i] = 0;
    split_gradient(dy, t, t->more, M, 2 * C);
    oracle_norm_backward(du, p[1].grad, p[2].grad, dy, u, p[1].value, t->s.epsilon, M, 2 * C);
    oracle_linear_backward(dfour, p[0].grad, NULL, du, u, four, p[0].value, M, 2 * C, 4 * C, IDENTITY);
    oracle_gather_backward(t->in[0].grad, dfour, t->s.B, t->s.H, t->s.W, C);
}

static struct tensor *merge_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    static struct patch_merge w; /* outlives the backward pass */
    w = (struct patch_merge){&t->par[0].shipped,
                             {&t->par[1].shipped, &t->par[2].shipped, t->s.epsilon},
                             t->seen ? &t->par[3].shipped : NULL};
    return patch_merge(tape, in[0], t->s.H, t->s.W, &w);
}

static void open_merge(struct layer_test *t, const struct sizes *s)
{
    int L = s->H * s->W;
    layer_open(t, "patch_merge", s);
    layer_input(t, "x", s->B, L, s->C);
    layer_matrix(t, "weight", 2 * s->C, 4 * s->C);
    layer_vector(t, "gamma", 1, 0.3, 2 * s->C);
    layer_vector(t, "beta", 0, 0.3, 2 * s->C);
    if (s->masked) layer_vector(t, "unseen", 0, 1, 2 * s->C);
    layer_seen(t, s->B, s->H, s->W);
    layer_output(t, s->B, L / 4, 2 * s->C);
    t->map[0] = layer_doubles(t, t->in[0].n);
    t->map[1] = layer_doubles(t, t->out.n);
    t->map[2] = layer_doubles(t, t->out.n);
    t->map[3] = layer_doubles(t, t->in[0].n);
    t->map[4] = layer_doubles(t, t->out.n);
    t->more = merged_seen(t);
    t->forward = merge_double;
    t->backward = merge_double_backward;
    t->shipped = merge_shipped;
    layer_sync(t);
}

static void test_patch_merge(void **state)
{
    static const struct sizes sizes[] = {
        {.B = 1, .H = 2, .W = 2, .C = 7},
        {.B = 3, .H = 2, .W = 6, .C = 9},
        {.B = 1, .H = 6, .W = 4, .C = 12},
        {.B = 3, .H = 14, .W = 18, .C = 7},
        {.B = 1, .H = 48, .W = 48, .C = 9},
        {.B = 3, .H = 42, .W = 44, .C = 7},
        {.B = 1, .H = 8, .W = 8, .C = 33},
        {.B = 1, .H = 2, .W = 4, .C = 200},
        {.B = 3, .H = 4, .W = 12, .C = 7, .masked = true},
        {.B = 5, .H = 16, .W = 40, .C = 12, .masked = true},
    };
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        open_merge(&t, &sizes[i]);
        if (i < 3 || sizes[i].W == 12) check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("patch_merge");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_norm_of_features),
        cmocka_unit_test(test_patch_embed),
        cmocka_unit_test(test_patch_merge),
    };
    return run_layer_tests(tests, sizeof tests / sizeof *tests);
}
