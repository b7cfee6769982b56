/* parameters.c - the one list of parameters: names, shapes, decay and learning-rate group; their memory; their
 * first values. Names are those of the official Swin V2 checkpoints under "street.backbone." and "aerial.backbone.". */
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/parallel.h"
#include "base/random.h"
#include "layers/position_bias.h"
#include "network/network.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

enum { ALIGN = 16 /* floats: 64 bytes */ };

/* The list is made twice: once to count, once to fill. */
struct list {
    struct param *params; /* NULL while counting */
    int count;
    char prefix[64];
};

enum kind { PLAIN = 0, DECAY = 1, MATRIX = 2, WEIGHT = DECAY | MATRIX };

__attribute__((format(printf, 4, 5))) static void add(struct list *list, struct param **out, enum kind kind,
                                                      const char *name, ...);

static struct param *last(struct list *list)
{
    return list->params ? &list->params[list->count - 1] : NULL;
}

static void shape(struct list *list, int rank, int a, int b, int c, int d)
{
    struct param *p = last(list);
    if (p == NULL) return;
    p->rank = rank;
    p->shape[0] = a;
    p->shape[1] = b;
    p->shape[2] = c;
    p->shape[3] = d;
    p->count = (size_t)a * (rank > 1 ? b : 1) * (rank > 2 ? c : 1) * (rank > 3 ? d : 1);
}

static void add(struct list *list, struct param **out, enum kind kind, const char *name, ...)
{
    list->count++;
    struct param *p = *out = last(list);
    if (p == NULL) return;
    int n = snprintf(p->name, sizeof p->name, "%s", list->prefix);
    va_list arguments;
    va_start(arguments, name);
    vsnprintf(p->name + n, sizeof p->name - (size_t)n, name, arguments);
    va_end(arguments);
    p->decay = kind & DECAY;
    p->matrix = kind & MATRIX;
    p->backbone = strstr(p->name, ".backbone.") != NULL;
}

static void add_vector(struct list *list, struct param **out, int n, const char *name)
{
    add(list, out, PLAIN, "%s", name);
    shape(list, 1, n, 1, 1, 1);
}

static void add_matrix(struct list *list, struct param **out, int rows, int columns, const char *name)
{
    add(list, out, WEIGHT, "%s", name);
    shape(list, 2, rows, columns, 1, 1);
}

static void add_norm(struct list *list, struct norm *norm, int C, const char *name)
{
    norm->epsilon = 1e-5f;
    add(list, &norm->weight, PLAIN, "%s.weight", name);
    shape(list, 1, C, 1, 1, 1);
    add(list, &norm->bias, PLAIN, "%s.bias", name);
    shape(list, 1, C, 1, 1, 1);
}

static void add_block(struct list *list, struct block *block, int C, int heads)
{
    struct attention *a = &block->attention;
    add(list, &a->logit_scale, PLAIN, "attn.logit_scale");
    shape(list, 3, heads, 1, 1, 1);
    add_vector(list, &a->q_bias, C, "attn.q_bias");
    add_vector(list, &a->v_bias, C, "attn.v_bias");
    add(list, &a->cpb_w1, PLAIN, "attn.cpb_mlp.0.weight");
    shape(list, 2, POSITION_HIDDEN, 2, 1, 1);
    add_vector(list, &a->cpb_b1, POSITION_HIDDEN, "attn.cpb_mlp.0.bias");
    add(list, &a->cpb_w2, PLAIN, "attn.cpb_mlp.2.weight");
    shape(list, 2, heads, POSITION_HIDDEN, 1, 1);
    add_matrix(list, &a->qkv, 3 * C, C, "attn.qkv.weight");
    add_matrix(list, &a->proj_w, C, C, "attn.proj.weight");
    add_vector(list, &a->proj_b, C, "attn.proj.bias");
    add_norm(list, &a->norm, C, "norm1");
    struct feed_forward *f = &block->feed_forward;
    add_matrix(list, &f->w1, 4 * C, C, "mlp.fc1.weight");
    add_vector(list, &f->b1, 4 * C, "mlp.fc1.bias");
    add_matrix(list, &f->w2, C, 4 * C, "mlp.fc2.weight");
    add_vector(list, &f->b2, C, "mlp.fc2.bias");
    add_norm(list, &f->norm, C, "norm2");
}

