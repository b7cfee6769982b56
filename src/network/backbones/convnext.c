/* convnext.c - ConvNeXt (Liu et al., CVPR 2022): four stages of blocks x = x + gamma MLP(LN(depthwise 7 x 7 (x))), each
 * on a map half as high and wide. Names are timm's.
 *
 * A map with an odd side loses its last row or column when it is halved, as in PyTorch's strided convolutions. */
#include "network/backbones/convnext.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "network/input.h"

enum { PATCH = 4, STAGES = CONVNEXT_STAGES, SIDE = 7, MERGE = 2 };

static const float EPSILON = 1e-6f;
static const uint64_t max_activation = 1u << 28; /* float32 values of one intermediate of one picture */

struct block {
    struct depthwise depthwise;
    struct mlp mlp;
};

struct stage {
    int H, W, C; /* its map */
    int depth;
    struct norm norm; /* norm and convolution between the previous map and this one; unused in the first stage */
    struct patch_conv merge;
    struct block *blocks; /* (depth) */
};

struct convnext {
    int H, W; /* of the picture */
    struct patch_embed stem;
    struct stage stages[STAGES];
};

static const char *const gelus[] = {"erf", "tanh"};

static const struct config_field rows[] = {
    {"dims", FIELD_INTS, offsetof(struct convnext_config, dims), STAGES, 1, 4096, NULL},
    {"depths", FIELD_INTS, offsetof(struct convnext_config, depths), STAGES, 1, 64, NULL},
    {"gelu", FIELD_CHOICE, offsetof(struct convnext_config, gelu), 2, 0, 0, gelus},
};

static gvm_status check(const void *config, const int size[2], const char *view, const char *where, gvm_error *err)
{
    const struct convnext_config *c = config;
    for (int s = 0; s < STAGES; s++) {
        uint64_t H = (uint64_t)(size[0] / PATCH >> s), W = (uint64_t)(size[1] / PATCH >> s);
        uint64_t values = H * W * 4 * (uint64_t)c->dims[s];
        if (values > max_activation)
            return fail(err, GVM_FORMAT,
                        "%s: stage %d of the %s view needs %llu values a picture, expected at most %llu", where, s + 1,
                        view, (unsigned long long)values, (unsigned long long)max_activation);
    }
    return GVM_OK;
}

/* ------------------------------------------------------------------ weights */

static void close_convnext(void *weights)
{
    struct convnext *w = weights;
    for (int s = 0; s < STAGES; s++) free(w->stages[s].blocks);
    free(w);
}

static bool open_stage(struct stage *stage, const struct convnext_config *c)
{
    stage->merge.side = MERGE;
    stage->blocks = calloc((size_t)stage->depth, sizeof *stage->blocks);
    for (int i = 0; stage->blocks && i < stage->depth; i++) {
        stage->blocks[i].depthwise.side = SIDE;
        stage->blocks[i].mlp.gelu = c->gelu ? GELU_TANH : GELU;
    }
    return stage->blocks != NULL;
}

static void *open_convnext(struct pyramid *maps, const void *config, const struct view *view)
{
    const struct convnext_config *c = config;
    struct convnext *w = calloc(1, sizeof *w);
    if (w == NULL) return NULL;
    *w = (struct convnext){.H = view->size[0], .W = view->size[1], .stem = input_embed(view, PATCH)};
    maps->count = STAGES;
    bool ok = true;
    for (int s = 0; s < STAGES && ok; s++) {
        struct stage *stage = &w->stages[s];
        *stage = (struct stage){.H = w->H / PATCH >> s, .W = w->W / PATCH >> s, .C = c->dims[s], .depth = c->depths[s]};
        maps->maps[s].H = stage->H;
        maps->maps[s].W = stage->W;
        maps->maps[s].C = stage->C;
        ok = open_stage(stage, c);
    }
    if (ok) return w;
    close_convnext(w);
    return NULL;
}

/* Initial values: matrices and filters are normal with standard deviation 0.02, biases 0, norms 1, layer scales 1e-6.
 */
static void list_block(struct lister *l, struct block *block, int C)
{
    struct law matrix = normal_law(0.02f), zero = constant_law(0);
    struct mlp *m = &block->mlp;
    list_param(l, &m->gamma, "gamma", constant_law(1e-6f), LIST_PLAIN, C);
    list_param(l, &block->depthwise.weight, "conv_dw.weight", matrix, LIST_DECAY, C, 1, SIDE, SIDE);
    list_param(l, &block->depthwise.bias, "conv_dw.bias", zero, LIST_PLAIN, C);
    list_norm(l, &m->norm, C, EPSILON, 1, LIST_PLAIN, "norm");
    list_matrix(l, &m->w1, 4 * C, C, "mlp.fc1.weight");
    list_param(l, &m->b1, "mlp.fc1.bias", zero, LIST_PLAIN, 4 * C);
    list_matrix(l, &m->w2, C, 4 * C, "mlp.fc2.weight");
    list_param(l, &m->b2, "mlp.fc2.bias", zero, LIST_PLAIN, C);
}

