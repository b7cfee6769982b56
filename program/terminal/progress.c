/* progress.c - see progress.h */
#include "terminal/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

#define TERMINAL_PAUSE 0.1 /* least seconds between two redraws */
#define PLAIN_PAUSE 10.0
#define BAR_MOST 40 /* columns between its brackets */
#define BAR_LEAST 8

static double now(const struct progress *p)
{
    return p->clock != NULL ? p->clock() : clock_seconds();
}

/* "0:07", "12:34", "3:12:34" */
static void duration_text(char *text, size_t size, double seconds)
{
    long s = seconds < 3.6e8 ? (long)(seconds + 0.5) : 360000000;
    if (s < 3600)
        snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
    else
        snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

static int rate_digits(double rate)
{
    return rate >= 100 ? 0 : rate >= 10 ? 1 : 2;
}

/* "37% 370/1000 pictures, 12.3/s, 0:51 left": unknown parts are left out. */
static void count_text(char *text, size_t size, const struct progress *p, double seconds)
{
    char total[32] = "", percent[16] = "", rate[32] = "", left[48] = "";
    double speed = seconds > 0 && p->done > p->from ? (double)(p->done - p->from) / seconds : 0;
    if (p->total > 0) {
        snprintf(total, sizeof total, "/%zu", p->total);
        snprintf(percent, sizeof percent, "%d%% ", (int)(100.0 * (double)p->done / (double)p->total));
    }
    if (speed > 0) {
        snprintf(rate, sizeof rate, ", %.*f/s", rate_digits(speed), speed);
        if (p->total > p->done) {
            char time[32];
            duration_text(time, sizeof time, (double)(p->total - p->done) / speed);
            snprintf(left, sizeof left, ", %s left", time);
        }
    }
    snprintf(text, size, "%s%zu%s %s%s%s", percent, p->done, total, p->unit, rate, left);
}

void progress_text(char *text, size_t size, const struct progress *p, double seconds, int columns)
{
    char count[160], bar[BAR_MOST + 4] = "";
    count_text(count, sizeof count, p, seconds);
    int room = columns - 1 - (int)strlen(p->what) - (int)strlen(count) - (int)strlen(":  []");
    int length = room < BAR_MOST ? room : BAR_MOST;
    if (p->total > 0 && length >= BAR_LEAST) {
        double part = p->done < p->total ? (double)p->done / (double)p->total : 1;
        int full = (int)(part * length);
        bar[0] = '[';
        memset(bar + 1, '#', (size_t)full);
        memset(bar + 1 + full, '.', (size_t)(length - full));
        memcpy(bar + 1 + length, "] ", sizeof "] ");
    }
    snprintf(text, size, "%s: %s%s", p->what, bar, count);
    if (columns > 0 && strlen(text) >= (size_t)columns) text[columns - 1] = '\0';
}

static int terminal_columns(FILE *out)
{
    struct winsize window;
    return ioctl(fileno(out), TIOCGWINSZ, &window) == 0 && window.ws_col > 0 ? window.ws_col : 80;
}

static void show(struct progress *p, double time)
{
    char text[512];
    progress_text(text, sizeof text, p, time - p->start, p->terminal ? terminal_columns(p->out) : 0);
    fprintf(p->out, p->terminal ? "\r%s\033[K" : "%s\n", text); /* the escape clears the rest of the line */
    (void)fflush(p->out);
    p->shown = time;
    p->drawn = p->terminal;
}

void progress_start(struct progress *p, const char *what, const char *unit, size_t total)
{
    const char *type = getenv("TERM");
    if (p->out == NULL) p->out = stderr;
    p->what = what;
    p->unit = unit;
    p->total = total;
    p->done = 0;
    p->terminal = isatty(fileno(p->out)) && type != NULL && strcmp(type, "dumb") != 0;
    p->drawn = false;
    p->start = p->shown = now(p);
}

void progress_step(struct progress *p, size_t done)
{
    p->done = done;
    if (p->quiet) return;
    double time = now(p);
    if (time - p->shown >= (p->terminal ? TERMINAL_PAUSE : PLAIN_PAUSE)) show(p, time);
}

void progress_show(struct progress *p, const char *what, const char *unit, size_t done, size_t total)
{
    if (p->what == NULL) progress_start(p, what, unit, total);
    progress_step(p, done);
}

void progress_clear(struct progress *p)
{
    if (!p->drawn) return;
    fputs("\r\033[K", p->out);
    (void)fflush(p->out);
    p->drawn = false;
}

void progress_end(struct progress *p)
{
    const char *what = p->what;
    p->what = NULL;
    if (what == NULL || p->quiet) return;
    double seconds = now(p) - p->start, done = (double)(p->done - p->from);
    double rate = seconds > 0 ? done / seconds : 0;
    bool said_anything = p->drawn || seconds >= PLAIN_PAUSE;
    progress_clear(p);
    if (!said_anything) return;
    char time[32];
    duration_text(time, sizeof time, seconds);
    fprintf(p->out, "%s: %.0f %s in %s, %.*f/s\n", what, done, p->unit, time, rate_digits(rate), rate);
    (void)fflush(p->out);
}
