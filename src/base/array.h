/* array.h - a growable array whose capacity is a power of two */
#ifndef GVM_BASE_ARRAY_H
#define GVM_BASE_ARRAY_H

#include <stdlib.h>

/* Make room for item `count` (0-based) of `size` bytes each. `items` is NULL for an empty array and has come from this
 * function otherwise. Returns the array, perhaps moved; free it with free(). Returns NULL and leaves the array as it
 * was if memory runs out. */
static inline void *array_room(void *items, size_t count, size_t size)
{
    return (count & (count - 1)) != 0 ? items : realloc(items, (count > 0 ? 2 * count : 1) * size);
}

#endif
