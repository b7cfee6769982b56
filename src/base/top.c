/* top.c - see top.h */
#include "base/top.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Whether a ranks after b: a lower score, or at equal scores the later item. */
static bool behind(struct scored a, struct scored b)
{
    return a.score < b.score || (a.score == b.score && a.item > b.item);
}

static void sift_down(struct scored *heap, int n, int at)
{
    for (int child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && behind(heap[child + 1], heap[child])) child++;
        if (!behind(heap[child], heap[at])) return;
        struct scored swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
    }
}

/* Keeps the k best in a heap whose root is the worst of them. */
void top_scores(struct scored *best, int k, const float *scores, int n)
{
    for (int i = 0; i < k; i++) best[i] = (struct scored){scores[i] > -INFINITY ? scores[i] : -INFINITY, i};
    for (int i = k / 2 - 1; i >= 0; i--) sift_down(best, k, i);
    for (int i = k; i < n; i++)
        if (scores[i] > best[0].score) {
            best[0] = (struct scored){scores[i], i};
            sift_down(best, k, 0);
        }
    for (int left = k - 1; left > 0; left--) { /* heapsort: move the worst to the end */
        struct scored worst = best[0];
        best[0] = best[left];
        best[left] = worst;
        sift_down(best, left, 0);
    }
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(double *values, size_t n)
{
    if (n == 0) return NAN;
    qsort(values, n, sizeof *values, compare_doubles);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}
