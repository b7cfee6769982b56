/* evaluate_fov.h - retrieval with limited fields of view, DSM's protocol (Shi et al., "Where am I looking at?", CVPR
 * 2020): of each panorama of the test split a strip of columns is kept, which begins at a random one. The random
 * numbers are DSM's, numpy.random.RandomState(seed).rand() in the order of the split, the same for all fields of view.
 *
 * The other columns of the network's canvas are unseen: of the mean colour, and marked if the network has "visible". */
#ifndef GVM_TRAIN_EVALUATE_FOV_H
#define GVM_TRAIN_EVALUATE_FOV_H

#include "train/evaluate_split.h"

enum fov_heading {
    FOV_KNOWN,    /* the strip keeps its place on the canvas */
    FOV_ONE_LOOK, /* unknown: the strip's centre is taken to face north */
    FOV_TRIALS    /* unknown: it faces each of the headings that `locate` tries; a tile's score is its best one */
};

struct fov_task {
    double fov; /* degrees, > 0, <= 360 */
    enum fov_heading heading;
};

/* Evaluate the tasks; the tiles are embedded once.
 *
 *   out       (count)
 *   progress  may be NULL. If it asks to stop: GVM_OK with queries 0 in the figures of the tasks left
 *
 * Fails with GVM_ARGUMENT if the network does not take panoramas, or as evaluate_split. */
gvm_status evaluate_fov(struct evaluation *out, const struct fov_task *tasks, int count, uint32_t seed,
                        const struct network *network, const struct pictures *pictures, const struct split *split,
                        features_progress *progress, void *user, gvm_error *err);

#endif
