/* import.c - imports published networks; see import.h. Steps: normalise the tensors' names and recognise the family by
 * their prefixes; read sizes from shapes; take the preset's configuration with these sizes; read each parameter under
 * the family's name for it. Tensors that are left over are an error. */
#include "network/import.h"

#include <assert.h>
#include <glib.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_put.h"
#include "base/tensor_file.h"
#include "network/checkpoint.h"
#include "network/config_file.h"
#include "network/family.h"
#include "network/registry.h"

enum { STAGES = 4, MAX_DEPTH = 256, MAX_RANK = 4 };

struct plain {
    char name[FAMILY_NAME];
    const struct tensor_entry *entry;
    bool used;
};

struct import {
    const struct tensor_file *file;
    const char *where;
    const struct family *family;
    struct plain *tensors; /* (count) sorted by normalised name */
    size_t count;
    gvm_error *err;
};

/* ------------------------------------------------------------------ family */

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct plain *)a)->name, ((const struct plain *)b)->name);
}

/* Normalise the names as this family does; returns how many begin with its mark. */
static size_t list_plain(struct import *m, const struct family *family)
{
    size_t marked = 0;
    for (size_t i = 0; i < m->count; i++) {
        m->tensors[i] = (struct plain){.entry = tensor_file_at(m->file, i)};
        family->plain(m->tensors[i].name, m->tensors[i].entry->name);
        marked += strncmp(m->tensors[i].name, family->mark, strlen(family->mark)) == 0;
    }
    return marked;
}

static gvm_status find_family(struct import *m)
{
    size_t most = 0;
    assert(families->title != NULL);
    for (const struct family *f = families; f->title; f++) {
        size_t marked = list_plain(m, f);
        if (marked > most) m->family = f;
        if (marked > most) most = marked;
    }
    const char *first = m->count > 0 ? m->tensors[0].entry->name : "none";
    if (m->family == NULL && (g_str_has_prefix(first, "aerial.backbone.") || g_str_has_prefix(first, "both.backbone.")))
        return fail(m->err, GVM_FORMAT, "%s: these are already GeoViewMatch weights; use them directly", m->where);
    if (m->family == NULL)
        return fail(m->err, GVM_FORMAT,
                    "%s: unsupported network (first tensor '%s'); expected statewide, Sample4Geo or FRGeo; for a "
                    "backbone alone use `init --backbone`",
                    m->where, first);
    list_plain(m, m->family);
    qsort(m->tensors, m->count, sizeof *m->tensors, compare);
    for (size_t i = 1; i < m->count; i++)
        if (compare(&m->tensors[i - 1], &m->tensors[i]) == 0)
            return fail(m->err, GVM_FORMAT, "%s: tensors '%s' and '%s' have the same name after conversion", m->where,
                        m->tensors[i - 1].entry->name, m->tensors[i].entry->name);
    return GVM_OK;
}

static gvm_status find_preset(const char **preset, const struct import *m, const char *as)
{
    const char *const *p = m->family->presets;
    char names[200] = "";
    size_t n = 0;
    *preset = p[1] == NULL ? p[0] : NULL;
    for (int i = 0; p[i]; i++) {
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i == 0 ? "" : p[i + 1] ? ", " : " or ", p[i]);
        if (as && strcmp(as, p[i]) == 0) *preset = p[i];
    }
    if (as && (*preset == NULL || strcmp(*preset, as) != 0))
        return fail(m->err, GVM_ARGUMENT, "%s: it is a network of %s, so --as takes %s; got %s", m->where,
                    m->family->title, names, as);
    if (*preset != NULL) return GVM_OK;
    return fail(m->err, GVM_ARGUMENT,
                "%s: it is a network of %s, and its tensors do not show which data set it was trained on; give --as %s",
                m->where, m->family->title, names);
}

/* ------------------------------------------------------------------ sizes */

static struct plain *find(const struct import *m, enum tensor_order *order, const char *ours)
{
    struct plain wanted = {.used = false};
    if (!m->family->name(wanted.name, order, ours)) return NULL;
    return bsearch(&wanted, m->tensors, m->count, sizeof wanted, compare);
}

