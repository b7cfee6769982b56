/* test_torch_file.c - files of torch.save (tests/golden/torch, written by tools/make_torch_files.py) are read
 * correctly; files that would run code, are malformed or truncated are refused with a message that names the fault */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tensor_file.h"
#include "base/torch_file.h"
#include "base/zip.h"
#include "folder_support.h"

static void assert_says(const gvm_error *err, const char *part)
{
    if (strstr(err->text, part) == NULL) fail_msg("\"%s\" does not say \"%s\"", err->text, part);
}

static const char *golden(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "tests/golden/torch/%s", name);
    return path;
}

/* ------------------------------------------------------------------ good files */

static void expect(const struct torch_file *f, const char *prefix, const char *name, const char *type, int rank,
                   const int64_t *shape, const float *numbers)
{
    char whole[64];
    snprintf(whole, sizeof whole, "%s%s", prefix, name);
    const struct torch_tensor *t = NULL;
    for (size_t i = 0; i < torch_file_count(f); i++)
        if (strcmp(torch_file_tensor(f, i)->name, whole) == 0) t = torch_file_tensor(f, i);
    if (t == NULL) fail_msg("%s is missing", whole);
    assert_string_equal(t->type, type);
    assert_int_equal(t->rank, rank);
    size_t count = 1;
    for (int i = 0; i < rank; i++) {
        assert_int_equal(t->shape[i], shape[i]);
        count *= (size_t)shape[i];
    }
    assert_int_equal(t->count, count);
    float got[24];
    torch_file_read(got, t);
    for (size_t i = 0; i < count; i++)
        if (got[i] != numbers[i]) fail_msg("%s[%zu]: %g, not %g", whole, i, (double)got[i], (double)numbers[i]);
}

/* Values that make_torch_files.py puts into each file. */
static void expect_all(const struct torch_file *f, const char *prefix)
{
    float rising[24], halves[8], permuted[24];
    for (int i = 0; i < 24; i++) rising[i] = (float)i;
    for (int i = 0; i < 8; i++) halves[i] = (float)i / 8 - 0.5f;
    for (int i = 0; i < 24; i++) permuted[i] = (float)(i / 6 + i % 6 * 4);
    assert_int_equal(torch_file_count(f), 12);
    expect(f, prefix, "plain.weight", "F32", 2, (int64_t[]){2, 3}, rising);
    expect(f, prefix, "turned.weight", "F32", 2, (int64_t[]){3, 2}, (float[]){0, 3, 1, 4, 2, 5});
    expect(f, prefix, "permuted", "F32", 3, (int64_t[]){4, 2, 3}, permuted);
    expect(f, prefix, "view.first", "F32", 1, (int64_t[]){10}, rising);
    expect(f, prefix, "view.second", "F32", 1, (int64_t[]){4}, (float[]){10, 13, 16, 19});
    expect(f, prefix, "half", "F16", 1, (int64_t[]){8}, halves);
    expect(f, prefix, "bfloat", "BF16", 1, (int64_t[]){8}, halves);
    expect(f, prefix, "double", "F64", 1, (int64_t[]){8}, halves);
    expect(f, prefix, "parameter", "F32", 1, (int64_t[]){2}, (float[]){1.5f, -2.5f});
    expect(f, prefix, "num_batches_tracked", "I64", 0, NULL, (float[]){7});
    expect(f, prefix, "single", "F32", 0, NULL, (float[]){2.6593f});
    expect(f, prefix, "empty", "F32", 2, (int64_t[]){0, 3}, NULL);
}

static void test_good(void **state)
{
    static const char *const files[][2] = {{"zip.pth", ""},
                                           {"legacy.pth", ""},
                                           {"legacy4.pth", ""},
                                           {"wrapped.pth.tar", "module."},
                                           {"wrapped_legacy.pth.tar", "module."}};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct file_map map;
        struct torch_file *f;
        gvm_error err;
        assert_int_equal(file_map(&map, golden(files[i][0]), &err), GVM_OK);
        assert_true(torch_file_is(map.data, map.size));
        if (torch_file_open(&f, map.data, map.size, files[i][0], &err) != GVM_OK) fail_msg("%s", err.text);
        expect_all(f, files[i][1]);
        torch_file_close(f);
        file_unmap(&map);
    }
}

/* ------------------------------------------------------------------ files that would run code */

