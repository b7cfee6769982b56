/* config_support.h - configurations with one piece replaced, and the errors that invalid ones give */
#ifndef GVM_TESTS_CONFIG_SUPPORT_H
#define GVM_TESTS_CONFIG_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "network/config_file.h"

void assert_says(const gvm_error *err, const char *part);

/* Parse `json` with the first occurrence of `piece` replaced, as if from dir/w.safetensors. */
gvm_status parse_with(struct config *config, const char *json, const char *piece, const char *by, gvm_error *err);

struct refused {
    const char *piece, *by, *says;
};

/* Expects for each row GVM_FORMAT, a message with the file's name and the row's text, and no configuration. */
void check_refused(const char *json, const struct refused *rows, size_t count);

#endif
