/* test_cache.c - the picture cache: its content, when it is rebuilt, and that it survives kills, concurrent builders
 * and a full disk. Other processes are this program run again: `test_cache build FOLDER PICTURES KILL_AT`. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "small_set.h"

enum { QUERIES = 30, TILES = 24, SOURCES = QUERIES + 1 + TILES };

struct seen {
    int bad;
    size_t done, total;
    bool waited;
    size_t kill_at; /* 0: never */
    bool stop;      /* while waiting, or at the first picture */
    gvm_error err;
};

static bool on_progress(void *user, size_t done, size_t total)
{
    struct seen *seen = user;
    if (total == 0) {
        seen->waited = true;
        return !seen->stop;
    }
    seen->done = done;
    seen->total = total;
    if (seen->kill_at > 0 && done >= seen->kill_at) kill(getpid(), SIGKILL);
    return !seen->stop;
}

static void on_bad(void *user, gvm_status status, const gvm_error *err)
{
    struct seen *seen = user;
    assert_int_not_equal(status, GVM_OK);
    seen->bad++;
    seen->err = *err;
}

static gvm_status open_cache(struct cache **cache, const struct small_set *set, bool skip_bad, struct seen *seen,
                             gvm_error *err)
{
    const struct cache_options options = {
        .workers = 2, .skip_bad = skip_bad, .user = seen, .progress = on_progress, .bad = on_bad};
    return cache_open(cache, small_set_path(set, "pictures.cache"), &set->pictures, &options, err);
}

static struct cache *expect_cache(const struct small_set *set, struct seen *seen)
{
    struct cache *cache;
    gvm_error err = {""};
    *seen = (struct seen){0};
    if (open_cache(&cache, set, false, seen, &err) != GVM_OK) fail_msg("%s", err.text);
    return cache;
}

/* Expects that every picture of both splits equals its file. */
static void expect_pictures(const struct cache *cache, const struct small_set *set)
{
    const struct split *splits[2] = {&set->data.train, &set->data.test};
    const struct pictures *p = &set->pictures;
    uint8_t room[8 * 24 * 3];
    const uint8_t *want;
    assert_null(p->cache);
    for (int s = 0; s < 2; s++) {
        for (int i = 0; i < splits[s]->query_count; i++) {
            assert_int_equal(pictures_read(&want, room, p, splits[s], GVM_STREET, i, NULL), GVM_OK);
            assert_memory_equal(cache_picture(cache, splits[s], GVM_STREET, i), want, picture_bytes(&p->street));
        }
        for (int i = 0; i < splits[s]->tile_count; i++) {
            assert_int_equal(pictures_read(&want, room, p, splits[s], GVM_AERIAL, i, NULL), GVM_OK);
            assert_memory_equal(cache_picture(cache, splits[s], GVM_AERIAL, i), want, picture_bytes(&p->aerial));
        }
    }
}

static bool exists(const struct small_set *set, const char *name)
{
    struct stat st;
    return stat(small_set_path(set, name), &st) == 0;
}

static void expect_nothing_left(const struct small_set *set)
{
    assert_false(exists(set, "pictures.cache"));
    assert_false(exists(set, "pictures.cache.part"));
}

static int set_up(void **state)
{
    struct small_set *set = malloc(sizeof *set);
    small_set_make(set, NULL, QUERIES, TILES);
    *state = set;
    return 0;
}

static int tear_down(void **state)
{
    small_set_remove(*state);
    free(*state);
    return 0;
}

/* ------------------------------------------------------------------ built once, rebuilt */

