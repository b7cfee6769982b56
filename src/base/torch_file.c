/* torch_file.c - see torch_file.h. The pickle refers to each storage by a persistent id, ("storage", type, key, device,
 * number of values). A tensor is a call of _rebuild_tensor_v2 with a storage, an offset into it, a shape and strides.
 * So the steps are: read the pickle, list the storages that it refers to, find each in the file, then build the
 * tensors. */
#include "base/torch_file.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/half.h"
#include "base/pickle.h"
#include "base/zip.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are read as they lie in the file");

enum { MAX_PICKLE = 64 << 20 /* bytes */, PROTOCOL = 1001 };

/* Names that tensors consist of, and names that training scripts commonly store beside them. */
static const struct pickle_name names[] = {
    {"collections.OrderedDict", true},
    {"collections.defaultdict", true},
    {"__builtin__.dict", true},
    {"builtins.dict", true},
    {"torch._utils._rebuild_tensor", false},
    {"torch._utils._rebuild_tensor_v2", false},
    {"torch._utils._rebuild_parameter", false},
    {"torch.FloatStorage", false},
    {"torch.HalfStorage", false},
    {"torch.BFloat16Storage", false},
    {"torch.DoubleStorage", false},
    {"torch.LongStorage", false},
    {"torch.IntStorage", false},
    {"torch.ShortStorage", false},
    {"torch.CharStorage", false},
    {"torch.ByteStorage", false},
    {"torch.BoolStorage", false},
    {"numpy.core.multiarray.scalar", false},
    {"numpy._core.multiarray.scalar", false},
    {"numpy.dtype", false},
    {"_codecs.encode", false},
    {NULL, false},
};

enum type { F32, F16, BF16, F64, I64, I32, I16, I8, U8, BOOL, TYPES };

static const struct {
    const char *storage, *name;
    size_t width; /* bytes per value */
} types[TYPES] = {
    [F32] = {"torch.FloatStorage", "F32", 4},      [F16] = {"torch.HalfStorage", "F16", 2},
    [BF16] = {"torch.BFloat16Storage", "BF16", 2}, [F64] = {"torch.DoubleStorage", "F64", 8},
    [I64] = {"torch.LongStorage", "I64", 8},       [I32] = {"torch.IntStorage", "I32", 4},
    [I16] = {"torch.ShortStorage", "I16", 2},      [I8] = {"torch.CharStorage", "I8", 1},
    [U8] = {"torch.ByteStorage", "U8", 1},         [BOOL] = {"torch.BoolStorage", "BOOL", 1},
};

struct storage {
    const char *key; /* from the pickle */
    size_t key_length;
    enum type type;
    uint64_t numbers;
    const unsigned char *data; /* NULL until found in the file */
};

struct torch_file {
    const unsigned char *data;
    size_t size;
    const char *where;
    gvm_error *err; /* used while opening */
    struct pickle pickle;
    struct storage *storages; /* by key */
    size_t storage_count;
    struct torch_tensor *tensors; /* by name */
    char *text;                   /* the names */
    size_t count;
};

static gvm_status no_memory(const struct torch_file *f)
{
    return fail(f->err, GVM_MEMORY, "%s: cannot open it: out of memory", f->where);
}

static gvm_status not_a_file(const struct torch_file *f, const char *what)
{
    return fail(f->err, GVM_FORMAT, "%s: %s; it is truncated, or not a file saved by torch.save", f->where, what);
}

/* ------------------------------------------------------------------ storages */

static int compare_storages(const void *a, const void *b)
{
    const struct storage *x = a, *y = b;
    if (x->key_length != y->key_length) return x->key_length < y->key_length ? -1 : 1;
    return memcmp(x->key, y->key, x->key_length);
}

static bool read_storage(struct storage *s, const struct pickle_value *id)
{
    const struct pickle_value *what = pickle_at(id, 0), *type = pickle_at(id, 1), *key = pickle_at(id, 2),
                              *numbers = pickle_at(id, 4), *view = pickle_at(id, 5);
    if (numbers == NULL || !pickle_is(what, "storage") || type->kind != PICKLE_NAME || key->kind != PICKLE_TEXT ||
        numbers->kind != PICKLE_INT || numbers->number < 0 || (view && view->kind != PICKLE_NONE))
        return false;
    *s = (struct storage){key->text, key->length, TYPES, (uint64_t)numbers->number, NULL};
    for (int t = 0; t < TYPES; t++)
        if (pickle_is(type, types[t].storage)) s->type = (enum type)t;
    return s->type != TYPES;
}

