/* fuzz_config.c - any bytes as a configuration: an accepted one must pass the check and survive a round trip through
 * its own JSON */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "network/config_file.h"
#include "network/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config, back;
    gvm_error err = {""};
    if (config_parse(&config, (const char *)data, size, "input", &err) != GVM_OK) {
        if (strncmp(err.text, "input: ", 7) != 0) abort();
        return 0;
    }
    if (config_check(&config, "input", &err) != GVM_OK) abort();
    char *json = config_json(&config);
    if (json == NULL || config_parse(&back, json, strlen(json), "back", &err) != GVM_OK) abort();
    if (config_parameters(&config) != config_parameters(&back) || config.ground_m != back.ground_m ||
        memcmp(config.elevation, back.elevation, sizeof back.elevation) != 0 || config.tolerance != back.tolerance ||
        config.views[0].visible != back.views[0].visible || config.views[0].wrap != back.views[0].wrap ||
        config.views[0].row_shift != back.views[0].row_shift)
        abort();
    free(json);
    return 0;
}
