/* top.h - order statistics: the best of many, and the middle one. */
#ifndef GVM_BASE_TOP_H
#define GVM_BASE_TOP_H

#include <stddef.h>

struct scored {
    float score;
    int item; /* 0..n-1 */
};

/* The k best of n scores, best first; of equals the first ones. A score that is no number counts as -INFINITY.
 * best: (k), 1 <= k <= n. */
void top_scores(struct scored *best, int k, const float *scores, int n);

/* The mean of the two in the middle where n is even; NaN of none. Sorts the values. */
double median(double *values, size_t n);

#endif
