/* cli.h - shared by the subcommands: their names, weights, lists of pictures; includes print.h and command.h.
 *
 * Results go to stdout, which main flushes and checks; progress and errors go to stderr. */
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

/* The offset of a field of a command's arguments, for its rows. */
#define AT(field) offsetof(struct arguments, field)

/* The path for gvm_model_open that --weights names: NULL, the built-in weights, for "nano" and by default; for a
 * training run's folder its best network, else its last one, with a note on stderr. Call it once per command. */
const char *weights_path(const char *name);

/* ------------------------------------------------------------------ maps */

/* Warn on stderr if building the map was interrupted. */
void warn_incomplete(const gvm_map *map);

/* Describe the map in a GeoPackage on stdout. */
int info_map(const char *path, bool json);

/* ------------------------------------------------------------------ pictures */

struct picture_files {
    char **paths;
    size_t count;
};

/* The pictures that the operands name: a file stands for itself, a folder for the picture files (JPEG, PNG, WebP, TIFF,
 * HEIC) in it, by extension, sorted by name. Errors go to stderr and set *status to FAILED, else it is unchanged. Free
 * with pictures_free. */
void pictures_list(struct picture_files *pictures, int *status, const struct common *common);
void pictures_free(struct picture_files *pictures);

/* Whether a name has a picture's extension. */
bool is_picture_name(const char *name);

/* A progress bar over files; pass file_done and this as the library's `done` and `user`, and end the bar. */
struct watch {
    struct progress progress;
    const char *what, *unit;
    size_t failures, reached; /* files that failed; files reported by done */
    gvm_status *statuses;     /* (count) of each file; may be NULL */
    gvm_error *errors;        /* (count); may be NULL */
};

/* GVM_ARGUMENT if --heading is given and the weights take photos of any heading. */
gvm_status check_heading(const gvm_model *model, bool given, gvm_error *err);

/* Append to err what the user can do about a refused picture. */
void add_hint(gvm_error *err, gvm_status status);

void file_done(void *user, size_t index, size_t count, gvm_status status, const gvm_error *err);

#endif
