/* branch.c - see branch.h */
#include "network/branch.h"

#include <stdio.h>
#include <stdlib.h>

bool branch_open(struct branch *b, const struct config *config, int view)
{
    const struct picture_shape shape = config_shape(config, view);
    *b = (struct branch){.backbone = config->method->backbone,
                         .head = config->method->head,
                         .H = config->views[view].size[0],
                         .W = config->views[view].size[1],
                         .pictures = view_pictures(&config->views[view]),
                         .bytes = picture_bytes(&shape)};
    b->maps.pictures = b->pictures;
    b->maps.projection = config->views[view].projection;
    b->body = b->backbone->open(&b->maps, config->backbone.bytes, &config->views[view]);
    b->turns = b->body != NULL && b->backbone->turns ? b->backbone->turns(b->body) : 1;
    if (b->body != NULL) b->top = b->head->open(&b->features, config->head.bytes, &b->maps);
    return b->top != NULL;
}

void branch_close(struct branch *b)
{
    if (b->body != NULL) b->backbone->close(b->body);
    if (b->top != NULL) b->head->close(b->top);
    *b = (struct branch){0};
}

bool branches_list(struct lister *l, struct branch branches[2], void *own, const struct config *config)
{
    static const char *const names[2] = {"street", "aerial"};
    const struct method *m = config->method;
    l->decay_all = m->decay_all;
    for (int v = 0; v < 2; v++) {
        const char *name = m->shared ? "both" : names[v];
        int count = l->count;
        if (m->shared && v == 1) {
            l->count = 0;
            l->again = true;
        }
        snprintf(l->base, sizeof l->base, "%s.backbone.", name);
        l->backbone = true;
        m->backbone->list(l, branches[v].body, config->backbone.bytes);
        list_in(l, "%s", "");
        m->head->list(l, branches[v].top, name);
        if (l->again) l->count = count;
    }
    l->again = l->backbone = false;
    l->base[0] = '\0';
    list_in(l, "%s", "");
    void *scratch = own == NULL && m->own_bytes > 0 ? calloc(1, m->own_bytes) : NULL;
    bool ok = m->own_bytes == 0 || own != NULL || scratch != NULL;
    if (ok && m->list) m->list(l, own ? own : scratch, config, branches[0].features);
    free(scratch);
    return ok;
}

size_t branch_plans(struct branch *b, float *memory, bool training)
{
    return b->backbone->plans ? b->backbone->plans(b->body, memory, training) : 0;
}

/* The maps of a frozen backbone, by an inference pass; no gradient goes through it. */
static void frozen_forward(struct tensor **maps, struct tape *tape, const struct branch *b, const uint8_t *pixels,
                           int B)
{
    uint64_t before = counts_all(&tape->counts);
    tape->training = false;
    b->backbone->forward(maps, tape, b->body, pixels, B, 0);
    tape->training = true;
    tape->one_way += counts_all(&tape->counts) - before;
    for (int i = 0; i < b->maps.count; i++) maps[i] = tape_leaf(tape, maps[i]);
}

struct tensor *branch_forward(struct trace *trace, struct tape *tape, const struct branch *b, const uint8_t *pixels,
                              int B, float drop)
{
    struct trace own;
    if (trace == NULL) trace = &own;
    *trace = (struct trace){0};
    if (b->frozen && tape->training)
        frozen_forward(trace->maps, tape, b, pixels, B * b->pictures);
    else
        b->backbone->forward(trace->maps, tape, b->body, pixels, B * b->pictures, drop);
    trace->gathered = b->head->forward(trace, tape, b->top);
    return l2_normalise(tape, trace->gathered, b->head->epsilon);
}

struct tensor *branch_turned(struct tape *tape, const struct branch *b, struct tensor *const *maps, int turn)
{
    struct trace trace = {.mask_count = 0};
    for (int i = 0; i < b->maps.count; i++) {
        int W = b->maps.maps[i].W;
        bool used = b->head->map_parameters == NULL || b->head->map_parameters(b->top, i) > 0;
        trace.maps[i] = used && turn > 0 ? roll(tape, maps[i], W, turn * (W / b->turns)) : maps[i];
    }
    return l2_normalise(tape, b->head->forward(&trace, tape, b->top), b->head->epsilon);
}
