/* cmd_embed.c - pictures into a file of features. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "base/safetensors.h"
#include "cli/cli.h"

static const char help[] =
    "usage: geoviewmatch embed --view street|aerial --out F.safetensors [options] IMAGE...\n"
    "\n"
    "Turns each picture into the network's numbers. F.safetensors then holds `features` [pictures, numbers],\n"
    "float32, rows of length 1, and in its metadata `names` (JSON, the files in the order of the rows), `view`\n"
    "and `fingerprint` (of the weights). A folder stands for the JPEG, PNG, WebP, TIFF and HEIC files in it.\n"
    "A picture that fails is named on stderr and has no row; the others are written, and the exit status is 1.\n"
    "\n"
    "  --weights W           the network, a safetensors file (default: nano, the built-in one)\n"
    "  --view street|aerial  full panoramas, or square pictures from above\n"
    "  --out F.safetensors   the file to write, whole or not at all\n"
    "  --heading DEG         street: where the centre column of every picture looks, degrees clockwise from\n"
    "                        north (default: what the picture says of itself, else 0)\n"
    "  --force               write over another file\n"
    "  --panorama yes|no     street: take every picture as a full panorama, whatever it says of itself (default: no)\n"
    "  --batch N             pictures that pass through the network together, 1 to 256 (default: 16)\n" COMMON_HELP;

struct arguments {
    struct common common;
    const char *weights, *out;
    int view; /* -1: not given */
    bool has_heading, force, panorama;
    double heading;
    long batch;
};

static int read_arguments(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {
        {"weights", required_argument, NULL, 'w'},  {"view", required_argument, NULL, 'v'},
        {"out", required_argument, NULL, 'o'},      {"heading", required_argument, NULL, 'd'},
        {"batch", required_argument, NULL, 'b'},    {"force", no_argument, NULL, 'f'},
        {"panorama", required_argument, NULL, 'p'}, COMMON_OPTIONS};
    const char *name = a->common.name;
    int status;
    for (int c; (c = next_option(argc, argv, options)) != -1;) {
        switch (c) {
        case 'w': a->weights = optarg; break;
        case 'o': a->out = optarg; break;
        case 'f': a->force = true; break;
        case 'v':
            a->view = strcmp(optarg, "street") == 0 ? GVM_STREET : strcmp(optarg, "aerial") == 0 ? GVM_AERIAL : -1;
            if (a->view < 0) return usage_error(name, "--view takes street or aerial, not '%s'", optarg);
            break;
        case 'd':
            a->has_heading = true;
            if (!read_double(&a->heading, optarg, -360, 360))
                return usage_error(name, "--heading takes degrees from -360 to 360, not '%s'", optarg);
            break;
        case 'b':
            if (!read_long(&a->batch, optarg, 1, 256))
                return usage_error(name, "--batch takes a number from 1 to 256, not '%s'", optarg);
            break;
        case 'p':
            a->panorama = strcmp(optarg, "yes") == 0;
            if (!a->panorama && strcmp(optarg, "no") != 0)
                return usage_error(name, "--panorama takes yes or no, not '%s'", optarg);
            break;
        default:
            if ((status = common_option(&a->common, c, argv)) != GO_ON) return status;
        }
    }
    if (a->view < 0) return usage_error(name, "--view is missing");
    if (a->out == NULL) return usage_error(name, "--out is missing");
    if (is_picture_name(a->out)) return usage_error(name, "--out '%s' has the name of a picture", a->out);
    if (a->has_heading && a->view == GVM_AERIAL) return usage_error(name, "--heading goes with --view street");
    if (a->panorama && a->view == GVM_AERIAL) return usage_error(name, "--panorama goes with --view street");
    if (optind == argc) return usage_error(name, "no picture is given");
    return GO_ON;
}

/* Move the rows of the good files together; *names lists them. The number of rows. */
static size_t keep_good(float *features, json_t *names, const struct picture_files *pictures,
                        const gvm_status *statuses, size_t D)
{
    size_t kept = 0;
    for (size_t i = 0; i < pictures->count; i++) {
        if (statuses[i] != GVM_OK) continue;
        if (i > kept) memcpy(features + kept * D, features + i * D, D * sizeof *features);
        json_array_append_new(names, json_text(pictures->paths[i]));
        kept++;
    }
    return kept;
}

