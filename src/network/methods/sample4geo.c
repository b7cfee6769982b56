/* sample4geo.c - Sample4Geo (Deuser, Habel and Oswald, ICCV 2023): one ConvNeXt for both views, symmetric InfoNCE with
 * a learned temperature (its section 3). */
#include <math.h>

#include "network/backbones/convnext.h"
#include "network/heads/mean.h"
#include "network/network.h"

struct own {
    struct param *logit_scale; /* logarithm of the inverse temperature */
};

static void list(struct lister *l, void *own, const struct config *config, int features)
{
    (void)config, (void)features;
    list_shaped(l, &((struct own *)own)->logit_scale, "logit_scale", constant_law(logf(1 / 0.07f)), LIST_PLAIN, 0,
                NULL);
}

static void learn(struct tape *tape, const struct network *network, const struct step_input *input, int B,
                  const struct loss_options *options, float drop)
{
    const struct own *own = network->own;
    struct tensor *u = branch_forward(NULL, tape, &network->views[GVM_STREET], input->street, B, drop);
    struct tensor *v = branch_forward(NULL, tape, &network->views[GVM_AERIAL], input->aerial, B, drop);
    infonce(tape, u, v, own->logit_scale, 0, options->smoothing, 1);
}

static double score_scale(const struct network *network)
{
    return exp((double)*((const struct own *)network->own)->logit_scale->data);
}

static struct losses losses(const struct tape *tape, const struct loss_options *options)
{
    (void)options;
    return (struct losses){.total = tape->losses[0]};
}

#define INPUTS ",\"street_input\":{\"resize\":\"opencv\"},\"aerial_input\":{\"resize\":\"opencv\"}}"
#define BASE "{\"model\":\"sample4geo\",\"dims\":[128,256,512,1024],\"depths\":[3,3,27,3],"
#define TINY "{\"model\":\"sample4geo\",\"dims\":[96,192,384,768],\"depths\":[3,3,9,3],"

static const struct setting presets[] = {
    {"sample4geo", BASE "\"street\":[140,768],\"aerial\":[384,384]" INPUTS},
    {"sample4geo-vigor",
     BASE "\"street\":[384,768],\"aerial\":[384,384],\"elevation\":[-90,90],\"ground_m\":73" INPUTS},
    {"sample4geo-cvact",
     BASE "\"street\":[140,768],\"aerial\":[384,384],\"elevation\":[-90,90],\"ground_m\":144" INPUTS},
    {"sample4geo-cvusa", BASE "\"street\":[140,768],\"aerial\":[384,384],"
                              "\"elevation\":[-32.72727272727273,32.72727272727273],\"ground_m\":174.4" INPUTS},
    /* drone pictures: no panorama, no heading */
    {"sample4geo-university", BASE "\"street\":[384,384],\"aerial\":[384,384],"
                                   "\"street_input\":{\"projection\":\"nadir\",\"resize\":\"opencv\"},"
                                   "\"aerial_input\":{\"resize\":\"opencv\"}}"},
    {"sample4geo-tiny", TINY "\"street\":[140,768],\"aerial\":[384,384]" INPUTS},
    {"sample4geo-nano", "{\"model\":\"sample4geo\",\"dims\":[32,64,128,256],\"depths\":[2,2,4,2],"
                        "\"street\":[64,320],\"aerial\":[128,128]" INPUTS},
    {NULL, NULL}};

/* From section 4 of its paper, and its code. */
static const struct setting recipe[] = {
    {"epochs", "40"},     {"batch", "128"},  {"eval-every", "4"},  {"neighbours", "4"}, {"rate", "1e-3"},
    {"rate-new", "1e-3"}, {"decay", "0.01"}, {"rho", "0"},         {"drop-path", "0"},  {"clip", "100"},
    {"schedule", "step"}, {"warm-up", "1"},  {"smoothing", "0.1"}, {"turn", "no"},      {"jitter", "0"},
    {"grey", "0"},        {"blur", "0"},     {"mirror", "0.5"},    {"jpeg", "0.5"},     {"colour", "0.5"},
    {"focus", "0.3"},     {"holes", "0.3"},  {"spin", "0.75"},     {NULL, NULL}};

const struct method method_sample4geo = {
    .name = "sample4geo",
    .title = "Sample4Geo (ICCV 2023)",
    .backbone = &convnext,
    .head = &mean_head,
    .shared = true,
    .decay_all = true,
    .aerial_each = 1,
    .own_bytes = sizeof(struct own),
    .list = list,
    .learn = learn,
    .score_scale = score_scale,
    .losses = losses,
    .presets = presets,
    .recipe = recipe,
};
