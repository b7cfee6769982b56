/* bench.c - see bench.h */
#include "cli/bench.h"

#include "base/clock.h"
#include "base/parallel.h"
#include "tensor/device.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

void raise_to(double *best, double value)
{
    if (value > *best) *best = value;
}

void lower_to(double *best, double value)
{
    if (*best == 0 || value < *best) *best = value;
}

static void run_fma(void *argument, struct team team)
{
    double operations = kernels()->peak(3000000);
    if (team.rank == 0) *(double *)argument = operations * team.size;
}

void measure_peak(struct peak *peak, struct tape *tape)
{
    if (tape && tape->device->peak) {
        raise_to(&peak->product, 1e-9 * tape->device->peak(tape));
        return;
    }
    double operations, start = clock_seconds();
    parallel_run(run_fma, &operations);
    raise_to(&peak->fma, operations / (clock_seconds() - start) * 1e-9);
    raise_to(&peak->product, gemm_peak());
}

double peak_of(const struct peak *peak)
{
    return peak->fma > peak->product ? peak->fma : peak->product;
}