static void add_backbone(struct list *list, struct swin *swin, const struct config *config, const char *view)
{
    snprintf(list->prefix, sizeof list->prefix, "%s.backbone.", view);
    swin->embed.patch = 4;
    for (int c = 0; c < 3; c++) { /* of ImageNet */
        swin->embed.mean[c] = (const float[]){0.485f, 0.456f, 0.406f}[c];
        swin->embed.deviation[c] = (const float[]){0.229f, 0.224f, 0.225f}[c];
    }
    add(list, &swin->embed.weight, WEIGHT, "patch_embed.proj.weight");
    shape(list, 4, config->dim, 3, 4, 4);
    add_vector(list, &swin->embed.bias, config->dim, "patch_embed.proj.bias");
    add_norm(list, &swin->embed.norm, config->dim, "patch_embed.norm");
    for (int s = 0; s < STAGES; s++) {
        struct stage *stage = &swin->stages[s];
        for (int i = 0; i < stage->depth; i++) {
            snprintf(list->prefix, sizeof list->prefix, "%s.backbone.layers.%d.blocks.%d.", view, s, i);
            add_block(list, &stage->blocks[i], stage->C, config->heads[s]);
        }
        if (s == STAGES - 1) continue;
        snprintf(list->prefix, sizeof list->prefix, "%s.backbone.layers.%d.downsample.", view, s);
        add_matrix(list, &stage->merge.weight, 2 * stage->C, 4 * stage->C, "reduction.weight");
        add_norm(list, &stage->merge.norm, 2 * stage->C, "norm");
    }
    snprintf(list->prefix, sizeof list->prefix, "%s.backbone.", view);
    add_norm(list, &swin->norm, swin->stages[STAGES - 1].C, "norm");
}

static void add_masks(struct list *list, struct masks *masks, int N, int L, int stage, const char *view)
{
    snprintf(list->prefix, sizeof list->prefix, "%s.fa.%d.", view, stage);
    add(list, &masks->w1, DECAY, "w1");
    shape(list, 3, N, L / 2, L, 1);
    add(list, &masks->b1, PLAIN, "b1");
    shape(list, 2, N, L / 2, 1, 1);
    add(list, &masks->w2, DECAY, "w2");
    shape(list, 3, N, L, L / 2, 1);
    add(list, &masks->b2, PLAIN, "b2");
    shape(list, 2, N, L, 1, 1);
}

static void add_all(struct list *list, struct network *network)
{
    static const char *const names[2] = {"street", "aerial"};
    const struct config *config = &network->config;
    for (int v = 0; v < 2; v++) {
        struct swin_geo *view = &network->views[v];
        add_backbone(list, &view->backbone, config, names[v]);
        for (int s = 0; s < STAGES; s++)
            if (view->uses[s])
                add_masks(list, &view->masks[s], config->masks, view->backbone.stages[s].H * view->backbone.stages[s].W,
                          s + 1, names[v]);
    }
    snprintf(list->prefix, sizeof list->prefix, "head.");
    add_matrix(list, &network->head[0].weight, config->head, network->views[0].features, "0.weight");
    add_vector(list, &network->head[0].bias, config->head, "0.bias");
    add_matrix(list, &network->head[1].weight, config->head, config->head, "2.weight");
    add_vector(list, &network->head[1].bias, config->head, "2.bias");
}

/* ------------------------------------------------------------------ geometry */

static gvm_status lay_out_view(struct swin_geo *view, const struct config *config, const int size[2])
{
    struct swin *swin = &view->backbone;
    swin->H = size[0];
    swin->W = size[1];
    for (int s = 0; s < STAGES; s++) {
        struct stage *stage = &swin->stages[s];
        stage->H = size[0] / 4 >> s;
        stage->W = size[1] / 4 >> s;
        stage->C = config->dim << s;
        stage->depth = config->depths[s];
        stage->blocks = calloc((size_t)stage->depth, sizeof *stage->blocks);
        if (stage->blocks == NULL) return GVM_MEMORY;
        int side = stage->H < stage->W ? stage->H : stage->W;
        for (int i = 0; i < stage->depth; i++) {
            struct attention *a = &stage->blocks[i].attention;
            a->H = stage->H;
            a->W = stage->W;
            a->heads = config->heads[s];
            a->window = side <= config->window ? side : config->window;
            a->shift = side <= config->window || i % 2 == 0 ? 0 : config->window / 2;
        }
        view->uses[s] = config->stages[s];
        if (view->uses[s]) view->features += config->masks * stage->C;
    }
    return GVM_OK;
}

