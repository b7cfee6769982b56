/* fuzz_features.c - any bytes as a map's MAP.features: an accepted file has room for all its rows */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "map/features_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t page[2 * FEATURES_START];
    struct features_facts facts = {"0123456789abcdef0123456789abcdef", 0};
    uint16_t numbers[2] = {0, 0};
    if (size < sizeof numbers || size > FEATURES_START) return -1;
    memcpy(numbers, data, sizeof numbers); /* number of rows, and length of the file */
    data += sizeof numbers;
    size -= sizeof numbers;
    memset(page, 0, sizeof page);
    memcpy(page, data, size);
    memcpy(&facts.width, page + 12, 4);
    if (facts.width < 1 || facts.width > 10000000) facts.width = 16;
    size_t length = numbers[1] % sizeof page, rows = numbers[0];
    gvm_error err = {""};
    if (features_check(page, length, &facts, rows, "f", &err) == GVM_OK) {
        if (length < FEATURES_START + rows * (size_t)facts.width * 2) abort();
    } else if (err.text[0] == '\0') {
        abort();
    }
    return 0;
}
