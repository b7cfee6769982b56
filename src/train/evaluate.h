/* evaluate.h - the paper's retrieval metrics (section 4.2): recall, metres, and each query's best tiles.
 *
 * Scores are computed for a few queries at a time. */
#ifndef GVM_TRAIN_EVALUATE_H
#define GVM_TRAIN_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>

#include "geoviewmatch.h"

enum { AT_COUNT = 4, TOP_KEPT = 5 };

/* The right gallery entries of query q: items[first[q]] .. items[first[q + 1] - 1]. */
struct truth {
    int *first; /* (queries + 1), ascending */
    int *items;
};

struct retrieval {
    const float *queries, *gallery; /* (Q, looks, D), (T, D), unit vectors */
    int Q, T, D;
    int looks;               /* features of a query, whose score with a gallery entry is the best of them; 0: 1 */
    struct truth right;      /* at least one for each query; any of them is a hit */
    struct truth near;       /* ignored by the hit rate if they rank above a right entry; first NULL: none */
    const double *lat, *lon; /* (T) of the gallery, WGS84 degrees; NULL: no metres are reported */
};

/* Result for a query. */
struct ranking {
    int rank;          /* number of wrong entries that score at least as high as the best right one */
    int top[TOP_KEPT]; /* the best entries, best first; -1 after the last */
    float score[TOP_KEPT];
};

struct evaluation {
    int queries, gallery;
    int at[AT_COUNT];        /* 1, 5, 10, and 1% of the gallery: floor(T / 100), at least 1 */
    double recall[AT_COUNT]; /* percent of queries with rank < at; ties count against us */
    double hit_rate;         /* percent of queries whose best entry is right, ignoring near ones */
    bool has_metres;
    double
        within[AT_COUNT]; /* percent whose best entry is right (0 m), or closer than 36, 72, 144 m to the right one */
    double within_25m;    /* percent whose best entry is right, or closer than 25 m to the right one */
    double mean_m[AT_COUNT]; /* mean metres from the best `at` entries to the right one, over entries and queries */
    double median_m;         /* median metres of the best entry */
};

extern const double within_m[AT_COUNT]; /* 0, 36, 72, 144 */

/* best, out: (Q, most), the gallery entries with the highest scores, best first; 1 <= most <= T. Reads neither the
 * task's right entries nor its positions. Fails with GVM_MEMORY. */
gvm_status find_nearest(int *best, int most, const struct retrieval *task, gvm_error *err);

/* rankings, out: (Q), or NULL. Fails with GVM_MEMORY, or GVM_ARGUMENT if a query has no right entry. */
gvm_status evaluate(struct evaluation *out, struct ranking *rankings, const struct retrieval *task, gvm_error *err);

#endif
