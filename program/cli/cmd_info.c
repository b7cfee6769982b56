/* cmd_info.c - what a file holds: a network, a map, features, or any other tensors. */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "base/tensor_file.h"
#include "base/torch_file.h"
#include "cli/info.h"

enum { SHOWN = 20 /* tensors in the table */ };

/* ------------------------------------------------------------------ other files */

struct metadata_facts {
    bool json;
    json_t *pairs;
};

/* Of a value a person sees the start. */
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
        for (int k = 0; k < t->rank; k++) json_push(&shape, json_integer(t->shape[k]));
        g_autofree char *sides = json_write(shape, 0);
        json_push(&tensors, json_pack("{so,ss,so}", "name", json_text(t->name), "dtype", t->type, "shape", shape));
        if (!json) print_line("  %s %s %s", t->name, t->type, sides ? sides : "");
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
};

/* By its first bytes; what is not known by them is opened as tensors, which says what is wrong with it. */
static int info(void *arguments)
{
    const struct arguments *a = arguments;
    const char *path = a->common.operands[0];
    bool json = a->json;
    struct stat st;
    if (strcmp(path, "nano") == 0 && stat(path, &st) != 0) return info_weights(NULL, json);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return info_is_run(path) ? info_run(path, json) : info_folder(path);
    if (is_map(path)) return info_map(path, json);
    struct file_map file;
    unsigned char start[INFO_START + 1] = {0};
    gvm_error err;
    if (file_map(&file, path, &err) != GVM_OK) return failed(&err);
    size_t size = file.size < INFO_START ? file.size : INFO_START;
    memcpy(start, file.data, size);
    file_unmap(&file);
    if (torch_file_is(start, size)) return list_tensors(path, NULL, json);
    bool known;
    int end = info_other(&known, path, start, size, json);
    return known ? end : describe_tensors(path, json);
}

static const struct option_row rows[] = {
    {"json", OPTION_FLAG, AT(json), .help = "as JSON, complete"},
    {0},
};

const struct command info_command = {
    .name = "info",
    .summary = "what a file, a map or a training run holds",
    .usage = "[--json] FILE|RUN|nano",
    .about =
        "Says what a file holds. Of GeoViewMatch weights (safetensors; nano: the built-in ones): the network, its "
        "size, its fingerprint, what an aerial picture covers and a panorama spans, and its multiply-adds; the "
        "whole file is read and checked. Of a map (MAP.gpkg): its tiles, where they lie and what they were made "
        "from, the fingerprint of its weights, and whether it is complete. Of a training run (its folder, state or "
        "log): how far it is. Of the other files that the program writes, and of pictures, what they are. Of other "
        "safetensors files and of PyTorch's (.pth): the tensors and the metadata.",
    .rows = rows,
    .operand = "file",
    .least = 1,
    .most = 1,
    .examples = "  geoviewmatch info town.gpkg\n"
                "  geoviewmatch info run                              how far a training is\n"
                "  geoviewmatch info --json nano\n",
    .size = sizeof(struct arguments),
    .run = info,
};
