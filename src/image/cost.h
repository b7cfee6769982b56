/* cost.h - what a picture file would cost to decode, from its structure alone.
 *
 * A decoder is asked for pixels, and may go over all of them as often as the file says: a megabyte can take it an hour,
 * in one call that nothing ends. So each format's structure is walked first. Whatever the bytes are is fine: where they
 * are broken, the walk ends, as the decoder will. */
#ifndef GVM_IMAGE_COST_H
#define GVM_IMAGE_COST_H

#include "image/bytes.h"
#include "image/kind.h"

#include <stdbool.h>

struct cost {
    uint64_t scans;    /* JPEG: times that a decoder goes over the pixels */
    uint64_t pixels;   /* JPEG: of the picture */
    uint64_t work;     /* JPEG: pixels that all scans go over, in those that take longer several times as many */
    uint64_t segments; /* JPEG's segments, TIFF's directories, WebP's frames */
    bool ended;        /* `stop` said so */
};

/* header_only: as far as a loader reads for the header. stop, which may be NULL, is asked now and then; true ends the
 * walk. */
void cost_of(struct cost *cost, const struct bytes *bytes, enum picture_kind kind, bool header_only,
             bool (*stop)(void *user), void *user);

/* NULL, or what there is too much of. */
const char *cost_excess(const struct cost *cost, enum picture_kind kind);

#endif
