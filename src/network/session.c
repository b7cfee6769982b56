/* session.c - opened weights, the memory they run in, and pictures made into features. */
#include "network/session.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "image/panorama.h"
#include "network/checkpoint.h"
#include "tensor/device.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

enum { MAX_BATCH = 256, RECORDED = 16 /* pictures: a device repeats batches up to these, and full ones */ };

/* ------------------------------------------------------------------ the process */

static pthread_mutex_t process = PTHREAD_MUTEX_INITIALIZER;
static long holders; /* of the number of threads */

const char *gvm_version(void)
{
    return GVM_VERSION;
}

const char *gvm_instructions(void)
{
    return kernels()->name;
}

int gvm_threads(void)
{
    return parallel_threads();
}

/* OpenMP's runtime ends the process where it cannot start a thread, so the number stays far below what systems allow.
 */
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
        return fail(err, GVM_ARGUMENT, "%d threads are not in the range of 1 to %d that this machine can use", count,
                    most);
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

/* ------------------------------------------------------------------ weights */

static gvm_model_info describe(const struct network *network)
{
    const struct config *c = &network->config;
    gvm_model_info info = {
        .street_height = c->street[0],
        .street_width = c->street[1],
        .aerial_height = c->aerial[0],
        .aerial_width = c->aerial[1],
        .features = network->views[GVM_STREET].features,
        .ground_m = c->ground_m,
        .elevation_low = c->elevation[0],
        .elevation_high = c->elevation[1],
        .parameters = (long long)network_parameters(network),
    };
    network_fingerprint(info.fingerprint, network);
    return info;
}

gvm_status gvm_model_open(gvm_model **model, const char *path, gvm_error *err)
{
    clear_error(err);
    *model = NULL;
    const char *where = path != NULL ? path_tail(path) : "nano";
    gvm_model *m = calloc(1, sizeof *m);
    if (m == NULL) return fail(err, GVM_MEMORY, "%s: there is not enough memory to open it", where);
    gvm_status status = checkpoint_load(&m->network, path, false, err);
    if (status == GVM_OK) {
        m->info = describe(m->network);
        status = network_place(m->network, err);
    }
    if (status == GVM_MEMORY) fail(err, status, "%s: there is not enough memory for its network", where);
    if (status == GVM_OK)
        *model = m;
    else
        gvm_model_free(m);
    return status;
}

void gvm_model_free(gvm_model *model)
{
    if (model == NULL) return;
    network_free(model->network);
    free(model);
}

gvm_model_info gvm_model_about(const gvm_model *model)
{
    return model->info;
}

const int *view_size(const gvm_model *model, gvm_view view)
{
    const struct config *c = &model->network->config;
    return view == GVM_STREET ? c->street : c->aerial;
}

/* ------------------------------------------------------------------ sessions */

gvm_status check_view(gvm_view view, gvm_error *err)
{
    if (view == GVM_STREET || view == GVM_AERIAL) return GVM_OK;
    return fail(err, GVM_ARGUMENT, "%d names no view: it is GVM_STREET or GVM_AERIAL", (int)view);
}

/* A tape on which any batch up to max_batch runs. Each is tried: a layer may cut a smaller one into larger tiles. */
static gvm_status open_tape(struct tape **tape, const struct network *network, gvm_view v, int max_batch,
                            gvm_error *err)
{
    const struct swin_geo *view = &network->views[v];
    gvm_status status = network_tape(tape, network, false, err);
    if (status != GVM_OK) return status;
    for (int B = 1; B <= max_batch; B++) {
        tape_reset(*tape);
        swin_geo(NULL, *tape, view, NULL, B, 0);
    }
    return tape_allocate(*tape, err);
}

static gvm_status open_view(gvm_session *s, gvm_view v, gvm_error *err)
{
    s->made[v] = calloc((size_t)s->max_batch + 1, sizeof *s->made[v]);
    if (s->made[v] == NULL) return fail(err, GVM_MEMORY, "there is not enough memory for a session");
    return open_tape(&s->tapes[v], s->model->network, v, s->max_batch, err);
}

gvm_status gvm_session_open(gvm_session **session, const gvm_model *model, int max_batch, gvm_error *err)
{
    clear_error(err);
    *session = NULL;
    if (max_batch < 1 || max_batch > MAX_BATCH)
        return fail(err, GVM_ARGUMENT, "a batch of %d pictures is not in the range of 1 to %d", max_batch, MAX_BATCH);
    gvm_session *s = calloc(1, sizeof *s);
    if (s == NULL) return fail(err, GVM_MEMORY, "there is not enough memory for a session");
    s->model = model;
    s->max_batch = max_batch;
    threads_hold();
    gvm_status status = GVM_OK;
    for (int v = 0; v < 2 && status == GVM_OK; v++) status = open_view(s, (gvm_view)v, err);
    if (status == GVM_OK)
        *session = s;
    else
        gvm_session_free(s);
    return status;
}

void gvm_session_free(gvm_session *session)
{
    if (session == NULL) return;
    for (int v = 0; v < 2; v++) {
        tape_free(session->tapes[v]);
        free(session->made[v]);
    }
    free(session);
    threads_release();
}

