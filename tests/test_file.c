/* test_file.c - whole files: mapped for reading, and written so that they appear only once they are complete */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "folder_support.h"

static void assert_text(const char *path, const char *text)
{
    char got[64] = "";
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(got, 1, sizeof got - 1, f);
    fclose(f);
    assert_int_equal(n, strlen(text));
    assert_string_equal(got, text);
}

static void assert_says(const gvm_error *err, const char *part)
{
    if (strstr(err->text, part) == NULL) fail_msg("\"%s\" does not say \"%s\"", err->text, part);
}

static void test_map(void **state)
{
    (void)state;
    struct file_map map;
    gvm_error err = {""};
    put_text("a", "text");
    assert_int_equal(file_map(&map, in_folder("a"), &err), GVM_OK);
    assert_int_equal(map.size, 4);
    assert_memory_equal(map.data, "text", 4);
    file_unmap(&map);
    file_unmap(&map);

    put_text("empty", "");
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(mkdir(in_folder("dir"), 0700), 0);
    assert_int_equal(file_map(&map, in_folder("empty"), &err), GVM_FORMAT);
    assert_says(&err, "/empty: the file is empty");
    assert_int_equal(file_map(&map, in_folder("fifo"), &err), GVM_FILE);
    assert_says(&err, "/fifo: it is not a regular file");
    assert_int_equal(file_map(&map, in_folder("dir"), &err), GVM_FILE);
    assert_says(&err, "/dir: it is a directory");
    assert_int_equal(file_map(&map, in_folder("missing"), &err), GVM_FILE);
    assert_says(&err, "/missing: ");
    assert_null(map.data);
    assert_int_equal(file_map(&map, in_folder("missing"), NULL), GVM_FILE);
}

static void test_path_tail(void **state)
{
    (void)state;
    char path[301] = "";
    assert_string_equal(path_tail("a/b"), "a/b");
    for (int i = 0; i < 100; i++) strcat(path, "\u20ac");
    assert_string_equal(path_tail(path), path + 300 - 198); /* whole characters of three bytes */
}

