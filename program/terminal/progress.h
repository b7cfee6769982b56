/* progress.h - how far a long job is, on stderr. Only the program uses it: the library never prints.
 *
 *     struct progress p = {.quiet = quiet};
 *     progress_start(&p, "embed", "pictures", n);
 *     for (size_t i = 0; i < n; i++) { ...; progress_step(&p, i + 1); }
 *     progress_end(&p);
 *
 * On a terminal: a bar, redrawn at most ten times a second. Elsewhere: a line every ten seconds, and one at the
 * end of a job that ran longer than that. */
#ifndef GVM_TERMINAL_PROGRESS_H
#define GVM_TERMINAL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct progress {
    bool quiet;            /* the caller's: print nothing */
    FILE *out;             /* the caller's: NULL for stderr */
    double (*clock)(void); /* the caller's: seconds; NULL for the monotonic clock */
    size_t from; /* the caller's: how many were done before this job, which counts them but took no time for them */

    const char *what,
        *unit;           /* ASCII, shown as "what: 3/10 unit"; must outlive the job. what is NULL before and after */
    size_t total, done;  /* total 0: not known */
    double start, shown; /* seconds of the clock: the start, and when something was last written */
    bool terminal;       /* out is one that understands a carriage return */
    bool drawn;          /* a bar stands on the terminal's current line */
};

void progress_start(struct progress *p, const char *what, const char *unit, size_t total);

/* progress_step for a job that begins with it, if none has begun. */
void progress_show(struct progress *p, const char *what, const char *unit, size_t done, size_t total);

/* `done` of the total are finished. Cheap enough for each step of a loop; from one thread. */
void progress_step(struct progress *p, size_t done);

/* Take the bar off the terminal, for a sentence about one item; the next step draws it again. */
void progress_clear(struct progress *p);

/* Fine where no job has begun. */
void progress_end(struct progress *p);

/* The text that stands for `done` after so many seconds, without a line break: with a bar for a terminal of so
 * many columns, where the text stays narrower, or plain where columns is 0. */
void progress_text(char *text, size_t size, const struct progress *p, double seconds, int columns);

#endif
