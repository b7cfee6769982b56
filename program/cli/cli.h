/* cli.h - what the subcommands share: their names, weights, lists of pictures; and by print.h and command.h
 * the rest.
 *
 * Results go to stdout, which main flushes and checks; progress and sentences about failures go to stderr. */
#ifndef GVM_CLI_CLI_H
#define GVM_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_put.h"
#include "base/json_text.h"
#include "base/number.h"
#include "cli/command.h"
#include "geoviewmatch.h"
#include "terminal/progress.h"

extern const struct command bench_command, check_command, demo_command, embed_command, eval_command, heatmap_command,
    import_command, index_command, info_command, init_command, locate_command, serve_command, train_command,
    world_command;

/* A field of a command's arguments, for its rows. */
#define AT(field) offsetof(struct arguments, field)

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

/* The pictures that the operands name: a file is itself, a folder the picture files (JPEG, PNG, WebP, TIFF, HEIC) that
 * lie in it, by their extension and in the order of their names. What is wrong with an argument goes to stderr; *status
 * is FAILED then and as it was otherwise. To be freed with pictures_free. */
void pictures_list(struct picture_files *pictures, int *status, const struct common *common);
void pictures_free(struct picture_files *pictures);

/* Whether a name ends as a picture's does. */
bool is_picture_name(const char *name);

/* A bar over files, to be ended; use file_done and this as the library's `done` and `user`. */
struct watch {
    struct progress progress;
    const char *what, *unit;
    size_t failures, reached; /* files that failed; that were told of at all */
    gvm_status *statuses;     /* (count) of each file; may be NULL */
    gvm_error *errors;        /* (count); may be NULL */
};

/* GVM_ARGUMENT if --heading is given, and the weights take photos, which have any. */
gvm_status check_heading(const gvm_model *model, bool given, gvm_error *err);

/* What a user can do about a picture that the library refused, added to its sentence. */
void add_hint(gvm_error *err, gvm_status status);

void file_done(void *user, size_t index, size_t count, gvm_status status, const gvm_error *err);

#endif
