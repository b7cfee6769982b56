/* test_safetensors.c - a bit-exact round trip, and an error message with file and tensor for every invalid file */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/half.h"
#include "base/safetensors.h"
#include "folder_support.h"

static void assert_says(const gvm_error *err, const char *part)
{
    if (strstr(err->text, part) == NULL) fail_msg("\"%s\" does not say \"%s\"", err->text, part);
}

/* ---- 16-bit floats */

/* Every float16 against its definition: (-1)^s 2^(e-15) (1 + m/1024), and 2^-14 m/1024 for e = 0. */
static void test_f16(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x10000; h++) {
        int s = (int)(h >> 15), e = (int)(h >> 10 & 31), m = (int)(h & 1023);
        float got = float_from_f16((uint16_t)h);
        assert_int_equal(!!signbit(got), s);
        if (e == 31 && m != 0) {
            assert_true(isnan(got));
        } else {
            double want = e == 31 ? (double)INFINITY : e == 0 ? ldexp(m, -24) : ldexp(1024 + m, e - 25);
            assert_true((double)got == (s ? -want : want));
        }
    }
}

/* Every bfloat16, including NaN, keeps its bits as the upper half. */
static void test_bf16(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x10000; h++) {
        uint32_t bits;
        float got = float_from_bf16((uint16_t)h);
        memcpy(&bits, &got, sizeof bits);
        assert_int_equal(bits, h << 16);
    }
    assert_true(float_from_bf16(0x3fc0) == 1.5f);
}

/* ---- round trip */

static void test_round_trip(void **state)
{
    (void)state;
    enum { N = 3 * 5 * 7 };
    float x[N], one = -0.0f, back[N];
    uint32_t bits[N];
    for (uint32_t i = 0; i < N; i++) bits[i] = i * 40904401u; /* including NaN and subnormals */
    bits[0] = 0x7f800001;                                     /* a signalling NaN */
    memcpy(x, bits, sizeof x);
    struct safetensors_entry entries[] = {{"z.weight", 3, {3, 5, 7}, x, SAFETENSORS_F32},
                                          {"none", 2, {4, 0}, NULL, SAFETENSORS_F32},
                                          {"a \"\\\u20ac\n", 0, {0}, &one, SAFETENSORS_F32}};
    struct safetensors_pair pairs[] = {{"config", "{\"dim\":96}"}, {"k\u00e9y", "line\nline"}};
    struct safetensors *st;
    gvm_error err;
    assert_int_equal(safetensors_write(in_folder("a"), entries, 3, pairs, 2, &err), GVM_OK);
    assert_int_equal(count_files(), 1);
    assert_int_equal(safetensors_open(&st, in_folder("a"), &err), GVM_OK);
    assert_int_equal(safetensors_count(st), 3);
    assert_string_equal(safetensors_metadata(st, "config"), "{\"dim\":96}");
    assert_string_equal(safetensors_metadata(st, "k\u00e9y"), "line\nline");
    assert_null(safetensors_metadata(st, "other"));
    assert_null(safetensors_find(st, "z"));
    assert_null(safetensors_find(st, "__metadata__"));

    const struct safetensors_tensor *t = safetensors_find(st, "z.weight");
    assert_non_null(t);
    assert_ptr_equal(t, safetensors_tensor(st, 0));
    assert_int_equal(t->rank, 3);
    assert_int_equal(t->shape[0], 3);
    assert_int_equal(t->shape[2], 7);
    assert_int_equal(t->shape[3], 1);
    assert_int_equal(t->count, N);
    assert_int_equal((uintptr_t)t->data % 8, 0);
    assert_int_equal(safetensors_read_f32(back, st, t, &err), GVM_OK);
    assert_memory_equal(back, x, sizeof x);

    t = safetensors_find(st, "none");
    assert_non_null(t);
    assert_int_equal(t->count, 0);
    assert_int_equal(safetensors_read_f32(NULL, st, t, &err), GVM_OK);
    t = safetensors_find(st, entries[2].name);
    assert_non_null(t);
    assert_int_equal(t->rank, 0);
    assert_int_equal(safetensors_read_f32(back, st, t, &err), GVM_OK);
    assert_memory_equal(back, &one, sizeof one);
    safetensors_close(st);
    safetensors_close(NULL);
}

