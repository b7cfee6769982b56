/* gallery.h - a picture of queries and their best tiles, as in the paper's Figures 6 and 7. */
#ifndef GVM_TRAIN_GALLERY_H
#define GVM_TRAIN_GALLERY_H

#include "train/evaluate_split.h"

/* Write a PNG of `rows` queries, spread evenly over the split (all queries if there are fewer): row i is query i Q /
 * rows. Its street picture is at the left, with its name and the rank of the right tile below, followed by its five
 * best tiles at the network's input size. Each tile has a frame, blue if it is right and orange if not, and its name
 * and score below.
 *
 *   rankings   (queries) of the split, from evaluate_split, street to aerial
 *
 * With the tiles (H, W), the panorama (Hs, Ws) and u = max(1, H / 64), frames are 2 u thick, gaps 3 u wide, letters
 * max(9, 6 u) high: tile k's left edge is at 3 u + Ws + 3 u + 2 u + k (W + 7 u), and from a row to the next it is
 * max(Hs, H + 4 u) + 6 u and two lines (sheet_line).
 *
 * Returns GVM_OK, GVM_FILE, GVM_IMAGE, GVM_MEMORY, or as pictures_read. */
gvm_status gallery_save(const char *path, const struct ranking *rankings, const struct pictures *pictures,
                        const struct split *split, int rows, gvm_error *err);

#endif
