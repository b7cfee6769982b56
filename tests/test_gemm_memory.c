/* test_gemm_memory.c - products for which oneDNN cannot allocate memory (through a replaced `dnnl_sgemm`): whose
 * results are invalid, and whose are not */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>
#include <oneapi/dnnl/dnnl.h>

#include "geoviewmatch.h"
#include "tensor/gemm.h"

#define WEIGHTS "tests/golden/net_narrow.safetensors"

dnnl_status_t __wrap_dnnl_sgemm(char op_a, char op_b, dnnl_dim_t M, dnnl_dim_t N, dnnl_dim_t K, float alpha,
                                const float *A, dnnl_dim_t lda, const float *B, dnnl_dim_t ldb, float beta, float *C,
                                dnnl_dim_t ldc);
dnnl_status_t __real_dnnl_sgemm(char op_a, char op_b, dnnl_dim_t M, dnnl_dim_t N, dnnl_dim_t K, float alpha,
                                const float *A, dnnl_dim_t lda, const float *B, dnnl_dim_t ldb, float beta, float *C,
                                dnnl_dim_t ldc);

enum { DOOMED = 3, ELSEWHERE = 1, HERE };

static const float doomed[DOOMED * DOOMED]; /* a product with this matrix fails */
static atomic_int failing;                  /* HERE: every product fails; ELSEWHERE: another thread's starts then */

static void multiply(void *argument, struct team team)
{
    float c[DOOMED * DOOMED];
    (void)team;
    gemm('N', 'N', DOOMED, DOOMED, DOOMED, argument, DOOMED, argument, DOOMED, 0, c, DOOMED);
}

static void *fail_in_team(void *argument)
{
    unsigned before = gemm_failures();
    parallel_run(multiply, (void *)(size_t)doomed);
    *(unsigned *)argument = gemm_failures() - before;
    return NULL;
}

/* Returns the number of failures counted for a new thread. */
static unsigned fail_elsewhere(void)
{
    unsigned failed = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fail_in_team, &failed), 0);
    pthread_join(thread, NULL);
    return failed;
}

dnnl_status_t __wrap_dnnl_sgemm(char op_a, char op_b, dnnl_dim_t M, dnnl_dim_t N, dnnl_dim_t K, float alpha,
                                const float *A, dnnl_dim_t lda, const float *B, dnnl_dim_t ldb, float beta, float *C,
                                dnnl_dim_t ldc)
{
    if (A == doomed || failing == HERE) return dnnl_out_of_memory;
    int elsewhere = ELSEWHERE;
    if (atomic_compare_exchange_strong(&failing, &elsewhere, 0)) fail_elsewhere();
    return __real_dnnl_sgemm(op_a, op_b, M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
}

/* Failures in a thread's team count for that thread only, whatever other teams are at work. */
static void whose_failures(void **state)
{
    (void)state;
    unsigned before = gemm_failures();
    assert_int_equal(fail_elsewhere(), parallel_threads());
    assert_int_equal(gemm_failures(), before);
    multiply((void *)(size_t)doomed, (struct team){0, 1});
    assert_int_equal(gemm_failures(), before + 1);
    parallel_run(multiply, (void *)(size_t)doomed);
    assert_int_equal(gemm_failures(), before + 1 + (unsigned)parallel_threads());
}

/* A team within a team, and a team that works for another thread afterwards. */
static void nest(void *argument, struct team team)
{
    if (team.rank == 0) parallel_run(multiply, argument);
}

static void nested(void **state)
{
    (void)state;
    unsigned before = gemm_failures();
    parallel_run(nest, (void *)(size_t)doomed);
    unsigned failed = gemm_failures() - before;
    assert_true(failed >= 1 && failed <= (unsigned)parallel_threads());
    assert_int_equal(fail_elsewhere(), parallel_threads());
    assert_int_equal(gemm_failures(), before + failed);
}

/* Lack of memory in one session invalidates its own result and no other. */
static void sessions(void **state)
{
    (void)state;
    gvm_model *model;
    gvm_session *session;
    gvm_error err;
    assert_int_equal(gvm_model_open(&model, WEIGHTS, &err), GVM_OK);
    assert_int_equal(gvm_session_open(&session, model, 1, &err), GVM_OK);
    gvm_model_info info = {.size = sizeof info};
    gvm_view_info view = {.size = sizeof view};
    assert_int_equal(gvm_model_about(model, &info, &err), GVM_OK);
    assert_int_equal(gvm_view_about(model, GVM_STREET, &view, &err), GVM_OK);
    unsigned char *pixels = calloc((size_t)view.height * (size_t)view.width, 3);
    float *features = malloc((size_t)info.features * sizeof *features);
    failing = ELSEWHERE;
    if (gvm_embed_pixels(session, GVM_STREET, features, pixels, 1, &err) != GVM_OK) fail_msg("%s", err.text);
    assert_int_equal(failing, 0);
    failing = HERE;
    assert_int_equal(gvm_embed_pixels(session, GVM_STREET, features, pixels, 1, &err), GVM_MEMORY);
    failing = 0;
    assert_int_equal(gvm_embed_pixels(session, GVM_STREET, features, pixels, 1, &err), GVM_OK);
    free(pixels);
    free(features);
    gvm_session_free(session);
    gvm_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whose_failures), cmocka_unit_test(nested),
                                       cmocka_unit_test(sessions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
