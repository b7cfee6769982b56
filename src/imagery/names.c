/* names.c - see names.h */
#include "imagery/names.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 16 };

struct name_block {
    struct name_block *next;
    size_t used, size;
    char text[];
};

const char *names_add(struct names *names, const char *text)
{
    if (names->last != NULL && strcmp(names->last, text) == 0) return names->last;
    size_t length = strlen(text) + 1;
    struct name_block *block = names->blocks;
    if (block == NULL || block->size - block->used < length) {
        size_t size = length > BLOCK ? length : BLOCK;
        block = malloc(sizeof *block + size);
        if (block == NULL) return NULL;
        *block = (struct name_block){names->blocks, 0, size};
        names->blocks = block;
    }
    char *copy = block->text + block->used;
    block->used += length;
    return names->last = memcpy(copy, text, length);
}

void names_free(struct names *names)
{
    for (struct name_block *block = names->blocks, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    *names = (struct names){0};
}
