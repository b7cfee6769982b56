/* metrics.h - what the service counts, as Prometheus reads it (text format 0.0.4). */
#ifndef GVM_SERVER_METRICS_H
#define GVM_SERVER_METRICS_H

#include <pthread.h>

enum { METRIC_ROUTES = 16, METRIC_CODES = 15, METRIC_BOUNDS = 12 };

/* Why requests had no answer, or none that helps. */
enum mishap { QUEUE_FULL, MEMORY_FULL, TOO_LATE, OVERDUE, BROKEN_OFF, OWN_FAULT, MISHAPS };

struct histogram {
    unsigned long long counts[METRIC_BOUNDS + 1]; /* up to each bound, and beyond the last */
    double sum;
};

struct metrics {
    pthread_mutex_t lock;
    unsigned long long requests[METRIC_ROUTES][METRIC_CODES];
    struct histogram seconds[METRIC_ROUTES];
    struct histogram batches;
    unsigned long long mishaps[MISHAPS];
};

void metrics_start(struct metrics *metrics);
void metrics_end(struct metrics *metrics);

/* A request is over: its route, the status of its answer, and how long it took from its headers on. */
void metrics_request(struct metrics *metrics, int route, int code, double seconds);
void metrics_batch(struct metrics *metrics, int pictures);
void metrics_mishap(struct metrics *metrics, enum mishap mishap);

/* Now and in all. */
struct gauges {
    int waiting, queue; /* pictures in the queue, and its bound */
    int connections;
    double held_bytes; /* of bodies */
};

/* The text, to be freed; NULL without memory. names: (METRIC_ROUTES) of the routes, NULL behind the last. */
char *metrics_text(struct metrics *metrics, const char *const *names, const struct gauges *gauges);

#endif
