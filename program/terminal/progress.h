/* progress.h - shows the progress of a long job on stderr. Only the program uses it: the library never prints.
 *
 *     struct progress p = {.quiet = quiet};
 *     progress_start(&p, "embed", "pictures", n);
 *     for (size_t i = 0; i < n; i++) { ...; progress_step(&p, i + 1); }
 *     progress_end(&p);
 *
 * On a terminal: a bar, redrawn at most ten times a second. Elsewhere: a line every ten seconds, and one at the end of
 * a job that took longer than that. */
#ifndef GVM_TERMINAL_PROGRESS_H
#define GVM_TERMINAL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct progress {
    bool quiet;            /* the caller's: print nothing */
    FILE *out;             /* the caller's: NULL for stderr */
    double (*clock)(void); /* the caller's: seconds; NULL for the monotonic clock */
    size_t from;           /* the caller's: items done before this job, which count but took none of its time */

    const char *what,
        *unit;           /* ASCII, shown as "what: 3/10 unit"; must outlive the job. what is NULL before and after it */
    size_t total, done;  /* total 0: unknown */
    double start, shown; /* seconds of the clock: the start, and the last output */
    bool terminal;       /* out supports carriage returns */
    bool drawn;          /* a bar is on the terminal's current line */
};

void progress_start(struct progress *p, const char *what, const char *unit, size_t total);

/* progress_step that starts the job if none has started. */
void progress_show(struct progress *p, const char *what, const char *unit, size_t done, size_t total);

/* `done` of the total are finished. Cheap enough for each step of a loop; call it from one thread. */
void progress_step(struct progress *p, size_t done);

/* Remove the bar from the terminal to print a message; the next step draws it again. */
void progress_clear(struct progress *p);

/* May be called without a job. */
void progress_end(struct progress *p);

/* The text for `done` after this many seconds, without a line break: with a bar that fits a terminal of this many
 * columns, or plain if columns is 0. */
void progress_text(char *text, size_t size, const struct progress *p, double seconds, int columns);

#endif
