/* swin_v2.c - Swin V2 (Liu et al., CVPR 2022): four stages of blocks, each on a map half as high and wide and twice as
 * deep. Names are those of the official checkpoints.
 *
 * The map of stage s is (height / 4 >> (s - 1)) x (width / 4 >> (s - 1)). Its window is square with side min(window,
 * the map's short side). The window must divide every map, and every map must halve evenly. */
#include "network/backbones/swin_v2.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "layers/position_bias.h"
#include "network/input.h"
#include "tensor/kernels.h"

enum { PATCH = 4, STAGES = SWIN_STAGES, MAX_HEAD_DIM = 256 };

static const uint64_t max_activation = 1u << 28; /* float32 values of one intermediate of one picture */

struct block {
    struct attention attention;
    struct feed_forward feed_forward;
    float *bias; /* buffer for the position bias, in inference */
};

struct stage {
    int H, W, C; /* its map */
    int depth;
    struct block *blocks;     /* (depth) */
    struct patch_merge merge; /* to the next stage; unused after the last */
};

struct swin {
    int H, W;    /* of the picture */
    bool masked; /* its tokens may be unseen */
    struct patch_embed embed;
    struct stage stages[STAGES];
    struct norm norm; /* of the last stage's map */
};

static const struct config_field rows[] = {
    {"dim", FIELD_INTS, offsetof(struct swin_config, dim), 1, 1, 1024, NULL},
    {"depths", FIELD_INTS, offsetof(struct swin_config, depths), STAGES, 1, 64, NULL},
    {"heads", FIELD_INTS, offsetof(struct swin_config, heads), STAGES, INT32_MIN, INT32_MAX, NULL}, /* check_heads */
    {"window", FIELD_INTS, offsetof(struct swin_config, window), 1, 1, 32, NULL},
};

/* ------------------------------------------------------------------ limits */

static gvm_status check_heads(const struct swin_config *c, const char *where, gvm_error *err)
{
    for (int i = 0; i < STAGES; i++) {
        int channels = c->dim << i, heads = c->heads[i];
        if (heads < 1 || channels % heads != 0)
            return fail(err, GVM_FORMAT, "%s: stage %d has %d channels, not divisible by %d heads", where, i + 1,
                        channels, heads);
        if (channels / heads > MAX_HEAD_DIM)
            return fail(err, GVM_FORMAT, "%s: stage %d has %d channels a head, expected at most %d", where, i + 1,
                        channels / heads, MAX_HEAD_DIM);
    }
    return GVM_OK;
}

/* The largest intermediate of stage i (from 0), in values: the attention's weights or the MLP's hidden layer. */
static uint64_t activation(const struct swin_config *c, int i, int H, int W, int window)
{
    uint64_t tokens = (uint64_t)H * (uint64_t)W, scores = (uint64_t)c->heads[i] * (uint64_t)(window * window);
    uint64_t hidden = 4 * ((uint64_t)c->dim << i);
    return tokens * (scores > hidden ? scores : hidden);
}

/* Check stage i (from 0) of one view; its map is H x W. */
static gvm_status check_map(const struct swin_config *c, int i, int H, int W, const char *view, const char *where,
                            gvm_error *err)
{
    int shorter = H < W ? H : W, window = c->window < shorter ? c->window : shorter;
    if (H % window != 0 || W % window != 0)
        return fail(err, GVM_FORMAT, "%s: stage %d of the %s view is %d x %d, not divisible by its window of %d", where,
                    i + 1, view, H, W, window);
    if (i + 1 < STAGES && (H % 2 != 0 || W % 2 != 0))
        return fail(err, GVM_FORMAT, "%s: stage %d of the %s view is %d x %d, not divisible by 2", where, i + 1, view,
                    H, W);
    uint64_t values = activation(c, i, H, W, window);
    if (values > max_activation)
        return fail(err, GVM_FORMAT, "%s: stage %d of the %s view needs %llu values a picture, expected at most %llu",
                    where, i + 1, view, (unsigned long long)values, (unsigned long long)max_activation);
    return GVM_OK;
}

