/* swin.c - Swin V2: four stages of blocks, each on a map half as high and wide and twice as deep. */
#include "network/network.h"

static struct tensor *swin_block(struct tape *tape, const struct block *w, struct tensor *x, float drop)
{
    x = window_attention(tape, x, &w->attention, drop_path(tape, x->B, drop));   /* x + LN(attention(x)) */
    return feed_forward(tape, x, &w->feed_forward, drop_path(tape, x->B, drop)); /* x + LN(MLP(x)) */
}

void swin(struct tensor *maps[STAGES], struct tape *tape, const struct swin *w, const uint8_t *pixels, int B,
          float drop)
{
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
