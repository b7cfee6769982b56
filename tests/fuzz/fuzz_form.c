/* fuzz_form.c - the first line as a Content-Type, the rest as a body. The parts must not depend on how the body is
 * split into pieces. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t hash;
    size_t parts, bytes;
};

static void put(struct seen *seen, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) seen->hash = (seen->hash ^ ((const uint8_t *)bytes)[i]) * 1099511628211u;
}

static void part(void *user, const char *name, bool first, const char *data, size_t size)
{
    struct seen *seen = user;
    if (strlen(name) >= FORM_NAME || *name == '\0' || (first && size > 0)) abort();
    if (!first && seen->parts == 0) abort();
    if (first) put(seen, name, strlen(name) + 1);
    put(seen, data, size);
    seen->parts += first;
    seen->bytes += size;
}

/* In pieces of `step` bytes, each in memory of its exact size. */
static int parse(struct seen *seen, const char *type, const uint8_t *body, size_t size, size_t step)
{
    bool named;
    struct form *form = form_open(&named, type, part, seen);
    if (form == NULL) return -1;
    bool good = true;
    for (size_t i = 0; i < size; i += step) {
        size_t n = size - i < step ? size - i : step;
        char *piece = malloc(n);
        if (piece == NULL) abort();
        memcpy(piece, body + i, n);
        good = form_take(form, piece, n);
        free(piece);
    }
    int result = good ? form_is_whole(form) : 2;
    form_free(form);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = memchr(data, '\n', size);
    if (line == NULL) return -1;
    size_t n = (size_t)(line - data);
    char *type = calloc(n + 1, 1);
    if (type == NULL) abort();
    memcpy(type, data, n);
    struct seen whole = {0}, single = {0}, some = {0};
    int result = parse(&whole, type, line + 1, size - n - 1, size);
    if (parse(&single, type, line + 1, size - n - 1, 1) != result) abort();
    if (parse(&some, type, line + 1, size - n - 1, 7) != result) abort();
    if (whole.hash != single.hash || whole.hash != some.hash || whole.bytes > 2 * size) abort();
    if (whole.parts != single.parts || whole.bytes != single.bytes || whole.bytes != some.bytes) abort();
    free(type);
    return 0;
}