/* The axis in the file of our axis. */
static int their_axis(enum tensor_order order, int axis)
{
    static const int convolution[MAX_RANK] = {3, 2, 0, 1};
    return order == ORDER_CONV ? convolution[axis] : order == ORDER_LINEAR ? 1 - axis : axis;
}

/* A side of one of our parameters in the file; 0 if the tensor is missing or has fewer dimensions. */
static int side_of(const struct import *m, const char *ours, int axis)
{
    enum tensor_order order;
    const struct plain *t = find(m, &order, ours);
    if (t == NULL || t->entry->rank <= axis || (order == ORDER_LINEAR && t->entry->rank != 2)) return 0;
    int64_t side = t->entry->shape[their_axis(order, axis)];
    return side < 0 || side > INT32_MAX ? 0 : (int)side;
}

/* The most frequent value, so that a single wrong tensor is reported later, by its name. */
static int vote(const int *sides, int count)
{
    int best = 0, most = 0;
    for (int i = 0; i < count; i++) {
        int same = 0;
        for (int k = 0; k < count; k++) same += sides[k] == sides[i];
        if (sides[i] <= 0 || same <= most) continue;
        most = same;
        best = sides[i];
    }
    return best;
}

static bool has_block(const struct import *m, int stage, int block)
{
    static const char *const parts[] = {"gamma", "conv_dw.weight", "conv_dw.bias", "norm.weight", "mlp.fc1.weight"};
    char ours[FAMILY_NAME];
    enum tensor_order order;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(ours, sizeof ours, "%sbackbone.stages.%d.blocks.%d.%s", m->family->view, stage, block, parts[i]);
        if (find(m, &order, ours) != NULL) return true;
    }
    return false;
}

static int width_of(const struct import *m, int stage)
{
    static const char *const parts[] = {"conv_dw.bias", "norm.weight", "norm.bias"};
    char ours[FAMILY_NAME];
    int sides[3];
    for (int i = 0; i < 3; i++) {
        snprintf(ours, sizeof ours, "%sbackbone.stages.%d.blocks.0.%s", m->family->view, stage, parts[i]);
        sides[i] = side_of(m, ours, 0);
    }
    return vote(sides, 3);
}

static bool set_sizes(json_t *config, const struct import *m)
{
    json_t *dims = json_array(), *depths = json_array();
    bool ok = true;
    for (int s = 0; s < STAGES; s++) {
        int depth = 0;
        while (depth < MAX_DEPTH && has_block(m, s, depth)) depth++;
        ok &= json_array_append_new(dims, json_integer(width_of(m, s))) == 0 &&
              json_array_append_new(depths, json_integer(depth)) == 0;
    }
    ok &= json_object_set_new(config, "dims", dims) == 0;
    ok &= json_object_set_new(config, "depths", depths) == 0;
    for (const struct shape_row *r = m->family->shapes; r->key; r++) {
        int sides[SHAPE_WITNESSES];
        for (int i = 0; i < SHAPE_WITNESSES; i++) sides[i] = r->ours[i] ? side_of(m, r->ours[i], 0) : 0;
        int side = vote(sides, SHAPE_WITNESSES);
        if (side > 0) ok &= json_object_set_new(config, r->key, json_integer(side)) == 0;
    }
    return ok;
}

static gvm_status read_sizes(struct config *config, const struct import *m, const char *preset)
{
    json_t *root = json_loads(preset_find(preset), 0, NULL);
    char *text = root && set_sizes(root, m) ? json_write(root, JSON_COMPACT) : NULL;
    gvm_status status = text ? config_parse(config, text, strlen(text), m->where, m->err)
                             : fail(m->err, GVM_MEMORY, "%s: cannot open it: out of memory", m->where);
    free(text);
    json_decref(root);
    return status;
}

/* ------------------------------------------------------------------ numbers */

