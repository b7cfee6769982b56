/* piece_ring.h - threads that cut pieces of imagery ahead, taken in order by one. */
#ifndef GVM_IMAGERY_PIECE_RING_H
#define GVM_IMAGERY_PIECE_RING_H

#include "imagery/imagery.h"

struct piece_ring;

/* Start to cut at a piece. ahead: how many places should be ready at a time, at least. GVM_MEMORY. */
gvm_status piece_ring_open(struct piece_ring **ring, const struct imagery *imagery, const gvm_model *model,
                           size_t first, size_t ahead, gvm_error *err);

/* Wait for the next piece, which is good until the next call; NULL after the last. */
const struct piece *piece_ring_next(struct piece_ring *ring);

/* Also before the end. NULL is fine. */
void piece_ring_free(struct piece_ring *ring);

#endif
