/* markers.h - iterates over the markers of a JPEG, as libjpeg does: segments are skipped by their length, entropy-coded
 * data byte by byte. Thumbnails are inside segments and thus not visited. */
#ifndef GVM_IMAGE_MARKERS_H
#define GVM_IMAGE_MARKERS_H

#include "image/bytes.h"

#include <stdbool.h>

enum { APP1 = 0xe1, SCAN = 0xda };

struct markers {
    const struct bytes *bytes;
    bool (*stop)(void *user); /* called for each part read from a file; true ends the iteration; may be NULL */
    void *user;
    uint64_t next;    /* offset to search from; starts at 2, after the start-of-image marker */
    uint64_t content; /* offset of the segment's content, */
    size_t size;      /* and its size in bytes; may extend beyond the end of the file */
};

/* The marker of the next segment. 0 at the end of the image or file. */
int markers_next(struct markers *markers);

#endif