static gvm_status check(const void *config, const int size[2], const char *view, const char *where, gvm_error *err)
{
    gvm_status status = check_heads(config, where, err);
    if (status == GVM_OK && (size[0] % PATCH != 0 || size[1] % PATCH != 0))
        return fail(err, GVM_FORMAT, "%s: the %s view is %d x %d pixels, not divisible by patches of %d", where, view,
                    size[0], size[1], PATCH);
    for (int i = 0; i < STAGES && status == GVM_OK; i++)
        status = check_map(config, i, size[0] / PATCH >> i, size[1] / PATCH >> i, view, where, err);
    return status;
}

/* ------------------------------------------------------------------ weights */

static void close_swin(void *weights)
{
    struct swin *w = weights;
    for (int s = 0; s < STAGES; s++) free(w->stages[s].blocks);
    free(w);
}

static bool open_stage(struct stage *stage, const struct swin_config *c, int s, const struct view *view)
{
    int side = stage->H < stage->W ? stage->H : stage->W;
    stage->blocks = calloc((size_t)stage->depth, sizeof *stage->blocks);
    for (int i = 0; stage->blocks && i < stage->depth; i++)
        stage->blocks[i].attention = (struct attention){
            .H = stage->H,
            .W = stage->W,
            .heads = c->heads[s],
            .window = side <= c->window ? side : c->window,
            .shift = side <= c->window || i % 2 == 0 ? 0 : c->window / 2,
            .wrap = view->wrap,
            .slide = view->row_shift && side <= c->window && stage->W > side && i % 2 == 1 ? side / 2 : 0,
        };
    return stage->blocks != NULL;
}

static void *open_swin(struct pyramid *maps, const void *config, const struct view *view)
{
    const struct swin_config *c = config;
    struct swin *w = calloc(1, sizeof *w);
    if (w == NULL) return NULL;
    *w = (struct swin){
        .H = view->size[0], .W = view->size[1], .masked = view->visible, .embed = input_embed(view, PATCH)};
    maps->count = STAGES;
    bool ok = true;
    for (int s = 0; s < STAGES && ok; s++) {
        struct stage *stage = &w->stages[s];
        *stage =
            (struct stage){.H = w->H / PATCH >> s, .W = w->W / PATCH >> s, .C = c->dim << s, .depth = c->depths[s]};
        maps->maps[s].H = stage->H;
        maps->maps[s].W = stage->W;
        maps->maps[s].C = stage->C;
        ok = open_stage(stage, c, s, view);
    }
    if (ok) return w;
    close_swin(w);
    return NULL;
}

/* The vector of unseen tokens of a masked network, which has no official counterpart. */
static void list_unseen(struct lister *l, const struct swin *w, struct param **unseen, int C)
{
    if (w->masked) list_param(l, unseen, "unseen", constant_law(0), LIST_ADDED, C);
}

/* The official initial values: matrices are normal with standard deviation 0.02, biases 0, norms 1, except that both
 * norms of a block are 0, so each block starts as the identity. The patch embedding's filter has PyTorch's default. */
static void list_block(struct lister *l, struct block *block, int C)
{
    struct attention *a = &block->attention;
    list_param(l, &a->logit_scale, "attn.logit_scale", constant_law(logf(10)), LIST_PLAIN, a->heads, 1, 1);
    list_param(l, &a->q_bias, "attn.q_bias", constant_law(0), LIST_PLAIN, C);
    list_param(l, &a->v_bias, "attn.v_bias", constant_law(0), LIST_PLAIN, C);
    list_param(l, &a->cpb_w1, "attn.cpb_mlp.0.weight", normal_law(0.02f), LIST_PLAIN, POSITION_HIDDEN, 2);
    list_param(l, &a->cpb_b1, "attn.cpb_mlp.0.bias", constant_law(0), LIST_PLAIN, POSITION_HIDDEN);
    list_param(l, &a->cpb_w2, "attn.cpb_mlp.2.weight", normal_law(0.02f), LIST_PLAIN, a->heads, POSITION_HIDDEN);
    list_matrix(l, &a->qkv, 3 * C, C, "attn.qkv.weight");
    list_matrix(l, &a->proj_w, C, C, "attn.proj.weight");
    list_param(l, &a->proj_b, "attn.proj.bias", constant_law(0), LIST_PLAIN, C);
    list_norm(l, &a->norm, C, 1e-5f, 0, LIST_PLAIN, "norm1");
    struct feed_forward *f = &block->feed_forward;
    list_matrix(l, &f->w1, 4 * C, C, "mlp.fc1.weight");
    list_param(l, &f->b1, "mlp.fc1.bias", constant_law(0), LIST_PLAIN, 4 * C);
    list_matrix(l, &f->w2, C, 4 * C, "mlp.fc2.weight");
    list_param(l, &f->b2, "mlp.fc2.bias", constant_law(0), LIST_PLAIN, C);
    list_norm(l, &f->norm, C, 1e-5f, 0, LIST_PLAIN, "norm2");
}

