/* names.h - texts that live together: the paths of a map's pictures. One that follows its like is kept once, so a
 * million tiles out of one raster share its path. */
#ifndef GVM_IMAGERY_NAMES_H
#define GVM_IMAGERY_NAMES_H

#include <stddef.h>

struct names {
    struct name_block *blocks; /* the newest first */
    const char *last;
};

/* A copy that lives until names_free; NULL where there is no memory. */
const char *names_add(struct names *names, const char *text);

void names_free(struct names *names); /* leaves it empty */

#endif
