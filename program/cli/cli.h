/* cli.h - what the subcommands share: options, exit status, lists of pictures, JSON.
 *
 * A subcommand cmd_NAME gets its own name as argv[0] and returns the exit status. Results go to stdout, which main
 * flushes and checks; progress and sentences about failures go to stderr. */
#ifndef GVM_CLI_CLI_H
#define GVM_CLI_CLI_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_text.h"
#include "base/number.h"
#include "geoviewmatch.h"
#include "terminal/progress.h"

/* Exit status. GO_ON is none: the command has not ended yet. */
enum { DONE = 0, FAILED = 1, USAGE = 2, GO_ON = -1 };

int cmd_bench(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_embed(int argc, char **argv);
int cmd_index(int argc, char **argv);
int cmd_heatmap(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_locate(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_world(int argc, char **argv);

/* ------------------------------------------------------------------ options
 *
 *     static const struct option options[] = {{"out", required_argument, NULL, 'o'}, COMMON_OPTIONS};
 *     struct common common = {.name = "embed", .help = help};
 *     for (int c; (c = next_option(argc, argv, options)) != -1;)
 *         switch (c) {
 *         case 'o': out = optarg; break;
 *         default: if ((status = common_option(&common, c, argv)) != GO_ON) return status;
 *         }
 */
struct common {
    const char *name; /* of the subcommand */
    const char *help; /* its whole help text */
    bool quiet;       /* no progress */
    bool cuda;        /* --device cuda */
    gvm_precision precision;
};

enum { OPTION_THREADS = 1000, OPTION_DEVICE, OPTION_PRECISION, OPTION_QUIET, OPTION_HELP };

/* Of a command that has nothing to compute on a GPU: PLAIN_OPTIONS and PLAIN_HELP; of the others COMMON_OPTIONS and
 * COMMON_HELP. */
#define PLAIN_OPTIONS                                                                                 \
    {"threads", required_argument, NULL, OPTION_THREADS}, {"quiet", no_argument, NULL, OPTION_QUIET}, \
        {"help", no_argument, NULL, OPTION_HELP},                                                     \
    {                                                                                                 \
        NULL, 0, NULL, 0                                                                              \
    }

#define COMMON_OPTIONS                                                                                            \
    {"device", required_argument, NULL, OPTION_DEVICE}, {"precision", required_argument, NULL, OPTION_PRECISION}, \
        PLAIN_OPTIONS

#define PLAIN_HELP                                                            \
    "  --threads N           threads to compute with (default: one a core)\n" \
    "  --quiet               no progress on stderr\n"                         \
    "  --help                this text\n"

#define COMMON_HELP                                                           \
    "  --threads N           threads to compute with (default: one a core)\n" \
    "  --device cpu|cuda     where to compute (default: cpu)\n"               \
    "  --precision bf16|tf32|fp32\n"                                          \
    "                        with --device cuda (default: bf16)\n"            \
    "  --quiet               no progress on stderr\n"                         \
    "  --help                this text\n"

/* Long options only. -1 after the last; what is left over then starts at argv[optind]. */
int next_option(int argc, char **argv, const struct option *options);

/* Handle what the command does not know itself: GO_ON, or the exit status to end with. */
int common_option(struct common *common, int option, char **argv);

/* A usage error: "geoviewmatch NAME: SENTENCE (see ...)" on stderr. Returns USAGE. */
__attribute__((format(printf, 2, 3))) int usage_error(const char *name, const char *format, ...);

/* Lines of examples for a command's --help; "" for none. */
const char *examples_of(const char *command);

/* "geoviewmatch: SENTENCE" on stderr. Returns FAILED. */
int failed(const gvm_error *err);

/* Text of any bytes on stdout, a '?' for each control character. */
void print_text(const char *text);

/* What --weights names, for gvm_model_open: NULL, the built-in weights, for "nano" and where nothing is named; of a
 * training run's folder its best network, else its last one, which is said on stderr. Once a command. */
const char *weights_path(const char *name);

/* ------------------------------------------------------------------ maps */

/* On stderr, where its building was interrupted. */
void warn_incomplete(const gvm_map *map);

/* Whether a file is a GeoPackage by its first bytes; what the map in it holds, on stdout. */
bool is_map(const char *path);
int info_map(const char *path, bool json);

/* ------------------------------------------------------------------ pictures */

struct picture_files {
    char **paths;
    size_t count;
};

/* The pictures that the arguments name: a file is itself, a folder the picture files (JPEG, PNG, WebP, TIFF, HEIC) that
 * lie in it, by their extension and in the order of their names. What is wrong with an argument goes to stderr; *status
 * is FAILED then and as it was otherwise. To be freed with pictures_free. */
void pictures_list(struct picture_files *pictures, int *status, char **arguments, int count);
void pictures_free(struct picture_files *pictures);

/* Whether a name ends as a picture's does. */
bool is_picture_name(const char *name);

/* A bar over files; use file_done and this as the library's `done` and `user`. */
struct watch {
    struct progress progress;
    bool started;
    const char *what, *unit;
    size_t failures, reached; /* files that failed; that were told of at all */
    gvm_status *statuses;     /* (count) of each file; may be NULL */
    gvm_error *errors;        /* (count); may be NULL */
};

/* What a user can do about a picture that the library refused, added to its sentence. */
void add_hint(gvm_error *err, gvm_status status);

void file_done(void *user, size_t index, size_t count, gvm_status status, const gvm_error *err);
void watch_end(struct watch *watch);

/* ------------------------------------------------------------------ JSON */

/* Indented on stdout, with a line break; frees it. FAILED where memory was short (NULL), with a sentence. */
int json_print(json_t *json);

#endif
