/* cmd_info.c - describes a file: a network, a map, features, or any other tensors. */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "base/tensor_file.h"
#include "base/torch_file.h"
#include "cli/camera.h"
#include "cli/info.h"
#include "image/kind.h"

enum { SHOWN = 20 /* tensors in the table */ };

/* ------------------------------------------------------------------ other files */

struct metadata_facts {
    bool json;
    json_t *pairs;
};

/* Only the start of a long value is shown. */
static void add_pair(void *context, const char *key, const char *value)
{
    struct metadata_facts *m = context;
    if (m->json)
        json_put(&m->pairs, key, json_text(value));
    else
        print_line("  %s: %.63s%s", key, value, strlen(value) > 63 ? "..." : "");
}

/* st: of the same file, for its metadata; NULL if it has none */
static int print_tensors(const char *path, const struct tensor_file *file, const struct safetensors *st, bool json)
{
    struct facts f;
    size_t count = tensor_file_count(file), numbers = 0;
    json_t *tensors = json_array();
    for (size_t i = 0; i < count; i++) numbers += tensor_file_at(file, i)->count;
    facts_open(&f, json, path, "tensors", "%zu tensor%s, %zu numbers", count, count == 1 ? "" : "s", numbers);
    struct metadata_facts metadata = {json, json_object()};
    if (st) safetensors_each_metadata(st, add_pair, &metadata);
    fact_json(&f, "metadata", metadata.pairs);
    for (size_t i = 0; i < count && (json || i < SHOWN); i++) {
        const struct tensor_entry *t = tensor_file_at(file, i);
        json_t *shape = json_array();
        GString *sides = g_string_new(NULL);
        for (int k = 0; k < t->rank; k++) {
            json_push(&shape, json_integer(t->shape[k]));
            g_string_append_printf(sides, "%s%lld", k > 0 ? ", " : "", (long long)t->shape[k]);
        }
        json_push(&tensors, json_pack("{so,ss,so}", "name", json_text(t->name), "dtype", t->type, "shape", shape));
        if (!json) print_line("  %s %s [%s]", t->name, t->type, sides->str);
        g_string_free(sides, true);
    }
    fact_json(&f, "tensors", tensors);
    if (!json && count > SHOWN) printf("  and %zu more (--json shows all)\n", count - SHOWN);
    return facts_close(&f);
}

static int list_tensors(const char *path, const struct safetensors *st, bool json)
{
    struct tensor_file *file;
    gvm_error err;
    if (tensor_file_open(&file, path, &err) != GVM_OK) return failed(&err);
    int end = print_tensors(path, file, st, json);
    tensor_file_close(file);
    return end;
}

static int describe_tensors(const char *path, bool json)
{
    struct safetensors *st;
    gvm_error err;
    int end;
    if (safetensors_open(&st, path, &err) != GVM_OK) return failed(&err);
    if (safetensors_metadata(st, "config") != NULL && safetensors_metadata(st, "run") != NULL)
        end = info_state(path, json);
    else if (safetensors_metadata(st, "config") != NULL)
        end = info_weights(path, json);
    else
        end = list_tensors(path, st, json);
    safetensors_close(st);
    return end;
}

struct arguments {
    struct common common;
    bool json;
    struct camera_arguments camera;
};

static int refuse_camera(const struct arguments *a, const char *path)
{
    const char *given = options_given(&a->common, camera_names);
    if (given == NULL && option_given(&a->common, "heading")) given = "heading";
    if (given == NULL) return GO_ON;
    return usage_error(a->common.name, "--%s is about a picture's camera, and %s is no picture", given, path);
}

static int describe(const struct arguments *a, const char *path, const unsigned char start[INFO_START + 1], size_t size)
{
    bool known, picture = picture_kind(start, size) != NO_PICTURE;
    gvm_camera_options camera;
    int end = picture ? camera_options(&camera, &a->camera, &a->common) : refuse_camera(a, path);
    if (end != GO_ON) return end;
    if (picture && option_given(&a->common, "heading")) camera.heading = &a->camera.heading;
    if (size >= 16 && memcmp(start, "SQLite format 3", 16) == 0) return info_map(path, a->json);
    if (torch_file_is(start, size)) return list_tensors(path, NULL, a->json);
    end = info_other(&known, path, start, size, &camera, a->json);
    return known ? end : describe_tensors(path, a->json);
}

/* By the file's first bytes; an unknown file is opened as tensors, which reports what is wrong with it. */
static int info(void *arguments)
{
    const struct arguments *a = arguments;
    const char *path = a->common.operands[0];
    bool json = a->json;
    struct stat st;
    int end = GO_ON;
    if (strcmp(path, "nano") == 0 && stat(path, &st) != 0)
        return (end = refuse_camera(a, path)) != GO_ON ? end : info_weights(NULL, json);
    struct file_map file;
    unsigned char start[INFO_START + 1] = {0};
    gvm_error err;
    if (stat(path, &st) != 0) {
        fail_errno(&err, "open", path_tail(path));
        return failed(&err);
    }
    if (S_ISDIR(st.st_mode) && (end = refuse_camera(a, path)) != GO_ON) return end;
    if (S_ISDIR(st.st_mode)) return info_is_run(path) ? info_run(path, json) : info_folder(path);
    if (file_map(&file, path, &err) != GVM_OK) return failed(&err);
    size_t size = file.size < INFO_START ? file.size : INFO_START;
    memcpy(start, file.data, size);
    file_unmap(&file);
    return describe(a, path, start, size);
}

static const struct option_row rows[] = {
    {"json", OPTION_FLAG, AT(json), .help = "print everything as JSON"},
    {"heading", OPTION_DOUBLE, AT(camera.heading), "DEG", -360, 360, .takes = "degrees",
     .help = "a picture's heading at its centre, degrees clockwise from true north, by default from its metadata"},
    {0},
};

const struct command info_command = {
    .name = "info",
    .summary = "describe a file, a map or a training run",
    .usage = "[OPTIONS] FILE|RUN|nano",
    .about = "Describes a file. GeoViewMatch weights (safetensors; nano: the built-in ones): the network, its size and "
             "fingerprint, the ground that an aerial picture covers, the elevations of a panorama, and the "
             "multiply-adds; the whole file is read and checked. A map (MAP.gpkg): its tiles, extent and sources, the "
             "fingerprint of its weights, and whether it is complete. A training run (its folder, state or log): its "
             "progress. A picture: its position, and its camera's field of view, heading, pitch and roll, each with "
             "its source "
             "and with what contradicts it; the options below replace these. Other files that the program writes: "
             "their kind. Other safetensors files and "
             "PyTorch's (.pth): the tensors and the metadata.",
    .rows = rows,
    .more = camera_rows,
    .more_at = offsetof(struct arguments, camera),
    .operand = "file",
    .least = 1,
    .most = 1,
    .examples = "  geoviewmatch info town.gpkg\n"
                "  geoviewmatch info run                              progress of a training\n"
                "  geoviewmatch info --json nano\n"
                "  geoviewmatch info --fov 118 --lens -0.2,0.03 dashcam.jpg\n",
    .size = sizeof(struct arguments),
    .run = info,
};
