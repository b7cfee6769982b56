/* families.c - see family.h. All families are ConvNeXts; this file maps our parameter names to those of the authors'
 * files. */
#include "network/family.h"

#include <stdio.h>
#include <string.h>

#include "network/backbones/convnext.h"

/* The rest of the name after `start`, or NULL if the name does not begin with it. */
static const char *behind(const char *name, const char *start)
{
    size_t length = strlen(start);
    return strncmp(name, start, length) == 0 ? name + length : NULL;
}

/* Strip `module.`, which PyTorch adds to all names of a network trained on several devices. */
static void plain_module(char *out, const char *theirs)
{
    const char *rest = behind(theirs, "module.");
    snprintf(out, FAMILY_NAME, "%s", rest ? rest : theirs);
}

/* ------------------------------------------------------------------ Sample4Geo: timm's names */

static bool name_sample4geo(char *theirs, enum tensor_order *order, const char *ours)
{
    const char *rest = behind(ours, "both.backbone.");
    *order = ORDER_SAME;
    if (rest == NULL) {
        snprintf(theirs, FAMILY_NAME, "%s", ours);
        return strcmp(ours, "logit_scale") == 0;
    }
    snprintf(theirs, FAMILY_NAME, "model.");
    return convnext.foreign(theirs + 6, FAMILY_NAME - 6, rest, 0);
}

/* ------------------------------------------------------------------ FRGeo: Facebook's names */

static bool name_frgeo(char *theirs, enum tensor_order *order, const char *ours)
{
    const char *street = behind(ours, "street.backbone."), *aerial = behind(ours, "aerial.backbone.");
    *order = ORDER_SAME;
    if (street == NULL && aerial == NULL) return false;
    snprintf(theirs, FAMILY_NAME, street ? "query_net." : "reference_net.");
    size_t length = strlen(theirs);
    return convnext.foreign(theirs + length, FAMILY_NAME - length, street ? street : aerial, 1);
}

/* ------------------------------------------------------------------ statewide: flax's tree */

/* Older and newer versions of einx name layers with and without a leading underscore. */
static void plain_statewide(char *out, const char *theirs)
{
    size_t n = 0;
    for (const char *c = theirs; *c && n + 1 < FAMILY_NAME; c++) {
        bool layer = strncmp(c, "_Norm_", 6) == 0 || strncmp(c, "_Linear_", 8) == 0;
        if (!layer || c == theirs || c[-1] != '/') out[n++] = *c;
    }
    out[n] = '\0';
}

/* Kinds of layers; each kind has its own name for a weight. */
enum flax { NORM, CONV, LINEAR };

/* Our names and theirs have the same numbers; of a Downsample theirs is one less. */
static const struct {
    const char *ours, *theirs;
    enum flax kind;
} flax_names[] = {
    {"backbone.stem.0.", "encoder//Stem_0//Conv_0", CONV},
    {"backbone.stem.1.", "encoder//Stem_0//Norm_0", NORM},
    {"backbone.stages.%d.downsample.0.", "encoder//Downsample_%d//Norm_0", NORM},
    {"backbone.stages.%d.downsample.1.", "encoder//Downsample_%d//Conv_0", CONV},
    {"backbone.stages.%d.blocks.%d.conv_dw.", "encoder//Stage_%d//Block_%d//Conv_0", CONV},
    {"backbone.stages.%d.blocks.%d.norm.", "encoder//Stage_%d//Block_%d//Norm_0", NORM},
    {"backbone.stages.%d.blocks.%d.mlp.fc1.", "encoder//Stage_%d//Block_%d//Linear_0", LINEAR},
    {"backbone.stages.%d.blocks.%d.mlp.fc2.", "encoder//Stage_%d//Block_%d//Linear_1", LINEAR},
    {"head.norm.", "decoder//Norm_0", NORM},
    {"head.attention.", "decoder//Linear_0", LINEAR},
    {"head.value.", "decoder//Linear_1", LINEAR},
};

/* Find their layer for our parameter; returns the rest of our name, "weight" or "bias". */
static const char *find_layer(char *theirs, size_t size, enum flax *kind, const char *ours)
{
    for (size_t i = 0; i < sizeof flax_names / sizeof *flax_names; i++) {
        char start[FAMILY_NAME];
        int stage = 0, block = 0;
        (void)sscanf(ours, "backbone.stages.%d.blocks.%d.", &stage, &block);
        snprintf(start, sizeof start, flax_names[i].ours, stage, block);
        const char *rest = behind(ours, start);
        if (rest == NULL) continue;
        bool down = strstr(flax_names[i].theirs, "Downsample") != NULL;
        snprintf(theirs, size, flax_names[i].theirs, stage - down, block);
        *kind = flax_names[i].kind;
        return rest;
    }
    return NULL;
}

static bool name_statewide(char *theirs, enum tensor_order *order, const char *ours)
{
    static const char *const weights[] = {[NORM] = "scale", [CONV] = "kernel", [LINEAR] = "weight"};
    static const enum tensor_order orders[] = {[NORM] = ORDER_SAME, [CONV] = ORDER_CONV, [LINEAR] = ORDER_LINEAR};
    const char *street = behind(ours, "street."), *aerial = behind(ours, "aerial."), *rest = street ? street : aerial;
    char layer[FAMILY_NAME - 64];
    enum flax kind;
    int stage, block, end = 0;
    *order = ORDER_SAME;
    if (rest == NULL) return false;
    const char *view = street ? "pv" : "aerial";
    int count = sscanf(rest, "backbone.stages.%d.blocks.%d.gamma%n", &stage, &block, &end);
    if (count == 2 && end > 0 && rest[end] == '\0') {
        snprintf(theirs, FAMILY_NAME, "params//%s_encoder//Stage_%d//Block_%d//scale", view, stage, block);
        return true;
    }
    const char *part = find_layer(layer, sizeof layer, &kind, rest);
    if (part == NULL) return false;
    bool weight = strcmp(part, "weight") == 0;
    if (weight) *order = orders[kind];
    snprintf(theirs, FAMILY_NAME, "params//%s_%s//%s", view, layer, weight ? weights[kind] : part);
    return true;
}

static const struct shape_row no_shapes[] = {{NULL, {NULL}}};
static const struct shape_row pool_shapes[] = {
    {"heads", {"street.head.attention.weight", "aerial.head.attention.weight"}},
    {"feature", {"street.head.value.bias", "street.head.value.weight", "aerial.head.value.bias"}},
    {NULL, {NULL}}};

/* ------------------------------------------------------------------ the table */

const struct family families[] = {
    {.title = "statewide",
     .presets = (const char *const[]){"statewide", NULL},
     .mark = "params//pv_encoder//",
     .view = "street.",
     .plain = plain_statewide,
     .name = name_statewide,
     .shapes = pool_shapes},
    {.title = "Sample4Geo",
     .presets = (const char *const[]){"sample4geo-vigor", "sample4geo-cvact", "sample4geo-cvusa",
                                      "sample4geo-university", NULL},
     .mark = "model.stages.",
     .view = "both.",
     .plain = plain_module,
     .name = name_sample4geo,
     .shapes = no_shapes},
    {.title = "FRGeo",
     .presets = (const char *const[]){"frgeo-cvusa", "frgeo-cvact", "frgeo-vigor", NULL},
     .mark = "query_net.",
     .view = "street.",
     .plain = plain_module,
     .name = name_frgeo,
     .shapes = no_shapes},
    {0},
};

const char *family_preset(int i)
{
    for (const struct family *f = families; f->title; f++)
        for (const char *const *p = f->presets; *p; p++)
            if (i-- == 0) return *p;
    return NULL;
}
