/* locate_heat.c - writes the scores of all tiles for a photo as a GeoTIFF. */
#include <glib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "cli/locate.h"

struct heat_files {
    char **paths; /* (photos) */
};

/* PHOTO.tif; if another photo has that name, PHOTO-2.tif and so on. */
static char *name_in(const char *folder, const char *photo, GHashTable *taken)
{
    g_autofree gchar *name = g_path_get_basename(photo);
    char *dot = strrchr(name, '.');
    if (dot != NULL && dot != name) *dot = '\0';
    for (int n = 1;; n++) {
        g_autofree gchar *file = n == 1 ? g_strdup_printf("%s.tif", name) : g_strdup_printf("%s-%d.tif", name, n);
        if (g_hash_table_add(taken, g_strdup(file))) return g_build_filename(folder, file, NULL);
    }
}

static gvm_status check(const struct heat_files *heat, const struct picture_files *photos, const char *index,
                        bool force, gvm_error *err)
{
    static const struct output_kind field = {"a field of scores", .start = "II*", .holds = OUTPUT_SCORES};
    const char **inputs = g_new0(const char *, photos->count + 1);
    memcpy(inputs, photos->paths, photos->count * sizeof *inputs);
    inputs[photos->count] = index;
    gvm_status status = GVM_OK;
    for (size_t i = 0; i < photos->count && status == GVM_OK; i++)
        status = output_check(heat->paths[i], &field, force, inputs, (int)photos->count + 1, err);
    g_free(inputs);
    return status;
}

gvm_status heat_open(struct heat_files **heat, const char *path, const struct picture_files *photos, const char *index,
                     bool force, gvm_error *err)
{
    const char *dot = strrchr(path, '.');
    bool file = dot != NULL && (strcasecmp(dot, ".tif") == 0 || strcasecmp(dot, ".tiff") == 0);
    struct heat_files *h = *heat = g_new0(struct heat_files, 1);
    h->paths = g_new0(char *, photos->count + 1);
    if (file && photos->count > 1)
        return fail(err, GVM_ARGUMENT, "%s: --heat takes a folder for %zu photos", path, photos->count);
    if (!file && (g_mkdir_with_parents(path, 0777) != 0 || access(path, W_OK) != 0))
        return fail_errno(err, "make", path);
    g_autofree gchar *folder = g_path_get_dirname(path);
    if (file && access(folder, W_OK) != 0) return fail_errno(err, "write", path);
    GHashTable *taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (size_t i = 0; i < photos->count; i++)
        h->paths[i] = file ? g_strdup(path) : name_in(path, photos->paths[i], taken);
    g_hash_table_destroy(taken);
    return check(h, photos, index, force, err);
}

void heat_free(struct heat_files *heat)
{
    if (heat == NULL) return;
    g_strfreev(heat->paths);
    g_free(heat);
}

gvm_status heat_write(const struct heat_files *heat, size_t photo, const gvm_located *located, const gvm_map *map,
                      const gvm_model *model, gvm_error *err)
{
    gvm_model_info info = {.size = sizeof info};
    gvm_field *field = NULL;
    void *bytes = NULL;
    size_t size;
    gvm_status status = gvm_model_about(model, &info, err);
    const gvm_field_options options = {
        .size = sizeof options, .scores = located->scores, .score_scale = info.score_scale};
    if (status == GVM_OK) status = gvm_field_open(&field, map, &options, err);
    if (status == GVM_OK) status = gvm_field_tiff(field, &bytes, &size, err);
    if (status == GVM_OK) status = file_write(heat->paths[photo], bytes, size, err);
    gvm_free(bytes);
    gvm_field_free(field);
    return status;
}