static void test_write_commit(void **state)
{
    (void)state;
    struct file_writer w;
    gvm_error err;
    put_text("a", "old");
    assert_int_equal(chmod(in_folder("a"), 0640), 0);
    assert_int_equal(file_writer_open(&w, in_folder("a"), &err), GVM_OK);
    assert_int_equal(file_writer_write(&w, "new ", 4, &err), GVM_OK);
    assert_int_equal(file_writer_write(&w, "text", 4, &err), GVM_OK);
    assert_text(in_folder("a"), "old");
    assert_int_equal(file_writer_commit(&w, &err), GVM_OK);
    assert_text(in_folder("a"), "new text");
    struct stat st;
    assert_int_equal(stat(in_folder("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(count_files(), 1);
    file_writer_abort(&w); /* nothing is left to abort */
    assert_text(in_folder("a"), "new text");
}

static void test_write_abort(void **state)
{
    (void)state;
    struct file_writer w, other;
    gvm_error err;
    put_text("a", "old");
    assert_int_equal(file_writer_open(&w, in_folder("a"), &err), GVM_OK);
    assert_int_equal(file_writer_open(&other, in_folder("a"), &err), GVM_OK); /* two writers do not conflict */
    assert_int_equal(file_writer_write(&w, "new", 3, &err), GVM_OK);
    assert_int_equal(count_files(), 3);
    file_writer_abort(&w);
    file_writer_abort(&other);
    assert_text(in_folder("a"), "old");
    assert_int_equal(count_files(), 1);
}

/* A file size limit simulates a full disk: write fails in the middle. */
static void test_write_full(void **state)
{
    (void)state;
    struct rlimit before, small;
    struct file_writer w;
    gvm_error err;
    char *data = calloc(20000, 1);
    assert_non_null(data);
    put_text("a", "old");
    assert_int_equal(file_writer_open(&w, in_folder("a"), &err), GVM_OK);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){4096, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    gvm_status status = file_writer_write(&w, data, 20000, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    free(data);
    assert_int_equal(status, GVM_FILE);
    assert_says(&err, "/a: cannot write it: ");
    file_writer_abort(&w);
    assert_text(in_folder("a"), "old");
    assert_int_equal(count_files(), 1);
}

/* A stream of which the disk took only a part gives no file, even if its last bytes would have had room again. */
static void test_write_stream(void **state)
{
    (void)state;
    struct rlimit before, small;
    struct file_writer w;
    FILE *out;
    gvm_error err;
    assert_int_equal(file_writer_stream(&out, &w, in_folder("a"), &err), GVM_OK);
    fprintf(out, "number %d", 1);
    assert_int_equal(file_writer_commit(&w, &err), GVM_OK);
    assert_text(in_folder("a"), "number 1");

    assert_int_equal(file_writer_stream(&out, &w, in_folder("a"), &err), GVM_OK);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){4096, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 20000; i++) fputc('x', out);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(file_writer_commit(&w, &err), GVM_FILE);
    assert_says(&err, "/a: cannot write it: ");
    assert_text(in_folder("a"), "number 1");

    assert_int_equal(file_writer_stream(&out, &w, in_folder("a"), &err), GVM_OK);
    fputs("other", out);
    file_writer_abort(&w);
    assert_int_equal(file_writer_stream(&out, &w, in_folder("none/a"), &err), GVM_FILE);
    assert_null(out);
    assert_text(in_folder("a"), "number 1");
    assert_int_equal(count_files(), 1);
}

static void test_write_targets(void **state)
{
    (void)state;
    struct file_writer w;
    gvm_error err;
    assert_int_equal(file_writer_open(&w, in_folder(""), &err), GVM_FILE);
    assert_says(&err, "it is a directory");
    assert_int_equal(file_writer_open(&w, "/dev/null", &err), GVM_FILE);
    assert_says(&err, "/dev/null: it is not a regular file");
    assert_int_equal(file_writer_open(&w, in_folder("none/a"), &err), GVM_FILE);
    assert_says(&err, "none/a: cannot create it");
    assert_int_equal(file_writer_open(&w, in_folder("none/"), &err), GVM_FILE);
    assert_int_equal(file_writer_open(&w, "", &err), GVM_FILE);

    struct stat st;
    put_text("target", "old");
    assert_int_equal(symlink("target", in_folder("link")), 0);
    assert_int_equal(file_writer_open(&w, in_folder("link"), &err), GVM_OK);
    assert_int_equal(file_writer_write(&w, "new", 3, &err), GVM_OK);
    assert_int_equal(file_writer_commit(&w, &err), GVM_OK);
    assert_text(in_folder("target"), "new");
    assert_int_equal(lstat(in_folder("link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void *write_often(void *name)
{
    struct file_writer w;
    char path[300];
    snprintf(path, sizeof path, "%s", (const char *)name);
    for (int i = 0; i < 500; i++) {
        if (file_writer_open(&w, path, NULL) != GVM_OK || file_writer_write(&w, path, 1, NULL) != GVM_OK) return NULL;
        file_writer_abort(&w);
    }
    return name;
}

/* The list of temporaries is common to all threads. */
static void test_write_at_once(void **state)
{
    (void)state;
    pthread_t threads[4];
    char paths[4][300];
    void *done;
    for (int i = 0; i < 4; i++) {
        char name[8];
        snprintf(name, sizeof name, "at%d", i);
        snprintf(paths[i], sizeof paths[i], "%s", in_folder(name));
        assert_int_equal(pthread_create(&threads[i], NULL, write_often, paths[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &done), 0);
        assert_non_null(done);
    }
}

/* What a process leaves that is killed goes; what one still writes, and files of other names, stay. */
static void test_sweep(void **state)
{
    static const char *const others[] = {"geoviewmatch-1-0.tmp.gpkg", "geoviewmatch-1-0", "a-geoviewmatch-1-0.tmp"};
    (void)state;
    struct file_writer w;
    struct stat st;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) put_text(others[i], "kept");
    put_text("geoviewmatch-1-0.tmp", "left over");
    put_text("geoviewmatch-123456-17.tmp", "");
    assert_int_equal(file_writer_open(&w, in_folder("a"), NULL), GVM_OK);
    file_sweep(in_folder("."));
    assert_int_not_equal(stat(in_folder("geoviewmatch-1-0.tmp"), &st), 0);
    assert_int_not_equal(stat(in_folder("geoviewmatch-123456-17.tmp"), &st), 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) assert_text(in_folder(others[i]), "kept");
    assert_int_equal(file_writer_write(&w, "text", 4, NULL), GVM_OK);
    assert_int_equal(file_writer_commit(&w, NULL), GVM_OK);
    assert_text(in_folder("a"), "text");
    file_sweep(in_folder("missing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_map, empty_folder),
        cmocka_unit_test(test_path_tail),
        cmocka_unit_test_teardown(test_write_commit, empty_folder),
        cmocka_unit_test_teardown(test_write_abort, empty_folder),
        cmocka_unit_test_teardown(test_write_full, empty_folder),
        cmocka_unit_test_teardown(test_write_stream, empty_folder),
        cmocka_unit_test_teardown(test_write_targets, empty_folder),
        cmocka_unit_test_teardown(test_write_at_once, empty_folder),
        cmocka_unit_test_teardown(test_sweep, empty_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
