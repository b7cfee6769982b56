/* test_heat.c - a heat map over a picture: the position of its colours, and the scale below */
#include "image/heat.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { W = 200, H = 80, HW = 20, HH = 4, TOP = 20, BOTTOM = 60 };

static uint8_t pixels[H * W * 3];

static struct sheet draw(const float *values, int turn, int height, int width)
{
    memset(pixels, 100, sizeof pixels);
    const struct heat heat = {values, HH, HW, turn, {0, TOP, W, BOTTOM}, 1};
    struct sheet sheet;
    assert_int_equal(heat_draw(&sheet, height, width, pixels, H, W, &heat, NULL), GVM_OK);
    assert_int_equal(sheet.width, width);
    assert_int_equal(sheet.height, height + HEAT_SCALE_HIGH);
    return sheet;
}

static const uint8_t *at(const struct sheet *sheet, int x, int y)
{
    return sheet->pixels + ((size_t)y * sheet->width + x) * 3;
}

/* Half the picture's grey, half the colour of t. */
static void expect_heat(const struct sheet *sheet, int x, int y, float t)
{
    float rgb[3];
    heat_colour(rgb, t);
    for (int c = 0; c < 3; c++)
        if (fabsf((float)at(sheet, x, y)[c] - (100 + rgb[c]) / 2) > 3)
            fail_msg("(%d, %d): %d", x, y, at(sheet, x, y)[c]);
}

/* One hot column; the part outside the network's input stays unchanged. */
static void places(void **state)
{
    (void)state;
    float values[HH][HW] = {{0}};
    for (int y = 0; y < HH; y++) values[y][7] = 1;
    for (int turn = 0; turn < HW; turn += 3)
        for (int times = 1; times <= 2; times++) {
            struct sheet sheet = draw(&values[0][0], turn, H * times, W * times);
            for (int k = 0; k < HW; k++) {
                int away = (k + turn) % HW - 7, x = (10 * k + 5) * times;
                for (int y = 0; y < H * times; y++)
                    if (y < TOP * times || y >= BOTTOM * times)
                        assert_int_equal(at(&sheet, x, y)[0], 100);
                    else if (abs(away) != 1)
                        expect_heat(&sheet, x, y, away == 0 ? 1 - 0.05f / (float)times : 0);
            }
            sheet_free(&sheet);
        }
}

/* A hot first column affects the last one only if the picture wraps around. */
static void edges(void **state)
{
    (void)state;
    float values[HH][HW] = {{0}};
    for (int y = 0; y < HH; y++) values[y][10] = 1;
    struct sheet sheet = draw(&values[0][0], 10, H, W);
    expect_heat(&sheet, 0, 40, 0.55f);
    expect_heat(&sheet, W - 1, 40, 0.45f);
    sheet_free(&sheet);
    for (int y = 0; y < HH; y++) values[y][10] = 0, values[y][0] = 1;
    sheet = draw(&values[0][0], 0, H, W);
    expect_heat(&sheet, 0, 40, 1);
    expect_heat(&sheet, W - 1, 40, 0);
    sheet_free(&sheet);
}

/* From the lowest to the highest colour, with numbers at the ends if there is room. */
static void scales(void **state)
{
    (void)state;
    float values[HH][HW] = {{-2.5f, 1.25f}}, blue[3], red[3];
    heat_colour(blue, 0);
    heat_colour(red, 1);
    struct sheet sheet = draw(&values[0][0], 0, H, W);
    int y = H + HEAT_SCALE_HIGH / 2, from = W, to = 0, black = 0;
    for (int x = 0; x < W; x++) {
        const uint8_t *p = at(&sheet, x, y);
        if (p[0] != p[1] || p[1] != p[2]) from = x < from ? x : from, to = x;
    }
    assert_int_equal(at(&sheet, from, y)[2], (int)(blue[2] + 0.5f));
    assert_int_equal(at(&sheet, to, y)[0], (int)(red[0] + 0.5f));
    assert_true(from > 20 && W - to > 16);
    for (int x = 0; x < from; x++) black += at(&sheet, x, y)[0] < 100;
    assert_true(black > 5);
    sheet_free(&sheet);
    sheet = draw(&values[0][0], 0, 4, 10);
    sheet_free(&sheet);
    sheet = draw(&values[0][0], 0, 1, 1);
    sheet_free(&sheet);
    memset(values, 0, sizeof values); /* the same everywhere */
    sheet = draw(&values[0][0], 0, H, W);
    expect_heat(&sheet, 50, 40, 0);
    sheet_free(&sheet);
}

/* Number of dark pixels in columns from..to-1 of a sheet. */
static int dark(const struct sheet *sheet, int from, int to)
{
    int count = 0;
    for (int y = 0; y < sheet->height; y++)
        for (int x = from; x < to; x++) count += at(sheet, x, y)[0] < 100;
    return count;
}

/* Any text stays within its width and on the sheet. */
static void texts(void **state)
{
    (void)state;
    static const char *const names[] = {"a",
                                        "satellite_41.85205407245264_-87.69119741060825.png",
                                        "<b>&amp;",
                                        "\x01\x02\n\t.jpg",
                                        "b\xff\xfe.png",
                                        "stra\xc3\x9fn",
                                        "\xe2\x80\xae\xe4\xba\xac\xe9\x83\xbd"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct sheet sheet;
        assert_int_equal(sheet_open(&sheet, 200, 30, NULL), GVM_OK);
        sheet_text(&sheet, 10, 5, names[i], 12, 100);
        assert_true(dark(&sheet, 8, 112) > 5);
        assert_int_equal(dark(&sheet, 0, 8) + dark(&sheet, 114, 200), 0);
        sheet_text(&sheet, 190, 25, names[i], 12, 100);
        sheet_text(&sheet, 0, 0, names[i], 12, 1);
        sheet_text(&sheet, 0, 0, "", 12, 100);
        sheet_free(&sheet);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(places), cmocka_unit_test(edges), cmocka_unit_test(scales),
                                       cmocka_unit_test(texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
