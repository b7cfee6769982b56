/* frgeo.c - FRGeo (Zhang and Zhu, AAAI 2024): two ConvNeXt-T, each with a feature of four quadrants, and a loss that
 * compares a pair with all others of the batch: log(1 + sum over j != i of exp(10 (s_ij - s_ii))), that is, InfoNCE
 * with scale 10. */
#include "network/backbones/convnext.h"
#include "network/heads/quadrants.h"
#include "network/network.h"

static const float SCALE = 10;

static void learn(struct tape *tape, const struct network *network, const struct step_input *input, int B,
                  const struct loss_options *options, float drop)
{
    struct tensor *u = branch_forward(NULL, tape, &network->views[GVM_STREET], input->street, B, drop);
    struct tensor *v = branch_forward(NULL, tape, &network->views[GVM_AERIAL], input->aerial, B, drop);
    infonce(tape, u, v, NULL, SCALE, options->smoothing, 1);
}

static double score_scale(const struct network *network)
{
    (void)network;
    return (double)SCALE;
}

static struct losses losses(const struct tape *tape, const struct loss_options *options)
{
    (void)options;
    return (struct losses){.total = tape->losses[0]};
}

#define TINY "{\"model\":\"frgeo\",\"dims\":[96,192,384,768],\"depths\":[3,3,9,3],"

static const struct setting presets[] = {
    {"frgeo", TINY "\"street\":[128,512],\"aerial\":[256,256]}"},
    {"frgeo-cvusa", TINY "\"street\":[128,512],\"aerial\":[256,256],"
                         "\"elevation\":[-32.72727272727273,32.72727272727273],\"ground_m\":174.4}"},
    {"frgeo-cvact", TINY "\"street\":[128,512],\"aerial\":[256,256],\"ground_m\":144}"},
    {"frgeo-vigor", TINY "\"street\":[320,640],\"aerial\":[320,320],\"elevation\":[-90,90],\"ground_m\":73}"},
    {"frgeo-nano", "{\"model\":\"frgeo\",\"dims\":[32,64,128,256],\"depths\":[2,2,4,2],"
                   "\"street\":[64,320],\"aerial\":[128,128]}"},
    {NULL, NULL}};

/* From section 4 of its paper, and its code; for VIGOR the learning rate is 5e-5. In its batches, half are seeds and
 * half are a hard negative of each seed; here these pairs are mined before each epoch. No augmentation. */
static const struct setting recipe[] = {{"epochs", "50"},     {"batch", "32"},   {"hard", "2"},  {"rate", "1e-4"},
                                        {"rate-new", "1e-4"}, {"decay", "0.03"}, {"rho", "2.5"}, {"drop-path", "0"},
                                        {"turn", "no"},       {"jitter", "0"},   {"grey", "0"},  {"blur", "0"},
                                        {NULL, NULL}};

const struct method method_frgeo = {
    .name = "frgeo",
    .title = "FRGeo (AAAI 2024)",
    .backbone = &convnext,
    .head = &quadrants_head,
    .decay_all = true,
    .aerial_each = 1,
    .learn = learn,
    .score_scale = score_scale,
    .losses = losses,
    .presets = presets,
    .recipe = recipe,
};
