/* metrics.h - the service's metrics in Prometheus's text format 0.0.4. */
#ifndef GVM_SERVER_METRICS_H
#define GVM_SERVER_METRICS_H

#include <pthread.h>

enum { METRIC_ROUTES = 16, METRIC_CODES = 15, METRIC_BOUNDS = 12 };

/* Reasons for requests without a useful answer. */
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

/* Count a finished request: its route, the status of its answer, and its duration from the headers on. */
void metrics_request(struct metrics *metrics, int route, int code, double seconds);
void metrics_batch(struct metrics *metrics, int pictures);
void metrics_mishap(struct metrics *metrics, enum mishap mishap);

/* Current values. */
struct gauges {
    int waiting, queue; /* pictures in the queue, and its limit */
    int connections;
    double held_bytes; /* of bodies */
};

/* The text, to be freed; NULL if out of memory. names: (METRIC_ROUTES) of the routes, NULL after the last. */
char *metrics_text(struct metrics *metrics, const char *const *names, const struct gauges *gauges);

#endif
