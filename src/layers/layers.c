/* layers.c - each layer's call goes to the device of its tape; see layers.h. */
#include "layers/layers.h"

#include "tensor/device.h"

struct tensor *patch_embed(struct tape *tape, const uint8_t *pixels, int B, int H, int W, const struct patch_embed *w)
{
    return tape->device->patch_embed(tape, pixels, B, H, W, w);
}

struct tensor *patch_merge(struct tape *tape, struct tensor *x, int H, int W, const struct patch_merge *w)
{
    return tape->device->patch_merge(tape, x, H, W, w);
}

struct tensor *layer_norm(struct tape *tape, struct tensor *x, const struct norm *w)
{
    return tape->device->layer_norm(tape, x, w);
}

struct tensor *window_attention(struct tape *tape, struct tensor *x, const struct attention *w, const float *keep)
{
    return tape->device->window_attention(tape, x, w, keep);
}

struct tensor *feed_forward(struct tape *tape, struct tensor *x, const struct feed_forward *w, const float *keep)
{
    return tape->device->feed_forward(tape, x, w, keep);
}

const float *drop_path(struct tape *tape, int B, float p)
{
    return tape->device->drop_path(tape, B, p);
}

struct tensor *masks(struct tape *tape, struct tensor *x, const struct masks *w, const float **kept)
{
    return tape->device->masks(tape, x, w, kept);
}

struct tensor *concatenate(struct tape *tape, struct tensor *const *parts, int count)
{
    return tape->device->concatenate(tape, parts, count);
}

struct tensor *l2_normalise(struct tape *tape, struct tensor *x)
{
    return tape->device->l2_normalise(tape, x);
}

struct tensor *linear(struct tape *tape, struct tensor *x, const struct linear *w, enum activation f)
{
    return tape->device->linear(tape, x, w, f);
}

float triplet(struct tape *tape, struct tensor *a, struct tensor *b, float alpha, float weight)
{
    return tape->device->triplet(tape, a, b, alpha, weight);
}

float infonce(struct tape *tape, struct tensor *a, struct tensor *b, struct param *logit_scale, float smoothing,
              float weight)
{
    return tape->device->infonce(tape, a, b, logit_scale, smoothing, weight);
}
