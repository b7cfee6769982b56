/* test_kernels_gemm.c - matrix products as the layers use them: signals during a product */
#define _GNU_SOURCE /* pthread_getattr_np */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#include "layer_support.h"
#include "tensor/gemm.h"

static const char *low, *high; /* the test's own stack */
static volatile sig_atomic_t taken, astray;

/* The handler's frame shows which stack the interrupted code used. */
static void take(int number)
{
    const char *at = __builtin_frame_address(0); /* under AddressSanitizer a variable may be elsewhere */
    (void)number;
    if (at < low || at >= high) astray = astray + 1;
    taken = taken + 1;
}

static void find_stack(void)
{
    pthread_attr_t attributes;
    void *start;
    size_t size;
    assert_int_equal(pthread_getattr_np(pthread_self(), &attributes), 0);
    assert_int_equal(pthread_attr_getstack(&attributes, &start, &size), 0);
    pthread_attr_destroy(&attributes);
    low = start;
    high = low + size;
}

static void tick(long microseconds)
{
    struct itimerval t = {{0, microseconds}, {0, microseconds}};
    assert_int_equal(setitimer(ITIMER_REAL, &t, NULL), 0);
}

/* Two of the products for which oneDNN uses a stack on the heap, with AVX2 and with AVX-512 (gemm.c). */
static void test_signals(void **state)
{
    enum { M = 64, N = 384, K = 3072, SMALL = 8, SIGNALS = 100 };
    float *a = calloc(M * K, sizeof *a), *b = calloc(N * K, sizeof *b), *c = calloc(M * N, sizeof *c);
    struct sigaction act = {.sa_handler = take, .sa_flags = SA_RESTART};
    (void)state;
    assert_true(a && b && c);
    find_stack();
    sigaction(SIGALRM, &act, NULL);
    tick(500);
    while (taken < SIGNALS) {
        gemm('N', 'T', M, N, K, a, K, b, K, 0, c, N);
        for (int i = 0; i < 100; i++) gemm('N', 'N', SMALL, SMALL, K, a, K, b, SMALL, 0, c, SMALL);
    }
    tick(0);
    signal(SIGALRM, SIG_IGN);
    assert_int_equal(astray, 0);
    free(a);
    free(b);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_signals)};
    return run_layer_tests(tests, 1);
}