static void test_holds(void **state)
{
    struct small_set *set = *state;
    struct seen seen;
    struct cache *cache = expect_cache(set, &seen);
    expect_pictures(cache, set);
    assert_int_equal(seen.total, SOURCES); /* pictures of both splits are stored once */
    assert_int_equal(seen.done, SOURCES);
    assert_false(exists(set, "pictures.cache.part"));

    const uint8_t *pixels; /* pictures come from the cache */
    set->pictures.cache = cache;
    assert_int_equal(pictures_read(&pixels, NULL, &set->pictures, &set->data.train, GVM_STREET, 4, NULL), GVM_OK);
    assert_ptr_equal(pixels, cache_picture(cache, &set->data.train, GVM_STREET, 4));
    assert_int_equal(pictures_read(&pixels, NULL, &set->pictures, &set->data.test, GVM_AERIAL, 2, NULL), GVM_OK);
    assert_ptr_equal(pixels, cache_picture(cache, &set->data.test, GVM_AERIAL, 2));
    set->pictures.cache = NULL;
    cache_free(cache);

    cache = expect_cache(set, &seen);
    assert_int_equal(seen.total, 0); /* nothing was built */
    expect_pictures(cache, set);
    cache_free(cache);
    cache_free(NULL);
}

/* Changes that require a rebuild: a picture's content, size, heading or elevation, the network's inputs, the resize
 * rule. */