/* List the storages that the pickle refers to, without duplicates. */
static gvm_status list_storages(struct torch_file *f)
{
    size_t count = 0, kept = 0;
    for (const struct pickle_value *v = f->pickle.persistent; v; v = v->persistent) count++;
    f->storages = calloc(count + 1, sizeof *f->storages);
    if (f->storages == NULL) return no_memory(f);
    for (const struct pickle_value *v = f->pickle.persistent; v; v = v->persistent)
        if (!read_storage(&f->storages[f->storage_count++], v))
            return fail(f->err, GVM_FORMAT, "%s: storage %zu of its pickle has an unsupported form", f->where,
                        f->storage_count);
    qsort(f->storages, count, sizeof *f->storages, compare_storages);
    for (size_t i = 0; i < count; i++) {
        struct storage *s = &f->storages[i], *last = &f->storages[kept ? kept - 1 : 0];
        if (kept == 0 || compare_storages(last, s) != 0)
            f->storages[kept++] = *s;
        else if (last->type != s->type || last->numbers != s->numbers)
            return fail(f->err, GVM_FORMAT, "%s: its storage %.*s is used with two types or lengths", f->where,
                        (int)MIN(s->key_length, 40), s->key);
    }
    f->storage_count = kept;
    return GVM_OK;
}

static struct storage *find_storage(const struct torch_file *f, const struct pickle_value *key)
{
    struct storage wanted = {.key = key->text, .key_length = key->length};
    return bsearch(&wanted, f->storages, f->storage_count, sizeof wanted, compare_storages);
}

static gvm_status wrong_storage(const struct torch_file *f, const struct storage *s, size_t has)
{
    return fail(f->err, GVM_FORMAT,
                "%s: its storage %.*s has %zu bytes, expected %llu numbers of %zu bytes as its pickle says", f->where,
                (int)MIN(s->key_length, 40), s->key, has, (unsigned long long)s->numbers, types[s->type].width);
}

/* ------------------------------------------------------------------ the zip file */

static gvm_status find_members(struct torch_file *f, const struct zip *zip, const char *folder, size_t length)
{
    for (size_t i = 0; i < f->storage_count; i++) {
        struct storage *s = &f->storages[i];
        g_autofree char *name =
            g_strdup_printf("%.*s/data/%.*s", (int)length, folder, (int)MIN(s->key_length, TORCH_MAX_NAME), s->key);
        const struct zip_member *m = zip_find(zip, name);
        if (m == NULL) return fail(f->err, GVM_FORMAT, "%s: its member %.100s is missing", f->where, name);
        if (m->size % types[s->type].width != 0 || m->size / types[s->type].width != s->numbers)
            return wrong_storage(f, s, m->size);
        s->data = m->data;
    }
    return GVM_OK;
}

static gvm_status read_zip(const struct pickle_value **top, struct torch_file *f, const struct zip *zip)
{
    static const char end[] = "/data.pkl";
    const struct zip_member *pickle = NULL;
    size_t length = sizeof end - 1, used;
    for (size_t i = 0; i < zip->count && pickle == NULL; i++) {
        const struct zip_member *m = &zip->members[i];
        if (m->name_length > length && m->name_length <= TORCH_MAX_NAME &&
            memcmp(m->name + m->name_length - length, end, length) == 0)
            pickle = m;
    }
    if (pickle == NULL) return not_a_file(f, "it is a zip file without NAME/data.pkl");
    size_t folder = pickle->name_length - length;
    g_autofree char *order = g_strdup_printf("%.*s/byteorder", (int)folder, pickle->name);
    g_autofree char *script = g_strdup_printf("%.*s/constants.pkl", (int)folder, pickle->name);
    const struct zip_member *m = zip_find(zip, order);
    if (m != NULL && (m->size != 6 || memcmp(m->data, "little", 6) != 0))
        return fail(f->err, GVM_FORMAT, "%s: it is not little-endian", f->where);
    if (zip_find(zip, script) != NULL)
        return fail(f->err, GVM_FORMAT, "%s: it is a TorchScript program; save its state dictionary instead", f->where);
    if (pickle->size > MAX_PICKLE)
        return fail(f->err, GVM_FORMAT, "%s: its pickle has more than %d bytes", f->where, MAX_PICKLE);
    gvm_status status = pickle_read(top, &used, &f->pickle, pickle->data, pickle->size, names, f->where, f->err);
    if (status == GVM_OK) status = list_storages(f);
    return status == GVM_OK ? find_members(f, zip, pickle->name, folder) : status;
}

