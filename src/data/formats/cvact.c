/* cvact.c - CVACT (Liu and Li, 2019). Relies on matio for its labels and on PROJ for its positions.
 *
 *   ACT_data.mat      panoIds (N)              names
 *                     utm (N, 2..)             easting and northing in metres, zone 55 south
 *                     trainSet.trainInd, valSet.valInd, valSetAll.valInd   indices into the N, from 1
 *   ANU_data_small    of trainSet and valSet   streetview/ID_grdView.jpg, satview_polish/ID_satView_polish.jpg
 *   ANU_data_test     of valSetAll             the same; a hit is any tile within 5 m
 *
 * If these two folders are missing, streetview and satview_polish are expected next to ACT_data.mat. */
#include <math.h>
#include <matio.h>
#include <proj.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef GVM_HDF5 /* matio may use it to read version 7.3 */
#include <hdf5.h>
#define SILENCE_HDF5() H5Eset_auto2(H5E_DEFAULT, NULL, NULL) /* HDF5 prints its errors; we report our own */
#else
#define SILENCE_HDF5() ((void)0)
#endif

#include "base/error.h"
#include "base/file.h"
#include "data/labels.h"

static const char labels[] = "ACT_data.mat";

enum { ID_SIZE = 128 };

struct cvact {
    mat_t *mat;
    size_t most; /* most bytes that the file can hold when decompressed */
    matvar_t *ids, *utm;
    size_t count; /* N */
    PJ_CONTEXT *context;
    PJ *projection; /* metres of zone 55 south to radians: inverse */
};

/* ------------------------------------------------------------------ values of the .mat file */

/* Number of elements; SIZE_MAX if the sizes overflow. */
static size_t elements(const matvar_t *v)
{
    size_t n = 1;
    for (int i = 0; i < v->rank; i++)
        if (__builtin_mul_overflow(n, v->dims[i], &n)) return SIZE_MAX;
    return n;
}

/* Returns true if its data has the length that its sizes declare. */
static bool is_whole(const matvar_t *v)
{
    return v != NULL && !v->isComplex && v->data != NULL && v->data_size > 0 &&
           elements(v) <= v->nbytes / (size_t)v->data_size;
}

static bool is_real(const matvar_t *v)
{
    return is_whole(v) && v->class_type >= MAT_C_DOUBLE && v->class_type <= MAT_C_UINT64;
}

static double number_at(const matvar_t *v, size_t i)
{
    switch (v->class_type) {
    case MAT_C_DOUBLE: return ((const double *)v->data)[i];
    case MAT_C_SINGLE: return ((const float *)v->data)[i];
    case MAT_C_INT8: return ((const int8_t *)v->data)[i];
    case MAT_C_UINT8: return ((const uint8_t *)v->data)[i];
    case MAT_C_INT16: return ((const int16_t *)v->data)[i];
    case MAT_C_UINT16: return ((const uint16_t *)v->data)[i];
    case MAT_C_INT32: return ((const int32_t *)v->data)[i];
    case MAT_C_UINT32: return ((const uint32_t *)v->data)[i];
    case MAT_C_INT64: return (double)((const int64_t *)v->data)[i];
    case MAT_C_UINT64: return (double)((const uint64_t *)v->data)[i];
    default: return NAN;
    }
}

static bool is_text(const matvar_t *v)
{
    return is_whole(v) && v->class_type == MAT_C_CHAR && v->rank == 2;
}

/* Row i of a column-major text matrix, without trailing padding. Returns false if it is not plain ASCII. */
static bool text_row(char id[ID_SIZE], const matvar_t *v, size_t i)
{
    size_t rows = v->dims[0], length = 0;
    for (size_t c = 0; c < v->dims[1]; c++) {
        size_t at = i + c * rows;
        unsigned code = v->data_size == 1   ? ((const uint8_t *)v->data)[at]
                        : v->data_size == 2 ? ((const uint16_t *)v->data)[at]
                        : v->data_size == 4 ? ((const uint32_t *)v->data)[at]
                                            : 0x80;
        if (code == 0 || code == ' ') continue;
        if (code < 0x20 || code >= 0x7f || length != c || length == ID_SIZE - 1) return false;
        id[length++] = (char)code;
    }
    id[length] = '\0';
    return length > 0 && strchr(id, '/') == NULL;
}

