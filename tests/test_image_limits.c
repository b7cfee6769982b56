/* test_image_limits.c - limits of decoding: many threads, a budget of pixels, limits of a request */
#include "image/image.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "image/budget.h"
#include "image_support.h"

struct reader {
    char path[300];
    gvm_status status;
    char sentence[512];
    int differences;
};

static void *read_often(void *data)
{
    struct reader *reader = data;
    for (int i = 0; i < 20; i++) {
        struct image image;
        gvm_error err = {""};
        gvm_status status = image_load(&image, reader->path, &err);
        if (status != reader->status || strcmp(err.text, reader->sentence) != 0) reader->differences++;
        image_free(&image);
    }
    return NULL;
}

/* Each thread gets the error message of its own file, whatever fails in other threads. */
static void many_threads(void **state)
{
    (void)state;
    write_broken();
    const char *const names[] = {"whole.jpg", "half.jpg", "half.png", "half.tif", "half.webp", "whole.webp"};
    struct reader readers[6];
    pthread_t threads[6];
    for (int i = 0; i < 6; i++) {
        struct image image;
        gvm_error err = {""};
        readers[i].differences = 0;
        snprintf(readers[i].path, sizeof readers[i].path, "%s", in_folder(names[i]));
        readers[i].status = image_load(&image, readers[i].path, &err);
        strcpy(readers[i].sentence, err.text);
        image_free(&image);
    }
    for (int i = 0; i < 6; i++) assert_int_equal(pthread_create(&threads[i], NULL, read_often, &readers[i]), 0);
    for (int i = 0; i < 6; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].differences, 0);
    }
}

enum { WHOLE = 7, PART = 3 };

struct spender {
    struct budget budget;
    pthread_mutex_t lock;
    int spent, most;
};

static void *spend_often(void *data)
{
    struct spender *s = data;
    for (int i = 0; i < 500; i++) {
        budget_take_until(&s->budget, PART, INFINITY);
        pthread_mutex_lock(&s->lock);
        s->spent += PART;
        if (s->spent > s->most) s->most = s->spent;
        pthread_mutex_unlock(&s->lock);
        sched_yield();
        pthread_mutex_lock(&s->lock);
        s->spent -= PART;
        pthread_mutex_unlock(&s->lock);
        budget_give_back(&s->budget, PART);
    }
    return NULL;
}

/* Never more than the whole is taken, and every thread gets its share. */
static void shared_budget(void **state)
{
    (void)state;
    struct spender s = {BUDGET(WHOLE), PTHREAD_MUTEX_INITIALIZER, 0, 0};
    pthread_t threads[6];
    for (int i = 0; i < 6; i++) assert_int_equal(pthread_create(&threads[i], NULL, spend_often, &s), 0);
    for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
    assert_true(s.most > 0 && s.most <= WHOLE);
    assert_int_equal(s.budget.left, WHOLE);
    budget_take_until(&s.budget, WHOLE, INFINITY);
}

/* A share that does not become free in time is not taken. */
static void budget_with_a_limit(void **state)
{
    (void)state;
    struct budget b = BUDGET(WHOLE);
    assert_true(budget_take_until(&b, WHOLE, 0)); /* it is free: no waiting */
    assert_false(budget_take_until(&b, PART, 0));
    assert_int_equal(b.left, 0);
    budget_give_back(&b, WHOLE);
    assert_true(budget_take_until(&b, PART, INFINITY));
}

struct ender {
    int asked, at;
};

static bool at_some_time(void *user)
{
    struct ender *e = user;
    return ++e->asked >= e->at;
}

/* Decoding ends if it is late or cancelled, at any point. */
static void limits(void **state)
{
    (void)state;
    enum { W = 800, H = 600 };
    static uint8_t pixels[H * W * 3];
    for (int i = 0; i < H * W * 3; i++) pixels[i] = (uint8_t)(i / 1000);
    const char *const files[] = {"a.jpg", "b.png", "c.tif", "d.webp", "e.jpg[interlace]", "f.png[interlace]"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[40];
        gvm_error err = {""};
        size_t size;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(files[i], "["), files[i]);
        save(files[i], pixels, W, H, 3, VIPS_FORMAT_UCHAR, (struct extra){.orientation = 6});
        struct ender never = {0, 1 << 30};
        struct image_limit limit = {.pixels = W * H, .until = INFINITY, .stop = at_some_time, .user = &never};
        assert_int_equal(decode_limited(&size, name, limit, &err), GVM_OK);
        assert_true(never.asked > 8);
        for (int at = 1; at <= never.asked; at += never.asked / 8) {
            struct ender ender = {0, at};
            limit.user = &ender;
            if (decode_limited(&size, name, limit, &err) != GVM_IMAGE)
                fail_msg("%s is decoded in spite of answer %d of %d", name, at, never.asked);
            expect_sentence(&err, name, "timed out");
        }
        limit = (struct image_limit){.pixels = W * H, .until = 1};
        assert_int_equal(decode_limited(&size, name, limit, &err), GVM_IMAGE);
        limit = (struct image_limit){.pixels = W * H - 1, .until = INFINITY};
        assert_int_equal(decode_limited(&size, name, limit, &err), GVM_IMAGE);
        expect_sentence(&err, name, "the limit of 0.479999 megapixels");
    }
}

/* A file that would keep a decoder busy: a kind of scan of which ordinary files have ten, repeated. */
static void many_scans(void **state)
{
    (void)state;
    static const char head[] = "\xff\xd8"
                               "\xff\xc2\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0" /* 8 x 8, progressive, grey */
                               "\xff\xc4\0\x14\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                               "\xff\xc4\0\x14\x10\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                               "\xff\xda\0\x08\1\1\0\0\0\0\x7f",
                      scan[] = "\xff\xda\0\x08\1\1\0\1\x3f\0\x7f";
    static char bytes[8000] = "\xff\xd8\xff\xdb\0\x43";
    struct image image;
    for (int scans = 99; scans <= 100; scans++) { /* besides the first one */
        size_t size = 7 + 64;
        memset(bytes + 7, 1, 64);
        memcpy(bytes + size, head + 2, sizeof head - 3);
        size += sizeof head - 3;
        for (int i = 0; i < scans; i++, size += sizeof scan - 1) memcpy(bytes + size, scan, sizeof scan - 1);
        memcpy(bytes + size, "\xff\xd9", 2);
        put_bytes("scans.jpg", bytes, size + 2);
        if (scans == 99) {
            image = load("scans.jpg");
            expect_pixel(&image, 4, 4, (const int[3]){128, 128, 128}, 0);
            image_free(&image);
        }
    }
    expect_refusal("scans.jpg", GVM_IMAGE, "too many scans for its size");
    assert_int_equal(image_about(&image, in_folder("scans.jpg"), NULL), GVM_OK);
}

int main(int argc, char **argv)
{
    (void)argc;
    if (VIPS_INIT(argv[0]) != 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads), cmocka_unit_test(shared_budget), cmocka_unit_test(budget_with_a_limit),
        cmocka_unit_test(limits),       cmocka_unit_test(many_scans),
    };
    int failed = cmocka_run_group_tests_name("image", tests, make_folder, remove_folder);
    vips_shutdown();
    return failed;
}
