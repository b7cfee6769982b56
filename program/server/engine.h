/* engine.h - the single thread that runs the network: pictures wait in a bounded queue and are processed in batches. */
#ifndef GVM_SERVER_ENGINE_H
#define GVM_SERVER_ENGINE_H

#include <pthread.h>
#include <stdbool.h>

#include "geoviewmatch.h"
#include "server/guard.h"
#include "server/metrics.h"
#include "server/serve_options.h"

struct engine;

/* A job for a picture. All pointers are the caller's, who waits. */
struct work {
    /* To locate it: the number of answers. 0: a heat map. */
    int top;
    gvm_located photo; /* in and out */

    /* A heat map, as gvm_heatmap. */
    gvm_view view;
    int stage;
    const unsigned char *pixels;  /* of the view */
    const unsigned char *partner; /* a picture of the other view to compare with; NULL: use `other` */
    const float *other;           /* its feature; NULL: the picture's own */
    float *heat;                  /* out: (H, W) */

    double until;           /* clock_seconds(): deadline of the answer */
    struct guarded *client; /* may have disconnected; NULL: none */

    enum { DONE, LATE, GONE } fate; /* out: the outcome; status and err are set if DONE */
    gvm_status status;
    gvm_error err;

    struct work *next; /* the engine's own */
    double since;
    bool over;
    pthread_cond_t finished;
};

/* Start the thread; the options must outlive it. GVM_OK, GVM_ARGUMENT, GVM_MISMATCH or GVM_MEMORY. */
gvm_status engine_open(struct engine **engine, const gvm_model *model, const gvm_map *map,
                       const struct serve_options *options, struct metrics *metrics, gvm_error *err);
void engine_free(struct engine *engine); /* after the last engine_run has returned; accepts NULL */

/* Reserve a place in the queue before a picture is decoded; false: the queue is full. engine_run releases it once the
 * network has the picture, else engine_leave. */
bool engine_enter(struct engine *engine);
void engine_leave(struct engine *engine);

/* Do the work and wait for it. It is skipped if it is late at its turn, or its client has disconnected. */
void engine_run(struct engine *engine, struct work *work);

/* The service is stopping: pictures no longer wait for a full batch. drop: works not yet started are late. */
void engine_hurry(struct engine *engine, bool drop);

int engine_waiting(struct engine *engine);  /* places reserved */
double engine_delay(struct engine *engine); /* seconds until the queue is empty, at the recent speed */

#endif
