/* fuzz_zip.c - any bytes as a zip file: its members must lie within it, in order, apart from each other. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct zip *zip, const uint8_t *data, size_t size)
{
    char name[64];
    size_t bytes = 0;
    for (size_t i = 0; i < zip->count; i++) {
        const struct zip_member *m = &zip->members[i];
        const uint8_t *text = (const uint8_t *)m->name;
        if (m->data < data || m->size > size || m->data + m->size > data + size) abort();
        if (text < data || text + m->name_length > data + size) abort();
        bytes += m->size;
        if (m->name_length >= sizeof name || memchr(m->name, '\0', m->name_length) != NULL) continue;
        memcpy(name, m->name, m->name_length);
        name[m->name_length] = '\0';
        if (zip_find(zip, name) != m) abort();
    }
    if (bytes > size || zip_find(zip, "\x7f none") != NULL) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zip zip;
    gvm_error err = {""};
    uint8_t *copy = malloc(size + (size == 0)); /* of just its size: a read behind it is found */
    if (copy == NULL) abort();
    if (size > 0) memcpy(copy, data, size);
    if (zip_open(&zip, copy, size, "input", &err) == GVM_OK)
        check(&zip, copy, size);
    else if (strncmp(err.text, "input: ", 7) != 0 || zip.members != NULL || zip.count != 0)
        abort();
    zip_close(&zip);
    free(copy);
    return 0;
}
