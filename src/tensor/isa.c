/* isa.c - selects the build of kernels.c for this machine, once */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#ifdef GVM_X86
#include <cpuid.h>
#endif

#include "tensor/gemm.h"
#include "tensor/kernels.h"

extern const struct kernels kernels_plain;
#ifdef GVM_X86
extern const struct kernels kernels_avx2, kernels_avx512;
#endif

static const struct kernels *chosen;

#ifdef GVM_X86
/* clang before 18 does not know "f16c"; if AVX2 is usable, the system saves its registers. */
static int has_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

static void choose(void)
{
    const struct kernels *tables[] = {
        &kernels_plain,
#ifdef GVM_X86
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c() ? &kernels_avx2 : NULL,
        __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512bw")
            ? &kernels_avx512
            : NULL,
#endif
    };
    const char *wanted = getenv("GVM_ISA");
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (tables[i] == NULL) continue;
        chosen = tables[i];
        if (wanted && strcmp(wanted, chosen->name) == 0) break; /* an unknown name leaves the best one */
    }
    gemm_limit_isa(chosen->level);
}

const struct kernels *kernels(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    return chosen;
}
