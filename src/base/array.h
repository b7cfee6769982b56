/* array.h - an array that grows item by item: its room is always a power of two. */
#ifndef GVM_BASE_ARRAY_H
#define GVM_BASE_ARRAY_H

#include <stdlib.h>

/* The array, moved where it must be, with room for an item of `size` bytes behind the `count` that it has; NULL, and it
 * is as before, if there is not enough memory. Begins as NULL with no item; to be freed with free. */
static inline void *array_room(void *items, size_t count, size_t size)
{
    return (count & (count - 1)) != 0 ? items : realloc(items, (count > 0 ? 2 * count : 1) * size);
}

#endif
