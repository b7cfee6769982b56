/* config_file.h - the configuration as JSON, under the key `config` of a checkpoint's metadata, so that a file
 * describes its own network. */
#ifndef GVM_NETWORK_CONFIG_FILE_H
#define GVM_NETWORK_CONFIG_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"
#include "network/config.h"

/* Read the JSON text (need not end in NUL) and check it as config_check does. Unknown keys are ignored, known ones must
 * be there, whole and in range; these may be absent: ground_m (64), elevation ([-45, 45]), and of either view
 * street_input, aerial_input: {"projection": "panorama"|"nadir"|"perspective", "order": "rgb"|"bgr",
 * "resize": "own"|"opencv"|"skimage", "mean": [3], "deviation": [3], "zooms": [1 to 4], "bearing"} (panorama and nadir,
 * rgb, own, ImageNet's, none, 0). With zooms, which only the aerial view has, cell_m must be there too, and ground_m
 * follows from them. A perspective view is resized by "skimage", another is not. `where` names the file in the
 * sentence. GVM_FORMAT if it is not so; *out is all zero then. */
gvm_status config_parse(struct config *out, const char *json, size_t length, const char *where, gvm_error *err);

/* The configuration of a preset. Fails with GVM_ARGUMENT if there is no preset of this name. */
gvm_status config_preset(struct config *out, const char *name, gvm_error *err);

/* Check that a network of this configuration can be built and is within the limits of this program. */
gvm_status config_check(const struct config *config, const char *where, gvm_error *err);

/* Set a list-valued key of the method's parts from a text such as "4,3", in any order. Fails with GVM_ARGUMENT if the
 * method has no such key or the value is invalid. */
gvm_status config_set_stages(struct config *config, const char *key, const char *text, gvm_error *err);

/* The JSON of a configuration, freed with free(); NULL if out of memory. */
char *config_json(const struct config *config);

#endif
