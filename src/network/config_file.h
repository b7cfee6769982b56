/* config_file.h - the configuration as JSON, under the key `config` of a checkpoint's metadata, so that a file
 * describes its own network. */
#ifndef GVM_NETWORK_CONFIG_FILE_H
#define GVM_NETWORK_CONFIG_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"
#include "network/config.h"

/* Parse the JSON text (need not end in NUL) and check it with config_check. Unknown keys are ignored. Known keys must
 * be present and in range, except that these may be absent: ground_m (64), elevation ([-45, 45]), and of either view
 * street_input, aerial_input: {"projection": "panorama"|"nadir"|"perspective", "order": "rgb"|"bgr",
 * "resize": "own"|"opencv"|"skimage", "mean": [3], "deviation": [3], "zooms": [1 to 4], "bearing"} (panorama and nadir,
 * rgb, own, ImageNet's, none, 0). Only the aerial view may have zooms; then cell_m is required, and ground_m is
 * derived. A perspective view must have the resize rule "skimage"; other views must not. `where` is the file's name in
 * error messages. Fails with GVM_FORMAT; *out is then all zero. */
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
