/* cmd_demo.c - a complete example with the built-in weights: generates a town, builds a map of it and locates
 * panoramas. It runs the commands that a user would type and prints them. The files of an earlier run are reused;
 * DIR/demo.txt describes them. */
#define _GNU_SOURCE /* program_invocation_name */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "cli/cli.h"
#include "map/features_file.h"
#include "map/map_file.h"

enum { WORDS = 24 };

#define MARK "GeoViewMatch demo" /* the start of demo.txt */

struct arguments {
    struct common common;
    const char *out, *seed;
    bool force;
};

/* ------------------------------------------------------------------ commands as typed */

/* A word quoted for the shell. */
static void print_word(const char *word)
{
    bool plain = word[0] != '\0' && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                                      "-_./,:=+@%")] == '\0';
    g_autofree gchar *quoted = plain ? NULL : g_shell_quote(word);
    print_text(plain ? word : quoted);
}

/* Print the program as it was called, and its words. */
static void print_command(const char *const *words)
{
    print_word(program_invocation_name);
    for (; *words != NULL; words++) {
        putchar(' ');
        print_word(*words);
    }
    putchar('\n');
}

/* Run a command as if it had been typed: its words, ended by NULL, and one that is not printed, or NULL. */
static int type(const struct command *command, const struct arguments *a, const char *const *words, char *unseen)
{
    char *argv[WORDS + 2];
    int count = 0;
    fputs("$ ", stdout);
    print_command(words);
    (void)fflush(stdout);
    for (; words[count] != NULL; count++) argv[count] = (char *)words[count];
    if (a->common.quiet) argv[count++] = "--quiet";
    if (unseen != NULL) argv[count++] = unseen;
    int status = command_run(command, count, argv);
    putchar('\n');
    (void)fflush(stdout);
    return status;
}

/* ------------------------------------------------------------------ an earlier run's files */

static gchar *in_folder(const struct arguments *a, const char *name)
{
    return g_build_filename(a->out, name, NULL);
}

/* The text of demo.txt for this town, to be freed; NULL, with *err, if the built-in weights cannot be opened. */
static gchar *describe(const struct arguments *a, gvm_error *err)
{
    gvm_model *model;
    gvm_model_info info = {.size = sizeof info};
    if (gvm_model_open(&model, NULL, err) != GVM_OK) return NULL;
    gvm_model_about(model, &info, NULL);
    gchar *text = g_strdup_printf(MARK "\nversion %s, seed %s, weights %s\n%s\n", gvm_version(), a->seed,
                                  info.fingerprint, a->out);
    gvm_model_free(model);
    return text;
}

static gvm_status write_mark(const struct arguments *a, const char *text, gvm_error *err)
{
    g_autofree gchar *path = in_folder(a, "demo.txt");
    return file_write(path, text, strlen(text), err);
}

enum earlier { NONE, OTHER, MOVED, SAME };

/* Whether the folder has a demo, and whether it is of this town and complete. MOVED: the folder was renamed, so its map
 * has other paths. */
static enum earlier find_earlier(const struct arguments *a, const char *wanted)
{
    static const char *const files[] = {"ortho.tif", "photos.csv", "street"};
    g_autofree gchar *path = in_folder(a, "demo.txt"), *text = NULL;
    enum earlier found = NONE;
    struct stat info;
    size_t town = strlen(wanted) - strlen(a->out) - 1; /* the lines without the path */
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size < 10000 &&
        g_file_get_contents(path, &text, NULL, NULL) && strncmp(text, MARK, sizeof MARK - 1) == 0)
        found = strcmp(text, wanted) == 0 ? SAME : strncmp(text, wanted, town) == 0 ? MOVED : OTHER;
    for (size_t i = 0; i < sizeof files / sizeof *files && found >= MOVED; i++) {
        g_autofree gchar *file = in_folder(a, files[i]);
        if (access(file, R_OK) != 0) found = OTHER;
    }
    return found;
}

static gvm_status opens_as_map(bool *ours, const char *path, const char *start, gvm_error *err)
{
    struct map_file *file;
    (void)start;
    *ours = map_file_open(&file, path, false, err) == GVM_OK;
    map_file_close(file);
    return GVM_OK;
}

static gvm_status starts_as_features(bool *ours, const char *path, const char *start, gvm_error *err)
{
    (void)path, (void)err;
    *ours = features_start((const uint8_t *)start, strlen(start));
    return GVM_OK;
}

/* Files that are removed or overwritten, besides those that `world` and `locate` check, must be a demo's; --force does
 * not cover a user's own map. */
static gvm_status check_own(const struct arguments *a, gvm_error *err)
{
    static const struct {
        const char *name;
        struct output_kind kind;
    } files[] = {{"map.gpkg", {.is_ours = opens_as_map}},
                 {"map.features", {.is_ours = starts_as_features}},
                 {"demo.txt", {.start = MARK}}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        g_autofree gchar *path = in_folder(a, files[i].name);
        if (output_check(path, &files[i].kind, false, NULL, 0, NULL) != GVM_OK)
            return fail(err, GVM_ARGUMENT,
                        "%s: it was not made by a demo; move it away, or choose another folder with --out", path);
    }
    return GVM_OK;
}

static gvm_status remove_map(const struct arguments *a, gvm_error *err)
{
    g_autofree gchar *map = in_folder(a, "map.gpkg"), *features = in_folder(a, "map.features");
    gvm_status status = map_file_unlink(map, err);
    if (status == GVM_OK && unlink(features) != 0 && errno != ENOENT) return fail_errno(err, "replace", features);
    return status;
}

