/* optimizer.h - AdamW, the cosine schedule and adaptive sharpness-aware minimisation (ASAM), over all parameters
 * at once. Constants and formulas as in tools/network.py. */
#ifndef GVM_OPTIM_OPTIMIZER_H
#define GVM_OPTIM_OPTIMIZER_H

#include "geoviewmatch.h"
#include "tensor/param.h"

struct rates {
    float backbone, other; /* learning rates at the start: 1e-4 for backbones, 2e-4 for masks and head */
    float decay;           /* weight decay, of the parameters that decay */
    float beta1, beta2, epsilon;
    float clip;        /* each value of a gradient is brought to within [-clip, clip] before it counts; 0: as it is */
    float clip_length; /* the gradient of all parameters together is shortened to this length if it is longer, before
                          the other clip; 0: as it is */
};

extern const struct rates rates_paper;

struct tape;

struct optimizer {
    const struct param *params;
    int count;
    struct tape *tape; /* on a device: in the order of whose work it computes; NULL on the CPU */
    void *state;       /* the device's */
    struct rates rates;
    float *weights, *grads; /* the parameters' blocks, floats long; not ours */
    size_t floats;
    float *m, *v;    /* moments, laid out as the weights */
    float *start;    /* ASAM: the weights before the climb */
    double *partial; /* sums of a norm, one for each block of the weights */
    bool climbed;    /* the update steps from `start` */
    long step;       /* updates done */
};

/* The parameters must lie in the two blocks, with zeros between them. GVM_MEMORY. */
gvm_status optimizer_open(struct optimizer **optimizer, const struct param *params, int count, float *weights,
                          float *grads, size_t floats, const struct rates *rates, gvm_error *err);
void optimizer_free(struct optimizer *optimizer);

/* Move it to the device of a tape, with its moments. What needs the host's m and v calls optimizer_fetch first. */
gvm_status optimizer_to_device(struct optimizer *optimizer, struct tape *tape, gvm_error *err);
gvm_status optimizer_fetch(struct optimizer *optimizer, gvm_error *err);
/* Off the device again, before its tape goes; m and v stay as they were fetched last. */
void optimizer_leave_device(struct optimizer *optimizer);

/* One AdamW update from the gradients, every rate times factor. */
void optimizer_update(struct optimizer *optimizer, float factor);

/* Factor on every rate during an epoch (0-based): half a cosine, from 1 to almost 0 in the last of `epochs`. */
float cosine_factor(int epoch, int epochs);

/* How every rate changes over a run. */
struct schedule {
    int by_step;    /* 1; 0: by the epoch, as cosine_factor */
    float warm_up;  /* by the step: in so many epochs it rises from 0 in a line; then half a cosine, to `floor` */
    int warm_steps; /* in so many steps instead, unless 0 */
    float floor;    /* by the step: what it ends at after the last epoch */
};

/* Factor on every rate for the step that comes after `step` others, of epochs of about steps_an_epoch. */
float schedule_factor(const struct schedule *schedule, long step, long steps_an_epoch, int epoch, int epochs);

/* The two corrections of the update that comes after `step` others: 1 - beta1^t and 1 - beta2^t, t = step + 1. */
void optimizer_corrections(float corrections[2], const struct rates *rates, long step);

/* Climb: w += rho w^2 g / |(|w| g)|, over all parameters; remembers where it started. Returns the norm, 0 on a device
 * that works behind the caller's back. */
double asam_climb(struct optimizer *optimizer, float rho);

/* Back to the start of the climb: then optimizer_update steps from there with the gradient found above. */
void asam_return(struct optimizer *optimizer);

#endif