static void test_many(void **state)
{
    (void)state;
    enum { N = 3000 };
    static char names[N][16];
    static float values[N];
    static struct safetensors_entry entries[N];
    for (int i = 0; i < N; i++) {
        values[i] = (float)i;
        snprintf(names[i], sizeof names[i], "t.%d", i * 7919 % N);
        entries[i] = (struct safetensors_entry){names[i], 1, {1}, &values[i], false};
    }
    struct safetensors *st;
    gvm_error err;
    assert_int_equal(safetensors_write(in_folder("a"), entries, N, NULL, 0, &err), GVM_OK);
    assert_int_equal(safetensors_open(&st, in_folder("a"), &err), GVM_OK);
    assert_int_equal(safetensors_count(st), N);
    for (int i = 0; i < N; i++) {
        float got;
        const struct safetensors_tensor *t = safetensors_find(st, names[i]);
        assert_non_null(t);
        assert_string_equal(safetensors_tensor(st, (size_t)i)->name, names[i]);
        assert_int_equal(safetensors_read_f32(&got, st, t, &err), GVM_OK);
        assert_true(got == values[i]);
    }
    safetensors_close(st);
}

static void test_write_names(void **state)
{
    (void)state;
    char name_long[300] = "";
    float x = 1;
    gvm_error err;
    memset(name_long, 'n', 256);
    static const char *const says[] = {"/a: the name \"x\" is used twice",
                                       "/a: the name \"__metadata__\" is used twice",
                                       "/a: the name \"??\" is not UTF-8", "is too long", "/a: the name \"\" is empty"};
    const char *bad[] = {"x", "__metadata__", "\xff\xfe", name_long, ""};
    for (int i = 0; i < 5; i++) {
        struct safetensors_entry entries[] = {{"x", 0, {0}, &x, false}, {bad[i], 0, {0}, &x, false}};
        assert_int_equal(safetensors_write(in_folder("a"), entries, 2, NULL, 0, &err), GVM_ARGUMENT);
        assert_says(&err, says[i]);
    }
    struct safetensors_pair pairs[] = {{"key", "\xff"}, {"twice", "1"}, {"twice", "2"}};
    assert_int_equal(safetensors_write(in_folder("a"), NULL, 0, pairs, 1, &err), GVM_ARGUMENT);
    assert_says(&err, "/a: the value of \"key\" is not UTF-8");
    assert_int_equal(safetensors_write(in_folder("a"), NULL, 0, pairs + 1, 2, &err), GVM_ARGUMENT);
    assert_says(&err, "/a: the name \"twice\" is used twice");
    assert_int_equal(count_files(), 0);
    name_long[255] = '\0';
    struct safetensors_entry entry = {name_long, 0, {0}, &x, false};
    assert_int_equal(safetensors_write(in_folder("a"), &entry, 1, NULL, 0, &err), GVM_OK);
}

