/* check.h - finds faults of a data set before training. */
#ifndef GVM_DATA_CHECK_H
#define GVM_DATA_CHECK_H

#include "data/dataset.h"

enum fault {
    FAULT_MISSING,      /* a picture does not exist */
    FAULT_UNREADABLE,   /* a picture cannot be decoded, or a street picture is not a panorama */
    FAULT_SIZE,         /* a picture has another size or aspect ratio than the others */
    FAULT_DOUBLED,      /* two positions have the same file, or files with the same content */
    FAULT_TWO_SPLITS,   /* a pair is in the training and the test split */
    FAULT_OUT_OF_RANGE, /* a position is not on Earth */
    FAULT_DISAGREE,     /* a street picture was taken outside of its aerial picture */
    FAULTS
};

/* "missing", "unreadable", "mis_sized", "doubled", "two_splits", "out_of_range", "disagree" */
extern const char *const fault_names[FAULTS];

struct finding {
    enum fault fault;
    const char *split; /* "train", "test", "both"; "all" if the data set has no splits */
    char *id;          /* of the street picture; empty for a tile */
    char *path;
    char *detail; /* a sentence, or part of one */
};

struct findings {
    struct finding *items;
    size_t count;
    size_t of[FAULTS];
    size_t pictures; /* number of pictures checked */
    size_t harmless; /* findings that are expected: missing pictures of published labels with gaps, up to a twentieth */
};

/* Check the labels and read every picture, on all threads. The data set must have been opened with as_listed.
 *
 *   done  called on the calling thread with the number of pictures done and in all; may be NULL
 *
 * The findings and their order do not depend on the number of threads. The caller frees them with findings_free, also
 * on failure. Fails with GVM_MEMORY. */
gvm_status dataset_check(struct findings *findings, const struct dataset *dataset,
                         void (*done)(void *user, size_t done, size_t total), void *user, gvm_error *err);
void findings_free(struct findings *findings);

#endif
