/* inputs.c - the weights and pictures named on a command line, and the progress bar. */
#include <dirent.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/cli.h"

/* ------------------------------------------------------------------ weights */

/* A training run's best network, else its last; kept until the program ends. */
static const char *network_of_run(const char *run)
{
    static const char *const names[] = {"best", "last"};
    for (int i = 0; i < 2; i++) {
        static char path[4096];
        int n = snprintf(path, sizeof path, "%s/%s.safetensors", run, names[i]);
        if (n >= (int)sizeof path || access(path, R_OK) != 0) continue;
        gvm_error line;
        fail(&line, GVM_OK, "%s: it is a training run; its %s.safetensors is used", path_tail(run), names[i]);
        failed(&line);
        return path;
    }
    return run;
}

const char *weights_path(const char *name)
{
    if (name == NULL || strcmp(name, "nano") == 0) return NULL;
    return g_file_test(name, G_FILE_TEST_IS_DIR) ? network_of_run(name) : name;
}

/* ------------------------------------------------------------------ pictures */

bool is_picture_name(const char *name)
{
    /* formats that no build reads are included, so that they are reported instead of skipped */
    static const char *const extensions[] = {"jpg",  "jpeg", "png",  "webp", "tif", "tiff", "heic",
                                             "heif", "hif",  "avif", "jxl",  "dng", "gif",  "bmp"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof extensions / sizeof *extensions; i++)
        if (strcasecmp(dot + 1, extensions[i]) == 0) return true;
    return false;
}

static int only_pictures(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && is_picture_name(entry->d_name);
}

/* Bytewise, independent of the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_folder(GPtrArray *paths, int *status, const char *folder)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, only_pictures, by_name);
    gvm_error err;
    if (n <= 0) {
        if (n < 0)
            fail_errno(&err, "read", folder);
        else
            fail(&err, GVM_FILE, "%s: no JPEG, PNG, WebP, TIFF or HEIC file found in this folder", folder);
        *status = failed(&err);
    }
    for (int i = 0; i < n; i++) {
        const char *slash = g_str_has_suffix(folder, "/") ? "" : "/";
        g_ptr_array_add(paths, g_strconcat(folder, slash, entries[i]->d_name, NULL));
        free(entries[i]);
    }
    if (n >= 0) free(entries);
}

void pictures_list(struct picture_files *pictures, int *status, const struct common *common)
{
    GPtrArray *paths = g_ptr_array_new();
    for (int i = 0; i < common->operand_count; i++) {
        if (g_file_test(common->operands[i], G_FILE_TEST_IS_DIR))
            add_folder(paths, status, common->operands[i]);
        else
            g_ptr_array_add(paths, g_strdup(common->operands[i])); /* errors are reported when it is read */
    }
    pictures->count = paths->len;
    g_ptr_array_add(paths, NULL);
    pictures->paths = (char **)g_ptr_array_free(paths, FALSE);
}

void pictures_free(struct picture_files *pictures)
{
    g_strfreev(pictures->paths);
    *pictures = (struct picture_files){0};
}

gvm_status check_heading(const gvm_model *model, bool given, gvm_error *err)
{
    gvm_view_info info = {.size = sizeof info};
    gvm_status status = gvm_view_about(model, GVM_STREET, &info, err);
    if (status != GVM_OK || !given || info.projection == GVM_EQUIRECTANGULAR) return status;
    return fail(err, GVM_ARGUMENT,
                "--heading is unsupported with these weights: they take photos of any heading and do not estimate it");
}

void add_hint(gvm_error *err, gvm_status status)
{
    size_t length = strlen(err->text);
    if (status == GVM_PANORAMA)
        snprintf(err->text + length, sizeof err->text - length,
                 " (docs/real-weights.md), or use --panorama yes if this is one");
}

void warn_incomplete(const gvm_map *map)
{
    gvm_map_info info = {.size = sizeof info};
    if (gvm_map_about(map, &info, NULL) == GVM_OK && !info.complete)
        fprintf(stderr,
                "geoviewmatch: warning: the map is incomplete: %zu places of its imagery are missing; rerun its "
                "`index` command\n",
                info.missing);
}

void file_done(void *user, size_t index, size_t count, gvm_status status, const gvm_error *err)
{
    struct watch *w = user;
    w->reached++;
    if (w->statuses != NULL) w->statuses[index] = status;
    if (status != GVM_OK) {
        gvm_error said = *err;
        add_hint(&said, status);
        if (w->errors != NULL) w->errors[index] = said;
        w->failures++;
        progress_clear(&w->progress);
        failed(&said);
    }
    progress_show(&w->progress, w->what, w->unit, index + 1, count);
}
