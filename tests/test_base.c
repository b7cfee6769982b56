/* test_base.c - random numbers, division of parallel work, order statistics, error messages, progress lines */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's; base/error.h defines ours */

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mersenne.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/top.h"
#include "terminal/progress.h"

/* ------------------------------------------------------------------ random numbers */

/* The known answers published by Philox's authors (philox4x32, 10 rounds): the first two words. */
static void test_random_known(void **state)
{
    (void)state;
    assert_true(random_bits(0, 0, 0) == 0xe169c58d6627e8d5);
    assert_true(random_bits(UINT64_MAX, UINT64_MAX, UINT64_MAX) == 0x41c83b0e408f276d);
    assert_true(random_bits(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88) == 0x94fdccebd16cfe09);
}

/* numpy.random.RandomState(seed).rand(), by NumPy 2.4.6; draws 312 and 313 are on both sides of the second turn. */
static void test_mersenne(void **state)
{
    (void)state;
    struct mersenne m;
    double x[1001];
    mersenne_seed(&m, 2019);
    for (int i = 1; i <= 1000; i++) x[i] = mersenne_rand(&m);
    assert_true(x[1] == 0x1.ce953886e59a5p-1 && x[2] == 0x1.9283b24308178p-2 && x[3] == 0x1.3f78fda2eba42p-1);
    assert_true(x[312] == 0x1.ecf7895c1bd38p-3 && x[313] == 0x1.6d70ac6df509ep-1 && x[1000] == 0x1.f416a9dab2977p-1);
    mersenne_seed(&m, 0);
    assert_true(mersenne_rand(&m) == 0x1.18fe1565f12a8p-1);
    mersenne_seed(&m, UINT32_MAX);
    assert_true(mersenne_rand(&m) == 0x1.8fe69a3924820p-4);
}

/* Mean, variance and correlation of neighbours of n draws are within 5 standard errors of their expected values. */
static void assert_moments(const double *x, int n, double mean, double variance, double fourth)
{
    double sum = 0, square = 0, along = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    for (int i = 0; i < n; i++) square += (x[i] - mean) * (x[i] - mean);
    for (int i = 1; i < n; i++) along += (x[i] - mean) * (x[i - 1] - mean);
    assert_true(fabs(sum / n - mean) < 5 * sqrt(variance / n));
    assert_true(fabs(square / n - variance) < 5 * sqrt((fourth - variance * variance) / n));
    assert_true(fabs(along / n) < 5 * variance / sqrt(n));
}

static void test_random_moments(void **state)
{
    (void)state;
    enum { N = 100000 };
    double *x = malloc(N * sizeof *x);
    assert_non_null(x);
    for (uint64_t seed = 0; seed < 3; seed++) {
        for (int i = 0; i < N; i++) {
            float u = random_uniform(seed, 5, (uint64_t)i);
            assert_true(u >= 0 && u < 1 && u * 0x1p24f == floorf(u * 0x1p24f));
            x[i] = (double)u;
        }
        assert_moments(x, N, 0.5, 1.0 / 12, 1.0 / 80);
        for (int i = 0; i < N; i++) x[i] = random_normal(seed, 6, (uint64_t)i);
        assert_moments(x, N, 0, 1, 3);
        int inside = 0;
        for (int i = 0; i < N; i++) inside += fabs(x[i]) < 1;
        assert_true(fabs(inside / (double)N - 0.682689) < 5 * sqrt(0.682689 * 0.317311 / N));
        for (int i = 0; i < N; i++) x[i] = (double)random_uniform(seed, (uint64_t)i, 0); /* across streams */
        assert_moments(x, N, 0.5, 1.0 / 12, 1.0 / 80);
    }
    free(x);
}

enum { DRAWS = 1000 };

static void draw(void *argument, struct team team)
{
    double *x = argument;
    int from, to;
    parallel_range(&from, &to, DRAWS, 7, team);
    for (int i = to - 1; i >= from; i--) x[i] = random_normal(9, 1, (uint64_t)i);
}

