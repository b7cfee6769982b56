/* input.c - see input.h */
#include "network/input.h"

struct patch_embed input_embed(const struct view *view, int patch)
{
    struct patch_embed e = {.patch = patch, .bgr = view->bgr};
    for (int c = 0; c < 3; c++) {
        e.mean[c] = view->mean[view->bgr ? 2 - c : c];
        e.deviation[c] = view->deviation[view->bgr ? 2 - c : c];
    }
    return e;
}