static void test_stale(void **state)
{
    struct small_set *set = *state;
    struct seen seen;
    struct cache *cache = expect_cache(set, &seen), *held = cache;
    for (int change = 0; change < 7; change++) {
        if (change == 0) small_set_write(set->data.train.queries[7].path, 32, 16, 77);
        if (change == 1) small_set_write(set->data.train.tiles[3].path, 30, 30, 1003); /* the modification time stays */
        if (change == 2) set->data.train.queries[20].heading = 90;
        if (change == 3) set->pictures.street.elevation[1] = 40;
        if (change == 4) set->pictures.aerial.height = set->pictures.aerial.width = 8;
        if (change == 5) set->pictures.street.height = 12, set->pictures.street.width = 16; /* as many bytes */
        if (change == 6) set->pictures.aerial.resize = RESIZE_OPENCV;
        cache = expect_cache(set, &seen);
        assert_int_equal(seen.total, SOURCES);
        expect_pictures(cache, set);
        cache_free(cache);
    }
    assert_non_null(cache_picture(held, &set->data.train, GVM_STREET, 0)); /* an open cache is not affected */
    cache_free(held);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void test_foreign(void **state)
{
    struct small_set *set = *state;
    const char *const names[] = {"pictures.cache", "pictures.cache.part"};
    for (int i = 0; i < 2; i++) {
        struct cache *cache;
        gvm_error err = {""};
        struct seen seen = {0};
        char text[20] = "";
        write_text(small_set_path(set, names[i]), "my thesis");
        assert_int_equal(open_cache(&cache, set, false, &seen, &err), GVM_FORMAT);
        assert_null(cache);
        assert_non_null(strstr(err.text, "it is not a picture cache"));
        FILE *file = fopen(small_set_path(set, names[i]), "r");
        assert_non_null(fgets(text, sizeof text, file));
        fclose(file);
        assert_string_equal(text, "my thesis");
        unlink(small_set_path(set, names[i]));
        expect_nothing_left(set);
    }
    write_text(small_set_path(set, "pictures.cache"), ""); /* as mktemp leaves it */
    struct seen seen;
    cache_free(expect_cache(set, &seen));
}

/* A truncated file, as after a failed copy, is rebuilt; one of another version is left unchanged. */
static void test_damaged(void **state)
{
    struct small_set *set = *state;
    const char *path = small_set_path(set, "pictures.cache");
    struct seen seen;
    cache_free(expect_cache(set, &seen));
    assert_int_equal(truncate(path, 5000), 0);
    cache_free(expect_cache(set, &seen));
    assert_int_equal(seen.total, SOURCES);
    struct cache *cache;
    gvm_error err;
    static const char *const versions[] = {"\x7f", "\0", "\1"};
    for (int i = 0; i < 3; i++) {
        int fd = open(path, O_RDWR);
        assert_int_equal(pwrite(fd, versions[i], 1, 8), 1);
        close(fd);
        seen = (struct seen){0};
        gvm_status status = open_cache(&cache, set, false, &seen, &err);
        if (i == 2) break;
        assert_int_equal(status, GVM_FORMAT);
        assert_non_null(strstr(err.text, i == 0 ? "version 127; " : "version 0; "));
        assert_non_null(strstr(err.text, "this program reads version 1"));
        assert_int_equal(seen.total, 0);
    }
    expect_pictures(cache, set); /* its own version again, and nothing was lost */
    assert_int_equal(seen.total, 0);
    cache_free(cache);
}

/* ------------------------------------------------------------------ failures */

static void test_bad_pictures(void **state)
{
    struct small_set *set = *state;
    struct cache *cache;
    gvm_error err = {""};
    struct seen seen = {0};
    write_text(set->data.train.tiles[20].path, "not a picture");
    assert_int_equal(open_cache(&cache, set, false, &seen, &err), GVM_IMAGE);
    assert_non_null(strstr(err.text, "aerial020.png"));
    expect_nothing_left(set);
    unlink(set->data.train.queries[25].path);
    assert_int_equal(open_cache(&cache, set, false, &seen, &err), GVM_FILE); /* street pictures come first */
    assert_non_null(strstr(err.text, "street025.png"));
    expect_nothing_left(set);

    assert_int_equal(open_cache(&cache, set, true, &seen, &err), GVM_OK);
    assert_int_equal(seen.bad, 2);
    assert_non_null(strstr(seen.err.text, "aerial020.png"));
    assert_null(cache_picture(cache, &set->data.train, GVM_STREET, 25));
    assert_null(cache_picture(cache, &set->data.train, GVM_AERIAL, 20));
    assert_non_null(cache_picture(cache, &set->data.train, GVM_STREET, 24));
    uint8_t room[8 * 24 * 3];
    const uint8_t *pixels;
    set->pictures.cache = cache;
    assert_int_equal(pictures_read(&pixels, room, &set->pictures, &set->data.train, GVM_AERIAL, 20, &err), GVM_IMAGE);
    set->pictures.cache = NULL;
    cache_free(cache);

    small_set_write(set->data.train.tiles[20].path, 20, 20, 1);
    small_set_write(set->data.train.queries[25].path, 32, 16, 1);
    cache = expect_cache(set, &seen); /* rebuilt */
    expect_pictures(cache, set);
    cache_free(cache);
}

static void test_no_room(void **state)
{
    struct small_set *set = *state;
    struct rlimit before, small = {20000, 0};
    struct cache *cache;
    gvm_error err = {""};
    struct seen seen = {0};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    gvm_status status = open_cache(&cache, set, false, &seen, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, GVM_FILE);
    assert_non_null(strstr(err.text, "no space left on the disk"));
    expect_nothing_left(set);

    struct pictures nowhere = set->pictures;
    const struct cache_options options = {.workers = 1};
    status = cache_open(&cache, small_set_path(set, "no folder/cache"), &nowhere, &options, &err);
    assert_int_equal(status, GVM_FILE);
    status = cache_open(&cache, set->folder, &nowhere, &options, &err);
    assert_int_equal(status, GVM_FILE);
}

/* ------------------------------------------------------------------ several processes */

/* Exit status 0: the cache exists and is correct. */
static int build(const char *folder, int queries, int tiles, size_t kill_at)
{
    struct small_set set;
    struct cache *cache;
    struct seen seen = {.kill_at = kill_at};
    small_set_make(&set, folder, queries, tiles);
    if (open_cache(&cache, &set, false, &seen, NULL) != GVM_OK) return 1;
    expect_pictures(cache, &set);
    cache_free(cache);
    small_set_free(&set);
    return 0;
}

static pid_t start_build(const struct small_set *set, int kill_at)
{
    char limit[20], queries[20], tiles[20];
    snprintf(limit, sizeof limit, "%d", kill_at);
    snprintf(queries, sizeof queries, "%d", set->data.train.query_count);
    snprintf(tiles, sizeof tiles, "%d", set->data.train.tile_count);
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "test_cache", "build", set->folder, queries, tiles, limit, (char *)NULL);
        _exit(127);
    }
    assert_true(child > 0);
    return child;
}

static int result_of(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0) assert_int_equal(errno, EINTR);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* Killed at the first picture, then later and later, and once among the last: each build continues with the existing
 * part. */
