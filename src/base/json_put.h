/* json_put.h - JSON that is put together, checked once at its end: an object or list that there was no memory for, or
 * not for what was put into it, is NULL, and so is what it is put into. json_pack's o does the same. */
#ifndef GVM_BASE_JSON_PUT_H
#define GVM_BASE_JSON_PUT_H

#include <jansson.h>

/* Put a member into an object, replacing one of that name; the value is taken over. */
static inline void json_put(json_t **object, const char *key, json_t *value)
{
    if (json_object_set_new(*object, key, value) == 0) return;
    json_decref(*object);
    *object = NULL;
}

/* Put a value at the end of a list, which takes it over. */
static inline void json_push(json_t **list, json_t *value)
{
    if (json_array_append_new(*list, value) == 0) return;
    json_decref(*list);
    *list = NULL;
}

/* As json_dumps, to be freed; NULL without memory, or if `json` is NULL. */
char *json_write(const json_t *json, size_t flags);

/* Of text that json_load.. refused: whether memory was short, rather than the text wrong. Within a text jansson often
 * does not say so; then it says nothing, and sets no code either. */
static inline int json_is_short(const json_error_t *error)
{
    return error->text[0] == '\0' || json_error_code(error) == json_error_out_of_memory;
}

#endif
