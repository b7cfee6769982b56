/* engine.h - the one thread that runs the network: pictures wait in a bounded queue and are taken in batches. */
#ifndef GVM_SERVER_ENGINE_H
#define GVM_SERVER_ENGINE_H

#include <pthread.h>
#include <stdbool.h>

#include "geoviewmatch.h"
#include "server/guard.h"
#include "server/metrics.h"
#include "server/serve_options.h"

struct engine;

/* What is to be done with a picture; all pointers are the caller's, who waits. */
struct work {
    /* To locate it: how many answers. 0: a heat map is wanted. */
    int top;
    gvm_located photo; /* in and out */

    /* A heat map, as gvm_heatmap. */
    gvm_view view;
    int stage;
    const unsigned char *pixels;  /* of the view */
    const unsigned char *partner; /* a picture of the other view to compare with; NULL: see other */
    const float *other;           /* its feature; NULL: the picture's own */
    float *heat;                  /* out: (H, W) */

    double until;           /* clock_seconds(): when the answer is of no use any more */
    struct guarded *client; /* who may have gone; NULL: none */

    enum { DONE, LATE, GONE } fate; /* out: what became of it; status and err are of what is done */
    gvm_status status;
    gvm_error err;

    struct work *next; /* the engine's own */
    double since;
    bool over;
    pthread_cond_t finished;
};

/* Start the thread; the options outlive it. GVM_OK, GVM_ARGUMENT, GVM_MISMATCH or GVM_MEMORY. */
gvm_status engine_open(struct engine **engine, const gvm_model *model, const gvm_map *map,
                       const struct serve_options *options, struct metrics *metrics, gvm_error *err);
void engine_free(struct engine *engine); /* after the last engine_run has returned; NULL is fine */

/* Take one of the queue's places, before a picture is decoded; false: all are taken. It is given back by engine_run,
 * once the network has the picture, or by engine_leave. */
bool engine_enter(struct engine *engine);
void engine_leave(struct engine *engine);

/* Have work done, and wait for it. What is late when its turn comes, or whose client has closed, is not done. */
void engine_run(struct engine *engine, struct work *work);

/* The service ends: no picture waits for others any more. drop: those that are not at work yet are late. */
void engine_hurry(struct engine *engine, bool drop);

int engine_waiting(struct engine *engine);  /* places that are taken */
double engine_delay(struct engine *engine); /* seconds until they are worked off, as fast as the last ones were */

#endif