static void list(struct lister *l, void *weights, const void *config)
{
    struct convnext *w = weights;
    const int *dims = ((const struct convnext_config *)config)->dims;
    struct law matrix = normal_law(0.02f), zero = constant_law(0);
    list_in(l, "stem.");
    list_param(l, &w->stem.weight, "0.weight", matrix, LIST_WEIGHT, dims[0], 3, PATCH, PATCH);
    list_param(l, &w->stem.bias, "0.bias", zero, LIST_PLAIN, dims[0]);
    list_norm(l, &w->stem.norm, dims[0], EPSILON, 1, LIST_PLAIN, "1");
    for (int s = 0; s < STAGES; s++) {
        struct stage *stage = &w->stages[s];
        list_in(l, "stages.%d.downsample.", s);
        if (s > 0) {
            list_norm(l, &stage->norm, dims[s - 1], EPSILON, 1, LIST_PLAIN, "0");
            list_param(l, &stage->merge.weight, "1.weight", matrix, LIST_WEIGHT, dims[s], dims[s - 1], MERGE, MERGE);
            list_param(l, &stage->merge.bias, "1.bias", zero, LIST_PLAIN, dims[s]);
        }
        for (int i = 0; i < stage->depth; i++) {
            list_in(l, "stages.%d.blocks.%d.", s, i);
            list_block(l, &stage->blocks[i], stage->C);
        }
    }
    list_in(l, "%s", "");
}

/* ------------------------------------------------------------------ forward */

static struct tensor *convnext_block(struct tape *tape, const struct stage *stage, const struct block *w,
                                     struct tensor *x, float drop)
{
    size_t mark = tape_mark(tape);
    struct tensor *u = depthwise(tape, x, stage->H, stage->W, &w->depthwise);
    x = mlp(tape, x, u, &w->mlp, drop_path(tape, x->B, drop)); /* x + gamma MLP(LN(u)) */
    tape_release(tape, mark);
    return x;
}

static void forward(struct tensor **maps, struct tape *tape, const void *weights, const uint8_t *pixels, int B,
                    float drop)
{
    const struct convnext *w = weights;
    int blocks = 0, block = 0;
    for (int s = 0; s < STAGES; s++) blocks += w->stages[s].depth;
    struct tensor *x = patch_embed(tape, pixels, B, w->H, w->W, &w->stem); /* (B, H/4 W/4, dims[0]) */
    for (int s = 0; s < STAGES; s++) {
        const struct stage *stage = &w->stages[s], *before = stage - 1;
        if (s > 0) x = patch_conv(tape, layer_norm(tape, x, &stage->norm), before->H, before->W, &stage->merge);
        for (int i = 0; i < stage->depth; i++, block++)
            x = convnext_block(tape, stage, &stage->blocks[i], x,
                               blocks > 1 ? drop * (float)block / (float)(blocks - 1) : 0);
        maps[s] = x;
    }
}

/* ------------------------------------------------------------------ files from elsewhere */

/* Dialect 0: timm's names; the norm after the pooling belongs to the classifier. 1: Facebook's names; the stem is the
 * first downsampling layer, and stages are lists of blocks. */
static bool foreign(char *name, size_t size, const char *own, int dialect)
{
    static const char *const theirs[][2] = {
        {"conv_dw.", "dwconv."}, {"mlp.fc1.", "pwconv1."}, {"mlp.fc2.", "pwconv2."}};
    int stage, block, end = 0;
    snprintf(name, size, "%s%s", dialect == 0 && strncmp(own, "norm.", 5) == 0 ? "head." : "", own);
    if (dialect != 1) return dialect < 2;
    if (strncmp(own, "stem.", 5) == 0) snprintf(name, size, "downsample_layers.0.%s", own + 5);
    if (sscanf(own, "stages.%d.downsample.%n", &stage, &end) == 1 && end > 0)
        snprintf(name, size, "downsample_layers.%d.%s", stage, own + end);
    end = 0;
    if (sscanf(own, "stages.%d.blocks.%d.%n", &stage, &block, &end) == 2 && end > 0) {
        const char *rest = own + end, *word = "";
        for (int i = 0; i < 3; i++)
            if (strncmp(rest, theirs[i][0], strlen(theirs[i][0])) == 0) {
                rest += strlen(theirs[i][0]);
                word = theirs[i][1];
                break;
            }
        snprintf(name, size, "stages.%d.%d.%s%s", stage, block, word, rest);
    }
    return true;
}

static const char *const skipped_starts[] = {"head.fc.", "head.weight", "head.bias", NULL};

const struct backbone convnext = {
    .name = "convnext",
    .title = "ConvNeXt",
    .fields = {rows, sizeof rows / sizeof *rows},
    .check = check,
    .open = open_convnext,
    .close = close_convnext,
    .list = list,
    .forward = forward,
    .foreign = foreign,
    .skipped_starts = skipped_starts,
};
