/* image_support.c - see image_support.h */
#include "image_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void save(const char *name, const void *pixels, int w, int h, int bands, VipsBandFormat format, struct extra extra)
{
    size_t size = (size_t)w * h * bands * (format == VIPS_FORMAT_UCHAR ? 1 : format == VIPS_FORMAT_FLOAT ? 4 : 2);
    VipsImage *raw = vips_image_new_from_memory(pixels, size, w, h, bands, format), *image = NULL;
    VipsInterpretation meaning = extra.meaning != 0 ? extra.meaning
                                 : format == VIPS_FORMAT_USHORT
                                     ? bands >= 3 ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_GREY16
                                 : bands >= 3 ? VIPS_INTERPRETATION_sRGB
                                              : VIPS_INTERPRETATION_B_W;
    assert_int_equal(vips_copy(raw, &image, "interpretation", meaning, NULL), 0);
    if (extra.orientation) vips_image_set_int(image, VIPS_META_ORIENTATION, extra.orientation);
    if (extra.xmp) vips_image_set_blob_copy(image, VIPS_META_XMP_NAME, extra.xmp, strlen(extra.xmp));
    for (const char *const *field = extra.exif; field != NULL && *field != NULL; field += 2) {
        char text[64];
        snprintf(text, sizeof text, "exif-ifd3-%s", field[0]);
        vips_image_set_string(image, text, field[1]);
    }
    if (extra.icc) vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, extra.icc, extra.icc_size);
    /* libvips 8.16 writes its own EXIF into a PNG without any */
    bool bare = !extra.orientation && !extra.xmp && !extra.exif && !extra.icc;
    if (vips_image_write_to_file(image, in_folder(name), "strip", bare, NULL) != 0)
        fail_msg("%s: %s", name, vips_error_buffer());
    g_object_unref(image);
    g_object_unref(raw);
}

struct image load(const char *name)
{
    struct image image;
    gvm_error err = {""};
    if (image_load(&image, in_folder(name), &err) != GVM_OK) fail_msg("%s", err.text);
    assert_string_equal(err.text, "");
    return image;
}

void expect_sentence(const gvm_error *err, const char *name, const char *part)
{
    if (strstr(err->text, in_folder(name)) == NULL || strstr(err->text, part) == NULL ||
        strchr(err->text, '\n') != NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", name, err->text, part);
}

void expect_refusal(const char *name, gvm_status status, const char *part)
{
    struct image image;
    gvm_error err = {""};
    assert_int_equal(image_load(&image, in_folder(name), &err), status);
    assert_null(image.pixels);
    expect_sentence(&err, name, part);
    assert_int_equal(image_load(&image, in_folder(name), NULL), status);
}

void expect_pixel(const struct image *image, int x, int y, const int rgb[3], int tolerance)
{
    const uint8_t *p = image->pixels + ((size_t)y * image->width + x) * 3;
    for (int c = 0; c < 3; c++)
        if (abs(p[c] - rgb[c]) > tolerance)
            fail_msg("(%d, %d): %d %d %d instead of %d %d %d", x, y, p[0], p[1], p[2], rgb[0], rgb[1], rgb[2]);
}

void write_half(const char *name, const char *of)
{
    char *bytes;
    size_t size;
    assert_true(g_file_get_contents(in_folder(of), &bytes, &size, NULL));
    put_bytes(name, bytes, size / 2);
    g_free(bytes);
}

void write_broken(void)
{
    static uint8_t noise[200 * 200 * 3];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
    static const char *const names[][2] = {
        {"whole.jpg", "half.jpg"}, {"whole.png", "half.png"}, {"whole.webp", "half.webp"}, {"whole.tif", "half.tif"}};
    for (int i = 0; i < 4; i++) {
        save(names[i][0], noise, 200, 200, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
        write_half(names[i][1], names[i][0]);
    }
}

gvm_status decode_limited(size_t *size, const char *name, struct image_limit limit, gvm_error *err)
{
    static uint8_t bytes[1 << 21];
    FILE *file = fopen(in_folder(name), "rb");
    assert_non_null(file);
    *size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    struct image image;
    gvm_status status = image_decode(&image, bytes, *size, &limit, in_folder(name), err);
    image_free(&image);
    return status;
}
