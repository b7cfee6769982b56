/* test_cost.c - the decoding cost estimated from a file's structure. Files are made byte by byte. */
#include "image/cost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct file {
    uint8_t bytes[1 << 20];
    size_t size;
};

static struct file *empty_file(void)
{
    static struct file file;
    file.size = 0;
    return &file;
}

static void add(struct file *f, const void *bytes, size_t size)
{
    assert_true(size <= sizeof f->bytes - f->size);
    memcpy(f->bytes + f->size, bytes, size);
    f->size += size;
}

#define ADD(f, text) add(f, text, sizeof(text) - 1)

static void segment(struct file *f, int marker, const void *content, size_t size)
{
    const uint8_t head[4] = {0xff, (uint8_t)marker, (uint8_t)((size + 2) >> 8), (uint8_t)(size + 2)};
    add(f, head, 4);
    add(f, content, size);
}

static void frame(struct file *f, int marker, int width, int height)
{
    const uint8_t content[] = {
        8, (uint8_t)(height >> 8), (uint8_t)height, (uint8_t)(width >> 8), (uint8_t)width, 1, 1, 0x11, 0};
    segment(f, marker, content, sizeof content);
}

static void scan(struct file *f)
{
    segment(f, 0xda, "\1\1\0\0\0\0", 6);
    ADD(f, "\1\2\xff\0\xda\3\xff\xd0\4\xff\xd7\5"); /* a stuffed 0xff, two restarts */
}

static struct cost cost_now(struct file *f, bool header_only)
{
    struct cost cost;
    const struct bytes bytes = {f->bytes, -1, f->size, NULL};
    cost_of(&cost, &bytes, picture_kind(f->bytes, f->size), header_only, NULL, NULL);
    return cost;
}

static const char *excess_now(struct file *f)
{
    const struct cost cost = cost_now(f, false);
    const char *excess = cost_excess(&cost, picture_kind(f->bytes, f->size));
    f->size = 0;
    return excess != NULL ? excess : "nothing";
}

static void jpeg(struct file *f, int marker, int width, int height, int scans)
{
    ADD(f, "\xff\xd8");
    segment(f, 0xe1, "Exif\0\0\xff\xd8\xff\xda\0\x8\xff\xda\0\x8\xff\xd9", 18); /* a thumbnail, or bytes like one */
    ADD(f, "\xff\xff");                                                         /* fill bytes */
    segment(f, 0xe2, "", 0);
    frame(f, marker, width, height);
    for (int i = 0; i < scans; i++) scan(f);
    ADD(f, "\xff\xd9");
}

/* As encoders do: the first bits of all components, then two refinements. */
static void ordinary(struct file *f, int width, int height)
{
    ADD(f, "\xff\xd8");
    frame(f, 0xc2, width, height);
    segment(f, 0xda, "\3\1\0\2\x11\3\x11\0\0\1", 10);
    for (int i = 0; i < 4; i++) segment(f, 0xda, "\1\1\0\1\5\2", 6);
    segment(f, 0xda, "\1\1\0\1\x3f\x21", 6);
    segment(f, 0xda, "\3\1\0\2\x11\3\x11\0\0\x10", 10);
    for (int i = 0; i < 3; i++) segment(f, 0xda, "\1\1\0\1\x3f\x10", 6);
    ADD(f, "\xff\xd9");
}

/* The weight of a scan depends on its kind. */
static void jpeg_work(void **state)
{
    (void)state;
    static const struct {
        int frame;
        const char *scan;
        size_t size;
        int weight;
    } scans[] = {
        {0xc2, "\1\1\0\1\x3f\1", 6, 1},   {0xc2, "\1\1\0\1\x3f\x10", 6, 4},  {0xc2, "\1\1\0\0\0\x10", 6, 1},
        {0xc2, "\2\1\0\2\0\0\0\1", 8, 2}, {0xc0, "\1\1\0\0\x3f\0", 6, 2},    {0xc1, "\3\1\0\2\0\3\0\0\x3f\0", 10, 6},
        {0xc9, "\1\1\0\0\x3f\0", 6, 16},  {0xca, "\1\1\0\1\x3f\x10", 6, 16}, {0xc2, "\xff\1\0\1\x3f\x10", 6, 255 * 1}};
    struct file *f = empty_file();
    for (size_t i = 0; i < sizeof scans / sizeof *scans; i++) {
        ADD(f, "\xff\xd8");
        frame(f, scans[i].frame, 100, 70);
        segment(f, 0xda, scans[i].scan, scans[i].size);
        segment(f, 0xda, scans[i].scan, scans[i].size);
        frame(f, 0xc2, 1, 1); /* too late to override the first one */
        ADD(f, "\xff\xd9");
        assert_int_equal(cost_now(f, false).work, 2 * 100 * 70 * scans[i].weight);
        f->size = 0;
    }
    ordinary(f, 16000, 16000);
    assert_string_equal(excess_now(f), "nothing");
}

