/* metrics.c - see metrics.h */
#define _GNU_SOURCE /* open_memstream */
#include "server/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The last one counts all others. */
static const int codes[METRIC_CODES] = {200, 204, 304, 400, 401, 403, 404, 405, 413, 415, 421, 422, 500, 503, 0};
static const double seconds_bounds[METRIC_BOUNDS] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
static const double batch_bounds[METRIC_BOUNDS] = {1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 256};
static const char *const mishap_names[MISHAPS] = {"queue_full", "memory_full", "too_late",
                                                  "overdue",    "broken_off",  "own_fault"};

void metrics_start(struct metrics *m)
{
    memset(m, 0, sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
}

void metrics_end(struct metrics *m)
{
    pthread_mutex_destroy(&m->lock);
}

static void observe(struct histogram *h, const double *bounds, double value)
{
    int i = 0;
    while (i < METRIC_BOUNDS && value > bounds[i]) i++;
    h->counts[i]++;
    h->sum += value;
}

void metrics_request(struct metrics *m, int route, int code, double seconds)
{
    int i = 0;
    while (i < METRIC_CODES - 1 && codes[i] != code) i++;
    pthread_mutex_lock(&m->lock);
    m->requests[route][i]++;
    observe(&m->seconds[route], seconds_bounds, seconds);
    pthread_mutex_unlock(&m->lock);
}

void metrics_batch(struct metrics *m, int pictures)
{
    pthread_mutex_lock(&m->lock);
    observe(&m->batches, batch_bounds, pictures);
    pthread_mutex_unlock(&m->lock);
}

void metrics_mishap(struct metrics *m, enum mishap mishap)
{
    pthread_mutex_lock(&m->lock);
    m->mishaps[mishap]++;
    pthread_mutex_unlock(&m->lock);
}

/* label: `path="..."` or nothing. */
static void put_histogram(FILE *out, const char *name, const char *label, const struct histogram *h,
                          const double *bounds)
{
    unsigned long long sum = 0;
    const char *comma = *label != '\0' ? "," : "", *open = *label != '\0' ? "{" : "",
               *close = *label != '\0' ? "}" : "";
    for (int i = 0; i < METRIC_BOUNDS; i++)
        fprintf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, label, comma, bounds[i], sum += h->counts[i]);
    sum += h->counts[METRIC_BOUNDS];
    fprintf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, label, comma, sum);
    fprintf(out, "%s_sum%s%s%s %.9g\n", name, open, label, close, h->sum);
    fprintf(out, "%s_count%s%s%s %llu\n", name, open, label, close, sum);
}

static void put_head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_gauge(FILE *out, const char *name, const char *help, double value)
{
    put_head(out, name, "gauge", help);
    fprintf(out, "%s %.15g\n", name, value);
}

static void put_requests(FILE *out, const struct metrics *m, const char *const *names)
{
    char label[64];
    put_head(out, "geoviewmatch_requests_total", "counter", "Requests answered.");
    for (int r = 0; r < METRIC_ROUTES && names[r] != NULL; r++)
        for (int c = 0; c < METRIC_CODES; c++)
            if (m->requests[r][c] > 0)
                fprintf(out, "geoviewmatch_requests_total{path=\"%s\",code=\"%d\"} %llu\n", names[r], codes[c],
                        m->requests[r][c]);
    put_head(out, "geoviewmatch_request_seconds", "histogram",
             "Time from a request's headers to the end of its answer.");
    for (int r = 0; r < METRIC_ROUTES && names[r] != NULL; r++) {
        snprintf(label, sizeof label, "path=\"%s\"", names[r]);
        put_histogram(out, "geoviewmatch_request_seconds", label, &m->seconds[r], seconds_bounds);
    }
}

char *metrics_text(struct metrics *shared, const char *const *names, const struct gauges *g)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) return NULL;
    pthread_mutex_lock(&shared->lock);
    struct metrics m = *shared;
    pthread_mutex_unlock(&shared->lock);
    put_requests(out, &m, names);
    put_head(out, "geoviewmatch_batch_pictures", "histogram", "Batch size of the network, in pictures.");
    put_histogram(out, "geoviewmatch_batch_pictures", "", &m.batches, batch_bounds);
    put_head(out, "geoviewmatch_errors_total", "counter",
             "Requests not answered, or refused because a limit was reached.");
    for (int i = 0; i < MISHAPS; i++)
        fprintf(out, "geoviewmatch_errors_total{reason=\"%s\"} %llu\n", mishap_names[i], m.mishaps[i]);
    put_gauge(out, "geoviewmatch_queue_length", "Pictures in the queue.", g->waiting);
    put_gauge(out, "geoviewmatch_queue_limit", "Limit of the queue.", g->queue);
    put_gauge(out, "geoviewmatch_connections", "Open connections.", g->connections);
    put_gauge(out, "geoviewmatch_body_bytes", "Memory used by request bodies.", g->held_bytes);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