static gvm_status read_id(char id[ID_SIZE], const struct cvact *c, size_t i, gvm_error *err)
{
    bool is_cell = c->ids->class_type == MAT_C_CELL;
    const matvar_t *text = is_cell ? ((matvar_t *const *)c->ids->data)[i] : c->ids;
    if ((!is_cell || (is_text(text) && text->dims[0] == 1)) && text_row(id, text, is_cell ? 0 : i)) return GVM_OK;
    return fail(err, GVM_FORMAT, "%s, panoIds %zu: it is not a picture's name", labels, i + 1);
}

/* ------------------------------------------------------------------ opening */

enum { ZLIB_MOST = 1032 /* zlib's largest expansion of a byte */ };

/* Returns true if the declared size of a variable and its parts is possible for this file: matio allocates all of it.
 */
static bool has_room(const matvar_t *v, size_t most)
{
    if (v == NULL) return true;
    size_t n = elements(v), each = v->data_size > 0 ? (size_t)v->data_size : 1;
    if (v->class_type != MAT_C_CELL && v->class_type != MAT_C_STRUCT) return n <= most / each;
    if (n > most) return false;
    size_t parts = v->class_type == MAT_C_STRUCT ? n * Mat_VarGetNumberOfFields((matvar_t *)v) : n;
    for (size_t i = 0; v->data != NULL && i < parts; i++)
        if (!has_room(((matvar_t *const *)v->data)[i], most)) return false;
    return true;
}

/* NULL if it is missing or declares more data than the file can hold. */
static matvar_t *read_variable(const struct cvact *c, const char *name)
{
    matvar_t *v = Mat_VarReadInfo(c->mat, name);
    if (v != NULL && has_room(v, c->most) && Mat_VarReadDataAll(c->mat, v) == 0) return v;
    Mat_VarFree(v);
    return NULL;
}

static gvm_status open_ids(struct cvact *c, gvm_error *err)
{
    c->ids = read_variable(c, "panoIds");
    bool is_cell = is_whole(c->ids) && c->ids->class_type == MAT_C_CELL;
    if (!is_cell && !is_text(c->ids)) return fail(err, GVM_FORMAT, "%s: it has no list of names `panoIds`", labels);
    c->count = is_cell ? elements(c->ids) : c->ids->dims[0];
    return GVM_OK;
}

static gvm_status open_utm(struct cvact *c, gvm_error *err)
{
    c->utm = read_variable(c, "utm");
    if (!is_real(c->utm) || c->utm->rank != 2 || c->utm->dims[0] != c->count || c->utm->dims[1] < 2)
        return fail(err, GVM_FORMAT, "%s: `utm` does not have an easting and a northing for each of the %zu panoIds",
                    labels, c->count);
    c->context = proj_context_create();
    c->projection = c->context != NULL ? proj_create(c->context, "+proj=utm +zone=55 +south +ellps=WGS84") : NULL;
    return c->projection != NULL ? GVM_OK : fail(err, GVM_MEMORY, "%s: PROJ failed to start", labels);
}

static void cvact_close(struct cvact *c)
{
    Mat_VarFree(c->ids);
    Mat_VarFree(c->utm);
    if (c->mat != NULL) Mat_Close(c->mat);
    proj_destroy(c->projection);
    proj_context_destroy(c->context);
}

static gvm_status cvact_open(struct cvact *c, const char *root, gvm_error *err)
{
    struct file_map file;
    *c = (struct cvact){0};
    SILENCE_HDF5();
    char *path = path_join(root, labels);
    if (path == NULL) return fail(err, GVM_MEMORY, "cannot read %s: out of memory", labels);
    gvm_status status = file_map(&file, path, err); /* reports why a file cannot be read; matio does not */
    c->most = file.size * ZLIB_MOST;
    file_unmap(&file);
    if (status == GVM_OK && (c->mat = Mat_Open(path, MAT_ACC_RDONLY)) == NULL)
        status = fail(err, GVM_FORMAT, "%s: it is not a MATLAB file", path_tail(path));
    free(path);
    if (status == GVM_OK) status = open_ids(c, err);
    if (status == GVM_OK) status = open_utm(c, err);
    if (status != GVM_OK) cvact_close(c);
    return status;
}