/* Calls f for each attention layer of the network. */
static void each_attention(struct network *network, void (*f)(struct network *, struct attention *, void *), void *user)
{
    for (int v = 0; v < 2; v++)
        for (int s = 0; s < STAGES; s++)
            for (int i = 0; i < network->views[v].backbone.stages[s].depth; i++)
                f(network, &network->views[v].backbone.stages[s].blocks[i].attention, user);
}

static size_t map_floats(const struct attention *a)
{
    size_t n = (size_t)a->window * a->window;
    return n * (size_t)round_up((int)n, 16);
}

static void count_plans(struct network *network, struct attention *a, void *user)
{
    size_t *floats = user;
    *floats += map_floats(a) * ((a->shift ? 3 : 0) + (network->grads ? 0 : (size_t)a->heads));
}

static void make_plans(struct network *network, struct attention *a, void *user)
{
    float **next = user;
    if (a->shift) {
        a->masks = *next;
        shift_masks(a->masks, a->window, a->shift);
        *next += 3 * map_floats(a);
    }
    if (network->grads == NULL) *next += a->heads * map_floats(a); /* network_pack's */
}

static gvm_status allocate(struct network *network, bool training)
{
    for (int i = 0; i < network->param_count; i++)
        network->floats += (network->params[i].count + ALIGN - 1) / ALIGN * ALIGN;
    network->weights = aligned_alloc(ALIGN * sizeof(float), network->floats * sizeof(float));
    if (training) network->grads = aligned_alloc(ALIGN * sizeof(float), network->floats * sizeof(float));
    if (network->weights == NULL || (training && network->grads == NULL)) return GVM_MEMORY;
    memset(network->weights, 0, network->floats * sizeof(float));
    if (training) memset(network->grads, 0, network->floats * sizeof(float));
    size_t at = 0;
    for (int i = 0; i < network->param_count; i++) {
        struct param *p = &network->params[i];
        p->data = network->weights + at;
        p->grad = training ? network->grads + at : NULL;
        at += (p->count + ALIGN - 1) / ALIGN * ALIGN;
    }
    size_t plans = 0;
    each_attention(network, count_plans, &plans);
    network->plans = aligned_alloc(ALIGN * sizeof(float), plans * sizeof(float) + ALIGN * sizeof(float));
    if (network->plans == NULL) return GVM_MEMORY;
    float *next = network->plans;
    each_attention(network, make_plans, &next);
    return GVM_OK;
}

gvm_status network_open(struct network **out, const struct config *config, bool training, gvm_error *err)
{
    kernels(); /* limits oneDNN too, which must happen before its first product */
    struct network *network = *out = calloc(1, sizeof *network);
    gvm_status status = network ? GVM_OK : GVM_MEMORY;
    if (status == GVM_OK) {
        network->config = *config;
        status = lay_out_view(&network->views[GVM_STREET], config, config->street);
    }
    if (status == GVM_OK) status = lay_out_view(&network->views[GVM_AERIAL], config, config->aerial);
    if (status == GVM_OK) {
        struct list list = {0};
        add_all(&list, network);
        network->param_count = list.count;
        network->params = calloc((size_t)list.count, sizeof *network->params);
        if (network->params != NULL) {
            list = (struct list){.params = network->params};
            add_all(&list, network);
            status = allocate(network, training);
        } else
            status = GVM_MEMORY;
    }
    if (status == GVM_OK) return GVM_OK;
    network_free(network);
    *out = NULL;
    return fail(err, status, "there is not enough memory for the network's weights");
}

void network_free(struct network *network)
{
    if (network == NULL) return;
    network_leave(network);
    for (int v = 0; v < 2; v++)
        for (int s = 0; s < STAGES; s++) free(network->views[v].backbone.stages[s].blocks);
    free(network->params);
    free(network->weights);
    free(network->grads);
    free(network->plans);
    free(network);
}