/* Backwards, and on any number of threads: the same draws. */
static void test_random_order(void **state)
{
    (void)state;
    double x[DRAWS], y[DRAWS];
    int threads = parallel_threads();
    for (int i = 0; i < DRAWS; i++) x[i] = random_normal(9, 1, (uint64_t)i);
    for (int count = 1; count <= 5; count++) {
        parallel_set_threads(count);
        memset(y, 0, sizeof y);
        parallel_run(draw, y);
        assert_memory_equal(x, y, sizeof x);
    }
    parallel_set_threads(threads);
}

/* ------------------------------------------------------------------ parallel work */

/* The parts of a team are consecutive, cover everything, are cut at multiples of the grain, and differ by at most one
 * grain. */
static void test_parallel_range(void **state)
{
    (void)state;
    static const int sizes[] = {0, 1, 7, 48, 49, 1000, 9216, INT32_MAX}, grains[] = {1, 7, 16, 48};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t g = 0; g < sizeof grains / sizeof *grains; g++)
            for (int size = 1; size <= 9; size++) {
                int n = sizes[s], grain = grains[g], end = 0, least = INT32_MAX, most = 0;
                for (int rank = 0; rank < size; rank++) {
                    int from, to;
                    parallel_range(&from, &to, n, grain, (struct team){rank, size});
                    assert_int_equal(from, end);
                    assert_true(to >= from && to <= n && (to == n || to % grain == 0));
                    least = to - from < least ? to - from : least;
                    most = to - from > most ? to - from : most;
                    end = to;
                }
                assert_int_equal(end, n);
                assert_true((long)most - least < 2L * grain);
            }
}

struct meeting {
    int came[64], saw[64];
    int size;
};

static void meet(void *argument, struct team team)
{
    struct meeting *m = argument;
    if (team.rank == 0) m->size = team.size;
    m->came[team.rank] = 1;
    parallel_barrier(team);
    for (int i = 0; i < team.size; i++) m->saw[team.rank] += m->came[i];
}

/* Every thread runs the body once, and after the barrier sees the effects of all threads before it. */
static void test_parallel_run(void **state)
{
    (void)state;
    int threads = parallel_threads();
    for (int count = 1; count <= 4; count++) {
        struct meeting m = {{0}, {0}, 0};
        parallel_set_threads(count);
        assert_int_equal(parallel_threads(), count);
        parallel_run(meet, &m);
        assert_int_equal(m.size, count);
        for (int i = 0; i < count; i++) assert_int_equal(m.saw[i], count);
    }
    parallel_set_threads(threads);
}

/* ------------------------------------------------------------------ errors */

static void test_error(void **state)
{
    (void)state;
    gvm_error err = {"before"};
    assert_int_equal(fail(&err, GVM_FORMAT, "%s: %d",
                          "a\x1b[31mb\nc\x7f"
                          "d\te",
                          7),
                     GVM_FORMAT);
    assert_string_equal(err.text, "a?[31mb?c?d?e: 7"); /* nothing that moves a terminal's cursor */
    assert_int_equal(fail(&err, GVM_FILE, "%s",
                          "Stra\xc3\x9f"
                          "e"),
                     GVM_FILE);
    assert_string_equal(err.text, "Stra\xc3\x9f"
                                  "e");
    assert_int_equal(fail(NULL, GVM_MEMORY, "%s", "no one listens"), GVM_MEMORY);

    char big[2 * sizeof err.text];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    assert_int_equal(fail(&err, GVM_IMAGE, "%s", big), GVM_IMAGE);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

/* Whatever bytes a name has, the message is valid UTF-8, on one line and in one direction. */
static void test_error_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *name, *shown;
    } cases[] = {
        {"\xff\xfe", "??"},
        {"a\x80z", "a?z"},                        /* a continuation byte */
        {"\xc3", "?"},                            /* half of one */
        {"\xe2\x82z", "??z"},                     /* two thirds of one */
        {"\xc0\xaf", "??"},                       /* an overlong slash */
        {"\xed\xa0\x80", "???"},                  /* a surrogate */
        {"\xf4\x90\x80\x80", "????"},             /* above U+10FFFF */
        {"a\xc2\x80\xc2\x9b\xc2\x9fz", "a???z"},  /* C1 controls, including CSI */
        {"a\u202a\u202e\u2066\u2069z", "a????z"}, /* embedding, override, isolates */
        {"a\u2028\u2029z", "a??z"},               /* line and paragraph separators */
        {"\u00a0\u00e4\u20ac\u2027\u202f\u2065\u206a\U0001f30d",
         "\u00a0\u00e4\u20ac\u2027\u202f\u2065\u206a\U0001f30d"},
    };
    gvm_error err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fail(&err, GVM_FILE, "%s", cases[i].name);
        assert_string_equal(err.text, cases[i].shown);
    }
    char big[600]; /* truncated, but not inside a character of 4 bytes, nor after a complete one */
    for (size_t lead = 0; lead < 4; lead++) {
        memset(big, 'x', lead);
        for (size_t i = lead; i + 4 < sizeof big; i += 4) strcpy(big + i, "\U0001f30d");
        fail(&err, GVM_FILE, "%s", big);
        assert_int_equal(strlen(err.text), lead + (sizeof err.text - 1 - lead) / 4 * 4);
        assert_memory_equal(err.text, big, strlen(err.text));
    }
}

