/* swin_geo.c - the paper's Swin-Geo (section 3.2, Figure 3): the maps of some stages, each gathered by its masks,
 * one behind the other, brought to length 1. */
#include "model/network.h"

struct tensor *swin_geo(struct tensor *maps[STAGES], struct tape *tape, const struct swin_geo *w, const uint8_t *pixels,
                        int B, float drop)
{
    struct tensor *own[STAGES], *parts[STAGES];
    int count = 0;
    if (maps == NULL) maps = own;
    swin(maps, tape, &w->backbone, pixels, B, drop);
    for (int s = 0; s < STAGES; s++)
        if (w->uses[s]) parts[count++] = masks(tape, maps[s], &w->masks[s]); /* (B, 1, N C) */
    return l2_normalise(tape, concatenate(tape, parts, count));
}