static void list(struct lister *l, void *weights, const void *config)
{
    struct swin *w = weights;
    int dim = ((const struct swin_config *)config)->dim;
    struct law filter = inputs_law(3 * PATCH * PATCH);
    list_in(l, "%s", "");
    list_param(l, &w->embed.weight, "patch_embed.proj.weight", filter, LIST_WEIGHT, dim, 3, PATCH, PATCH);
    list_param(l, &w->embed.bias, "patch_embed.proj.bias", filter, LIST_PLAIN, dim);
    list_norm(l, &w->embed.norm, dim, 1e-5f, 1, LIST_PLAIN, "patch_embed.norm");
    list_in(l, "patch_embed.");
    list_unseen(l, w, &w->embed.unseen, dim);
    for (int s = 0; s < STAGES; s++) {
        struct stage *stage = &w->stages[s];
        for (int i = 0; i < stage->depth; i++) {
            list_in(l, "layers.%d.blocks.%d.", s, i);
            list_block(l, &stage->blocks[i], stage->C);
        }
        if (s == STAGES - 1) continue;
        list_in(l, "layers.%d.downsample.", s);
        list_matrix(l, &stage->merge.weight, 2 * stage->C, 4 * stage->C, "reduction.weight");
        list_norm(l, &stage->merge.norm, 2 * stage->C, 1e-5f, 1, LIST_PLAIN, "norm");
        if (s < STAGES - 2) list_unseen(l, w, &stage->merge.unseen, 2 * stage->C); /* nothing reads the last map's */
    }
    list_in(l, "%s", "");
    list_norm(l, &w->norm, w->stages[STAGES - 1].C, 1e-5f, 1, LIST_PLAIN, "norm");
}

/* ------------------------------------------------------------------ forward */

static struct tensor *swin_block(struct tape *tape, const struct block *w, struct tensor *x, float drop)
{
    x = window_attention(tape, x, &w->attention, drop_path(tape, x->B, drop));   /* x + LN(attention(x)) */
    return feed_forward(tape, x, &w->feed_forward, drop_path(tape, x->B, drop)); /* x + LN(MLP(x)) */
}

/* The four stages' maps; the last one normalised. */
static void forward(struct tensor **maps, struct tape *tape, const void *weights, const uint8_t *pixels, int B,
                    float drop)
{
    const struct swin *w = weights;
    int blocks = 0, block = 0;
    for (int s = 0; s < STAGES; s++) blocks += w->stages[s].depth;
    struct tensor *x = patch_embed(tape, pixels, B, w->H, w->W, &w->embed); /* (B, H/4 W/4, dim) */
    for (int s = 0; s < STAGES; s++) {
        const struct stage *stage = &w->stages[s];
        for (int i = 0; i < stage->depth; i++, block++)
            x = swin_block(tape, &stage->blocks[i], x, blocks > 1 ? drop * (float)block / (float)(blocks - 1) : 0);
        maps[s] = x;
        if (s < STAGES - 1) x = patch_merge(tape, x, stage->H, stage->W, &stage->merge);
    }
    maps[STAGES - 1] = layer_norm(tape, x, &w->norm);
}