static void test_error_errno(void **state)
{
    (void)state;
    gvm_error err = {""};
    errno = ENOENT;
    assert_int_equal(fail_errno(&err, "open", "no/such"), GVM_FILE);
    assert_non_null(strstr(err.text, "no/such: cannot open it: "));
    errno = ENOMEM;
    assert_int_equal(fail_errno(&err, "read", "big"), GVM_MEMORY);
}

/* ------------------------------------------------------------------ progress */

static void test_progress_text(void **state)
{
    (void)state;
    char text[256];
    struct progress p = {.what = "embed", .unit = "pictures", .total = 1000, .done = 250};
    progress_text(text, sizeof text, &p, 20, 0);
    assert_string_equal(text, "embed: 25% 250/1000 pictures, 12.5/s, 1:00 left");
    progress_text(text, sizeof text, &p, 20, 70);
    assert_string_equal(text, "embed: [####...............] 25% 250/1000 pictures, 12.5/s, 1:00 left");
    progress_text(text, sizeof text, &p, 100000, 0);
    assert_string_equal(text, "embed: 25% 250/1000 pictures, 0.00/s, 83:20:00 left");
    p.done = 0;
    progress_text(text, sizeof text, &p, 3, 0);
    assert_string_equal(text, "embed: 0% 0/1000 pictures"); /* no rate yet, so no remaining time */
    p.done = 1000;
    progress_text(text, sizeof text, &p, 4, 0);
    assert_string_equal(text, "embed: 100% 1000/1000 pictures, 250/s");
    p.total = 0;
    progress_text(text, sizeof text, &p, 100, 200);
    assert_string_equal(text, "embed: 1000 pictures, 10.0/s"); /* no total, so neither bar nor per cent */
}

/* The line is always narrower than the terminal. Otherwise it would wrap, and the carriage return would not reach its
 * start. */
static void test_progress_width(void **state)
{
    (void)state;
    char text[256];
    struct progress p = {.what = "embed", .unit = "pictures", .total = 7};
    for (int columns = 1; columns <= 250; columns++)
        for (p.done = 0; p.done <= 8; p.done++) {
            progress_text(text, sizeof text, &p, 3.21, columns);
            assert_true(strlen(text) < (size_t)columns);
        }
}

/* The test's own clock, so that pauses of the machine have no effect. */
static double progress_time;

static double progress_clock(void)
{
    return progress_time;
}

static void run_progress(struct progress *p, double age)
{
    progress_start(p, "read", "files", 3);
    progress_step(p, 1);
    progress_time += age;
    progress_step(p, 2);
    progress_step(p, 3);
    progress_end(p);
}

