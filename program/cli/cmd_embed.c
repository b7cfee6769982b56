/* cmd_embed.c - writes the features of pictures to a file. */
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "base/safetensors.h"
#include "cli/camera.h"
#include "cli/cli.h"

struct arguments {
    struct common common;
    const char *weights, *out;
    int view; /* a gvm_view */
    bool has_heading, force;
    int panorama; /* as in gvm_picture_fit */
    double heading;
    long batch;
    struct camera_arguments camera;
    gvm_camera_options wishes;
};

static int check_arguments(struct arguments *a)
{
    const char *name = a->common.name;
    a->has_heading = option_given(&a->common, "heading");
    if (is_picture_name(a->out))
        return usage_error(name, "--out '%s' has the extension of a picture; expected a .safetensors file", a->out);
    if (a->has_heading && a->view == GVM_AERIAL) return usage_error(name, "--heading requires --view street");
    if (option_given(&a->common, "panorama") && a->view == GVM_AERIAL)
        return usage_error(name, "--panorama requires --view street");
    const char *camera = options_given(&a->common, camera_names);
    if (camera != NULL && a->view == GVM_AERIAL) return usage_error(name, "--%s requires --view street", camera);
    return camera_options(&a->wishes, &a->camera, &a->common);
}

/* Compact the rows of the files without errors; *names lists them. Returns the number of rows. */
static size_t keep_good(float *features, json_t **names, const struct picture_files *pictures,
                        const gvm_status *statuses, size_t D)
{
    size_t kept = 0;
    for (size_t i = 0; i < pictures->count; i++) {
        if (statuses[i] != GVM_OK) continue;
        if (i > kept) memcpy(features + kept * D, features + i * D, D * sizeof *features);
        json_push(names, json_text(pictures->paths[i]));
        kept++;
    }
    return kept;
}

#define VERSION "1" /* of a features file */

static gvm_status write_features(const struct arguments *a, const gvm_model_info *info, const float *features, size_t n,
                                 const json_t *names, gvm_error *err)
{
    if (n == 0) return fail(err, GVM_IMAGE, "%s: not written because no picture could be used", a->out);
    char *list = names == NULL ? NULL : json_write(names, JSON_COMPACT);
    if (list == NULL) return fail(err, GVM_MEMORY, "%s: cannot write it: out of memory", a->out);
    struct safetensors_entry entry = {"features", 2, {(int64_t)n, info->features}, features, SAFETENSORS_F32};
    struct safetensors_pair metadata[] = {{"names", list},
                                          {"view", a->view == GVM_STREET ? "street" : "aerial"},
                                          {"fingerprint", info->fingerprint},
                                          {"version", VERSION},
                                          {"program", gvm_version()}};
    gvm_status status = safetensors_write(a->out, &entry, 1, metadata, sizeof metadata / sizeof *metadata, err);
    free(list);
    return status;
}

/* Find out before hours of work whether the file can be written. */
static gvm_status check_out(const struct arguments *a, gvm_error *err)
{
    const char *const *pictures = (const char *const *)a->common.operands;
    struct file_writer writer;
    gvm_status status = output_check(a->out, &output_features, a->force, &a->weights, 1, err);
    if (status == GVM_OK)
        status = output_check(a->out, &output_features, a->force, pictures, a->common.operand_count, err);
    if (status == GVM_OK) status = file_writer_open(&writer, a->out, err);
    if (status == GVM_OK) file_writer_abort(&writer);
    return status;
}

/* What the summary says of the pictures: panoramas in several views, and cameras of assumed field of view. */
static void describe_pictures(char text[160], const int *views, const gvm_camera *cameras, size_t n)
{
    size_t panoramas = 0, assumed = 0;
    for (size_t i = 0; i < n; i++) {
        panoramas += views[i] > 1;
        assumed += views[i] > 0 && cameras[i].lens != GVM_LENS_FOUND && cameras[i].fov_from == GVM_SOURCE_ASSUMED;
    }
    text[0] = '\0';
    if (panoramas > 0) snprintf(text, 160, "; %zu as %d views of a panorama", panoramas, GVM_PANORAMA_VIEWS);
    if (assumed > 0) snprintf(text, 160, "; %zu with an assumed field of view", assumed);
}

