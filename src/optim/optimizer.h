/* optimizer.h - AdamW, the cosine schedule and adaptive sharpness-aware minimisation (ASAM) over all parameters at
 * once. Constants and formulas as in tools/network.py. */
#ifndef GVM_OPTIM_OPTIMIZER_H
#define GVM_OPTIM_OPTIMIZER_H

#include "geoviewmatch.h"
#include "tensor/param.h"

struct rates {
    float backbone, other; /* initial learning rates: 1e-4 for backbones, 2e-4 for masks and head */
    float decay;           /* weight decay, for the parameters that decay */
    float beta1, beta2, epsilon;
    float clip;        /* clips each value of the gradient to [-clip, clip]; 0: no clipping */
    float clip_length; /* clips the norm of the whole gradient, before `clip`; 0: no clipping */
};

extern const struct rates rates_paper;

struct tape;

struct optimizer {
    const struct param *params;
    int count;
    struct tape *tape; /* tape whose stream the optimizer works on; NULL on the CPU */
    void *state;       /* the device's */
    struct rates rates;
    float *weights, *grads; /* the parameters' blocks, `floats` long; owned by the caller */
    size_t floats;
    float *m, *v;    /* moments, laid out as the weights */
    float *start;    /* ASAM: the weights before the climb */
    double *partial; /* partial sums of a norm, one for each block of weights */
    bool climbed;    /* the update starts from `start` */
    long step;       /* updates done */
};

/* The parameters must be within the two blocks, with zeros between them. Returns GVM_OK or GVM_MEMORY. */
gvm_status optimizer_open(struct optimizer **optimizer, const struct param *params, int count, float *weights,
                          float *grads, size_t floats, const struct rates *rates, gvm_error *err);
void optimizer_free(struct optimizer *optimizer);

/* Move the optimizer with its moments to a tape's device. Call optimizer_fetch before reading m and v on the host. */
gvm_status optimizer_to_device(struct optimizer *optimizer, struct tape *tape, gvm_error *err);
gvm_status optimizer_fetch(struct optimizer *optimizer, gvm_error *err);
/* Detach from the device, before its tape is freed; m and v keep the values of the last fetch. */
void optimizer_leave_device(struct optimizer *optimizer);

/* One AdamW update from the gradients, with every learning rate multiplied by factor. */
void optimizer_update(struct optimizer *optimizer, float factor);

/* Learning rate factor of an epoch (0-based): half a cosine, from 1 to almost 0 in the last of `epochs`. */
float cosine_factor(int epoch, int epochs);

/* How the learning rates change over a run. */
struct schedule {
    int by_step;    /* 1: per step; 0: per epoch, as cosine_factor */
    float warm_up;  /* per step: epochs of linear warm-up from 0; half a cosine down to `floor` follows */
    int warm_steps; /* warm-up in steps instead, unless 0 */
    float floor;    /* per step: final value after the last epoch */
};

/* Learning rate factor of step number `step` (0-based), with about steps_an_epoch steps per epoch. */
float schedule_factor(const struct schedule *schedule, long step, long steps_an_epoch, int epoch, int epochs);

/* Bias corrections of the update number `step` (0-based): 1 - beta1^t and 1 - beta2^t, t = step + 1. */
void optimizer_corrections(float corrections[2], const struct rates *rates, long step);

/* ASAM's ascent step: w += rho w^2 g / |(|w| g)| over all parameters; stores the weights before it. Returns the norm; 0
 * on a device, which works asynchronously. */
double asam_climb(struct optimizer *optimizer, float rho);

/* Restore the weights from before the climb; the following optimizer_update then uses the gradient computed at the
 * climbed weights. */
void asam_return(struct optimizer *optimizer);

#endif
