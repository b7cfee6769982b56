/* tensor_file.c - see tensor_file.h */
#define _GNU_SOURCE /* memmem */
#include "base/tensor_file.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "base/torch_file.h"

_Static_assert((int)TENSOR_MAX_RANK == (int)SAFETENSORS_MAX_RANK && (int)TENSOR_MAX_RANK == (int)TORCH_MAX_RANK,
               "no shape is cut");

enum { START = 8 /* bytes before the JSON header of a safetensors file */ };

/* The public entry and the tensor of the underlying file. */
struct entry {
    struct tensor_entry seen;
    const void *own;
};

struct tensor_file {
    struct file_map map;
    char *path;
    const char *where;
    struct safetensors *safetensors; /* one of these two is NULL */
    struct torch_file *torch;
    struct entry *entries; /* (count) sorted by name */
    size_t count;
};

static void set_shape(struct tensor_entry *e, const int64_t *shape)
{
    for (int i = 0; i < TENSOR_MAX_RANK; i++) e->shape[i] = i < e->rank ? shape[i] : 1;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->seen.name, ((const struct entry *)b)->seen.name);
}

static gvm_status list_entries(struct tensor_file *f, gvm_error *err)
{
    f->count = f->torch ? torch_file_count(f->torch) : safetensors_count(f->safetensors);
    f->entries = calloc(f->count + 1, sizeof *f->entries);
    if (f->entries == NULL) return fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", f->where);
    for (size_t i = 0; i < f->count; i++) {
        struct tensor_entry *e = &f->entries[i].seen;
        if (f->torch) {
            const struct torch_tensor *t = torch_file_tensor(f->torch, i);
            *e = (struct tensor_entry){.name = t->name, .type = t->type, .rank = t->rank, .count = t->count};
            set_shape(e, t->shape);
            f->entries[i].own = t;
        } else {
            const struct safetensors_tensor *t = safetensors_tensor(f->safetensors, i);
            *e = (struct tensor_entry){.name = t->name, .type = t->dtype_name, .rank = t->rank, .count = t->count};
            set_shape(e, t->shape);
            f->entries[i].own = t;
        }
    }
    qsort(f->entries, f->count, sizeof *f->entries, compare);
    return GVM_OK;
}

/* The index file of a model that Hugging Face splits over several files. */
static bool is_index(const struct file_map *map)
{
    const char *text = (const char *)map->data;
    gssize size = (gssize)MIN(map->size, (size_t)4096);
    return text[0] == '{' &&
           (g_strstr_len(text, size, "\"weight_map\"") != NULL || g_strstr_len(text, size, "\"metadata\"") != NULL);
}

/* A git-lfs pointer: what a clone without git-lfs has for a large file. */
static bool is_note(const struct file_map *map)
{
    static const char start[] = "version https://git-lfs";
    return map->size >= sizeof start - 1 && memcmp(map->data, start, sizeof start - 1) == 0;
}

static gvm_status open_mapped(struct tensor_file *f, gvm_error *err)
{
    gvm_status status;
    if (torch_file_is(f->map.data, f->map.size))
        status = torch_file_open(&f->torch, f->map.data, f->map.size, f->where, err);
    else if (is_index(&f->map))
        status =
            fail(err, GVM_FORMAT, "%s: it is an index of a sharded checkpoint; save the tensors as one file", f->where);
    else if (is_note(&f->map))
        status = fail(err, GVM_FORMAT, "%s: it is a Git LFS pointer; run `git lfs pull` to fetch the file", f->where);
    else if (f->map.size > START && f->map.data[START] != '{')
        status = fail(err, GVM_FORMAT, "%s: expected a safetensors file or one saved by torch.save", f->where);
    else
        status = safetensors_open_memory(&f->safetensors, f->map.data, f->map.size, f->where, err);
    return status == GVM_OK ? list_entries(f, err) : status;
}

gvm_status tensor_file_open(struct tensor_file **out, const char *path, gvm_error *err)
{
    struct tensor_file *f = calloc(1, sizeof *f);
    *out = NULL;
    if (f == NULL || (f->path = strdup(path)) == NULL) {
        free(f);
        return fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", path_tail(path));
    }
    f->where = path_tail(f->path);
    gvm_status status = file_map(&f->map, path, err);
    if (status == GVM_OK) status = open_mapped(f, err);
    if (status == GVM_OK)
        *out = f;
    else
        tensor_file_close(f);
    return status;
}

void tensor_file_close(struct tensor_file *file)
{
    if (file == NULL) return;
    safetensors_close(file->safetensors);
    torch_file_close(file->torch);
    file_unmap(&file->map);
    free(file->entries);
    free(file->path);
    free(file);
}

const char *tensor_file_where(const struct tensor_file *file)
{
    return file->where;
}

size_t tensor_file_count(const struct tensor_file *file)
{
    return file->count;
}

const struct tensor_entry *tensor_file_at(const struct tensor_file *file, size_t i)
{
    return &file->entries[i].seen;
}

const struct tensor_entry *tensor_file_find(const struct tensor_file *file, const char *name)
{
    struct entry wanted = {.seen.name = name};
    struct entry *found = bsearch(&wanted, file->entries, file->count, sizeof wanted, compare);
    return found ? &found->seen : NULL;
}

gvm_status tensor_file_read(float *out, const struct tensor_file *file, const struct tensor_entry *entry,
                            gvm_error *err)
{
    const void *own = ((const struct entry *)entry)->own;
    if (file->safetensors) return safetensors_read_f32(out, file->safetensors, own, err);
    if (entry->type[0] != 'F' && strcmp(entry->type, "BF16") != 0)
        return fail(err, GVM_FORMAT, "%s: tensor '%s' has the unsupported type %s; expected F32, F16, BF16 or F64",
                    file->where, entry->name, entry->type);
    torch_file_read(out, own);
    return GVM_OK;
}
