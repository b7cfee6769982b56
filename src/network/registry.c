/* registry.c - see registry.h */
#include "network/registry.h"

#include <stdio.h>
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

void preset_names(char *text, size_t size)
{
    size_t n = 0;
    text[0] = '\0';
    for (int i = 0; methods[i]; i++)
        for (const struct setting *p = methods[i]->presets; p->name && n < size; p++)
            n += (size_t)snprintf(text + n, size - n, "%s%s", n ? ", " : "", p->name);
}