/* Transpose from their order to ours; both are row-major. */
static void reorder(float *out, const float *in, enum tensor_order order, const struct param *p)
{
    size_t stride[MAX_RANK] = {0}, their_stride = 1, n = 0;
    int s[MAX_RANK] = {1, 1, 1, 1};
    for (int i = 0; i < p->rank; i++) s[i] = p->shape[i];
    for (int axis = p->rank - 1; axis >= 0; axis--) /* axis of theirs */
        for (int i = 0; i < p->rank; i++)
            if (their_axis(order, i) == axis) {
                stride[i] = their_stride;
                their_stride *= (size_t)s[i];
            }
    for (int a = 0; a < s[0]; a++)
        for (int b = 0; b < s[1]; b++)
            for (int c = 0; c < s[2]; c++)
                for (int d = 0; d < s[3]; d++, n++)
                    out[n] = in[(size_t)a * stride[0] + (size_t)b * stride[1] + (size_t)c * stride[2] +
                                (size_t)d * stride[3]];
}

static gvm_status read_param(const struct import *m, const struct param *p)
{
    enum tensor_order order;
    struct plain *t = find(m, &order, p->name);
    if (t == NULL) {
        char theirs[FAMILY_NAME] = "";
        if (!m->family->name(theirs, &order, p->name)) snprintf(theirs, sizeof theirs, "%s", p->name);
        return fail(m->err, GVM_FORMAT, "%s: tensor '%s' is missing, so it is not a complete network of %s", m->where,
                    theirs, m->family->title);
    }
    int64_t wanted[MAX_RANK] = {1, 1, 1, 1};
    t->used = true;
    for (int i = 0; i < p->rank; i++) wanted[their_axis(order, i)] = p->shape[i];
    const char *name = t->entry->name;
    gvm_status status = check_shape(m->where, name, t->entry->rank, t->entry->shape, p->rank, wanted, m->err);
    if (status != GVM_OK) return status;
    float *numbers = order == ORDER_SAME ? p->data : malloc(p->count * sizeof *numbers);
    if (numbers == NULL) return fail(m->err, GVM_MEMORY, "%s: cannot read it: out of memory", m->where);
    status = tensor_file_read(numbers, m->file, t->entry, m->err);
    if (status == GVM_OK) status = check_finite(m->where, name, numbers, p->count, m->err);
    if (status == GVM_OK && order != ORDER_SAME) reorder(p->data, numbers, order, p);
    if (order != ORDER_SAME) free(numbers);
    return status;
}

static gvm_status read_params(const struct import *m, const struct network *n)
{
    gvm_status status = GVM_OK;
    for (int i = 0; i < n->param_count && status == GVM_OK; i++) status = read_param(m, &n->params[i]);
    for (size_t i = 0; i < m->count && status == GVM_OK; i++)
        if (!m->tensors[i].used)
            status = fail(m->err, GVM_FORMAT, "%s: unexpected tensor '%s' in a network of %s", m->where,
                          m->tensors[i].entry->name, m->family->title);
    return status;
}

static gvm_status import_file(struct network **network, struct imported *imported, struct import *m, const char *as)
{
    struct config config;
    m->count = tensor_file_count(m->file);
    m->tensors = calloc(m->count + 1, sizeof *m->tensors);
    if (m->tensors == NULL) return fail(m->err, GVM_MEMORY, "%s: cannot open it: out of memory", m->where);
    gvm_status status = find_family(m);
    if (status == GVM_OK) status = find_preset(&imported->preset, m, as);
    if (status == GVM_OK) status = read_sizes(&config, m, imported->preset);
    if (status == GVM_OK) status = network_open(network, &config, false, m->err);
    if (status == GVM_OK) status = read_params(m, *network);
    if (status != GVM_OK) return status;
    imported->family = m->family->title;
    imported->tensors = m->count;
    for (size_t i = 0; i < m->count; i++) imported->numbers += m->tensors[i].entry->count;
    return GVM_OK;
}

gvm_status network_import(struct network **network, struct imported *imported, const char *path, const char *as,
                          gvm_error *err)
{
    struct tensor_file *file;
    *network = NULL;
    *imported = (struct imported){0};
    gvm_status status = tensor_file_open(&file, path, err);
    if (status != GVM_OK) return status;
    struct import m = {.file = file, .where = tensor_file_where(file), .err = err};
    status = import_file(network, imported, &m, as);
    free(m.tensors);
    tensor_file_close(file);
    if (status == GVM_OK) return status;
    network_free(*network);
    *network = NULL;
    return status;
}