static void test_nothing_is_run(void **state)
{
    static const char *const files[][2] = {{"bad_system.pth", "its pickle calls posix.system; only tensors are read"},
                                           {"bad_system_legacy.pth", "its pickle calls posix.system"},
                                           {"bad_eval.pth", "its pickle calls __builtin__.eval"},
                                           {"bad_open.pth", "its pickle calls io.open"},
                                           {"bad_getattr.pth", "its pickle calls __builtin__.getattr"},
                                           {"bad_inst.pth", "opcode 0x53"},
                                           {"bad_inst2.pth", "its pickle calls os.system"},
                                           {"module.pth", "its pickle calls torch.nn.modules.linear.Linear"}};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct tensor_file *f;
        gvm_error err;
        assert_int_equal(tensor_file_open(&f, golden(files[i][0]), &err), GVM_FORMAT);
        assert_null(f);
        assert_says(&err, files[i][0]);
        assert_says(&err, files[i][1]);
    }
    assert_int_equal(access("tests_ran_code", F_OK), -1); /* which each of them would create */
}

/* ------------------------------------------------------------------ cut and damaged files */

static gvm_status open_copy(const unsigned char *data, size_t size, gvm_error *err)
{
    struct torch_file *f;
    unsigned char *copy = malloc(size ? size : 1); /* of the exact size, so that a read beyond the end is detected */
    assert_non_null(copy);
    memcpy(copy, data, size);
    gvm_status status = torch_file_open(&f, copy, size, "copy", err);
    for (size_t i = 0; f && i < torch_file_count(f); i++) {
        const struct torch_tensor *t = torch_file_tensor(f, i);
        float *numbers = malloc(t->count * sizeof *numbers + 1);
        assert_non_null(numbers);
        torch_file_read(numbers, t);
        free(numbers);
    }
    torch_file_close(f);
    free(copy);
    return status;
}

static void test_damaged(void **state)
{
    static const char *const files[] = {"zip.pth", "legacy.pth", "wrapped.pth.tar"};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct file_map map;
        gvm_error err;
        assert_int_equal(file_map(&map, golden(files[i]), &err), GVM_OK);
        for (size_t size = 0; size < map.size; size++) {
            if (open_copy(map.data, size, &err) != GVM_FORMAT) fail_msg("%s cut at %zu", files[i], size);
            assert_says(&err, "copy: ");
        }
        unsigned char *changed = malloc(map.size);
        assert_non_null(changed);
        memcpy(changed, map.data, map.size);
        for (size_t k = 0; k < map.size; k++) {
            static const unsigned char others[] = {0, 1, 0x7f, 0xff};
            for (size_t n = 0; n < sizeof others; n++) {
                changed[k] = others[n];
                open_copy(changed, map.size, &err); /* read or refused, never beyond a block */
            }
            changed[k] = map.data[k];
        }
        free(changed);
        file_unmap(&map);
    }
}

/* ------------------------------------------------------------------ malformed files */

/* A zip file being made, and its layout. */
struct made {
    unsigned char bytes[6 << 20];
    unsigned char directory[4096];
    size_t size, directory_size;
    int members;
    int method;   /* of the next member */
    bool zip64;   /* the next member's sizes are in its extra field */
    size_t moved; /* its header's offset is too small by this number */
};

static struct made made;

static void put(unsigned char *to, size_t *at, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++) to[(*at)++] = i < 8 ? (unsigned char)(number >> 8 * i) : 0;
}

static void put_text_at(unsigned char *to, size_t *at, const void *text, size_t length)
{
    memcpy(to + *at, text, length);
    *at += length;
}

static void member(const char *name, const void *data, size_t size)
{
    unsigned char *d = made.directory, *b = made.bytes;
    size_t header = made.size, length = strlen(name), *at = &made.directory_size;
    put(b, &made.size, 0x04034b50, 4);
    for (int i = 0; i < 22; i++) b[made.size++] = 0;
    put(b, &made.size, length, 2);
    put(b, &made.size, 0, 2);
    put_text_at(b, &made.size, name, length);
    put_text_at(b, &made.size, data, size);
    put(d, at, 0x02014b50, 4);
    put(d, at, 0, 6);
    put(d, at, (uint64_t)made.method, 2);
    put(d, at, 0, 8);
    put(d, at, made.zip64 ? 0xffffffff : size, 4);
    put(d, at, made.zip64 ? 0xffffffff : size, 4);
    put(d, at, length, 2);
    put(d, at, made.zip64 ? 28 : 0, 2);
    put(d, at, 0, 10);
    put(d, at, made.zip64 ? 0xffffffff : header - made.moved, 4);
    put_text_at(d, at, name, length);
    if (made.zip64) {
        put(d, at, 24 << 16 | 1, 4);
        put(d, at, size, 8);
        put(d, at, size, 8);
        put(d, at, header, 8);
    }
    made.members++;
}

