/* swin_geo.c - the paper's Swin-Geo (section 3.2, Figure 3): the maps of some stages, each gathered by its masks,
 * one behind the other, brought to length 1. */
#include "network/network.h"

struct tensor *swin_geo(struct swin_trace *trace, struct tape *tape, const struct swin_geo *w, const uint8_t *pixels,
                        int B, float drop)
{
    struct swin_trace own;
    struct tensor *parts[STAGES];
    int count = 0;
    if (trace == NULL) trace = &own;
    *trace = (struct swin_trace){0};
    swin(trace->maps, tape, &w->backbone, pixels, B, drop);
    for (int s = 0; s < STAGES; s++)
        if (w->uses[s]) parts[count++] = masks(tape, trace->maps[s], &w->masks[s], &trace->masks[s]); /* (B, 1, N C) */
    trace->gathered = concatenate(tape, parts, count);
    return l2_normalise(tape, trace->gathered);
}
