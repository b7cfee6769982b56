/* registry.c - see registry.h */
#include "network/registry.h"

#include <string.h>

#define METHOD(name) extern const struct method method_##name;
#include "network/registry.def"
#undef METHOD

static const struct method *const methods[] = {
#define METHOD(name) &method_##name,
#include "network/registry.def"
#undef METHOD
    NULL};

const struct method *method_at(int i)
{
    return methods[i];
}

const struct method *method_find(const char *name)
{
    for (int i = 0; methods[i]; i++)
        if (strcmp(methods[i]->name, name) == 0) return methods[i];
    return NULL;
}

const char *preset_find(const char *name)
{
    for (int i = 0; methods[i]; i++)
        for (const struct setting *p = methods[i]->presets; p->name; p++)
            if (strcmp(p->name, name) == 0) return p->value;
    return NULL;
}

const char *preset_name(int i)
{
    for (int m = 0; methods[m]; m++)
        for (const struct setting *p = methods[m]->presets; p->name; p++)
            if (i-- == 0) return p->name;
    return NULL;
}
