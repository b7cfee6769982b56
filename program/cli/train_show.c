/* train_show.c - see train.h. */
#include "cli/train.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

/* ------------------------------------------------------------------ signals */

static volatile sig_atomic_t interrupted;

static const int asked[] = {SIGINT, SIGTERM, SIGHUP};

/* Only async-signal-safe calls. Writing to a closed terminal fails harmlessly. */
static void interrupt(int number)
{
    static const char text[] = "\ngeoviewmatch: stopping after this step and saving; a second signal stops immediately "
                               "and loses the work since the last save\n";
    int error = errno;
    (void)number;
    interrupted = 1;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct sigaction now;
        if (sigaction(asked[i], NULL, &now) == 0 && now.sa_handler == interrupt) signal(asked[i], SIG_DFL);
    }
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    (void)written;
    errno = error;
}

void train_hear_signals(void)
{
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct sigaction before, act = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
        sigemptyset(&act.sa_mask);
        if (sigaction(asked[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) /* nohup ignores one */
            sigaction(asked[i], &act, NULL);
    }
}

static bool asked_to_stop(void *user)
{
    (void)user;
    return interrupted;
}

/* ------------------------------------------------------------------ while it runs */

/* "40 seconds", "12 minutes", "3.4 hours", "67 days" */
static void long_time(char text[32], double seconds)
{
    if (seconds < 100)
        snprintf(text, 32, "%.0f seconds", seconds);
    else if (seconds < 6000)
        snprintf(text, 32, "%.0f minutes", seconds / 60);
    else if (seconds < 48 * 3600)
        snprintf(text, 32, "%.1f hours", seconds / 3600);
    else
        snprintf(text, 32, "%.0f days", seconds / 86400);
}

enum { MEASURED = 3 /* step at which the time per step is known; the first ones are slower */ };

static void say_time(struct train_show *s, long left)
{
    char step[32], all[32];
    double each = (clock_seconds() - s->second) / (MEASURED - 1);
    if (s->quiet || left < MEASURED) return;
    if (each < 1)
        snprintf(step, sizeof step, "%.0f ms", each * 1e3);
    else
        snprintf(step, sizeof step, "%.1f s", each);
    long_time(all, each * (double)left);
    progress_clear(&s->training);
    fprintf(stderr, "time           a step takes %s: about %s to the end, excluding evaluations\n", step, all);
}

/* The log has the learning rate and the parts of the loss. */
static void show_step(void *user, long step, long steps, const struct losses *losses, float rate, double waited)
{
    struct train_show *s = user;
    (void)waited, (void)rate;
    progress_end(&s->other);
    if (s->until > 0 && s->until < steps) steps = s->until;
    const float *terms = losses->terms;
    int n = snprintf(s->what, sizeof s->what, "loss %.4f", (double)losses->total);
    if (s->views)
        snprintf(s->what + n, sizeof s->what - (size_t)n, " (panoramas %.3f, views %.3f, both %.3f)",
                 (double)(terms[1] + terms[2]) / 2, (double)(terms[3] + terms[4]) / 2, (double)terms[5]);
    if (++s->shown == 1) {
        s->training.from = (size_t)step - 1;
        s->second = clock_seconds();
    }
    if (s->shown == MEASURED) say_time(s, steps - step);
    progress_show(&s->training, s->what, "steps", (size_t)step, (size_t)steps);
}

static void show_evaluating(void *user, size_t done, size_t total)
{
    struct train_show *s = user;
    progress_clear(&s->training);
    progress_show(&s->other, "evaluating", "pictures", done, total);
}

static void show_caching(void *user, size_t done, size_t total)
{
    struct train_show *s = user;
    progress_show(&s->other, "caching", "pictures", done, total);
}

static void show_evaluated(void *user, int epoch, const struct evaluation *e, const struct evaluation *narrow)
{
    struct train_show *s = user;
    progress_end(&s->other);
    progress_clear(&s->training);
    printf("epoch %d: R@1 %.2f  R@5 %.2f  R@10 %.2f  R@1%% %.2f", epoch, e->recall[0], e->recall[1], e->recall[2],
           e->recall[3]);
    if (narrow) printf("; strips of 90 degrees: R@1 %.2f  R@1%% %.2f", narrow->recall[0], narrow->recall[3]);
    printf("\n");
    print_flush();
}

static void show_bad(void *user, const gvm_error *err)
{
    struct train_show *s = user;
    progress_clear(&s->training);
    fprintf(stderr, "geoviewmatch: left out: %s\n", err->text);
}

struct train_events train_show_events(struct train_show *show)
{
    show->training.quiet = show->other.quiet = show->quiet;
    return (struct train_events){show,         show_step, show_evaluating, show_evaluated,
                                 show_caching, show_bad,  asked_to_stop};
}

void train_show_end(struct train_show *show)
{
    progress_end(&show->other);
    progress_end(&show->training);
}

/* ------------------------------------------------------------------ the plan */

__attribute__((format(printf, 2, 3))) static void line(const char *what, const char *format, ...)
{
    char text[400];
    gvm_error presentable;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fail(&presentable, GVM_OK, "%s", text); /* no control characters */
    fprintf(stderr, "%-14s %s\n", what, presentable.text);
}

static void bytes_text(char text[32], double bytes)
{
    if (bytes < 1e9)
        snprintf(text, 32, "%.0f MB", ceil(bytes / 1e6));
    else
        snprintf(text, 32, "%.1f GB", bytes / 1e9);
}

static void say_network(const struct arguments *a, const struct network *network)
{
    const char *from = a->resume ? "as it was saved" : a->init ? a->init : a->backbone ? a->backbone : NULL;
    char source[200] = "random, untrained weights";
    if (from) snprintf(source, sizeof source, "%s%.180s", a->resume ? "" : a->init ? "from " : "backbone from ", from);
    line("network", "%.2f million parameters, street %d x %d, aerial %d x %d; %s",
         1e-6 * (double)network_parameters(network), network->views[GVM_STREET].H, network->views[GVM_STREET].W,
         network->views[GVM_AERIAL].H, network->views[GVM_AERIAL].W, source);
    if (network->origin.source[0]) line("", "%.300s", network->origin.source);
    if (a->tuned)
        line("", "learning rates %g and %g: as given, else a tenth of those for untrained weights",
             (double)a->run.rates.backbone, (double)a->run.rates.other);
    size_t learn = 0;
    for (int i = 0; i < network->param_count; i++) learn += network->params[i].backbone ? 0 : network->params[i].count;
    if (a->run.rates.backbone == 0)
        line("", "its backbones are frozen (--rate 0): %zu parameter%s learn%s", learn, learn == 1 ? "" : "s",
             learn == 1 ? "s" : "");
}

static void say_steps(const struct arguments *a, const struct run_position *position, const struct train_plan *plan)
{
    char until[80] = "", from[60] = "";
    if (position->step > 0) snprintf(from, sizeof from, ", %ld of them done", position->step);
    if (a->steps > 0 && a->steps < plan->steps) snprintf(until, sizeof until, "; now to step %ld", a->steps);
    line("steps", "%ld of %d pairs an epoch, %d epochs: %ld in all%s%s", plan->batches, a->run.batch, a->run.epochs,
         plan->steps, from, until);
}

/* Training reaches about half the speed of the best products, as measured on several machines. */
static const double reached = 0.5;

static void say_time_guess(const struct arguments *a, const struct run_position *position,
                           const struct train_plan *plan)
{
    char all[32];
    double peak = 1e9 * gemm_peak();
    long end = a->steps > 0 && a->steps < plan->steps ? a->steps : plan->steps, left = end - position->step;
    if (!(peak > 0) || left <= 0) return;
    long_time(all, 2 * plan->multiply_adds / (reached * peak) * (double)left);
    line("time", "very roughly %s, from the speed of matrix products; measured after %d steps", all, MEASURED);
}

void train_show_plan(const struct arguments *a, const char *run, const struct network *network,
                     const struct dataset *data, const struct run_position *position, const struct train_plan *plan)
{
    const struct run_options *o = &a->run;
    static const char *const precisions[] = {[GVM_BF16] = "bf16", [GVM_TF32] = "tf32", [GVM_FP32] = "fp32"};
    char memory[32], available[32], weights[32], state[32];
    if (a->common.quiet) return;
    line("data set", "%s in %.200s: %d training pairs, %d test pairs (%s)", data->format, o->data,
         data->train.query_count, data->test.query_count, data->test_name);
    if (data->left_out > 0) line("", "%d pairs are left out because a picture is missing", data->left_out);
    say_network(a, network);
    if (a->common.cuda)
        line("computes on", "the GPU, %s", precisions[a->common.precision]);
    else
        line("computes on", "%d thread%s, %s", parallel_threads(), parallel_threads() == 1 ? "" : "s", kernels()->name);
    say_steps(a, position, plan);
    bytes_text(memory, plan->memory);
    bytes_text(available, memory_available());
    if (!a->common.cuda) {
        line("memory", "about %s; %s are available", memory, available);
        say_time_guess(a, position, plan);
    }
    bytes_text(weights, plan->weights);
    bytes_text(state, 3 * plan->weights);
    if (o->cache) line("cache", "%.200s, of all pictures decoded", o->cache);
    line("writes", "%.200s: state.safetensors (%s), last and best.safetensors (%s each), log.jsonl", run, state,
         weights);
    line("saves", "after each epoch, and every %g minutes; a kill loses the work since the last save", a->save_minutes);
    if (o->eval_every > 0 && data->test.query_count > 0)
        line("evaluates", "every %d epoch%s and at the end; best.safetensors is written then", o->eval_every,
             o->eval_every == 1 ? "" : "s");
    else
        line("evaluates", "never; best.safetensors is not written");
    line("", "Ctrl-C stops after a step and saves; continue with `geoviewmatch train --resume %.200s`", run);
}