size_t network_parameters(const struct network *network)
{
    size_t count = 0;
    for (int i = 0; i < network->param_count; i++) count += network->params[i].count;
    return count;
}

void network_clear_gradients(struct network *network)
{
    memset(network->grads, 0, network->floats * sizeof *network->grads);
}

/* ------------------------------------------------------------------ first values */

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

enum law { CONSTANT, NORMAL, UNIFORM };

/* The official Swin V2 initialisation for the backbones: matrices normal with deviation 0.02, biases 0, norms 1,
 * but both norms of a block 0, so that each block starts as the identity; the filter of the patch embedding as
 * PyTorch draws it. Masks: normal with deviation 0.005, biases 0.1. Head: as PyTorch draws linear layers,
 * uniform within 1 / sqrt(inputs). */
static enum law first_value(float *amount, const struct param *p, int features, int head)
{
    bool bias = ends_with(p->name, "bias");
    if (strncmp(p->name, "head.", 5) == 0 || strstr(p->name, "patch_embed.proj")) {
        int inputs = strstr(p->name, "patch_embed") ? 48 : strncmp(p->name, "head.0", 6) == 0 ? features : head;
        *amount = 1 / sqrtf((float)inputs);
        return UNIFORM;
    }
    if (!p->backbone) {
        *amount = p->decay ? 0.005f : 0.1f;
        return p->decay ? NORMAL : CONSTANT;
    }
    bool block_norm = strstr(p->name, ".norm1.") || strstr(p->name, ".norm2.");
    *amount = ends_with(p->name, "logit_scale") ? logf(10) : bias || block_norm ? 0 : p->rank == 1 ? 1 : 0.02f;
    return p->rank == 2 && !bias ? NORMAL : CONSTANT;
}

struct fresh {
    struct network *network;
    uint64_t seed;
};

/* Each draw is a function of seed, parameter and place, so threads share a parameter as they like. */
static void fresh_part(void *argument, struct team team)
{
    const struct fresh *f = argument;
    for (int i = 0; i < f->network->param_count; i++) {
        const struct param *p = &f->network->params[i];
        float amount;
        enum law law = first_value(&amount, p, f->network->views[0].features, f->network->config.head);
        int from, to;
        parallel_range(&from, &to, (int)p->count, ALIGN, team);
        for (size_t k = (size_t)from; k < (size_t)to; k++)
            p->data[k] = law == CONSTANT ? amount
                         : law == NORMAL ? amount * (float)random_normal(f->seed, (uint64_t)i, k)
                                         : amount * (2 * random_uniform(f->seed, (uint64_t)i, k) - 1);
    }
}

void network_fresh(struct network *network, uint64_t seed)
{
    struct fresh f = {network, seed};
    parallel_run(fresh_part, &f);
}

/* ------------------------------------------------------------------ packing */

static void keep_bias(struct network *network, struct attention *a, void *user)
{
    float **next = user, *scratch = next[1];
    (void)network;
    if (a->shift) *next += 3 * map_floats(a);
    position_bias(*next, scratch, a);
    a->bias = *next;
    *next += a->heads * map_floats(a);
}

static void widest(struct network *network, struct attention *a, void *user)
{
    size_t *floats = user, need = position_scratch(a->window, a->heads);
    (void)network;
    if (need > *floats) *floats = need;
}

gvm_status network_pack(struct network *network, gvm_error *err)
{
    assert(network->grads == NULL && !network->packed);
    size_t floats = 0;
    each_attention(network, widest, &floats);
    for (int i = 0; i < network->param_count; i++)
        if (network->params[i].matrix && network->params[i].count > floats) floats = network->params[i].count;
    float *scratch = malloc(floats * sizeof *scratch);
    if (scratch == NULL) return fail(err, GVM_MEMORY, "there is not enough memory to open the network");
    float *state[2] = {network->plans, scratch};
    each_attention(network, keep_bias, state);
    for (int i = 0; i < network->param_count; i++) {
        const struct param *p = &network->params[i];
        if (!p->matrix) continue;
        memcpy(scratch, p->data, p->count * sizeof *scratch);
        gemm_pack(p->data, scratch, p->shape[0], (int)(p->count / (size_t)p->shape[0]));
    }
    free(scratch);
    network->packed = true;
    return GVM_OK;
}