static void test_killed(void **state)
{
    struct small_set *set = *state;
    struct seen seen;
    for (int at = 1; at < SOURCES; at += at < 41 ? 10 : 13) {
        assert_int_equal(result_of(start_build(set, at)), -SIGKILL);
        assert_false(exists(set, "pictures.cache"));
        assert_true(exists(set, "pictures.cache.part"));
    }
    /* After a crash of the machine, pixels may be lost although their entries reached the disk: here the last picture's
     */
    struct stat st;
    const char *part = small_set_path(set, "pictures.cache.part");
    assert_int_equal(stat(part, &st), 0);
    int fd = open(part, O_RDWR);
    char zeros[432 + 576] = {0};
    assert_int_equal(pwrite(fd, zeros, 432, st.st_size - 432), 432);
    assert_int_equal(pwrite(fd, zeros, 576, 8192), 576); /* and the first street picture's */
    close(fd);
    struct cache *cache = expect_cache(set, &seen);
    expect_pictures(cache, set);
    assert_false(exists(set, "pictures.cache.part"));
    cache_free(cache);
}

/* A part that was built for other pictures is discarded. */
static void test_killed_then_changed(void **state)
{
    struct small_set *set = *state;
    struct seen seen;
    assert_int_equal(result_of(start_build(set, 20)), -SIGKILL);
    small_set_write(set->data.train.queries[0].path, 32, 16, 123);
    set->pictures.street.height = 4;
    struct cache *cache = expect_cache(set, &seen);
    expect_pictures(cache, set);
    cache_free(cache);
}

/* Three at once, one of which is killed while building: a waiting one takes over, and all end with the same cache. */
static void test_at_once(void **state)
{
    struct small_set *set = *state;
    for (int round = 0; round < 3; round++) {
        pid_t doomed = start_build(set, 10 + 15 * round), a = start_build(set, 0), b = start_build(set, 0);
        assert_int_equal(result_of(a), 0);
        assert_int_equal(result_of(b), 0);
        int end = result_of(doomed); /* or it found the finished cache */
        assert_true(end == -SIGKILL || end == 0);
        assert_true(exists(set, "pictures.cache"));
        assert_false(exists(set, "pictures.cache.part"));
        unlink(small_set_path(set, "pictures.cache"));
    }
}

/* A builder whose predecessor gave up and removed its part starts again. */
static void test_given_up(void **state)
{
    struct small_set *set = *state;
    const char *part = small_set_path(set, "pictures.cache.part");
    int fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    pid_t waiting = start_build(set, 0);
    usleep(300 * 1000);
    assert_int_equal(waitpid(waiting, NULL, WNOHANG), 0);
    unlink(part);
    close(fd);
    assert_int_equal(result_of(waiting), 0);
}

/* Stopped while building, and while waiting for another builder: the part remains for the next. */
static void test_stopped(void **state)
{
    struct small_set *set = *state;
    struct seen seen = {.stop = true};
    struct cache *cache;
    gvm_error err = {""};
    if (open_cache(&cache, set, false, &seen, &err) != GVM_OK) fail_msg("%s", err.text);
    if (cache == NULL) { /* else the others had finished before */
        assert_true(exists(set, "pictures.cache.part"));
        assert_false(exists(set, "pictures.cache"));
    }
    cache_free(cache);
    cache = expect_cache(set, &seen);
    expect_pictures(cache, set);
    cache_free(cache);

    unlink(small_set_path(set, "pictures.cache"));
    int fd = open(small_set_path(set, "pictures.cache.part"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    seen = (struct seen){.stop = true};
    assert_int_equal(open_cache(&cache, set, false, &seen, &err), GVM_OK);
    assert_null(cache);
    assert_true(seen.waited);
    assert_true(exists(set, "pictures.cache.part"));
    close(fd);
    cache = expect_cache(set, &seen);
    expect_pictures(cache, set);
    cache_free(cache);
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "build") == 0)
        return build(argv[2], atoi(argv[3]), atoi(argv[4]), (size_t)atoi(argv[5]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_holds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stale, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foreign, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_pictures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_then_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_given_up, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