/* A file size limit simulates a full disk: no partial file is left. */
static void test_write_full(void **state)
{
    (void)state;
    struct rlimit before, small;
    float *data = calloc(5000, sizeof *data);
    struct safetensors_entry entry = {"x", 1, {5000}, data, false};
    gvm_error err;
    assert_non_null(data);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){4096, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    gvm_status status = safetensors_write(in_folder("a"), &entry, 1, NULL, 0, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    free(data);
    assert_int_equal(status, GVM_FILE);
    assert_says(&err, "/a: cannot write it: ");
    assert_int_equal(count_files(), 0);
}

static long allocations_left;

static void *limited_malloc(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

/* Integers, including those that float32 cannot represent. */
static void test_write_whole(void **state)
{
    (void)state;
    static const int32_t x[] = {0, -1, (1 << 24) + 1, INT32_MAX, INT32_MIN};
    float one = 1, wide[5];
    int32_t back[5];
    struct safetensors_entry entries[] = {{"x", 1, {5}, x, SAFETENSORS_I32}, {"y", 1, {1}, &one, SAFETENSORS_F32}};
    struct safetensors *st;
    gvm_error err;
    assert_int_equal(safetensors_write(in_folder("whole"), entries, 2, NULL, 0, &err), GVM_OK);
    assert_int_equal(safetensors_open(&st, in_folder("whole"), &err), GVM_OK);
    const struct safetensors_tensor *t = safetensors_find(st, "x");
    assert_true(t != NULL && t->dtype == SAFETENSORS_I32 && t->bytes == sizeof x);
    assert_int_equal(safetensors_read_i32(back, st, t, &err), GVM_OK);
    assert_memory_equal(back, x, sizeof x);
    assert_int_equal(safetensors_read_f32(wide, st, t, &err), GVM_FORMAT);
    assert_int_equal(safetensors_read_i32(back, st, safetensors_find(st, "y"), &err), GVM_FORMAT);
    assert_non_null(strstr(err.text, "has the type F32, expected I32"));
    safetensors_close(st);
}

/* float16 rounds to nearest and takes half the room; a tensor may be longer than the block that is rounded at a time.
 */
static void test_write_halves(void **state)
{
    (void)state;
    enum { N = 5000 };
    static float x[N], back[N];
    for (int i = 0; i < N; i++) x[i] = (float)(i - N / 2) * 0.01f;
    struct safetensors_entry entries[] = {{"x", 1, {N}, x, SAFETENSORS_F16}, {"y", 1, {3}, x, SAFETENSORS_F32}};
    struct safetensors *st;
    gvm_error err;
    assert_int_equal(safetensors_write(in_folder("halves"), entries, 2, NULL, 0, &err), GVM_OK);
    assert_int_equal(safetensors_open(&st, in_folder("halves"), &err), GVM_OK);
    const struct safetensors_tensor *t = safetensors_find(st, "x");
    assert_true(t != NULL && t->dtype == SAFETENSORS_F16 && t->bytes == 2 * N);
    assert_int_equal(safetensors_read_f32(back, st, t, &err), GVM_OK);
    for (int i = 0; i < N; i++) assert_true(fabsf(back[i] - x[i]) <= fabsf(x[i]) * 0x1p-11f);
    t = safetensors_find(st, "y");
    assert_int_equal(safetensors_read_f32(back, st, t, &err), GVM_OK);
    assert_memory_equal(back, x, 3 * sizeof *x);
    safetensors_close(st);
}

static void test_write_memory(void **state)
{
    (void)state;
    const float x[6] = {1};
    struct safetensors_entry entries[] = {{"x", 2, {2, 3}, x, false}, {"y", 0, {0}, x, true}};
    struct safetensors_pair pairs[] = {{"config", "{}"}, {"format", "pt"}};
    gvm_error err;
    gvm_status status = GVM_MEMORY;
    for (long most = 0; status != GVM_OK; most++) {
        allocations_left = most;
        json_set_alloc_funcs(limited_malloc, free);
        status = safetensors_write(in_folder("a"), entries, 2, pairs, 2, &err);
        json_set_alloc_funcs(malloc, free);
        if (status == GVM_OK) continue;
        assert_int_equal(status, GVM_MEMORY);
        assert_says(&err, "/a: ");
        assert_int_equal(count_files(), 0);
        assert_true(most < 1000);
    }
    assert_int_equal(count_files(), 1);
}

/* ---- files made by hand */

/* Length, header, `size` bytes of data; the caller frees the result. */
static unsigned char *make_file(size_t *total, const char *header, size_t size)
{
    uint64_t length = strlen(header);
    *total = 8 + length + size;
    unsigned char *file = malloc(*total);
    assert_non_null(file);
    memcpy(file, &length, 8);
    memcpy(file + 8, header, length);
    for (size_t i = 0; i < size; i++) file[8 + length + i] = (unsigned char)i;
    return file;
}

/* Types and order as other programs write them: unpadded header, unsorted entries, integers to be skipped. */
static void test_foreign(void **state)
{
    (void)state;
    size_t total;
    unsigned char *file = make_file(
        &total,
        "{\"b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[9,15]},\"i\":{\"dtype\":\"I64\",\"shape\":[1],"
        "\"data_offsets\":[0,8]},\"h\":{\"dtype\":\"F16\",\"shape\":[1,2],\"data_offsets\":[15,19]},\"__metadata__\":"
        "{\"format\":\"pt\"},\"u\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[8,9]},\"f\":{\"dtype\":\"F32\","
        "\"shape\":[1],\"data_offsets\":[19,23]},\"e\":{\"dtype\":\"F64\",\"shape\":[0,9],\"data_offsets\":[9,9]}}  ",
        23);
    const uint16_t b[] = {0x3f80, 0xff80, 0x0001}, h[] = {0xc000, 0x0001};
    const float f = 0.1f;
    float out[3];
    memcpy(file + total - 14, b, sizeof b);
    memcpy(file + total - 8, h, sizeof h);
    memcpy(file + total - 4, &f, sizeof f);
    struct safetensors *st;
    gvm_error err = {""};
    assert_int_equal(safetensors_open_memory(&st, file, total, "memory", &err), GVM_OK);
    const char *names[] = {"i", "u", "e", "b", "h", "f"};
    assert_int_equal(safetensors_count(st), 6);
    for (size_t i = 0; i < 6; i++) assert_string_equal(safetensors_tensor(st, i)->name, names[i]);
    assert_string_equal(safetensors_metadata(st, "format"), "pt");
    assert_int_equal(safetensors_read_f32(out, st, safetensors_find(st, "b"), &err), GVM_OK);
    assert_true(out[0] == 1 && out[1] == -INFINITY && out[2] == 0x1p-133f);
    assert_int_equal(safetensors_read_f32(out, st, safetensors_find(st, "h"), &err), GVM_OK);
    assert_true(out[0] == -2 && out[1] == 0x1p-24f);
    assert_int_equal(safetensors_read_f32(out, st, safetensors_find(st, "f"), &err), GVM_OK);
    assert_true(out[0] == f);
    assert_int_equal(safetensors_read_f32(out, st, safetensors_find(st, "i"), &err), GVM_FORMAT);
    assert_string_equal(err.text, "memory: tensor \"i\" has the unsupported type I64; expected F32, F16 or BF16");
    safetensors_close(st);
    free(file);
}

static const char *name_of_256 = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
                                 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
                                 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
                                 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";

#define T(dtype, shape, offsets) "{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}"

/* Each header, with 8 bytes of data, and words of the error message. */
static const struct {
    const char *header, *says;
} lies[] = {
    {"", "does not start with"},
    {" {}", "does not start with"},
    {"[]", "does not start with"},
    {"{", "invalid JSON in its header"},
    {"{}x", "invalid JSON in its header"},
    {"{\"a\xff\":1}", "invalid JSON in its header"},
    {"{\"a\\u0000\":1}", "invalid JSON in its header"},
    {"{}", "8 bytes after its last tensor"},
    {"{\"__metadata__\":1}", "\"__metadata__\" is not an object"},
    {"{\"__metadata__\":{\"k\":1}}", "metadata \"k\" is not a string"},
    {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", "duplicate"},
    {"{\"t\":" T("\"F32\"", "[2]", "[0,8]") ",\"t\":" T("\"F32\"", "[2]", "[0,8]") "}", "duplicate"},
    {"{\"t\":" T("\"F32\"", "[2]", "[0,8]") ",\"\\u0074\":" T("\"F32\"", "[2]", "[0,8]") "}", "duplicate"},
    {"{\"t\":1}", "tensor \"t\" is described by"},
    {"{\"t\":{\"shape\":[2],\"data_offsets\":[0,8]}}", "tensor \"t\" has no \"dtype\", expected a string"},
    {"{\"t\":" T("\"Q4\"", "[2]", "[0,8]") "}", "tensor \"t\" has the unsupported type \"Q4\""},
    {"{\"t\":" T("1", "[2]", "[0,8]") "}", "tensor \"t\" has no \"dtype\", expected a string"},
    {"{\"t\":" T("\"F32\"", "2", "[0,8]") "}", "tensor \"t\" has no \"shape\", expected a list"},
    {"{\"t\":" T("\"F32\"", "[2.0]", "[0,8]") "}", "tensor \"t\" has a shape whose dimension 1"},
    {"{\"t\":" T("\"F32\"", "[-2]", "[0,8]") "}", "tensor \"t\" has a shape whose dimension 1"},
    {"{\"t\":" T("\"F32\"", "[1,\"2\"]", "[0,8]") "}", "tensor \"t\" has a shape whose dimension 2"},
    {"{\"t\":" T("\"F32\"", "[99999999999999999999]", "[0,8]") "}", "invalid JSON in its header"},
    {"{\"t\":" T("\"F32\"", "[4294967296,4294967296,2]", "[0,8]") "}", "tensor \"t\" has a shape whose size overflows"},
    {"{\"t\":" T("\"F32\"", "[4611686018427387906]", "[0,8]") "}", "tensor \"t\" has 8 bytes, which does not"},
    {"{\"t\":" T("\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]") "}", "tensor \"t\" has 9 dimensions"},
    {"{\"t\":" T("\"F32\"", "[3]", "[0,8]") "}", "tensor \"t\" has 8 bytes, which does not"},
    {"{\"t\":" T("\"F16\"", "[2]", "[0,8]") "}", "tensor \"t\" has 8 bytes, which does not"},
    {"{\"t\":" T("\"F4\"", "[1]", "[0,1]") "}", "tensor \"t\" has 1 bytes, which does not"},
    {"{\"t\":" T("\"F32\"", "[2]", "[0]") "}", "tensor \"t\" has no \"data_offsets\""},
    {"{\"t\":" T("\"F32\"", "[2]", "[0,8,8]") "}", "tensor \"t\" has no \"data_offsets\""},
    {"{\"t\":" T("\"F32\"", "[2]", "[0,8.0]") "}", "tensor \"t\" has no \"data_offsets\""},
    {"{\"t\":" T("\"F32\"", "[2]", "[8,0]") "}", "tensor \"t\" claims bytes 8 to 0"},
    {"{\"t\":" T("\"F32\"", "[2]", "[-8,0]") "}", "tensor \"t\" claims bytes -8 to 0"},
    {"{\"t\":" T("\"F32\"", "[2]", "[4,12]") "}", "tensor \"t\" claims bytes 4 to 12"},
    {"{\"t\":" T("\"F32\"", "[2]", "[0,9223372036854775807]") "}", "tensor \"t\" claims bytes"},
    {"{\"t\":" T("\"F32\"", "[1]", "[0,4]") "}", "4 bytes after its last tensor"},
    {"{\"t\":" T("\"F32\"", "[1]", "[4,8]") "}", "tensor \"t\" starts 4 bytes after"},
    {"{\"t\":" T("\"F32\"", "[2]", "[0,8]") ",\"u\":" T("\"F32\"", "[1]", "[4,8]") "}",
     "tensor \"u\" overlaps tensor \"t\""},
    {"{\"t\":" T("\"F32\"", "[2]", "[0,8]") ",\"u\":" T("\"F32\"", "[2]", "[0,8]") "}",
     "tensor \"u\" overlaps tensor \"t\""},
    {"{\"t\":" T("\"F32\"", "[2]", "[0,8]") ",\"u\":" T("\"F32\"", "[0]", "[4,4]") "}", "overlaps tensor"},
    {"{\"\\u001b[2J\":1}", "tensor \"?[2J\" is described by"},
};

static void assert_refused(const void *file, size_t total, const char *says)
{
    struct safetensors *st;
    gvm_error err = {""};
    gvm_status status = safetensors_open_memory(&st, file, total, "dir/lie.safetensors", &err);
    if (status != GVM_FORMAT) fail_msg("\"%s\": status %d", says, (int)status);
    assert_null(st);
    assert_says(&err, "dir/lie.safetensors: ");
    assert_says(&err, says);
    for (const char *c = err.text; *c != '\0'; c++) assert_true((unsigned char)*c >= ' ');
    assert_int_equal(safetensors_open_memory(&st, file, total, "dir/lie.safetensors", NULL), GVM_FORMAT);
}

static void test_lies(void **state)
{
    (void)state;
    size_t total;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        unsigned char *file = make_file(&total, lies[i].header, 8);
        assert_refused(file, total, lies[i].says);
        free(file);
    }
    char header[400];
    snprintf(header, sizeof header, "{\"%s\":" T("\"F32\"", "[2]", "[0,8]") "}", name_of_256);
    unsigned char *file = make_file(&total, header, 8);
    assert_refused(file, total, "a tensor's name is 256 bytes long");
    free(file);
}

/* A file truncated anywhere is refused; so is a false header length. */
static void test_truncated(void **state)
{
    (void)state;
    size_t total;
    unsigned char *file = make_file(&total, "{\"t\":" T("\"F32\"", "[2]", "[0,8]") "}", 8);
    struct safetensors *st;
    assert_int_equal(safetensors_open_memory(&st, file, total, "good", NULL), GVM_OK);
    safetensors_close(st);
    for (size_t size = 0; size < total; size++) {
        unsigned char *cut = malloc(size + 1); /* of the exact size, so that a read beyond the end is detected */
        assert_non_null(cut);
        memcpy(cut, file, size);
        cut = realloc(cut, size > 0 ? size : 1);
        assert_refused(cut, size, "");
        free(cut);
    }
    const uint64_t lengths[] = {0, 1, total - 7, total, UINT64_MAX, UINT64_MAX - 7, 1ull << 63};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        memcpy(file, &lengths[i], 8);
        assert_refused(file, total, "header");
    }
    free(file);
}

/* Headers that are large, deep, or would expand to gigabytes of values. */
static void test_large_headers(void **state)
{
    (void)state;
    enum { SIZE = 100 * 1000 * 1000 + 64 };
    uint64_t length = SIZE - 8;
    char *file = malloc(SIZE);
    assert_non_null(file);
    memset(file, ' ', SIZE);
    memcpy(file, &length, 8);
    memcpy(file + 8, "{}", 2);
    assert_refused(file, SIZE, "more than the format's limit of 100000000");

    length = 5000000;
    memcpy(file, &length, 8);
    memcpy(file + 8, "{\"a\":[", 6);
    for (size_t i = 14; i < 8 + length; i++) file[i] = i % 2 == 0 ? '1' : ',';
    assert_refused(file, 8 + (size_t)length, "has more than 2000000 values");

    length = 100000;
    memcpy(file, &length, 8);
    memset(file + 14, '[', (size_t)length - 6);
    assert_refused(file, 8 + (size_t)length, "invalid JSON in its header");
    free(file);
}

static void test_open_paths(void **state)
{
    (void)state;
    struct safetensors *st;
    gvm_error err;
    put_text("short", "abc");
    put_text("empty", "");
    assert_int_equal(safetensors_open(&st, in_folder("short"), &err), GVM_FORMAT);
    assert_says(&err, "/short: it has 3 bytes, too few");
    assert_int_equal(safetensors_open(&st, in_folder("empty"), &err), GVM_FORMAT);
    assert_says(&err, "/empty: ");
    assert_int_equal(safetensors_open(&st, in_folder(""), &err), GVM_FILE);
    assert_says(&err, "it is a directory");
    assert_int_equal(safetensors_open(&st, in_folder("missing"), &err), GVM_FILE);
    assert_says(&err, "/missing: ");
    assert_null(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f16),
        cmocka_unit_test(test_bf16),
        cmocka_unit_test_teardown(test_round_trip, empty_folder),
        cmocka_unit_test_teardown(test_many, empty_folder),
        cmocka_unit_test_teardown(test_write_names, empty_folder),
        cmocka_unit_test_teardown(test_write_full, empty_folder),
        cmocka_unit_test_teardown(test_write_halves, empty_folder),
        cmocka_unit_test_teardown(test_write_whole, empty_folder),
        cmocka_unit_test_teardown(test_write_memory, empty_folder),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_large_headers),
        cmocka_unit_test_teardown(test_open_paths, empty_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
