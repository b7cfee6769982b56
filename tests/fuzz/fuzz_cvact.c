/* fuzz_cvact.c - any bytes as the variables of CVACT's ACT_data.mat, as matio hands them over: classes, sizes and
 * numbers that need not fit together. What is accepted must have its tiles in range and its paths in the folder. */
#include <math.h>
#include <matio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/dataset.h"
#include "data/labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 64, FIELDS = 2 };

/* Bytes that are not used up yet; zeros behind the last. */
static const uint8_t *next;
static size_t left;

static uint8_t take(void)
{
    if (left == 0) return 0;
    left--;
    return *next++;
}

gvm_status __wrap_file_map(struct file_map *map, const char *path, gvm_error *err);
void __wrap_file_unmap(struct file_map *map);
bool __wrap_is_there(const char *root, const char *name);
#pragma GCC visibility push(default) /* the linker takes libvips's calls of matio for calls of these */
mat_t *__wrap_Mat_Open(const char *path, int mode);
int __wrap_Mat_Close(mat_t *mat);
matvar_t *__wrap_Mat_VarReadInfo(mat_t *mat, const char *name);
int __wrap_Mat_VarReadDataAll(mat_t *mat, matvar_t *v);
#pragma GCC visibility pop

gvm_status __wrap_file_map(struct file_map *map, const char *path, gvm_error *err)
{
    (void)path, (void)err;
    *map = (struct file_map){next, 1};
    return GVM_OK;
}

void __wrap_file_unmap(struct file_map *map)
{
    *map = (struct file_map){0};
}

bool __wrap_is_there(const char *root, const char *name)
{
    (void)root;
    return strcmp(name, "ACT_data.mat") == 0;
}

mat_t *__wrap_Mat_Open(const char *path, int mode)
{
    (void)path, (void)mode;
    return (mat_t *)&next;
}

int __wrap_Mat_Close(mat_t *mat)
{
    (void)mat;
    return 0;
}

static size_t bytes_of(enum matio_classes c)
{
    static const uint8_t bytes[] = {[MAT_C_CELL] = sizeof(void *),
                                    [MAT_C_CHAR] = 1,
                                    [MAT_C_DOUBLE] = 8,
                                    [MAT_C_SINGLE] = 4,
                                    [MAT_C_INT8] = 1,
                                    [MAT_C_UINT8] = 1,
                                    [MAT_C_INT16] = 2,
                                    [MAT_C_UINT16] = 2,
                                    [MAT_C_INT32] = 4,
                                    [MAT_C_UINT32] = 4,
                                    [MAT_C_INT64] = 8,
                                    [MAT_C_UINT64] = 8};
    return c < sizeof bytes ? bytes[c] : 0;
}

/* A variable of a class, or of any; its sizes may be lies, as matio allows but for a cell array; the
 * bytes that it says to have are there. */
static matvar_t *make(const char *name, int depth)
{
    static const char *const names[FIELDS] = {"trainInd", "valInd"};
    static const enum matio_classes plain[] = {MAT_C_DOUBLE, MAT_C_CHAR,  MAT_C_UINT8, MAT_C_SINGLE,
                                               MAT_C_INT64,  MAT_C_INT16, MAT_C_EMPTY, MAT_C_CELL};
    uint8_t kind = take();
    enum matio_classes c = plain[kind % 8];
    size_t dims[2] = {take() % 8, take() % 8};
    if (c == MAT_C_CELL && depth == 0) c = MAT_C_EMPTY;
    if (depth == 2 && name[0] != 'p' && name[0] != 'u' && kind < 200) { /* a struct, as the sets are */
        matvar_t *s = Mat_VarCreateStruct(name, 2, (size_t[2]){1, 1}, (const char **)names, FIELDS);
        for (int i = 0; s != NULL && i < FIELDS; i++) Mat_VarSetStructFieldByName(s, names[i], 0, make(names[i], 1));
        return s;
    }
    matvar_t *v = Mat_VarCalloc();
    if (v == NULL) abort();
    v->name = strdup(name);
    v->class_type = c;
    v->rank = 2;
    v->dims = malloc(2 * sizeof *v->dims);
    v->data_size = (int)bytes_of(c);
    v->isComplex = kind >= 240;
    size_t count = dims[0] * dims[1], bytes = count * (size_t)v->data_size;
    if (v->name == NULL || v->dims == NULL) abort();
    v->dims[0] = dims[0];
    v->dims[1] = (kind & 8) != 0 && c != MAT_C_CELL ? dims[1] + take() : dims[1];
    if (kind >= 230 && kind < 240 && c != MAT_C_CELL) v->dims[0] = SIZE_MAX;
    v->nbytes = bytes;
    v->data = v->isComplex || v->data_size == 0 || (kind & 16) != 0 ? NULL : malloc(bytes + (bytes == 0));
    for (size_t i = 0; v->data != NULL && i < (c == MAT_C_CELL ? count : bytes); i++) {
        if (c == MAT_C_CELL)
            ((matvar_t **)v->data)[i] = make("cell", 0);
        else
            ((uint8_t *)v->data)[i] = take();
    }
    return v;
}

matvar_t *__wrap_Mat_VarReadInfo(mat_t *mat, const char *name)
{
    (void)mat;
    return take() < 250 ? make(name, 2) : NULL;
}

int __wrap_Mat_VarReadDataAll(mat_t *mat, matvar_t *v)
{
    (void)mat, (void)v;
    return take() < 250 ? 0 : 1;
}

static void check(const struct split *split)
{
    for (int i = 0; i < split->query_count; i++) {
        const struct query *q = &split->queries[i];
        if (q->tile < 0 || q->tile >= split->tile_count) abort();
        if (strncmp(q->path, "root/ANU_data_", 14) != 0 || strstr(q->path, "/../") != NULL) abort();
        if (!(fabs(q->lat) <= 90 && fabs(q->lon) <= 180) && isfinite(q->lat)) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dataset *dataset;
    gvm_error err = {""};
    if (size < 1) return -1;
    next = data + 1;
    left = size - 1;
    const struct dataset_options options = {
        .as_listed = true, .format = "CVACT", .test = data[0] == 't' ? "test" : NULL};
    if (dataset_open(&dataset, "root", &options, &err) == GVM_OK) {
        check(&dataset->train);
        check(&dataset->test);
    } else if (dataset != NULL || err.text[0] == '\0') {
        abort();
    }
    dataset_free(dataset);
    return 0;
}
