/* lister.c - see lister.h */
#include "network/lister.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct law inputs_law(int inputs)
{
    return (struct law){LAW_UNIFORM, 1 / sqrtf((float)inputs)};
}

void list_in(struct lister *l, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(l->inner, sizeof l->inner, format, arguments);
    va_end(arguments);
}

void list_shaped(struct lister *l, struct param **out, const char *name, struct law law, int kind, int rank,
                 const int *shape)
{
    struct param *p = *out = l->params ? &l->params[l->count] : NULL;
    l->count++;
    if (l->again) return;
    size_t count = 1;
    for (int i = 0; i < rank; i++) count *= (size_t)shape[i];
    l->numbers += count;
    if (p == NULL) return;
    snprintf(p->name, sizeof p->name, "%s%s%s", l->base, l->inner, name);
    p->rank = rank;
    for (int i = 0; i < 4; i++) p->shape[i] = i < rank ? shape[i] : 1;
    p->count = count;
    p->first = law;
    p->decay = l->decay_all || kind & LIST_DECAY;
    p->matrix = kind & LIST_MATRIX;
    p->fixed = kind & LIST_FIXED;
    p->added = kind & LIST_ADDED;
    p->backbone = l->backbone;
}

void list_matrix(struct lister *l, struct param **out, int rows, int columns, const char *name)
{
    list_param(l, out, name, normal_law(0.02f), LIST_WEIGHT, rows, columns);
}

void list_norm(struct lister *l, struct norm *norm, int C, float epsilon, float first, int kind, const char *name)
{
    char text[64];
    snprintf(text, sizeof text, "%s.weight", name);
    list_param(l, &norm->weight, text, constant_law(first), kind, C);
    snprintf(text, sizeof text, "%s.bias", name);
    list_param(l, &norm->bias, text, constant_law(0), kind, C);
    norm->epsilon = epsilon;
}