static void finish(void)
{
    size_t start = made.size;
    put_text_at(made.bytes, &made.size, made.directory, made.directory_size);
    put(made.bytes, &made.size, 0x06054b50, 4);
    put(made.bytes, &made.size, 0, 4);
    put(made.bytes, &made.size, (uint64_t)made.members, 2);
    put(made.bytes, &made.size, (uint64_t)made.members, 2);
    put(made.bytes, &made.size, made.directory_size, 4);
    put(made.bytes, &made.size, start, 4);
    put(made.bytes, &made.size, 0, 2);
}

static void begin(void)
{
    memset(&made, 0, sizeof made);
}

#define STORAGE(type, key, numbers) "((U\7storagectorch\n" type "\nU\1" key "U\3cpuK" numbers "tQ"
#define TENSOR(type, numbers, offset, shape, stride) \
    "ctorch._utils\n_rebuild_tensor_v2\n" STORAGE(type, "0", numbers) "K" offset shape stride "\x89NtR"
#define DICT(name, value) "\x80\2}U\1" name value "s."

static const float eight[8] = {0, 1, 2, 3, 4, 5, 6, 7};

/* A file with this pickle, and storage 0 of eight values. */
static gvm_status open_pickle(const void *pickle, size_t length, gvm_error *err)
{
    begin();
    member("a/data.pkl", pickle, length);
    member("a/data/0", eight, sizeof eight);
    finish();
    return open_copy(made.bytes, made.size, err);
}

#define ROW(pickle, says)               \
    {                                   \
        pickle, sizeof pickle - 1, says \
    }