/* ------------------------------------------------------------------ before PyTorch 1.6 */

/* Length of the pickled magic number that such a file starts with, or 0. Protocol 4 puts a frame length before it. */
static size_t magic_length(const unsigned char *start, size_t size)
{
    static const unsigned char magic[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
    size_t at = size > 2 && start[2] == 0x95 ? 11 : 2;
    return size >= at + sizeof magic && start[0] == 0x80 && memcmp(start + at, magic, sizeof magic) == 0
               ? at + sizeof magic
               : 0;
}

/* Read the next pickle and advance *at past it. */
static gvm_status read_next(const struct pickle_value **top, size_t *at, struct torch_file *f)
{
    size_t used, left = MIN(f->size - *at, (size_t)MAX_PICKLE);
    gvm_status status = pickle_read(top, &used, &f->pickle, f->data + *at, left, names, f->where, f->err);
    *at += used;
    return status;
}

/* Each storage is the number of its values (8 bytes) and the values; in the order of the last pickle's keys. */
static gvm_status read_storages(struct torch_file *f, const struct pickle_value *keys, size_t at)
{
    for (const struct pickle_item *i = keys->first; i; i = i->next) {
        struct storage *s = i->value->kind == PICKLE_TEXT ? find_storage(f, i->value) : NULL;
        uint64_t numbers;
        if (s == NULL || s->data != NULL) return not_a_file(f, "invalid list of storages");
        if (f->size - at < sizeof numbers) return not_a_file(f, "missing storage");
        memcpy(&numbers, f->data + at, sizeof numbers);
        at += sizeof numbers;
        if (numbers != s->numbers || numbers > (f->size - at) / types[s->type].width)
            return wrong_storage(f, s, f->size - at);
        s->data = f->data + at;
        at += numbers * types[s->type].width;
    }
    for (size_t i = 0; i < f->storage_count; i++)
        if (f->storages[i].data == NULL) return not_a_file(f, "missing storage");
    if (at != f->size)
        return fail(f->err, GVM_FORMAT, "%s: it has %zu bytes after its last storage", f->where, f->size - at);
    return GVM_OK;
}

static gvm_status read_legacy(const struct pickle_value **top, struct torch_file *f)
{
    const struct pickle_value *protocol, *system, *keys, *little;
    size_t at = magic_length(f->data, f->size);
    if (at == 0) return not_a_file(f, "wrong magic number");
    gvm_status status = read_next(&protocol, &at, f);
    if (status == GVM_OK && (protocol->kind != PICKLE_INT || protocol->number != PROTOCOL))
        status = not_a_file(f, "unsupported protocol, expected 1001");
    if (status == GVM_OK) status = read_next(&system, &at, f);
    little = status == GVM_OK ? pickle_get(system, "little_endian") : NULL;
    if (status == GVM_OK && (little == NULL || little->kind != PICKLE_BOOL || !little->number))
        status = fail(f->err, GVM_FORMAT, "%s: it is not little-endian", f->where);
    if (status == GVM_OK) status = read_next(top, &at, f);
    if (status == GVM_OK) status = read_next(&keys, &at, f);
    if (status == GVM_OK && keys->kind != PICKLE_LIST) status = not_a_file(f, "invalid list of storages");
    if (status == GVM_OK) status = list_storages(f);
    return status == GVM_OK ? read_storages(f, keys, at) : status;
}

bool torch_file_is(const unsigned char *start, size_t size)
{
    return (size >= 4 && memcmp(start, "PK\3\4", 4) == 0) || magic_length(start, size) > 0;
}

/* ------------------------------------------------------------------ tensors */

static bool is_tensor(const struct pickle_value *v)
{
    return v->kind == PICKLE_CALL && strncmp(v->text, "torch._utils._rebuild_", 22) == 0;
}

/* Report an error in one tensor, with its name. */
#define FAIL_TENSOR(f, t, format, ...) \
    fail((f)->err, GVM_FORMAT, "%s: tensor '%s' " format, (f)->where, (t)->name, ##__VA_ARGS__)

static gvm_status read_shape(struct torch_tensor *t, const struct torch_file *f, const struct pickle_value *shape,
                             const struct pickle_value *stride)
{
    if (shape->kind != PICKLE_TUPLE || stride->kind != PICKLE_TUPLE || shape->count != stride->count ||
        shape->count > TORCH_MAX_RANK)
        return FAIL_TENSOR(f, t, "has no shape and strides, expected up to %d dimensions", TORCH_MAX_RANK);
    t->rank = (int)shape->count;
    t->count = 1;
    for (int i = 0; i < t->rank; i++) {
        const struct pickle_value *side = pickle_at(shape, (size_t)i), *step = pickle_at(stride, (size_t)i);
        if (side->kind != PICKLE_INT || step->kind != PICKLE_INT || side->number < 0 || step->number < 0)
            return FAIL_TENSOR(f, t, "has a shape or strides that are not non-negative integers");
        t->shape[i] = side->number;
        t->stride[i] = step->number;
        if (__builtin_mul_overflow(t->count, (size_t)side->number, &t->count))
            return FAIL_TENSOR(f, t, "has a shape of more values than 64 bits count");
    }
    return GVM_OK;
}

/* The tensor's last value must lie in the storage, and it must have no more values than the storage. */
static gvm_status check_extent(const struct torch_tensor *t, const struct torch_file *f, const struct storage *s,
                               uint64_t offset)
{
    uint64_t last = offset, step;
    bool beyond = t->count > s->numbers;
    for (int i = 0; i < t->rank && t->count > 0; i++)
        beyond |= __builtin_mul_overflow((uint64_t)t->shape[i] - 1, (uint64_t)t->stride[i], &step) ||
                  __builtin_add_overflow(last, step, &last);
    if (!beyond && (t->count == 0 ? offset <= s->numbers : last < s->numbers)) return GVM_OK;
    return FAIL_TENSOR(f, t, "goes beyond the end of its storage of %llu numbers", (unsigned long long)s->numbers);
}

static gvm_status read_tensor(struct torch_tensor *t, const struct torch_file *f, const struct pickle_value *call)
{
    if (pickle_is(&(struct pickle_value){.kind = PICKLE_NAME, .text = call->text, .length = call->length},
                  "torch._utils._rebuild_parameter"))
        call = pickle_at(call, 0);
    if (call == NULL || !is_tensor(call) || call->count < 4) return FAIL_TENSOR(f, t, "has an unsupported form");
    const struct pickle_value *id = pickle_at(call, 0), *offset = pickle_at(call, 1);
    if (id->kind != PICKLE_PERSISTENT || offset->kind != PICKLE_INT || offset->number < 0)
        return FAIL_TENSOR(f, t, "has an unsupported form");
    const struct storage *s = find_storage(f, pickle_at(id, 2));
    gvm_status status = read_shape(t, f, pickle_at(call, 2), pickle_at(call, 3));
    if (status == GVM_OK) status = check_extent(t, f, s, (uint64_t)offset->number);
    if (status != GVM_OK) return status;
    t->type = types[s->type].name;
    t->data = s->data + (uint64_t)offset->number * types[s->type].width;
    return GVM_OK;
}

static int compare_tensors(const void *a, const void *b)
{
    return strcmp(((const struct torch_tensor *)a)->name, ((const struct torch_tensor *)b)->name);
}

/* The dictionary that training scripts put the network in, beside an epoch or a best recall; else the top dictionary.
 */
static const struct pickle_value *find_dictionary(const struct pickle_value *top)
{
    static const char *const keys[] = {"state_dict", "model_state_dict", "model"};
    if (top->kind != PICKLE_DICT) return NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct pickle_value *inner = pickle_get(top, keys[i]);
        if (inner != NULL && inner->kind == PICKLE_DICT) return inner;
    }
    for (const struct pickle_item *i = top->first; i; i = i->next->next)
        if (is_tensor(i->next->value)) return top;
    return NULL;
}

static gvm_status read_name(struct torch_tensor *t, const struct torch_file *f, char **text,
                            const struct pickle_value *key)
{
    if (key->kind != PICKLE_TEXT || key->length == 0 || key->length > TORCH_MAX_NAME ||
        memchr(key->text, '\0', key->length) != NULL || !g_utf8_validate(key->text, (gssize)key->length, NULL))
        return fail(f->err, GVM_FORMAT, "%s: a tensor's name is not UTF-8 of 1 to %d bytes", f->where, TORCH_MAX_NAME);
    t->name = *text;
    memcpy(*text, key->text, key->length);
    *text += key->length + 1;
    return GVM_OK;
}

static gvm_status read_tensors(struct torch_file *f, const struct pickle_value *top)
{
    const struct pickle_value *dictionary = find_dictionary(top);
    if (dictionary == NULL)
        return fail(f->err, GVM_FORMAT,
                    "%s: no dictionary of tensors found, neither at the top level nor under \"state_dict\"", f->where);
    size_t bytes = 1;
    for (const struct pickle_item *i = dictionary->first; i; i = i->next->next)
        bytes += MIN(i->value->length, (size_t)TORCH_MAX_NAME) + 1;
    f->tensors = calloc(dictionary->count / 2 + 1, sizeof *f->tensors);
    char *text = f->text = calloc(1, bytes);
    if (f->tensors == NULL || f->text == NULL) return no_memory(f);
    for (const struct pickle_item *i = dictionary->first; i; i = i->next->next) {
        struct torch_tensor *t = &f->tensors[f->count++];
        gvm_status status = read_name(t, f, &text, i->value);
        if (status == GVM_OK) status = read_tensor(t, f, i->next->value);
        if (status != GVM_OK) return status;
    }
    qsort(f->tensors, f->count, sizeof *f->tensors, compare_tensors);
    for (size_t i = 1; i < f->count; i++)
        if (compare_tensors(&f->tensors[i - 1], &f->tensors[i]) == 0)
            return FAIL_TENSOR(f, &f->tensors[i], "occurs twice");
    return GVM_OK;
}

/* ------------------------------------------------------------------ the file */

static gvm_status open_container(struct torch_file *f)
{
    const struct pickle_value *top = NULL;
    struct zip zip = {0};
    gvm_status status = GVM_OK;
    if (f->size >= 2 && memcmp(f->data, "PK", 2) == 0) {
        status = zip_open(&zip, f->data, f->size, f->where, f->err);
        if (status == GVM_OK) status = read_zip(&top, f, &zip);
        zip_close(&zip);
    } else {
        status = read_legacy(&top, f);
    }
    return status == GVM_OK ? read_tensors(f, top) : status;
}

gvm_status torch_file_open(struct torch_file **out, const void *data, size_t size, const char *where, gvm_error *err)
{
    struct torch_file *f = calloc(1, sizeof *f);
    *out = NULL;
    if (f == NULL) return fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", where);
    *f = (struct torch_file){.data = data, .size = size, .where = where, .err = err};
    gvm_status status = open_container(f);
    pickle_free(&f->pickle);
    free(f->storages);
    f->storages = NULL;
    f->err = NULL;
    if (status == GVM_OK)
        *out = f;
    else
        torch_file_close(f);
    return status;
}

void torch_file_close(struct torch_file *file)
{
    if (file == NULL) return;
    free(file->tensors);
    free(file->text);
    free(file);
}

size_t torch_file_count(const struct torch_file *file)
{
    return file->count;
}

const struct torch_tensor *torch_file_tensor(const struct torch_file *file, size_t i)
{
    return &file->tensors[i];
}

/* ------------------------------------------------------------------ numbers */

static enum type type_of(const struct torch_tensor *t)
{
    int type = 0;
    while (strcmp(types[type].name, t->type) != 0) type++;
    return (enum type)type;
}

#define READ_AS(number)           \
    {                             \
        number x;                 \
        memcpy(&x, at, sizeof x); \
        return (float)x;          \
    }

static float read_number(const unsigned char *at, enum type type)
{
    uint16_t half;
    memcpy(&half, at, types[type].width == 1 ? 1 : 2);
    switch (type) {
    case F16: return float_from_f16(half);
    case BF16: return float_from_bf16(half);
    case F64: READ_AS(double)
    case I64: READ_AS(int64_t)
    case I32: READ_AS(int32_t)
    case I16: READ_AS(int16_t)
    case I8: READ_AS(int8_t)
    case U8:
    case BOOL: READ_AS(uint8_t)
    default: READ_AS(float)
    }
}

void torch_file_read(float *out, const struct torch_tensor *t)
{
    enum type type = type_of(t);
    size_t width = types[type].width, at = 0;
    int64_t index[TORCH_MAX_RANK] = {0};
    for (size_t n = 0; n < t->count; n++) {
        out[n] = read_number(t->data + at * width, type);
        for (int i = t->rank - 1; i >= 0; i--) { /* advance the index, last dimension first */
            at += (size_t)t->stride[i];
            if (++index[i] < t->shape[i]) break;
            at -= (size_t)(t->stride[i] * t->shape[i]);
            index[i] = 0;
        }
    }
}
