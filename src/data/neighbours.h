/* neighbours.h - Sample4Geo's batches: pairs that are near each other, or similar, are put in the same batch. */
#ifndef GVM_DATA_NEIGHBOURS_H
#define GVM_DATA_NEIGHBOURS_H

#include "data/dataset.h"

enum { NEIGHBOURS = 128 }; /* nearest tiles of a query that are considered, besides its own tile */

/* Returns true if all tiles with a query have a position. */
bool neighbours_have_places(const struct split *split);

/* Each query's nearest tiles by ground distance between tile centres, among tiles with a query: nearest first,
 * including its own; the lower index first on a tie. Tiles must have positions.
 *
 *   nearest  out: (query_count, most); -1 after the last
 *
 * Returns GVM_OK or GVM_MEMORY. */
gvm_status neighbours_by_place(int *nearest, int most, const struct split *split, gvm_error *err);

/* Make the batches of an epoch. A batch begins with a seed, the next unused query in shuffled order; then come queries
 * on the seed's 32 nearest tiles and on 32 random ones of the next 96; then another seed, until the batch is full. No
 * query is used twice in an epoch, and no tile twice in a batch: a seed whose tile is already in the batch goes to the
 * end of the queue, and one unused query is drawn for each neighbouring tile. An incomplete last batch is dropped.
 * 1,024 seeds in a row that are used or must wait end the epoch, so an epoch need not contain every query.
 *
 *   order    out: room for (query_count); batch i is order[i B] .. order[i B + B - 1]
 *   batches  out: how many there are
 *   nearest  (query_count, most) tiles, nearest first, -1 after the last; the query's own tile is skipped
 *
 * The result depends only on the arguments. Returns GVM_OK, GVM_ARGUMENT (not one batch can be filled) or GVM_MEMORY.
 */
gvm_status neighbours_order(int *order, int *batches, const int *nearest, int most, int B, const struct split *split,
                            uint64_t seed, uint64_t epoch, gvm_error *err);

#endif
