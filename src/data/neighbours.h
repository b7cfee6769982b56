/* neighbours.h - batches of neighbours, as Sample4Geo fills them: what lies or looks alike stands together. */
#ifndef GVM_DATA_NEIGHBOURS_H
#define GVM_DATA_NEIGHBOURS_H

#include "data/dataset.h"

enum { NEIGHBOURS = 128 }; /* of a query that are looked at, besides its own tile */

/* Whether all tiles that have a query have a place. */
bool neighbours_have_places(const struct split *split);

/* Each query's nearest tiles by the distance on the ground between the tiles' centres, of those that have a query:
 * nearest first, its own among them, of equal ones that with the lower number. Tiles must have places.
 *
 *   nearest  out: (query_count, most); -1 where there are no more
 *
 * Returns GVM_OK or GVM_MEMORY. */
gvm_status neighbours_by_place(int *nearest, int most, const struct split *split, gvm_error *err);

/* The batches of an epoch. A batch is a seed, the next query in drawn order that is not yet used; then those on the
 * seed's 32 nearest tiles and on 32 at random of the next 96; then another seed with its own, until the batch is full.
 * No query stands twice in an epoch, no tile twice in a batch: a seed whose tile is there already waits at the end of
 * the line, and of the unused queries on a neighbouring tile one is drawn. The last batch is dropped where it does not
 * fill, and 1,024 seeds in a row that are used or have to wait end the epoch: it need not come by every query.
 *
 *   order    out: room for (query_count); batch i is order[i B] .. order[i B + B - 1]
 *   batches  out: how many there are
 *   nearest  (query_count, most) tiles, nearest first, -1 where there are no more; its own is passed over
 *
 * A function of its arguments alone. Returns GVM_OK, GVM_ARGUMENT (not one batch fills) or GVM_MEMORY. */
gvm_status neighbours_order(int *order, int *batches, const int *nearest, int most, int B, const struct split *split,
                            uint64_t seed, uint64_t epoch, gvm_error *err);

#endif