/* Output to a file: silence for ten seconds, then whole lines. */
static void test_progress_file(void **state)
{
    (void)state;
    static const struct {
        bool quiet;
        double age;
        const char *expected;
    } cases[] = {{false, 0, ""},
                 {true, 20, ""},
                 {false, 20,
                  "read: 66% 2/3 files, 0.10/s, 0:10 left\n"
                  "read: 3 files in 0:20, 0.15/s\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512] = "";
        FILE *file = tmpfile();
        assert_non_null(file);
        struct progress p = {.quiet = cases[i].quiet, .out = file, .clock = progress_clock};
        run_progress(&p, cases[i].age);
        rewind(file);
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        assert_string_equal(text, cases[i].expected);
    }
}

/* On a terminal: a bar across the width, erased for messages and at the end. */
static void test_progress_terminal(void **state)
{
    (void)state;
    int master, slave;
    struct winsize window = {.ws_row = 24, .ws_col = 60};
    setenv("TERM", "xterm", 1);
    if (openpty(&master, &slave, NULL, NULL, &window) != 0) skip(); /* a machine without pseudo-terminals */
    FILE *terminal = fdopen(slave, "w");
    assert_non_null(terminal);
    struct progress p = {.out = terminal, .clock = progress_clock};
    progress_start(&p, "read", "files", 3);
    progress_time += 100;
    progress_step(&p, 2);
    progress_time += 0.05;
    progress_step(&p, 2); /* too soon to redraw */
    progress_clear(&p);
    progress_clear(&p);
    progress_time += 99.95;
    progress_step(&p, 3);
    progress_end(&p);
    char text[512] = "";
    size_t length = 0; /* a terminal delivers in pieces, the last of which ends the line */
    for (struct pollfd ready = {master, POLLIN, 0}; strchr(text, '\n') == NULL && poll(&ready, 1, 10000) == 1;) {
        ssize_t n = read(master, text + length, sizeof text - 1 - length);
        assert_true(n > 0);
        length += (size_t)n;
    }
    fclose(terminal);
    close(master);
    assert_string_equal(text, "\rread: [############......] 66% 2/3 files, 0.02/s, 0:50 left\033[K"
                              "\r\033[K"
                              "\rread: [############################] 100% 3/3 files, 0.01/s\033[K"
                              "\r\033[K"
                              "read: 3 files in 3:20, 0.01/s\r\n");
}

/* ------------------------------------------------------------------ order statistics */

/* Against a search for the maximum of the rest, with ties and a NaN. */
static void test_top_scores(void **state)
{
    (void)state;
    enum { N = 60 };
    float scores[N];
    struct scored best[N];
    for (int k = 1; k <= N; k++) {
        bool taken[N] = {false};
        for (int i = 0; i < N; i++) scores[i] = (float)(random_bits(3, (uint64_t)k, (uint64_t)i) % 20);
        scores[k % 7] = NAN;
        top_scores(best, k, scores, N);
        for (int n = 0; n < k; n++) {
            int want = -1;
            for (int i = 0; i < N; i++)
                if (!taken[i] && (want < 0 || scores[i] > scores[want] || (isnan(scores[want]) && !isnan(scores[i]))))
                    want = i;
            taken[want] = true;
            assert_int_equal(best[n].item, want);
            assert_true(best[n].score == (isnan(scores[want]) ? -INFINITY : scores[want]));
        }
    }
}

static void test_median(void **state)
{
    (void)state;
    double values[] = {7, -1, 3, 100, 2};
    assert_true(median(values, 5) == 3);
    assert_true(median(values, 4) == 2.5); /* of -1, 2, 3, 7 */
    assert_true(median(values, 1) == -1);
    assert_true(isnan(median(values, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mersenne),
        cmocka_unit_test(test_random_known),
        cmocka_unit_test(test_random_moments),
        cmocka_unit_test(test_random_order),
        cmocka_unit_test(test_parallel_range),
        cmocka_unit_test(test_parallel_run),
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_error_utf8),
        cmocka_unit_test(test_error_errno),
        cmocka_unit_test(test_progress_text),
        cmocka_unit_test(test_progress_width),
        cmocka_unit_test(test_progress_file),
        cmocka_unit_test(test_progress_terminal),
        cmocka_unit_test(test_top_scores),
        cmocka_unit_test(test_median),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
