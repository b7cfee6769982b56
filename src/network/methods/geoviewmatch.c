/* geoviewmatch.c - GeoViewMatch (Remote Sensing 2024, 16, 678): two Swin V2 networks with maps pooled by masks, a
 * projection head and three triplet losses (its Figure 2, sections 3.3 and 3.4). */
#include "network/methods/geoviewmatch.h"

#include "network/backbones/swin_v2.h"
#include "network/heads/masks.h"

struct own_config {
    int head; /* width of the projection head */
};

struct own {
    struct linear head[2]; /* ReLU between the two */
};

static const struct config_field rows[] = {{"head", FIELD_INTS, offsetof(struct own_config, head), 1, 1, 65536, NULL}};

static void list(struct lister *l, void *own, const struct config *config, int features)
{
    struct linear *head = ((struct own *)own)->head;
    int width = ((const struct own_config *)config->own.bytes)->head;
    list_in(l, "head.");
    list_param(l, &head[0].weight, "0.weight", inputs_law(features), LIST_WEIGHT, width, features);
    list_param(l, &head[0].bias, "0.bias", inputs_law(features), LIST_PLAIN, width);
    list_param(l, &head[1].weight, "2.weight", inputs_law(width), LIST_WEIGHT, width, width);
    list_param(l, &head[1].bias, "2.bias", inputs_law(width), LIST_PLAIN, width);
}

struct tensor *project(struct tape *tape, const struct network *network, struct tensor *features)
{
    const struct own *own = network->own;
    struct tensor *h = linear(tape, features, &own->head[0], RELU); /* (B, 1, head) */
    return l2_normalise(tape, linear(tape, h, &own->head[1], IDENTITY), 0);
}

/* The weight of each loss; with views their sum is 1. */
struct weights {
    float contrast, strong, weak, view_strong, view_weak, agreement;
};

static struct weights weigh(const struct loss_options *o)
{
    if (!o->views) return (struct weights){.contrast = o->contrast, .strong = o->strong, .weak = o->weak};
    float sum = o->panorama + o->view + o->agreement + o->variants;
    float panorama = o->panorama / (2 * sum), view = o->view / (2 * sum);
    return (struct weights){.contrast = o->variants / sum,
                            .strong = panorama,
                            .weak = panorama,
                            .view_strong = view,
                            .view_weak = view,
                            .agreement = o->agreement / sum};
}

/* The street pictures are B panoramas and, with views, B views of them; the aerial pictures are B strongly and then B
 * weakly augmented ones. */
static void learn(struct tape *tape, const struct network *network, const struct step_input *input, int B,
                  const struct loss_options *options, float drop)
{
    const struct weights w = weigh(options);
    const float alpha = options->alpha;
    int streets = options->views ? 2 * B : B;
    struct tensor *all = branch_forward(NULL, tape, &network->views[GVM_STREET], input->street, streets, drop);
    struct tensor *fa = branch_forward(NULL, tape, &network->views[GVM_AERIAL], input->aerial, 2 * B, drop);
    struct tensor *fs = options->views ? tape_rows(tape, all, 0, B) : all;
    struct tensor *fv = options->views ? tape_rows(tape, all, B, B) : NULL;
    struct tensor *strong = tape_rows(tape, fa, 0, B), *weak = tape_rows(tape, fa, B, B);
    if (w.contrast > 0) {
        struct tensor *p = project(tape, network, fa);
        triplet(tape, tape_rows(tape, p, 0, B), tape_rows(tape, p, B, B), alpha, w.contrast);
    }
    triplet(tape, fs, strong, alpha, w.strong);
    triplet(tape, fs, weak, alpha, w.weak);
    if (!options->views) return;
    triplet(tape, fv, strong, alpha, w.view_strong);
    triplet(tape, fv, weak, alpha, w.view_weak);
    triplet(tape, fs, fv, alpha, w.agreement);
}

/* L_total, and L_con, L_ret1, L_ret2; with views also L_view1, L_view2, L_agree */
static struct losses losses(const struct tape *tape, const struct loss_options *o)
{
    const struct weights w = weigh(o);
    bool contrast = w.contrast > 0;
    const float *loss = tape->losses + (contrast ? 1 : 0);
    struct losses l = {.terms = {contrast ? tape->losses[0] : 0, loss[0], loss[1]}};
    l.total = w.contrast * l.terms[0] + w.strong * l.terms[1] + w.weak * l.terms[2];
    if (!o->views) return l;
    for (int i = 3; i < 6; i++) l.terms[i] = loss[i - 1];
    l.total += w.view_strong * l.terms[3] + w.view_weak * l.terms[4] + w.agreement * l.terms[5];
    return l;
}

static const char *const view_terms[] = {"loss_view1", "loss_view2", "loss_agree", NULL};

const struct loss_options loss_options_paper = {.contrast = 0.5f, .strong = 0.25f, .weak = 0.25f, .alpha = 10};

static const struct setting presets[] = {
    {"paper", "{\"model\":\"geoviewmatch\",\"dim\":96,\"depths\":[2,2,6,2],\"heads\":[3,6,12,24],\"window\":8,"
              "\"street\":[128,640],\"aerial\":[256,256],\"stages\":[3,4],\"masks\":8,\"head\":96}"},
    {"nano", "{\"model\":\"geoviewmatch\",\"dim\":24,\"depths\":[2,2,2,2],\"heads\":[1,2,4,8],\"window\":4,"
             "\"street\":[64,320],\"aerial\":[128,128],\"stages\":[3,4],\"masks\":8,\"head\":96}"},
    {"nano-photo", "{\"model\":\"geoviewmatch\",\"dim\":24,\"depths\":[2,2,2,2],\"heads\":[1,2,4,8],\"window\":4,"
                   "\"street\":[64,320],\"aerial\":[128,128],\"stages\":[3,4],\"masks\":8,\"head\":96,"
                   "\"visible\":true,\"wrap\":true,\"heading_tolerance\":9}"},
    {NULL, NULL}};

static const struct setting recipe[] = {{NULL, NULL}}; /* the options' own defaults are the paper's */

const struct method method_geoviewmatch = {
    .name = "geoviewmatch",
    .title = "GeoViewMatch (Remote Sensing 2024, 16, 678)",
    .backbone = &swin_v2,
    .head = &masks_head,
    .aerial_each = 2,
    .fields = {rows, 1},
    .own_bytes = sizeof(struct own),
    .list = list,
    .terms = {"loss_con", "loss_ret1", "loss_ret2", NULL},
    .view_terms = view_terms,
    .learn = learn,
    .losses = losses,
    .presets = presets,
    .recipe = recipe,
};
