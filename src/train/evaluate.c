/* evaluate.c - see evaluate.h. Each thread takes a few queries at a time, computes their scores with the whole gallery,
 * and ranks. */
#include "train/evaluate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/parallel.h"
#include "base/top.h"
#include "geo/earth.h"
#include "tensor/gemm.h"

const double within_m[AT_COUNT] = {0, 36, 72, 144};

enum { ROWS = 64 /* looks of queries at a time */, COLUMNS = 512 /* gallery entries of a matrix product */ };

/* A query's contribution to the figures. */
struct figures {
    int rank;
    bool first_is_right, hit;
    double metres[AT_COUNT]; /* mean over the best `at` */
    double first_m;
};

struct pass {
    const struct retrieval *task;
    void (*each)(const struct pass *p, int query, const float *row, struct scored *best);
    int *nearest; /* (Q, most) find_nearest's result */
    const struct evaluation *out;
    struct ranking *rankings; /* may be NULL */
    struct figures *figures;  /* (Q) */
    float *scores;            /* (threads, queries at once, looks, T) */
    struct scored *best;      /* (threads, most) */
    int most;                 /* number of best entries kept for each query */
};

static int looks_of(const struct retrieval *task)
{
    return task->looks > 1 ? task->looks : 1;
}

static int queries_at_once(const struct retrieval *task)
{
    return ROWS > looks_of(task) ? ROWS / looks_of(task) : 1;
}

static bool is_one_of(const struct truth *answers, int query, int item)
{
    if (answers->first == NULL) return false;
    for (int i = answers->first[query]; i < answers->first[query + 1]; i++)
        if (answers->items[i] == item) return true;
    return false;
}

/* Metres from a gallery entry to the nearest right one. */
static double metres_off(const struct retrieval *task, int query, int item)
{
    double least = INFINITY;
    for (int i = task->right.first[query]; i < task->right.first[query + 1]; i++) {
        int right = task->right.items[i];
        least = fmin(least, metres_between(task->lat[item], task->lon[item], task->lat[right], task->lon[right]));
    }
    return least;
}

static void rank_query(const struct pass *p, int query, const float *row, struct scored *best)
{
    const struct retrieval *task = p->task;
    struct figures *f = &p->figures[query];
    float right = -INFINITY;
    for (int i = task->right.first[query]; i < task->right.first[query + 1]; i++)
        right = fmaxf(right, row[task->right.items[i]]);
    int rank = 0;
    for (int t = 0; t < task->T; t++) rank += !(row[t] < right); /* NaN counts against us */
    for (int i = task->right.first[query]; i < task->right.first[query + 1]; i++)
        rank -= !(row[task->right.items[i]] < right);
    int above = rank;
    for (int i = task->near.first ? task->near.first[query] : 0; task->near.first && i < task->near.first[query + 1];
         i++)
        above -= !(row[task->near.items[i]] < right) && !is_one_of(&task->right, query, task->near.items[i]);
    top_scores(best, p->most, row, task->T);
    *f = (struct figures){.rank = rank, .first_is_right = rank == 0, .hit = above == 0};
    if (p->rankings) {
        struct ranking *r = &p->rankings[query];
        r->rank = rank;
        for (int i = 0; i < TOP_KEPT; i++) {
            r->top[i] = i < p->most ? best[i].item : -1;
            r->score[i] = i < p->most ? best[i].score : 0;
        }
    }
    if (task->lat == NULL) return;
    double sum = 0;
    for (int i = 0; i < p->most; i++) {
        double metres = metres_off(task, query, best[i].item);
        if (i == 0) f->first_m = metres;
        sum += metres;
        for (int k = 0; k < AT_COUNT; k++)
            if (i + 1 == p->out->at[k]) f->metres[k] = sum / (i + 1);
    }
}

/* Replace the scores (looks, T) of a query's looks by the best of each column, in the first row. */
static void join_looks(float *scores, int looks, int T)
{
    for (int l = 1; l < looks; l++)
        for (int t = 0; t < T; t++) {
            float score = scores[(size_t)l * T + t];
            if (score > scores[t]) scores[t] = score;
        }
}

