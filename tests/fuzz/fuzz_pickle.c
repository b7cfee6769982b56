/* fuzz_pickle.c - any bytes as a pickle: its values must lie within it and be of the kinds that there are. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct pickle_name names[] = {
    {"collections.OrderedDict", true}, {"torch.FloatStorage", false}, {NULL, false}};

/* As far as `left` values: they may hold one another in a circle, and one value another many times. */
static void walk(const struct pickle_value *v, const uint8_t *data, size_t size, int *left)
{
    size_t items = 0;
    bool text = v->kind == PICKLE_TEXT || v->kind == PICKLE_BYTES;
    if (v->kind > PICKLE_PERSISTENT) abort();
    if (text && ((const uint8_t *)v->text < data || (const uint8_t *)v->text + v->length > data + size)) abort();
    if (v->kind == PICKLE_NAME && !pickle_is(v, v->text)) abort();
    for (const struct pickle_item *item = v->first; item != NULL; item = item->next) {
        if (pickle_at(v, items) != item->value && items < 4) abort();
        items++;
        if ((*left)-- > 0) walk(item->value, data, size, left);
    }
    if (items != v->count || pickle_at(v, items) != NULL) abort();
    if (v->kind == PICKLE_DICT) pickle_get(v, "state_dict");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pickle pickle = {.values = 0};
    const struct pickle_value *top = NULL;
    size_t used = 0;
    gvm_error err = {""};
    uint8_t *copy = malloc(size + (size == 0)); /* of just its size: a read behind it is found */
    if (copy == NULL) abort();
    if (size > 0) memcpy(copy, data, size);
    if (pickle_read(&top, &used, &pickle, copy, size, names, "input", &err) == GVM_OK) {
        if (used < 1 || used > size) abort();
        walk(top, copy, size, &(int){200});
    } else if (strncmp(err.text, "input: ", 7) != 0) {
        abort();
    }
    pickle_free(&pickle);
    free(copy);
    return 0;
}
