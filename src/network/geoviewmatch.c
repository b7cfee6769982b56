/* geoviewmatch.c - two Swin-Geo networks, the projection head and the losses (the paper's Figure 2, sections 3.3
 * and 3.4). */
#include "network/network.h"

const struct loss_weights loss_weights_paper = {.contrast = 0.5f, .strong = 0.25f, .weak = 0.25f, .alpha = 10};

struct tensor *project(struct tape *tape, const struct network *network, struct tensor *features)
{
    struct tensor *h = linear(tape, features, &network->head[0], RELU); /* (B, 1, head) */
    return l2_normalise(tape, linear(tape, h, &network->head[1], IDENTITY));
}

struct losses geoviewmatch(struct tape *tape, const struct network *network, const uint8_t *street,
                           const uint8_t *aerial, int B, const struct loss_weights *weights, float drop)
{
    struct tensor *fs = swin_geo(NULL, tape, &network->views[GVM_STREET], street, B, drop);
    struct tensor *fa = swin_geo(NULL, tape, &network->views[GVM_AERIAL], aerial, 2 * B, drop);
    struct tensor *strong = tape_rows(tape, fa, 0, B), *weak = tape_rows(tape, fa, B, B);
    if (weights->contrast > 0) {
        struct tensor *p = project(tape, network, fa);
        triplet(tape, tape_rows(tape, p, 0, B), tape_rows(tape, p, B, B), weights->alpha, weights->contrast);
    }
    triplet(tape, fs, strong, weights->alpha, weights->strong);
    triplet(tape, fs, weak, weights->alpha, weights->weak);
    return losses_of(tape, weights);
}

struct losses losses_of(const struct tape *tape, const struct loss_weights *weights)
{
    bool contrast = weights->contrast > 0;
    const float *loss = tape->losses + (contrast ? 1 : 0);
    struct losses l = {.contrast = contrast ? tape->losses[0] : 0, .strong = loss[0], .weak = loss[1]};
    l.total = weights->contrast * l.contrast + weights->strong * l.strong + weights->weak * l.weak;
    return l;
}