static int embed(const struct arguments *a, gvm_session *session, const gvm_model_info *info,
                 const struct picture_files *pictures)
{
    size_t n = pictures->count, D = (size_t)info->features;
    g_autofree float *features = calloc(n, D * sizeof *features);
    g_autofree double *headings = calloc(n, sizeof *headings);
    g_autofree gvm_status *statuses = calloc(n, sizeof *statuses);
    g_autofree int *views = calloc(n, sizeof *views);
    g_autofree gvm_camera *cameras = calloc(n, sizeof *cameras);
    g_autofree gvm_camera **used = calloc(n, sizeof *used);
    g_autofree const gvm_camera_options **wishes = calloc(n, sizeof *wishes);
    struct watch watch = {.progress.quiet = a->common.quiet, .what = "embed", .unit = "pictures", .statuses = statuses};
    gvm_error err = {""};
    if (features == NULL || headings == NULL || statuses == NULL || views == NULL || cameras == NULL || used == NULL ||
        wishes == NULL) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) g_autofree frees them */
        fail(&err, GVM_MEMORY, "out of memory for the features of %zu pictures", n);
        return failed(&err);
    }
    for (size_t i = 0; i < n; i++) {
        headings[i] = a->has_heading ? a->heading : NAN;
        cameras[i].size = sizeof cameras[i];
        used[i] = &cameras[i];
        wishes[i] = &a->wishes;
    }
    const gvm_embed_job job = {.size = sizeof job,
                               .view = (gvm_view)a->view,
                               .paths = (const char *const *)pictures->paths,
                               .count = n,
                               .headings = headings,
                               .panorama = a->panorama,
                               .features = features,
                               .done = file_done,
                               .user = &watch,
                               .views = views,
                               .cameras = wishes,
                               .used = used};
    gvm_status status = gvm_embed_files(session, &job, &err);
    progress_end(&watch.progress);
    if (status != GVM_OK && watch.failures == 0) return failed(&err); /* it failed as a whole */
    json_t *names = json_array();
    size_t kept = keep_good(features, &names, pictures, statuses, D);
    bool written = write_features(a, info, features, kept, names, &err) == GVM_OK;
    json_decref(names);
    if (!written) return failed(&err);
    char seen[160];
    describe_pictures(seen, views, cameras, n);
    print_line("%s: features of %zu picture%s, %zu numbers each%s", a->out, kept, kept == 1 ? "" : "s", D, seen);
    return status == GVM_OK ? DONE : FAILED;
}

static int run(void *arguments)
{
    struct arguments *a = arguments;
    gvm_error err;
    gvm_model *model = NULL;
    gvm_session *session = NULL;
    gvm_model_info info = {.size = sizeof info};
    struct picture_files pictures = {0};
    int listed = DONE, end = check_arguments(a);
    if (end != GO_ON) return end;
    end = DONE;
    if (check_out(a, &err) != GVM_OK || gvm_model_open(&model, weights_path(a->weights), &err) != GVM_OK ||
        gvm_session_open(&session, model, (int)a->batch, &err) != GVM_OK ||
        check_heading(model, a->has_heading, &err) != GVM_OK || camera_allowed(model, &a->common, &err) != GVM_OK ||
        gvm_model_about(model, &info, &err) != GVM_OK) {
        end = failed(&err);
    } else {
        pictures_list(&pictures, &listed, &a->common);
        if (pictures.count > 0) end = embed(a, session, &info, &pictures);
        if (listed != DONE) end = listed;
    }
    pictures_free(&pictures);
    gvm_session_free(session);
    gvm_model_free(model);
    return end;
}

static const struct option_row rows[] = {
    {"weights", OPTION_TEXT, AT(weights), "W",
     .help = "weights, a safetensors file (default: nano, the built-in ones)"},
    /* in the order of gvm_view */
    {"view", OPTION_CHOICE, AT(view), "street|aerial", .needed = true,
     .help = "street pictures (panoramas or photos, as the weights take), or square pictures from above"},
    {"out", OPTION_TEXT, AT(out), "F.safetensors", .needed = true,
     .help = "output file, written completely or not at all"},
    {"heading", OPTION_DOUBLE, AT(heading), "DEG", -360, 360, .takes = "degrees",
     .help = "street: heading of every picture's centre column, degrees clockwise from north, by default from its "
             "metadata, else 0"},
    {"force", OPTION_FLAG, AT(force), .help = "overwrite an existing file"},
    {"panorama", OPTION_CHOICE, AT(panorama), "auto|yes|no", .standard = "auto", /* in the order of GVM_AS_FOUND, ... */
     .help = "street: yes takes every picture as a full panorama, whatever its metadata; no, with weights for photos, "
             "takes none as one"},
    {"batch", OPTION_LONG, AT(batch), "N", 1, 256, "16", .help = "batch size"},
    {0},
};

const struct command embed_command = {
    .name = "embed",
    .summary = "compute the features of pictures",
    .usage = "--view street|aerial --out F.safetensors [options] IMAGE...",
    .about = "Computes each picture's feature (embedding). F.safetensors holds `features` [pictures, numbers], "
             "float32, with rows of length 1 (a panorama's row with weights for photos is the mean of 8 views, which "
             "is shorter). Its metadata has `names` (JSON, the files in row order), `view`, `fingerprint` (of the "
             "weights), `version` (1) and `program`. A folder stands for the JPEG, PNG, WebP, TIFF and HEIC files in "
             "it. A picture that fails is "
             "reported on stderr and has no row; the others are written, and the exit status is 1.",
    .rows = rows,
    .more = camera_rows,
    .more_at = offsetof(struct arguments, camera),
    .device = true,
    .operand = "picture",
    .least = 1,
    .examples = "  geoviewmatch embed --view street --out street.safetensors photos/\n"
                "  geoviewmatch embed --view aerial --weights run --out tiles.safetensors tiles/\n",
    .size = sizeof(struct arguments),
    .run = run,
};
