/* markers.h - from marker to marker of a JPEG, as libjpeg goes: over segments by their lengths, over entropy-coded data
 * byte by byte. Thumbnails lie in segments, and so are not seen. */
#ifndef GVM_IMAGE_MARKERS_H
#define GVM_IMAGE_MARKERS_H

#include "image/bytes.h"

#include <stdbool.h>

enum { APP1 = 0xe1, SCAN = 0xda };

struct markers {
    const struct bytes *bytes;
    bool (*stop)(void *user); /* asked once a part of a file is read; true: there is no marker any more; NULL: never */
    void *user;
    uint64_t next;    /* where the next one is looked for; 2 to begin with, behind the start of image */
    uint64_t content; /* of the segment: where it begins, */
    size_t size;      /* and its bytes; they may reach beyond the file's end */
};

/* The next segment's marker. 0: the image ends, or the file. */
int markers_next(struct markers *markers);

#endif
