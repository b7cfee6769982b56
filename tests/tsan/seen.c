/* seen.c - in a build for ThreadSanitizer: what uninstrumented libraries do, made visible to it.
 *
 * GLib's mutexes and conditions are futexes of its own, on which libvips calls our code back from threads of its own.
 * Each call here goes on to GLib's function and says what it orders. oneDNN's product reads and writes matrices of
 * ours: each of its rows is said to be. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <glib.h>
#include <oneapi/dnnl/dnnl.h>
#include <sanitizer/tsan_interface.h>
#include <stdatomic.h>

/* ------------------------------------------------------------------ GLib */

#undef g_once_init_enter
#undef g_once_init_leave
#define SHOWN __attribute__((visibility("default")))

/* The library's own function, found once. */
#define REAL(name)                                                 \
    static _Atomic(__typeof__(&name)) real;                        \
    if (atomic_load_explicit(&real, memory_order_relaxed) == NULL) \
    atomic_store_explicit(&real, (__typeof__(&name))dlsym(RTLD_NEXT, #name), memory_order_relaxed)

SHOWN void g_mutex_lock(GMutex *mutex)
{
    REAL(g_mutex_lock);
    real(mutex);
    __tsan_acquire(mutex);
}

SHOWN gboolean g_mutex_trylock(GMutex *mutex)
{
    REAL(g_mutex_trylock);
    gboolean locked = real(mutex);
    if (locked) __tsan_acquire(mutex);
    return locked;
}

SHOWN void g_mutex_unlock(GMutex *mutex)
{
    REAL(g_mutex_unlock);
    __tsan_release(mutex);
    real(mutex);
}

SHOWN void g_cond_wait(GCond *cond, GMutex *mutex)
{
    REAL(g_cond_wait);
    __tsan_release(mutex);
    real(cond, mutex);
    __tsan_acquire(mutex);
}

SHOWN gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end)
{
    REAL(g_cond_wait_until);
    __tsan_release(mutex);
    gboolean signalled = real(cond, mutex, end);
    __tsan_acquire(mutex);
    return signalled;
}

SHOWN gpointer g_once_impl(GOnce *once, GThreadFunc make, gpointer argument)
{
    REAL(g_once_impl);
    gpointer made = real(once, make, argument);
    __tsan_release(once);
    __tsan_acquire(once);
    return made;
}

SHOWN gboolean g_once_init_enter(volatile void *location)
{
    REAL(g_once_init_enter);
    gboolean first = real(location);
    if (!first) __tsan_acquire((void *)(gsize)location);
    return first;
}

SHOWN void g_once_init_leave(volatile void *location, gsize value)
{
    REAL(g_once_init_leave);
    __tsan_release((void *)(gsize)location);
    real(location, value);
}

/* ------------------------------------------------------------------ oneDNN */

static void rows_read(const float *x, dnnl_dim_t rows, dnnl_dim_t columns, dnnl_dim_t stride)
{
    for (dnnl_dim_t i = 0; i < rows; i++)
        __tsan_read_range((void *)(gsize)(x + i * stride), (unsigned long)columns * sizeof *x);
}

SHOWN dnnl_status_t dnnl_sgemm(char op_a, char op_b, dnnl_dim_t M, dnnl_dim_t N, dnnl_dim_t K, float alpha,
                               const float *A, dnnl_dim_t lda, const float *B, dnnl_dim_t ldb, float beta, float *C,
                               dnnl_dim_t ldc)
{
    REAL(dnnl_sgemm);
    rows_read(A, op_a == 'N' ? M : K, op_a == 'N' ? K : M, lda);
    rows_read(B, op_b == 'N' ? K : N, op_b == 'N' ? N : K, ldb);
    dnnl_status_t status = real(op_a, op_b, M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
    for (dnnl_dim_t i = 0; i < M; i++) __tsan_write_range(C + i * ldc, (unsigned long)N * sizeof *C);
    return status;
}
