/* network_facts.c - see network_facts.h */
#include "cli/network_facts.h"

#include <string.h>

#include "layers/device_cpu.h"

gvm_status count_pass(struct counts *counts, const struct network *network, gvm_view view, gvm_error *err)
{
    struct tape *tape;
    gvm_status status = tape_open(&tape, false, false, err);
    if (status != GVM_OK) return status;
    swin_geo(NULL, tape, &network->views[view], NULL, 1, 0); /* dry: the tape has no memory */
    *counts = tape->counts;
    tape_free(tape);
    return GVM_OK;
}

size_t mask_parameters(const struct network *network, int stage)
{
    size_t sum = 0;
    for (int v = 0; v < 2; v++) {
        const struct swin_geo *view = &network->views[v];
        const struct masks *m = &view->masks[stage - 1];
        if (view->uses[stage - 1]) sum += m->w1->count + m->b1->count + m->w2->count + m->b2->count;
    }
    return sum;
}

bool mask_warning(char *text, size_t size, const struct network *network)
{
    size_t masks = mask_parameters(network, 1), all = network_parameters(network);
    if (masks == 0) return false;
    snprintf(text, size, "the masks of stage 1 alone hold %zu of its %zu parameters", masks, all);
    return true;
}

bool stages_read(bool stages[STAGES], const char *text)
{
    bool read[STAGES] = {false};
    for (;; text += 2) {
        int s = text[0] - '1';
        if (s < 0 || s >= STAGES || read[s]) return false;
        read[s] = true;
        if (text[1] == '\0') break;
        if (text[1] != ',') return false;
    }
    memcpy(stages, read, sizeof read);
    return true;
}