/* ------------------------------------------------------------------ shift masks and position biases */

static size_t map_floats(const struct attention *a)
{
    size_t n = (size_t)a->window * a->window;
    return n * (size_t)round_up((int)n, 16);
}

/* The masks of shifted layers and, in inference, buffers for the position biases, which pack fills. */
static size_t plans(void *weights, float *memory, bool training)
{
    struct swin *w = weights;
    size_t floats = 0;
    for (int s = 0; s < STAGES; s++)
        for (int i = 0; i < w->stages[s].depth; i++) {
            struct block *block = &w->stages[s].blocks[i];
            struct attention *a = &block->attention;
            if (memory && a->shift) shift_masks(a->masks = memory + floats, a->window, a->shift);
            if (a->shift) floats += 3 * map_floats(a);
            if (training) continue;
            if (memory) block->bias = memory + floats;
            floats += (size_t)a->heads * map_floats(a);
        }
    return floats;
}

static size_t pack_scratch(const void *weights)
{
    const struct swin *w = weights;
    size_t floats = 0;
    for (int s = 0; s < STAGES; s++) {
        const struct attention *a = &w->stages[s].blocks[0].attention;
        size_t need = position_scratch(a->window, a->heads);
        if (need > floats) floats = need;
    }
    return floats;
}

static void pack(void *weights, float *scratch)
{
    struct swin *w = weights;
    for (int s = 0; s < STAGES; s++)
        for (int i = 0; i < w->stages[s].depth; i++) {
            struct block *block = &w->stages[s].blocks[i];
            position_bias(block->bias, scratch, &block->attention);
            block->attention.bias = block->bias;
        }
}

/* With a view that wraps around, a turn by whole windows of every stage rolls all maps. */
static int turns(const void *weights)
{
    const struct swin *w = weights;
    int period = 1; /* columns of the picture: the least common multiple of the stages' windows */
    for (int s = 0; s < STAGES; s++) {
        const struct attention *a = &w->stages[s].blocks[0].attention;
        int step = a->window * PATCH << s, least = step;
        if (!a->wrap) return 1;
        while (least % period != 0) least += step;
        period = least;
    }
    return w->W / period;
}

/* A device may not support all windows and maps that the CPU does. */
static gvm_status fits(const void *weights, const struct device *device, enum precision precision, gvm_error *err)
{
    const struct swin *w = weights;
    gvm_status status = GVM_OK;
    for (int s = 0; s < STAGES && status == GVM_OK; s++) {
        const struct attention *a = &w->stages[s].blocks[0].attention;
        status = device->fits(a->window, w->stages[s].C, a->heads, precision, err);
    }
    return status;
}

/* ------------------------------------------------------------------ files from elsewhere */

/* Dialect 0: the official names. 1: timm's names, in which patch merging is at the start of stages 1 to 3 rather than
 * at the end of stages 0 to 2. */
static bool foreign(char *name, size_t size, const char *own, int dialect)
{
    int stage, end = 0;
    if (dialect == 1 && sscanf(own, "layers.%d.downsample.%n", &stage, &end) == 1 && end > 0)
        snprintf(name, size, "layers.%d.downsample.%s", stage + 1, own + end);
    else
        snprintf(name, size, "%s", own);
    return dialect < 2;
}

static const char *const skipped_starts[] = {"head.", NULL};
static const char *const skipped_parts[] = {"relative_position_index", "relative_coords_table", "attn_mask", NULL};

const struct backbone swin_v2 = {
    .name = "swin_v2",
    .title = "Swin V2",
    .fields = {rows, sizeof rows / sizeof *rows},
    .masked = true,
    .wraps = true,
    .check = check,
    .open = open_swin,
    .close = close_swin,
    .list = list,
    .forward = forward,
    .turns = turns,
    .plans = plans,
    .pack = pack,
    .pack_scratch = pack_scratch,
    .fits = fits,
    .foreign = foreign,
    .skipped_starts = skipped_starts,
    .skipped_parts = skipped_parts,
};
