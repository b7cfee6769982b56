/* bench.h - what the parts of `bench` share. */
#ifndef GVM_CLI_BENCH_H
#define GVM_CLI_BENCH_H

#include <stdbool.h>

double now(void); /* seconds */
void raise_to(double *best, double value);
void lower_to(double *best, double value); /* 0 is no value yet */

/* GFLOP/s on all threads, each the best so far: multiply-adds in registers, and oneDNN's best product. */
struct peak {
    double fma, product;
};

void measure_peak(struct peak *peak);
double peak_of(const struct peak *peak); /* the larger */

/* `bench --search`: one query and a batch among `tiles` tiles of D numbers, 0 for 100,000 or what memory has room for.
 * The exit status. */
int bench_search(long tiles, int D, long rounds, bool json, bool quiet);

#endif