static const struct {
    const char *pickle;
    size_t length;
    const char *says;
} lies[] = {
    ROW(DICT("w", TENSOR("FloatStorage", "\10", "\0", "K\7\x85", "K\1\x85")), NULL),
    ROW(DICT("w", TENSOR("FloatStorage", "\10", "\1", "K\7\x85", "K\1\x85")), NULL),
    ROW(DICT("w", TENSOR("FloatStorage", "\10", "\2", "K\7\x85", "K\1\x85")),
        "tensor 'w' goes beyond the end of its storage of 8"),
    ROW(DICT("w", TENSOR("FloatStorage", "\10", "\0", "K\3\x85", "K\4\x85")),
        "tensor 'w' goes beyond the end of its storage of 8"),
    ROW(DICT("w", TENSOR("FloatStorage", "\10", "\0", "K\3K\3\x86", "K\0K\0\x86")), "tensor 'w' goes beyond"),
    ROW(DICT("w", TENSOR("FloatStorage", "\10", "\0", "K\2K\2\x86", "K\0K\0\x86")), NULL),
    ROW(DICT("w", TENSOR("FloatStorage", "\10", "\0", "K\2K\2\x86", "K\1\x85")), "tensor 'w' has no shape and strides"),
    ROW(DICT("w", TENSOR("FloatStorage", "\10", "\0", "J\xff\xff\xff\xff\x85", "K\1\x85")),
        "tensor 'w' has a shape or"),
    ROW(DICT("w", TENSOR("FloatStorage", "\10", "\0", "K\2\x85", "J\xff\xff\xff\xff\x85")),
        "tensor 'w' has a shape or"),
    ROW(DICT("w", TENSOR("FloatStorage", "\10", "\0", "\x8a\5\0\0\0\0\1\x8a\5\0\0\0\0\1\x86", "K\1K\1\x86")),
        "has a shape of more values than"),
    ROW(DICT("w", TENSOR("FloatStorage", "\10", "\0", "K\2\x85", "\x8a\x8\xff\xff\xff\xff\xff\xff\xff\x7f\x85")),
        "tensor 'w' goes beyond"),
    ROW(DICT("w", TENSOR("FloatStorage", "\7", "\0", "K\7\x85", "K\1\x85")), "storage 0 has 32 bytes, expected"),
    ROW(DICT("w", TENSOR("FloatStorage", "\11", "\0", "K\7\x85", "K\1\x85")), "storage 0 has 32 bytes, expected"),
    ROW(DICT("w", TENSOR("DoubleStorage", "\10", "\0", "K\7\x85", "K\1\x85")), "storage 0 has 32 bytes, expected"),
    ROW(DICT("w", TENSOR("UntypedStorage", "\10", "\0", "K\7\x85", "K\1\x85")), "calls torch.UntypedStorage"),
    ROW("\x80\2}(U\1w" TENSOR("FloatStorage", "\10", "\0", "K\1\x85",
                              "K\1\x85") "U\1w" TENSOR("FloatStorage", "\10", "\0", "K\1\x85", "K\1\x85") "u.",
        "tensor 'w' occurs twice"),
    ROW("\x80\2}(U\1w" TENSOR("FloatStorage", "\10", "\0", "K\1\x85",
                              "K\1\x85") "U\1x" TENSOR("IntStorage", "\10", "\0", "K\1\x85", "K\1\x85") "u.",
        "storage 0 is used with two types or lengths"),
    ROW("\x80\2}(U\1w" TENSOR("FloatStorage", "\10", "\0", "K\1\x85", "K\1\x85") "U\1xK\3u.",
        "'x' has an unsupported form"),
    ROW(DICT("\n", TENSOR("FloatStorage", "\10", "\0", "K\1\x85", "K\1\x85")), NULL),
    ROW(DICT("\0", TENSOR("FloatStorage", "\10", "\0", "K\1\x85", "K\1\x85")), "a tensor's name is not UTF-8"),
    ROW(DICT("\xff", TENSOR("FloatStorage", "\10", "\0", "K\1\x85", "K\1\x85")), "a tensor's name is not UTF-8"),
    ROW(DICT("w", "ctorch._utils\n_rebuild_parameter\n)R"), "tensor 'w' has an unsupported form"),
    ROW(DICT("w", "ctorch._utils\n_rebuild_tensor_v2\n(K\1K\2K\3K\4tR"), "tensor 'w' has an unsupported form"),
    ROW(DICT("w", "K\1"), "no dictionary of tensors found"),
    ROW("\x80\2K\1.", "no dictionary of tensors found"),
    ROW("\x80\2U\7storage\x85Q.", "storage 1 of its pickle has an unsupported form"),
    ROW("\x80\2K\1Q.", "a tuple"),
    ROW("\x80\2K\1K\2.", "values left on the stack"),
    ROW("\x80\2}", "truncated"),
    ROW("\x80\2.", "stack underflow"),
    ROW("\x80\2}U\1wu.", "no mark on the stack"),
    ROW("\x80\2}(U\1wu.", "a key without a value"),
    ROW("\x80\2]U\1wK\1s.", "items appended to neither"),
    ROW("\x80\2h\1.", "no such value in the memo"),
    ROW("\x80\2}r\xff\xff\xff\xff.", "too many values"),
    ROW("\x80\2X\xff\xff\xff\xff.", "truncated"),
    ROW("\x80\2\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "truncated"),
    ROW("\x80\2K\1)R.", "called object is not a function"),
    ROW("\x80\2ccollections\nOrderedDict\nK\1\x85R.", "built from something other than a list"),
    ROW("\x80\2ccollections\nOrderedDict\n]K\1a\x85R.", "than pairs"),
    ROW("\x80\4\x8c\2os\x8c\6system\x93.", "its pickle calls os.system"),
    ROW("\x80\2}\x92.", "unsupported pickle opcode 0x92"),
    ROW("\x80\2Pos\n.", "unsupported pickle opcode 0x50"),
};

static void test_lies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        gvm_error err = {""};
        gvm_status status = open_pickle(lies[i].pickle, lies[i].length, &err);
        if (status != (lies[i].says ? GVM_FORMAT : GVM_OK)) fail_msg("lie %zu: %d \"%s\"", i, (int)status, err.text);
        if (lies[i].says) assert_says(&err, lies[i].says);
    }
}

/* Pickles that would exhaust the memory or the stack of a naive reader. */
static void test_bombs(void **state)
{
    enum { SIZE = 5 << 20 };
    static const struct {
        const char *unit, *says;
    } bombs[] = {{"(", "too many values"},           /* marks */
                 {"]", "too many values"},           /* values */
                 {"]0", "more than 2000000 values"}, /* and popped again */
                 {"\x85", "stack underflow"},        /* a tuple of a tuple ... */
                 {"]2", "too many values"}};
    (void)state;
    char *pickle = malloc(SIZE);
    assert_non_null(pickle);
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        gvm_error err = {""};
        size_t length = strlen(bombs[i].unit);
        for (size_t k = 0; k < SIZE; k++) pickle[k] = bombs[i].unit[k % length];
        assert_int_equal(open_pickle(pickle, SIZE, &err), GVM_FORMAT);
        assert_says(&err, bombs[i].says);
    }
    pickle[0] = ']'; /* a list in a million tuples: no recursion */
    memset(pickle + 1, '\x85', 900000);
    pickle[900001] = '.';
    gvm_error err = {""};
    assert_int_equal(open_pickle(pickle, 900002, &err), GVM_FORMAT);
    assert_says(&err, "no dictionary of tensors found");
    static const char circle[] = "\x80\2}q\0U\5modelh\0s."; /* a dictionary that contains itself */
    assert_int_equal(open_pickle(circle, sizeof circle - 1, &err), GVM_FORMAT);
    assert_says(&err, "has an unsupported form");
    free(pickle);
}

