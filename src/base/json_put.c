/* json_put.c - see json_put.h. */
#include "base/json_put.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct growing {
    char *text;
    size_t size, room;
    bool failed;
};

static int add(const char *piece, size_t size, void *user)
{
    struct growing *g = user;
    if (g->size + size >= g->room && !g->failed) {
        size_t room = 2 * (g->size + size) + 64;
        char *text = realloc(g->text, room);
        g->failed = text == NULL;
        if (text != NULL) g->text = text, g->room = room;
    }
    if (g->failed) return -1;
    memcpy(g->text + g->size, piece, size);
    g->size += size;
    g->text[g->size] = '\0';
    return 0;
}

/* json_dumps of jansson 2.14 and before ends well when memory is short amid a key, whose rest is then missing. */
char *json_write(const json_t *json, size_t flags)
{
    struct growing g = {NULL, 0, 0, false};
    if (json != NULL && json_dump_callback(json, add, &g, flags) == 0 && !g.failed) return g.text;
    free(g.text);
    return NULL;
}
