/* session.c - the process's threads, sessions (the memory to run a model), and embedding. */
#include "network/session.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "tensor/device.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

enum { MAX_BATCH = 256 };

/* ------------------------------------------------------------------ the process */

static pthread_mutex_t process = PTHREAD_MUTEX_INITIALIZER;
static long holders; /* sessions and calls that need the number of threads unchanged */

const char *gvm_version(void)
{
    return GVM_VERSION;
}

const char *gvm_instructions(void)
{
    return kernels()->name;
}

void gvm_free(void *text)
{
    free(text);
}

int gvm_threads(void)
{
    return parallel_threads();
}

/* OpenMP's runtime aborts the process if it cannot start a thread, so the limit is far below the system's. */
static int most_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores <= 16) return 64;
    return cores < 256 ? (int)(4 * cores) : 1024;
}

gvm_status gvm_set_threads(int count, gvm_error *err)
{
    clear_error(err);
    int most = most_threads();
    if (count < 1 || count > most)
        return fail(err, GVM_ARGUMENT, "%d threads are out of range; expected 1 to %d on this machine", count, most);
    gvm_status status = GVM_OK;
    pthread_mutex_lock(&process);
    if (holders == 0)
        parallel_set_threads(count);
    else
        status =
            fail(err, GVM_ARGUMENT, "the number of threads cannot change while a session is open or a search runs");
    pthread_mutex_unlock(&process);
    return status;
}

static void count_holder(int change)
{
    pthread_mutex_lock(&process);
    holders += change;
    pthread_mutex_unlock(&process);
}

void threads_hold(void)
{
    count_holder(+1);
}

void threads_release(void)
{
    count_holder(-1);
}

/* ------------------------------------------------------------------ sessions */

gvm_status gvm_session_open(gvm_session **session, const gvm_model *model, int max_batch, gvm_error *err)
{
    clear_error(err);
    *session = NULL;
    if (max_batch < 1 || max_batch > MAX_BATCH)
        return fail(err, GVM_ARGUMENT, "batch size %d is out of range; expected 1 to %d", max_batch, MAX_BATCH);
    gvm_session *s = calloc(1, sizeof *s);
    if (s == NULL) return fail(err, GVM_MEMORY, "out of memory for a session");
    s->model = model;
    s->max_batch = max_batch;
    threads_hold();
    gvm_status status = GVM_OK;
    for (int v = 0; v < 2 && status == GVM_OK; v++)
        status = embedder_open(&s->embedders[v], model->network, v, max_batch, err);
    if (status == GVM_OK)
        *session = s;
    else
        gvm_session_free(s);
    return status;
}

void gvm_session_free(gvm_session *session)
{
    if (session == NULL) return;
    for (int v = 0; v < 2; v++) embedder_free(session->embedders[v]);
    free(session);
    threads_release();
}

/* ------------------------------------------------------------------ embedding */

/* Keep a device's failure for fail_run. */
static bool keep(gvm_session *session, gvm_status status, const gvm_error *err)
{
    session->failure.text[0] = '\0';
    if (status == GVM_DEVICE) session->failure = *err;
    return status == GVM_OK;
}

bool session_embed(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels, size_t n)
{
    gvm_error err;
    return keep(session, embedder_run(session->embedders[view], features, pixels, n, &err), &err);
}

bool session_embed_turns(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels, size_t n)
{
    gvm_error err;
    return keep(session, embedder_run_turns(session->embedders[view], features, pixels, n, &err), &err);
}

bool session_embed_shared(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels, size_t n,
                          const int *which, size_t places)
{
    gvm_error err;
    return keep(session, embedder_run_shared(session->embedders[view], features, pixels, n, which, places, &err), &err);
}

gvm_status fail_run(gvm_error *err, const gvm_session *session, size_t pictures)
{
    if (session->failure.text[0] != '\0') return fail(err, GVM_DEVICE, "%s", session->failure.text);
    return fail(err, GVM_MEMORY, "cannot run the network on %zu pictures: out of memory", pictures);
}

gvm_status gvm_embed_pixels(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels, size_t n,
                            gvm_error *err)
{
    clear_error(err);
    gvm_status status = check_view(view, err);
    if (status != GVM_OK) return status;
    if (!session_embed(session, view, features, pixels, n)) return fail_run(err, session, n);
    size_t D = (size_t)session->model->info.features;
    for (size_t i = 0; i < n; i++)
        if (!is_feature(features + i * D, D))
            return fail(err, GVM_FORMAT,
                        "the model's output for picture %zu is not a unit vector; the weights are corrupt", i);
    return GVM_OK;
}

bool mean_feature(float *out, const float *features, int views, size_t n)
{
    for (int k = 0; k < views; k++)
        if (!is_feature(features + (size_t)k * n, n)) return false;
    if (views == 1) {
        memmove(out, features, n * sizeof *out);
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (int k = 0; k < views; k++) sum += features[(size_t)k * n + i];
        out[i] = (float)(sum / views);
    }
    return is_query(out, n);
}

gvm_status fail_embedding(gvm_error *err, const gvm_session *session, bool ran, const char *path)
{
    if (!ran && session->failure.text[0] != '\0')
        return fail(err, GVM_DEVICE, "%s: %s", path_tail(path), session->failure.text);
    if (!ran) return fail(err, GVM_MEMORY, "%s: cannot run the network on it: out of memory", path_tail(path));
    return fail(err, GVM_FORMAT, "%s: the model's output for it is not a unit vector; the weights are corrupt",
                path_tail(path));
}