/* ------------------------------------------------------------------ the demo */

/* Make the folder if necessary. Returns whether it is new or empty. */
static bool is_free(const char *folder)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) return false;
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    return entries != NULL && g_dir_read_name(entries) == NULL;
}

/* Generate the town unless it exists. demo.txt is written first, so that an interrupted demo can be run again. */
static int draw(const struct arguments *a, const char *wanted)
{
    enum earlier earlier = a->force ? OTHER : find_earlier(a, wanted);
    gvm_error err;
    if (earlier != SAME && check_own(a, &err) != GVM_OK) return failed(&err);
    if (earlier == MOVED && (remove_map(a, &err) != GVM_OK || write_mark(a, wanted, &err) != GVM_OK))
        return failed(&err);
    if (earlier >= MOVED) {
        print_line("%s: this town exists already (--force generates it again)", a->out);
        putchar('\n');
        return DONE;
    }
    bool over = earlier == OTHER, empty = is_free(a->out);
    const char *words[WORDS] = {"world",
                                "--ortho",
                                "--out",
                                a->out,
                                "--pairs",
                                "30",
                                "--metres",
                                "800",
                                "--turn",
                                "yes",
                                "--seed",
                                a->seed,
                                over ? "--force" : NULL};
    if (over && remove_map(a, &err) != GVM_OK) return failed(&err);
    if ((over || empty) && write_mark(a, MARK, &err) != GVM_OK) return failed(&err);
    int status = type(&world_command, a, words, empty && !over ? "--force" : NULL);
    if (status != DONE) return status;
    return write_mark(a, wanted, &err) == GVM_OK ? DONE : failed(&err);
}

static void print_end(const char *map, const char *report)
{
    g_autofree gchar *page = g_build_filename(report, "index.html", NULL), *whole = g_canonicalize_filename(page, NULL);
    g_autofree gchar *uri = g_filename_to_uri(whole, NULL, NULL);
    puts("Each panorama with its best tiles, in a browser:\n");
    print_line("  %s", uri != NULL ? uri : whole);
    printf("\nThe same as a web page that takes photos, at http://127.0.0.1:8080/:\n\n  ");
    print_command((const char *const[]){"serve", "--index", map, NULL});
    putchar('\n');
    print_line("QGIS opens %s and %s/answers.geojson. With your own orthophoto and panoramas:", map, report);
    printf("\n  ");
    print_command((const char *const[]){"index", "--raster", "ORTHOPHOTO.tif", "--out", "MAP.gpkg", NULL});
    printf("  ");
    print_command((const char *const[]){"locate", "--index", "MAP.gpkg", "--report", "REPORT", "PANORAMA.jpg", NULL});
    printf("\nThe built-in weights were trained on drawn towns and are not usable on real imagery. Weights that are, "
           "one of them\n"
           "for ordinary photos, are published (docs/real-weights.md), or train your own:\n\n  ");
    print_command((const char *const[]){"train", "--help", NULL});
}

static int demo(void *arguments)
{
    const struct arguments *a = arguments;
    gvm_error err;
    g_autofree gchar *wanted = describe(a, &err), *ortho = in_folder(a, "ortho.tif"), *map = in_folder(a, "map.gpkg"),
                     *photos = in_folder(a, "photos.csv"), *street = in_folder(a, "street"),
                     *report = in_folder(a, "report");
    if (wanted == NULL) return failed(&err);
    const char *const index[] = {"index", "--raster", ortho, "--out", map, NULL};
    const char *const locate[] = {"locate", "--index",  map,    "--known", photos, "--format",
                                  "lines",  "--report", report, street,    NULL};
    int status = draw(a, wanted);
    if (status == DONE) status = type(&index_command, a, index, NULL);
    if (status == DONE) status = type(&locate_command, a, locate, NULL);
    if (status == DONE) print_end(map, report);
    return status;
}

/* As typed, for the printed command. */
static bool read_seed(void *fields, const char *text)
{
    long seed;
    ((struct arguments *)fields)->seed = text;
    return read_long(&seed, text, 0, INT64_MAX);
}

static const struct option_row rows[] = {
    {"out", OPTION_TEXT, AT(out), "DIR", .standard = "geoviewmatch-demo",
     .help = "output folder: new, empty or from an earlier demo"},
    {"seed", OPTION_OTHER, AT(seed), "S", .standard = "2024", .read = read_seed,
     .takes = "a whole number of at least 0", .help = "which town is generated"},
    {"force", OPTION_FLAG, AT(force), .help = "generate and index again, overwriting the folder's files"},
    {0},
};

const struct command demo_command = {
    .name = "demo",
    .summary = "run a complete example on a generated town, in a minute",
    .usage = "[options]",
    .about = "Generates a town that the built-in weights were not trained on, as an orthophoto and 30 street "
             "panoramas. Builds a map from the orthophoto, locates the panoramas on it with their errors in metres, "
             "and writes a report with pictures. Takes about a minute on two cores, less if the folder holds an "
             "earlier demo of the same town, which is reused.",
    .rows = rows,
    .device = true,
    .examples = "  geoviewmatch demo                                  everything, in the folder geoviewmatch-demo\n"
                "  geoviewmatch demo --out /tmp/town --seed 5         another town, in another folder\n",
    .size = sizeof(struct arguments),
    .run = demo,
};
