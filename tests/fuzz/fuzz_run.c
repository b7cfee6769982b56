/* fuzz_run.c - any bytes as the JSON of a saved run, or, behind the name of an option and "=", as what was typed for
 * it. What is accepted must come back the same from its own JSON. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "train/run_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Written, read and written again, it must be the same text. */
static void round_trip(const struct run_options *options, const struct run_position *position)
{
    struct run_options back;
    struct run_position at = {.step = 0};
    gvm_error err = {""};
    char *json = run_json(options, position);
    if (json == NULL || run_json_read(&back, &at, json, "back", &err) != GVM_OK) abort();
    char *again = run_json(&back, &at);
    if (again == NULL || strcmp(json, again) != 0) abort();
    free(json);
    free(again);
    run_options_free(&back);
}

static void saved(const char *text)
{
    struct run_options options;
    struct run_position position = {.step = 0};
    gvm_error err = {""};
    if (run_json_read(&options, &position, text, "input", &err) == GVM_OK)
        round_trip(&options, &position);
    else if (strncmp(err.text, "input: ", 7) != 0)
        abort();
    run_options_free(&options);
}

static void typed(const char *name, const char *text)
{
    struct run_options options = {.data = NULL};
    const struct run_position position = {.best = -1};
    const struct option_row *row = option_find(run_option_rows, name);
    char takes[160];
    gvm_error err;
    if (row == NULL) return;
    options_default(run_option_rows, &options);
    option_takes(takes, sizeof takes, row);
    if (option_read(row, &options, text) == GVM_OK && run_options_check(&options, &err) == GVM_OK)
        round_trip(&options, &position);
    options_free(run_option_rows, &options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(size + 1, 1);
    if (text == NULL) abort();
    if (size > 0) memcpy(text, data, size);
    char *equals = strchr(text, '=');
    if (text[0] == '{' || equals == NULL) {
        saved(text);
    } else {
        *equals = '\0';
        typed(text, equals + 1);
    }
    free(text);
    return 0;
}