static void jpeg_scans(void **state)
{
    (void)state;
    struct file *f = empty_file();
    jpeg(f, 0xc2, 8000, 4000, 10);
    jpeg(f, 0xc2, 8000, 4000, 100); /* a second picture, after the end of the first one */
    struct cost cost = cost_now(f, false);
    assert_int_equal(cost.scans, 10);
    assert_int_equal(cost.pixels, 8000 * 4000);
    cost = cost_now(f, true);
    assert_int_equal(cost.scans, 1);
    assert_string_equal(excess_now(f), "nothing");
    static const struct {
        int marker, width, height, scans;
        const char *excess;
    } files[] = {{0xc0, 60000, 4266, 1, "nothing"},
                 {0xc2, 16000, 16000, 12, "nothing"},
                 {0xc2, 8, 8, 100, "nothing"},
                 {0xc2, 8, 8, 101, "scans for its size"},
                 {0xc0, 8, 8, 101, "scans for its size"},
                 {0xc2, 15904, 8000, 60, "nothing"},
                 {0xc2, 15904, 8000, 70, "scans for its size"},
                 {0xc0, 15904, 8000, 40, "scans for its size"},
                 {0xc9, 8000, 4000, 1, "nothing"},
                 {0xca, 8000, 4000, 17, "scans for its size"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        jpeg(f, files[i].marker, files[i].width, files[i].height, files[i].scans);
        assert_string_equal(excess_now(f), files[i].excess);
    }
}

/* Independent of the boundaries of the parts in which a file is read. */
static void jpeg_parts(void **state)
{
    (void)state;
    for (int shift = -4; shift < 4; shift++) {
        struct file *f = empty_file();
        ADD(f, "\xff\xd8");
        frame(f, 0xc2, 16, 16);
        uint8_t data[1 << 16] = {0};
        scan(f);
        add(f, data, (size_t)((1 << 16) + shift) - f->size);
        scan(f);
        add(f, data, sizeof data - 30);
        scan(f);
        assert_int_equal(cost_now(f, false).scans, 3);
    }
}

static void jpeg_cut(void **state)
{
    (void)state;
    struct file *f = empty_file();
    jpeg(f, 0xc2, 64, 64, 3);
    for (size_t size = 3; size < f->size; size++) {
        uint8_t *part = malloc(size); /* of the exact size, for the sanitizers */
        struct cost cost;
        memcpy(part, f->bytes, size);
        cost_of(&cost, &(struct bytes){part, -1, size, NULL}, JPEG, false, NULL, NULL);
        assert_true(cost.scans <= 3);
        free(part);
    }
    f->size = 0;
    ADD(f, "\xff\xd8");
    for (int i = 0; i < 100001; i++) segment(f, 0xfe, "", 0);
    assert_string_equal(excess_now(f), "segments");
}

static void tiff_directories(void **state)
{
    (void)state;
    struct file *f = empty_file();
    ADD(f, "II*\0\x8\0\0\0");
    for (int i = 0; i < 3; i++) {
        uint8_t directory[18] = {1};
        const size_t next = i < 2 ? f->size + sizeof directory : 0;
        for (int b = 0; b < 4; b++) directory[14 + b] = (uint8_t)(next >> 8 * b);
        add(f, directory, sizeof directory);
    }
    assert_int_equal(cost_now(f, false).segments, 3);
    memcpy(f->bytes + 8 + 2 * 18 + 14, "\x8\0\0\0", 4); /* the last one points to the first */
    assert_string_equal(excess_now(f), "directories");
    ADD(f, "MM\0+\0\x8\0\0\0\0\0\0\0\0\0\x10");
    ADD(f, "\0\0\0\0\0\0\0\1aaaaaaaaaaaaaaaaaaaa\0\0\0\0\0\0\0\0");
    assert_int_equal(cost_now(f, false).segments, 1);
    assert_string_equal(excess_now(f), "nothing");
}

static void webp_frames(void **state)
{
    (void)state;
    struct file *f = empty_file();
    ADD(f, "RIFF....WEBPVP8X\xa\0\0\0..........");
    for (int i = 0; i < 10000; i++) ADD(f, "ANMF\1\0\0\0..");
    assert_int_equal(cost_now(f, false).segments, 10000);
    struct cost cost = cost_now(f, false);
    assert_null(cost_excess(&cost, WEBP));
    ADD(f, "ANMF\1\0\0\0..");
    assert_string_equal(excess_now(f), "frames");
}

static bool at_third(void *user)
{
    return ++*(int *)user == 3;
}

static void can_be_ended(void **state)
{
    (void)state;
    struct file *f = empty_file();
    struct cost cost;
    int asked = 0;
    jpeg(f, 0xc2, 64, 64, 90);
    const struct bytes bytes = {f->bytes, -1, f->size, NULL};
    cost_of(&cost, &bytes, JPEG, false, at_third, &asked);
    assert_true(cost.ended);
    assert_int_equal(asked, 3);
}

static bool never(void *user)
{
    ++*(int *)user;
    return false;
}

/* Restarts are data, even every few bytes, and do not cause the file to be read again. */
static void restarts_are_data(void **state)
{
    (void)state;
    struct file *f = empty_file();
    struct cost cost;
    int asked = 0;
    jpeg(f, 0xc0, 64, 64, 1);
    f->size -= 2; /* without its end marker */
    for (int i = 0; i < 100000; i++) ADD(f, "data\xff\xd3");
    ADD(f, "\xff\xda\0\10\1\1\0\0\77\0data\xff\xd9");
    const struct bytes bytes = {f->bytes, -1, f->size, NULL};
    cost_of(&cost, &bytes, JPEG, false, never, &asked);
    assert_int_equal(cost.scans, 2);
    assert_true(asked < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jpeg_scans),   cmocka_unit_test(jpeg_work),         cmocka_unit_test(jpeg_parts),
        cmocka_unit_test(jpeg_cut),     cmocka_unit_test(tiff_directories),  cmocka_unit_test(webp_frames),
        cmocka_unit_test(can_be_ended), cmocka_unit_test(restarts_are_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
