/* registry.h - finds methods by their names, and presets by theirs. */
#ifndef GVM_NETWORK_REGISTRY_H
#define GVM_NETWORK_REGISTRY_H

#include "network/parts.h"

/* The method with this name (a configuration's "model"), or NULL. */
const struct method *method_find(const char *name);

/* Method i, from 0; NULL beyond the last. */
const struct method *method_at(int i);

/* The JSON of a preset, or NULL. */
const char *preset_find(const char *name);

/* The name of preset i, from 0, of all methods; NULL beyond the last. */
const char *preset_name(int i);

#endif
