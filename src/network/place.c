/* place.c - see place.h */
#include "network/place.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "layers/device_cpu.h"
#include "optim/module.h"

struct choice {
    const struct device *device;
    enum precision precision;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct choice chosen = {&device_cpu, PRECISION_BF16}; /* guarded by the lock */

gvm_status gvm_set_device(gvm_device device, gvm_precision precision, gvm_error *err)
{
    static const enum precision precisions[] = {
        [GVM_BF16] = PRECISION_BF16, [GVM_TF32] = PRECISION_TF32, [GVM_FP32] = PRECISION_FP32};
    const struct device *found = &device_cpu;
    clear_error(err);
    if (device != GVM_CPU && device != GVM_CUDA)
        return fail(err, GVM_ARGUMENT, "invalid device %d; expected GVM_CPU or GVM_CUDA", (int)device);
    if (precision != GVM_BF16 && precision != GVM_TF32 && precision != GVM_FP32)
        return fail(err, GVM_ARGUMENT, "invalid precision %d; expected GVM_BF16, GVM_TF32 or GVM_FP32", (int)precision);
    gvm_status status = device == GVM_CUDA ? device_cuda(&found, err) : GVM_OK;
    if (status != GVM_OK) return status;
    pthread_mutex_lock(&lock);
    chosen = (struct choice){found, precisions[precision]};
    pthread_mutex_unlock(&lock);
    return GVM_OK;
}

/* Device and precision as one pair, since another thread may change them at any moment. */
static struct choice choice(void)
{
    pthread_mutex_lock(&lock);
    struct choice copy = chosen;
    pthread_mutex_unlock(&lock);
    return copy;
}

const struct device *chosen_device(void)
{
    return choice().device;
}

gvm_status network_place(struct network *network, gvm_error *err)
{
    const struct choice to = choice();
    const struct device *device = to.device;
    if (device == &device_cpu) return network->grads ? GVM_OK : network_pack(network, err);
    assert(network->home == NULL && !network->packed);
    gvm_status status = GVM_OK;
    for (int v = 0; v < 2 && status == GVM_OK; v++) {
        const struct branch *view = &network->views[v];
        if (view->backbone->fits) status = view->backbone->fits(view->body, device, to.precision, err);
    }
    if (status != GVM_OK) return status;
    struct home *home = calloc(1, sizeof *home);
    if (home == NULL) return fail(err, GVM_MEMORY, "cannot open the network: out of memory");
    *home = (struct home){device, network->weights, network->grads, network->floats, to.precision, NULL};
    status = device->home_open(home, err);
    if (status == GVM_OK)
        network->home = home;
    else
        free(home);
    return status;
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
