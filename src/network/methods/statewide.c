/* statewide.c - statewide (Fervers et al., ECCV 2024): matches an ordinary photo of any heading to cells of a grid,
 * each with aerial pictures at several zooms. Two ConvNeXts, attention pooling, decoupled InfoNCE.
 *
 * The authors' features have the length `scale`, so their product is scale^2 times the cosine. Ours have length 1. */
#include "network/backbones/convnext.h"
#include "network/heads/spatial_softmax.h"
#include "network/network.h"

struct own_config {
    double scale;
};

static const struct config_field rows[] = {{"scale", FIELD_REAL, offsetof(struct own_config, scale), 1, 0, 1000, NULL}};

static double score_scale(const struct network *network)
{
    double scale = ((const struct own_config *)network->config.own.bytes)->scale;
    return scale * scale;
}

static void learn(struct tape *tape, const struct network *network, const struct step_input *input, int B,
                  const struct loss_options *options, float drop)
{
    struct tensor *u = branch_forward(NULL, tape, &network->views[GVM_STREET], input->street, B, drop);
    struct tensor *v = branch_forward(NULL, tape, &network->views[GVM_AERIAL], input->aerial, B, drop);
    decoupled(tape, u, v, input->allowed, (float)score_scale(network), options->smoothing, 1);
}

static struct losses losses(const struct tape *tape, const struct loss_options *options)
{
    (void)options;
    return (struct losses){.total = tape->losses[0]};
}

#define INPUTS(zooms)                                                           \
    ",\"scale\":6,\"cell_m\":30,"                                               \
    "\"street_input\":{\"projection\":\"perspective\",\"resize\":\"skimage\"}," \
    "\"aerial_input\":{\"zooms\":[" zooms "],\"bearing\":180}}"

static const struct setting presets[] = {
    {"statewide", "{\"model\":\"statewide\",\"dims\":[128,256,512,1024],\"depths\":[3,3,27,3],\"gelu\":\"tanh\","
                  "\"street\":[480,640],\"aerial\":[384,384],\"heads\":64,\"feature\":1024" INPUTS("0.2,0.4,0.8,1.6")},
    {"statewide-nano", "{\"model\":\"statewide\",\"dims\":[24,48,96,192],\"depths\":[2,2,4,2],\"gelu\":\"tanh\","
                       "\"street\":[96,128],\"aerial\":[96,96],\"heads\":16,\"feature\":256" INPUTS("0.4,0.8,1.6,3.2")},
    {NULL, NULL}};

/* From its section 3, and its code, which trains for 200,000 steps; a shorter run needs fewer warm-up steps. */
static const struct setting recipe[] = {
    {"clip-length", "1"}, {"warm-steps", "1000"}, {"floor", "0.1"},  {"batch", "30"}, {"clusters", "16384"},
    {"rate", "1e-4"},     {"rate-new", "1e-4"},   {"decay", "0.01"}, {"rho", "0"},    {"drop-path", "0"},
    {"schedule", "step"}, {"smoothing", "0.1"},   {"turn", "no"},    {"jitter", "0"}, {"grey", "0"},
    {"blur", "0"},        {"colour", "1"},        {"shift", "0.15"}, {"hue", "0.1"},  {NULL, NULL}};

const struct method method_statewide = {
    .name = "statewide",
    .title = "statewide (ECCV 2024)",
    .backbone = &convnext,
    .head = &spatial_softmax_head,
    .aerial_each = 1,
    .fields = {rows, 1},
    .learn = learn,
    .score_scale = score_scale,
    .losses = losses,
    .presets = presets,
    .recipe = recipe,
};
