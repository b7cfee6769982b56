/* grow.h - an array that grows as it is filled. */
#ifndef GVM_BASE_GROW_H
#define GVM_BASE_GROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* Room for one more behind `count` items of `each` bytes; the room doubles. array: the address of the pointer to them,
 * NULL to begin with. False without memory: all is as it was. */
static inline bool array_grow(void *array, size_t *room, size_t count, size_t each)
{
    void **items = (void **)array;
    if (count < *room) return true;
    size_t more = *room > 0 ? 2 * *room : 64;
    void *grown = realloc(*items, more * each);
    if (grown == NULL) return false;
    *items = grown;
    *room = more;
    return true;
}

#endif