static void rank_part(void *argument, struct team team)
{
    const struct pass *p = argument;
    const struct retrieval *task = p->task;
    const int looks = looks_of(task), most = queries_at_once(task);
    float *scores = p->scores + (size_t)team.rank * most * looks * task->T;
    struct scored *best = p->best + (size_t)team.rank * p->most;
    for (int q = team.rank * most; q < task->Q; q += team.size * most) {
        int count = task->Q - q < most ? task->Q - q : most;
        for (int t = 0; t < task->T; t += COLUMNS)
            gemm('N', 'T', count * looks, task->T - t < COLUMNS ? task->T - t : COLUMNS, task->D,
                 task->queries + (size_t)q * looks * task->D, task->D, task->gallery + (size_t)t * task->D, task->D, 0,
                 scores + t, task->T);
        for (int i = 0; i < count; i++) {
            float *rows = scores + (size_t)i * looks * task->T;
            join_looks(rows, looks, task->T);
            p->each(p, q + i, rows, best);
        }
    }
}

static bool open_pass(struct pass *p)
{
    size_t threads = (size_t)parallel_threads();
    size_t rows = (size_t)queries_at_once(p->task) * (size_t)looks_of(p->task);
    p->scores = malloc(threads * rows * (size_t)p->task->T * sizeof *p->scores);
    p->best = malloc(threads * p->most * sizeof *p->best);
    return p->scores && p->best;
}

static void close_pass(struct pass *p)
{
    free(p->scores);
    free(p->best);
}

static void keep_nearest(const struct pass *p, int query, const float *row, struct scored *best)
{
    top_scores(best, p->most, row, p->task->T);
    for (int i = 0; i < p->most; i++) p->nearest[(size_t)query * p->most + i] = best[i].item;
}

gvm_status find_nearest(int *best, int most, const struct retrieval *task, gvm_error *err)
{
    assert(most >= 1 && most <= task->T);
    struct pass p = {.task = task, .each = keep_nearest, .nearest = best, .most = most};
    bool ready = open_pass(&p);
    if (ready) parallel_run(rank_part, &p);
    close_pass(&p);
    return ready ? GVM_OK : fail(err, GVM_MEMORY, "cannot rank a gallery of %d: out of memory", task->T);
}

/* Average over the queries, in their order. */
static void sum_up(struct evaluation *out, const struct figures *figures, double *firsts)
{
    int Q = out->queries;
    for (int q = 0; q < Q; q++) {
        const struct figures *f = &figures[q];
        out->hit_rate += 100.0 * f->hit / Q;
        for (int k = 0; k < AT_COUNT; k++) {
            out->recall[k] += 100.0 * (f->rank < out->at[k]) / Q;
            if (!out->has_metres) continue;
            bool inside = f->first_is_right || (k > 0 && f->first_m < within_m[k]);
            out->within[k] += 100.0 * inside / Q;
            out->mean_m[k] += f->metres[k] / Q;
        }
        if (out->has_metres) out->within_25m += 100.0 * (f->first_is_right || f->first_m < 25) / Q;
        firsts[q] = f->first_m;
    }
    if (out->has_metres) out->median_m = median(firsts, (size_t)Q);
}

gvm_status evaluate(struct evaluation *out, struct ranking *rankings, const struct retrieval *task, gvm_error *err)
{
    if (task->Q < 1 || task->T < 1) return fail(err, GVM_ARGUMENT, "nothing to evaluate");
    for (int q = 0; q < task->Q; q++)
        if (task->right.first[q] == task->right.first[q + 1])
            return fail(err, GVM_ARGUMENT, "query %d has no match in the gallery", q);
    int percent = task->T / 100 > 1 ? task->T / 100 : 1;
    *out = (struct evaluation){.queries = task->Q, .gallery = task->T, .at = {1, 5, 10, percent}};
    out->has_metres = task->lat != NULL;
    int most = percent > 10 ? percent : 10;
    if (most > task->T) most = task->T;
    for (int k = 0; k < AT_COUNT; k++)
        if (out->at[k] > task->T) out->at[k] = task->T;
    struct pass p = {.task = task, .each = rank_query, .out = out, .rankings = rankings, .most = most};
    p.figures = calloc((size_t)task->Q, sizeof *p.figures);
    double *firsts = malloc((size_t)task->Q * sizeof *firsts);
    bool ready = open_pass(&p) && p.figures && firsts;
    if (ready) {
        parallel_run(rank_part, &p);
        sum_up(out, p.figures, firsts);
    }
    close_pass(&p);
    free(p.figures);
    free(firsts);
    return ready ? GVM_OK : fail(err, GVM_MEMORY, "cannot rank a gallery of %d: out of memory", task->T);
}
