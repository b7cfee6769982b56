/* evaluate.h - the paper's figures for retrieval (section 4.2): recall, metres, and each query's best tiles.
 *
 * The gallery's features are held once; scores exist for a few queries at a time. */
#ifndef GVM_TRAIN_EVALUATE_H
#define GVM_TRAIN_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>

#include "geoviewmatch.h"

enum { AT_COUNT = 4, TOP_KEPT = 5 };

/* Which gallery entries answer a query: items[first[q]] .. items[first[q + 1] - 1]. */
struct truth {
    int *first; /* (queries + 1), rising */
    int *items;
};

struct retrieval {
    const float *queries, *gallery; /* (Q, D), (T, D), rows of length 1 */
    int Q, T, D;
    struct truth right;      /* at least one a query; a hit is any of them */
    struct truth near;       /* ranked above a right one they are no miss in the hit rate; first NULL: none */
    const double *lat, *lon; /* (T) of the gallery, WGS84 degrees; NULL where metres mean nothing */
};

/* What came out for one query. */
struct ranking {
    int rank;          /* gallery entries that are not right and score no less than the best right one */
    int top[TOP_KEPT]; /* the best entries, best first; -1 past the gallery's end */
    float score[TOP_KEPT];
};

struct evaluation {
    int queries, gallery;
    int at[AT_COUNT];        /* 1, 5, 10, and 1% of the gallery: floor(T / 100), at least 1 */
    double recall[AT_COUNT]; /* percent of queries with rank < at; ties count against us */
    double hit_rate;         /* percent whose best entry, near ones set aside, is right */
    bool has_metres;
    double
        within[AT_COUNT]; /* percent whose best entry is right (0 m), or closer than 36, 72, 144 m to the right one */
    double mean_m[AT_COUNT]; /* metres from the best `at` entries to the right one, over all of them, over queries */
    double median_m;         /* of the best entry's metres */
};

extern const double within_m[AT_COUNT]; /* 0, 36, 72, 144 */

/* best: out, (Q, most), the gallery's entries of the highest scores, best first; 1 <= most <= T. task's answers and
 * places are not read. GVM_MEMORY. */
gvm_status find_nearest(int *best, int most, const struct retrieval *task, gvm_error *err);

/* rankings: (Q), or NULL. GVM_MEMORY, or GVM_ARGUMENT for a query without a right entry. */
gvm_status evaluate(struct evaluation *out, struct ranking *rankings, const struct retrieval *task, gvm_error *err);

#endif