/* ------------------------------------------------------------------ pictures to features */

bool is_feature(const float *row, size_t n)
{
    double square = 0;
    for (size_t i = 0; i < n; i++) square += (double)row[i] * row[i];
    return fabs(square - 1) < 1e-3; /* false for a NaN */
}

const struct tensor *session_run(struct swin_trace *trace, gvm_session *session, gvm_view view,
                                 const unsigned char *pixels, int B)
{
    struct tape *tape = session->tapes[view];
    unsigned failures = gemm_failures();
    const uint8_t *there = tape_pixels(tape, view, pixels, (size_t)B * view_bytes(session->model, view));
    tape_reset(tape);
    const struct tensor *y = swin_geo(trace, tape, &session->model->network->views[view], there, B, 0);
    return gemm_failures() == failures ? y : NULL;
}

static const uint8_t *bring(gvm_session *session, gvm_view view, const unsigned char *pixels, int B)
{
    return tape_pixels(session->tapes[view], view, pixels, (size_t)B * view_bytes(session->model, view));
}

/* Begins a pass on pixels that are there. What a device recorded of as many pictures it repeats, which leaves their
 * features where they lay then. */
static void start(gvm_session *session, gvm_view view, const uint8_t *there, int B)
{
    struct tape *tape = session->tapes[view];
    const struct step_numbers none = {0, 0, 0, 0};
    bool recorded = B <= RECORDED || B == session->max_batch;
    if (recorded && tape_replays(tape, B, &none)) return;
    tape_reset(tape);
    session->made[view][B] = *swin_geo(NULL, tape, &session->model->network->views[view], there, B, 0);
    if (recorded) tape_recorded(tape);
}

static bool finish(gvm_session *session, gvm_view view, float *features, int B)
{
    tape_read(session->tapes[view], features, &session->made[view][B]);
    return tape_wait(session->tapes[view], &session->failure) == GVM_OK;
}

/* A batch is brought over while the one before it is computed. */
static bool embed_on_device(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels, size_t n)
{
    size_t D = (size_t)session->model->info.features, each = view_bytes(session->model, view);
    size_t B = n < (size_t)session->max_batch ? n : (size_t)session->max_batch;
    const uint8_t *there = bring(session, view, pixels, (int)B);
    for (size_t i = 0, next; i < n; i += B, B = next) {
        start(session, view, there, (int)B);
        next = n - i - B < B ? n - i - B : B;
        if (next > 0) there = bring(session, view, pixels + (i + B) * each, (int)next);
        if (!finish(session, view, features + i * D, (int)B)) return false;
    }
    return true;
}

static bool embed_on_cpu(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels, size_t n)
{
    size_t D = (size_t)session->model->info.features, each = view_bytes(session->model, view);
    size_t most = (size_t)session->max_batch;
    for (size_t i = 0; i < n; i += most) {
        const struct tensor *y =
            session_run(NULL, session, view, pixels + i * each, (int)(n - i < most ? n - i : most));
        if (y == NULL) return false;
        tape_read(session->tapes[view], features + i * D, y);
    }
    return true;
}

bool session_embed(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels, size_t n)
{
    session->failure.text[0] = '\0';
    if (n == 0) return true;
    return (session->model->network->home ? embed_on_device : embed_on_cpu)(session, view, features, pixels, n);
}

gvm_status fail_run(gvm_error *err, const gvm_session *session, size_t pictures)
{
    if (session->failure.text[0] != '\0') return fail(err, GVM_DEVICE, "%s", session->failure.text);
    return fail(err, GVM_MEMORY, "there is not enough memory to run the network on %zu pictures", pictures);
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
            return fail(err, GVM_FORMAT, "the weights make of picture %zu no feature of length 1: they are broken", i);
    return GVM_OK;
}

gvm_status fail_embedding(gvm_error *err, const gvm_session *session, bool ran, const char *path)
{
    if (!ran && session->failure.text[0] != '\0')
        return fail(err, GVM_DEVICE, "%s: %s", path_tail(path), session->failure.text);
    if (!ran) return fail(err, GVM_MEMORY, "%s: there is not enough memory to run the network on it", path_tail(path));
    return fail(err, GVM_FORMAT, "%s: the weights make of it no feature of length 1: they are broken", path_tail(path));
}

gvm_status gvm_load_picture(const gvm_model *model, gvm_view view, unsigned char *pixels, const char *path,
                            const double *heading, int panorama, gvm_error *err)
{
    clear_error(err);
    gvm_status status = check_view(view, err);
    if (status != GVM_OK) return status;
    const struct picture_shape shape = config_shape(&model->network->config, view);
    if (view == GVM_AERIAL) return aerial_load(pixels, &shape, path, err);
    return panorama_load(pixels, &shape, heading, panorama != 0 ? CIRCLE_GIVEN : CIRCLE_CHECKED, path, err);
}

gvm_status gvm_photo_about(gvm_photo_info *info, const char *path, gvm_error *err)
{
    clear_error(err);
    return photo_about(info, path, err);
}
