/* cost.h - estimates the decoding cost of a picture file from its structure
 *
 * A decoder may process every pixel as often as the file specifies: a file of 1 MB can take it an hour, in a single
 * call that cannot be interrupted. So the structure of each format is walked first. Any bytes are accepted: the walk
 * ends at the first error, as decoding will. */
#ifndef GVM_IMAGE_COST_H
#define GVM_IMAGE_COST_H

#include "image/bytes.h"
#include "image/kind.h"

#include <stdbool.h>

struct cost {
    uint64_t scans;    /* JPEG: passes of the decoder over the pixels */
    uint64_t pixels;   /* JPEG: width times height */
    uint64_t work;     /* JPEG: pixels over all scans, weighted by the cost of each scan */
    uint64_t segments; /* JPEG segments, TIFF directories, WebP frames */
    bool ended;        /* `stop` returned true */
};

/* header_only: walk only the part that a loader reads for the header. `stop` may be NULL; it is called regularly, and
 * true ends the walk. */
void cost_of(struct cost *cost, const struct bytes *bytes, enum picture_kind kind, bool header_only,
             bool (*stop)(void *user), void *user);

/* NULL if the cost is acceptable, else the name of what is excessive. */
const char *cost_excess(const struct cost *cost, enum picture_kind kind);

#endif