/* ------------------------------------------------------------------ zip files */

static void expect_zip(gvm_status wanted, const char *says)
{
    gvm_error err = {""};
    finish();
    gvm_status status = open_copy(made.bytes, made.size, &err);
    if (status != wanted) fail_msg("%d: \"%s\"", (int)status, err.text);
    if (says) assert_says(&err, says);
}

static void test_zip(void **state)
{
    static const char pickle[] = DICT("w", TENSOR("FloatStorage", "\10", "\0", "K\7\x85", "K\1\x85"));
    (void)state;
    for (int lie = 0; lie < 9; lie++) {
        static const char *const says[] = {NULL,
                                           "member a/data.pkl is compressed or encrypted",
                                           "member a/data/0 is missing",
                                           "two of its members overlap",
                                           "it is not little-endian",
                                           "it is a TorchScript program",
                                           "its member a/data/0 occurs twice",
                                           "a zip file without NAME/data.pkl",
                                           NULL};
        begin();
        made.zip64 = lie == 8;
        made.method = lie == 1 ? 8 : 0;
        member(lie == 7 ? "a/data.txt" : "a/data.pkl", pickle, sizeof pickle - 1);
        made.method = 0;
        if (lie != 2) member("a/data/0", eight, sizeof eight);
        if (lie == 3) made.moved = 30 + strlen("a/data/0") + sizeof eight;
        if (lie == 3) member("a/data/1", eight, sizeof eight);
        if (lie == 4) member("a/byteorder", "big", 3);
        if (lie == 5) member("a/constants.pkl", "", 0);
        if (lie == 6) member("a/data/0", eight, sizeof eight);
        expect_zip(says[lie] ? GVM_FORMAT : GVM_OK, says[lie]);
    }
}

/* ------------------------------------------------------------------ one interface for both formats */

static void test_tensor_file(void **state)
{
    struct tensor_file *f;
    gvm_error err;
    float numbers[6];
    (void)state;
    assert_int_equal(tensor_file_open(&f, golden("zip.pth"), &err), GVM_OK);
    assert_int_equal(tensor_file_count(f), 12);
    const struct tensor_entry *e = tensor_file_find(f, "turned.weight");
    assert_non_null(e);
    assert_int_equal(e->shape[0], 3);
    assert_int_equal(tensor_file_read(numbers, f, e, &err), GVM_OK);
    assert_true(numbers[1] == 3);
    assert_null(tensor_file_find(f, "turned"));
    e = tensor_file_find(f, "num_batches_tracked");
    assert_non_null(e);
    assert_int_equal(tensor_file_read(numbers, f, e, &err), GVM_FORMAT);
    assert_says(&err, "tensor 'num_batches_tracked' has the unsupported type I64");
    tensor_file_close(f);

    assert_int_equal(tensor_file_open(&f, "tests/golden/net_four.safetensors", &err), GVM_OK);
    for (size_t i = 1; i < tensor_file_count(f); i++)
        assert_true(strcmp(tensor_file_at(f, i - 1)->name, tensor_file_at(f, i)->name) < 0);
    tensor_file_close(f);

    put_text("a.index.json", "{\"metadata\": {\"total_size\": 8}, \"weight_map\": {\"w\": \"a-1.safetensors\"}}");
    assert_int_equal(tensor_file_open(&f, in_folder("a.index.json"), &err), GVM_FORMAT);
    assert_says(&err, "it is an index of a sharded checkpoint");
    put_text("text", "no tensors at all");
    assert_int_equal(tensor_file_open(&f, in_folder("text"), &err), GVM_FORMAT);
    assert_says(&err, "/text: ");
    assert_int_equal(tensor_file_open(&f, in_folder("missing"), &err), GVM_FILE);
    assert_null(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_nothing_is_run),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_zip),
        cmocka_unit_test_teardown(test_tensor_file, empty_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
