/* top.h - top-k selection and the median */
#ifndef GVM_BASE_TOP_H
#define GVM_BASE_TOP_H

#include <stddef.h>

struct scored {
    float score;
    int item; /* 0..n-1 */
};

/* The k best of n scores, best first; ties in order of their index. NaN counts as -INFINITY. best: (k), 1 <= k <= n. */
void top_scores(struct scored *best, int k, const float *scores, int n);

/* The mean of the two middle values if n is even; NaN if n is 0. Sorts `values`. */
double median(double *values, size_t n);

#endif
