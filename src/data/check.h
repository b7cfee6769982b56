/* check.h - what is wrong with a data set, found before a night of training does. */
#ifndef GVM_DATA_CHECK_H
#define GVM_DATA_CHECK_H

#include "data/dataset.h"

enum fault {
    FAULT_MISSING,      /* a picture that is not there */
    FAULT_UNREADABLE,   /* one that cannot be decoded, or a street picture that is no panorama */
    FAULT_SIZE,         /* one of another size or shape than the others */
    FAULT_DOUBLED,      /* the same content, or the same file, for two places */
    FAULT_TWO_SPLITS,   /* trained with and tested with */
    FAULT_OUT_OF_RANGE, /* a place that is not on Earth */
    FAULT_DISAGREE,     /* a street picture taken outside its aerial picture */
    FAULTS
};

/* "missing", "unreadable", "mis_sized", "doubled", "two_splits", "out_of_range", "disagree" */
extern const char *const fault_names[FAULTS];

struct finding {
    enum fault fault;
    const char *split; /* "train", "test", "both"; "all" where the data set is undivided */
    char *id;          /* of the street picture; empty for a tile */
    char *path;
    char *detail; /* a sentence, or part of one */
};

struct findings {
    struct finding *items;
    size_t count;
    size_t of[FAULTS];
    size_t pictures; /* that were looked for */
    size_t harmless; /* of all findings: missing pictures of labels with gaps, where they are a twentieth at most */
};

/* Look at the labels and read every picture, on all threads. The data set was opened as_listed.
 *
 *   done  told from the calling thread how many of so many pictures are done; may be NULL
 *
 * GVM_MEMORY. To be freed with findings_free, also on failure. The same findings in the same order whatever the
 * number of threads. */
gvm_status dataset_check(struct findings *findings, const struct dataset *dataset,
                         void (*done)(void *user, size_t done, size_t total), void *user, gvm_error *err);
void findings_free(struct findings *findings);

#endif