static gvm_status write_features(const struct arguments *a, const gvm_model_info *info, const float *features, size_t n,
                                 const json_t *names, gvm_error *err)
{
    char *list = json_dumps(names, JSON_COMPACT);
    if (list == NULL) return fail(err, GVM_MEMORY, "%s: there is not enough memory to write it", a->out);
    struct safetensors_entry entry = {"features", 2, {(int64_t)n, info->features}, features, false};
    struct safetensors_pair metadata[] = {
        {"names", list}, {"view", a->view == GVM_STREET ? "street" : "aerial"}, {"fingerprint", info->fingerprint}};
    gvm_status status = safetensors_write(a->out, &entry, 1, metadata, 3, err);
    free(list);
    return status;
}

/* Hours of work must not end at a file that cannot be written. */
static gvm_status check_out(const struct arguments *a, char **pictures, int count, gvm_error *err)
{
    struct file_writer writer;
    gvm_status status = output_check(a->out, &output_features, a->force, &a->weights, 1, err);
    if (status == GVM_OK)
        status = output_check(a->out, &output_features, a->force, (const char *const *)pictures, count, err);
    if (status == GVM_OK) status = file_writer_open(&writer, a->out, err);
    if (status == GVM_OK) file_writer_abort(&writer);
    return status;
}

static int embed(const struct arguments *a, gvm_session *session, const gvm_model_info *info,
                 const struct picture_files *pictures)
{
    size_t n = pictures->count, D = (size_t)info->features;
    float *features = calloc(n, D * sizeof *features);
    double *headings = calloc(n, sizeof *headings);
    struct watch watch = {.progress.quiet = a->common.quiet, .what = "embed", .unit = "pictures"};
    watch.statuses = calloc(n, sizeof *watch.statuses);
    json_t *names = json_array();
    gvm_error err = {""};
    gvm_status status = GVM_OK;
    int end = DONE;
    if (features == NULL || headings == NULL || watch.statuses == NULL || names == NULL) {
        fail(&err, GVM_MEMORY, "there is not enough memory for the features of %zu pictures", n);
        end = failed(&err);
        goto done;
    }
    for (size_t i = 0; i < n; i++) headings[i] = a->has_heading ? a->heading : NAN;
    const gvm_embed_job job = {.size = sizeof job,
                               .view = (gvm_view)a->view,
                               .paths = (const char *const *)pictures->paths,
                               .count = n,
                               .headings = headings,
                               .panorama = a->panorama,
                               .features = features,
                               .done = file_done,
                               .user = &watch};
    status = gvm_embed_files(session, &job, &err);
    watch_end(&watch);
    if (status != GVM_OK) {
        end = FAILED;
        if (watch.failures == 0) { /* it failed as a whole */
            failed(&err);
            goto done;
        }
    }
    size_t kept = keep_good(features, names, pictures, watch.statuses, D);
    if (kept == 0) {
        fail(&err, GVM_IMAGE, "%s: not written, as no picture could be used", a->out);
        end = failed(&err);
        goto done;
    }
    if (write_features(a, info, features, kept, names, &err) != GVM_OK) {
        end = failed(&err);
        goto done;
    }
    print_text(a->out);
    printf(": features of %zu picture%s, %zu numbers each\n", kept, kept == 1 ? "" : "s", D);
done:
    json_decref(names);
    free(watch.statuses);
    free(headings);
    free(features);
    return end;
}

int cmd_embed(int argc, char **argv)
{
    struct arguments a = {.common = {.name = "embed", .help = help}, .view = -1, .batch = 16};
    int end = read_arguments(&a, argc, argv);
    if (end != GO_ON) return end;
    gvm_error err;
    gvm_model *model = NULL;
    gvm_session *session = NULL;
    gvm_model_info info = {.size = sizeof info};
    struct picture_files pictures = {0};
    int listed = DONE;
    end = DONE;
    if (check_out(&a, argv + optind, argc - optind, &err) != GVM_OK ||
        gvm_model_open(&model, weights_path(a.weights), &err) != GVM_OK ||
        gvm_session_open(&session, model, (int)a.batch, &err) != GVM_OK ||
        gvm_model_about(model, &info, &err) != GVM_OK) {
        end = failed(&err);
    } else {
        pictures_list(&pictures, &listed, argv + optind, argc - optind);
        if (pictures.count > 0) end = embed(&a, session, &info, &pictures);
        if (listed != DONE) end = listed;
    }
    pictures_free(&pictures);
    gvm_session_free(session);
    gvm_model_free(model);
    return end;
}