/* ------------------------------------------------------------------ splits */

static void to_place(double *lat, double *lon, const struct cvact *c, size_t i)
{
    PJ_COORD xy = proj_coord(number_at(c->utm, i), number_at(c->utm, i + c->count), 0, 0);
    PJ_COORD place = proj_trans(c->projection, PJ_INV, xy);
    *lat = place.lp.phi * (180 / M_PI);
    *lon = place.lp.lam * (180 / M_PI);
}

static gvm_status add_pair(struct filler *f, const struct cvact *c, const char *folder, size_t i, gvm_error *err)
{
    char id[ID_SIZE], street[2 * ID_SIZE], aerial[2 * ID_SIZE];
    struct query query = {.path = street, .id = id};
    struct source source = {labels, "panoIds", i + 1};
    gvm_status status = read_id(id, c, i, err);
    if (status != GVM_OK) return status;
    snprintf(street, sizeof street, "%sstreetview/%s_grdView.jpg", folder, id);
    snprintf(aerial, sizeof aerial, "%ssatview_polish/%s_satView_polish.jpg", folder, id);
    to_place(&query.lat, &query.lon, c, i);
    return filler_pair(f, &query, aerial, query.lat, query.lon, &source, err);
}

/* matio's own look-up crashes on fields without a name, which a corrupt file may have. */
static const matvar_t *field_of(matvar_t *parent, const char *name)
{
    unsigned count = Mat_VarGetNumberOfFields(parent);
    char *const *names = Mat_VarGetStructFieldnames(parent);
    for (unsigned i = 0; names != NULL && i < count; i++)
        if (names[i] != NULL && strcmp(names[i], name) == 0) return ((matvar_t *const *)parent->data)[i];
    return NULL;
}

static gvm_status add_pairs(struct filler *f, const struct cvact *c, const char *set, const char *field,
                            const char *folder, gvm_error *err)
{
    matvar_t *parent = read_variable(c, set);
    const matvar_t *list = NULL;
    gvm_status status = GVM_OK;
    if (parent != NULL && parent->class_type == MAT_C_STRUCT && parent->data != NULL && elements(parent) == 1)
        list = field_of(parent, field);
    if (!is_real(list)) status = fail(err, GVM_FORMAT, "%s: it has no list of numbers `%s.%s`", labels, set, field);
    for (size_t i = 0; status == GVM_OK && i < elements(list); i++) {
        double index = number_at(list, i);
        if (!(index >= 1 && index <= (double)c->count && index == floor(index)))
            status = fail(err, GVM_FORMAT, "%s, %s.%s, number %zu: %.10g is out of range for %zu panoIds", labels, set,
                          field, i + 1, index, c->count);
        else
            status = add_pair(f, c, folder, (size_t)index - 1, err);
    }
    Mat_VarFree(parent);
    return status;
}

static gvm_status read_split(struct split *split, struct dataset *dataset, const struct dataset_options *options,
                             const struct cvact *c, const char *set, const char *field, const char *folder,
                             gvm_error *err)
{
    struct filler f;
    char prefix[40] = "";
    gvm_status status = GVM_OK;
    if (is_there(dataset->root, folder, &status, err) || !is_there(dataset->root, "streetview", &status, err))
        snprintf(prefix, sizeof prefix, "%s/", folder);
    if (status != GVM_OK) return status;
    filler_start(&f, dataset, options);
    return filler_end(&f, split, add_pairs(&f, c, set, field, prefix, err));
}

gvm_status cvact_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err)
{
    struct cvact c;
    bool all = strcmp(dataset->test_name, "test") == 0;
    gvm_status status = cvact_open(&c, dataset->root, err);
    if (status != GVM_OK) return status;
    if (all) dataset->hit_m = 5;
    status = read_split(&dataset->train, dataset, options, &c, "trainSet", "trainInd", "ANU_data_small", err);
    if (status == GVM_OK)
        status = read_split(&dataset->test, dataset, options, &c, all ? "valSetAll" : "valSet", "valInd",
                            all ? "ANU_data_test" : "ANU_data_small", err);
    cvact_close(&c);
    return status;
}
