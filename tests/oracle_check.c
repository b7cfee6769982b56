/* oracle_check.c - the references' backward against difference quotients */
#include <math.h>
#include <string.h>

#include "layer_support.h"

/* The output as one number: its scalar product with out.grad. */
static double projected(struct layer_test *t)
{
    double sum = 0;
    oracle_branches = 0;
    t->forward(t);
    for (size_t i = 0; i < t->out.n; i++) sum += t->out.value[i] * t->out.grad[i];
    return sum;
}

/* (8 (f(x + s) - f(x - s)) - (f(x + 2s) - f(x - 2s))) / 12 s; false if there is a kink in between */
static bool quotient(double *slope, struct layer_test *t, double *x)
{
    static const int at[4] = {1, -1, 2, -2}, factor[4] = {8, -8, -1, 1};
    const double step = 5e-5, start = *x;
    double sum = 0;
    uint64_t branches = 0;
    bool smooth = true;
    for (int i = 0; i < 4; i++) {
        *x = start + at[i] * step;
        sum += factor[i] * projected(t);
        if (i == 0) branches = oracle_branches;
        smooth = smooth && oracle_branches == branches;
    }
    *x = start;
    *slope = sum / (12 * step);
    return smooth;
}

static void check_variable(struct layer_test *t, struct variable *v, double whole)
{
    enum { SAMPLE = 16 };
    double error = 0, size = 0;
    int checked = 0, tried = 0;
    for (; tried < 2 * SAMPLE && checked < SAMPLE && (size_t)tried < v->n; tried++) {
        size_t i = v->n <= SAMPLE ? (size_t)tried : (size_t)(draw_uniform() * (double)v->n);
        double slope;
        if (!quotient(&slope, t, v->value + i)) continue;
        checked++;
        error += (slope - v->grad[i]) * (slope - v->grad[i]);
        size += v->grad[i] * v->grad[i];
    }
    if (size <= 1e-18 * whole * whole) size = whole * whole;
    check_figure(t->label, "differences", v->name, size > 0 ? sqrt(error / size) : sqrt(error), 1e-6);
    check_true(t->label, v->name, 2 * checked >= tried);
}

double run_oracle(struct layer_test *t)
{
    double square = pow(length(t->out.grad, t->out.n), 2);
    for (int i = 0; i < t->inputs; i++) memset(t->in[i].grad, 0, t->in[i].n * sizeof(double));
    for (int i = 0; i < t->params; i++) memset(t->par[i].grad, 0, t->par[i].n * sizeof(double));
    t->forward(t);
    t->backward(t);
    for (int i = 0; i < t->inputs; i++) square += pow(length(t->in[i].grad, t->in[i].n), 2);
    for (int i = 0; i < t->params; i++) square += pow(length(t->par[i].grad, t->par[i].n), 2);
    return sqrt(square);
}

void check_differences(struct layer_test *t)
{
    if (layer_device) return; /* once is enough */
    double whole = run_oracle(t);
    for (int i = 0; i < t->inputs; i++) check_variable(t, &t->in[i], whole);
    for (int i = 0; i < t->params; i++) check_variable(t, &t->par[i], whole);
}
