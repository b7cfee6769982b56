/* place.c - where networks compute: the process's choice, and the weights' way there. */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "layers/device_cpu.h"
#include "network/network.h"
#include "network/session.h"
#include "optim/module.h"

static struct {
    pthread_mutex_t lock;
    const struct device *device;
    enum precision precision;
} chosen = {PTHREAD_MUTEX_INITIALIZER, &device_cpu, PRECISION_BF16};

gvm_status gvm_set_device(gvm_device device, gvm_precision precision, gvm_error *err)
{
    static const enum precision precisions[] = {
        [GVM_BF16] = PRECISION_BF16, [GVM_TF32] = PRECISION_TF32, [GVM_FP32] = PRECISION_FP32};
    const struct device *found = &device_cpu;
    clear_error(err);
    if (device != GVM_CPU && device != GVM_CUDA)
        return fail(err, GVM_ARGUMENT, "%d names no device: it is GVM_CPU or GVM_CUDA", (int)device);
    if (precision != GVM_BF16 && precision != GVM_TF32 && precision != GVM_FP32)
        return fail(err, GVM_ARGUMENT, "%d names no precision: it is GVM_BF16, GVM_TF32 or GVM_FP32", (int)precision);
    gvm_status status = device == GVM_CUDA ? device_cuda(&found, err) : GVM_OK;
    if (status != GVM_OK) return status;
    pthread_mutex_lock(&chosen.lock);
    chosen.device = found;
    chosen.precision = precisions[precision];
    pthread_mutex_unlock(&chosen.lock);
    return GVM_OK;
}

const struct device *chosen_device(void)
{
    pthread_mutex_lock(&chosen.lock);
    const struct device *device = chosen.device;
    pthread_mutex_unlock(&chosen.lock);
    return device;
}

static enum precision chosen_precision(void)
{
    pthread_mutex_lock(&chosen.lock);
    enum precision precision = chosen.precision;
    pthread_mutex_unlock(&chosen.lock);
    return precision;
}

/* A device may refuse windows or maps that the CPU takes. */
static gvm_status check_view_fits(const struct device *device, const struct swin *swin, enum precision precision,
                                  gvm_error *err)
{
    gvm_status status = GVM_OK;
    for (int s = 0; s < STAGES && status == GVM_OK; s++) {
        const struct stage *stage = &swin->stages[s];
        for (int i = 0; i < stage->depth && status == GVM_OK; i++) {
            const struct attention *a = &stage->blocks[i].attention;
            status = device->fits(a->window, stage->C, a->heads, precision, err);
        }
    }
    return status;
}

gvm_status network_place(struct network *network, gvm_error *err)
{
    const struct device *device = chosen_device();
    if (device == &device_cpu) return network->grads ? GVM_OK : network_pack(network, err);
    assert(network->home == NULL && !network->packed);
    enum precision precision = chosen_precision();
    gvm_status status = GVM_OK;
    for (int v = 0; v < 2 && status == GVM_OK; v++)
        status = check_view_fits(device, &network->views[v].backbone, precision, err);
    if (status != GVM_OK) return status;
    struct home *home = calloc(1, sizeof *home);
    if (home == NULL) return fail(err, GVM_MEMORY, "there is not enough memory to open the network");
    *home = (struct home){device, network->weights, network->grads, network->floats, precision, NULL};
    status = device->home_open(home, err);
    if (status == GVM_OK)
        network->home = home;
    else
        free(home);
    return status;
}

void network_leave(struct network *network)
{
    if (network->home == NULL) return;
    network->home->device->home_free(network->home);
    free(network->home);
    network->home = NULL;
}

gvm_status network_fetch(struct network *network, gvm_error *err)
{
    return network->home ? network->home->device->home_download(network->home, err) : GVM_OK;
}

gvm_status network_tape(struct tape **tape, const struct network *network, bool training, gvm_error *err)
{
    if (network->home == NULL) return tape_open(tape, training, network->packed, err);
    return tape_open_on(tape, network->home, training, err);
}
