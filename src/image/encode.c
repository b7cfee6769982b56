/* encode.c - see encode.h. Uses libvips. */
#include <stdlib.h>
#include <string.h>
#include <vips/vips.h>

#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "image/encode.h"
#include "image/process.h"

void *image_encode(size_t *size, enum picture_kind kind, const uint8_t *pixels, int bands, int width, int height)
{
    void *data = NULL;
    if (!process_start()) return NULL;
    process_enter();
    VipsImage *raw =
        vips_image_new_from_memory(pixels, (size_t)width * height * bands, width, height, bands, VIPS_FORMAT_UCHAR);
    VipsImage *image = NULL;
    if (raw != NULL && vips_copy(raw, &image, "interpretation", VIPS_INTERPRETATION_sRGB, NULL) == 0 &&
        (kind == JPEG ? vips_jpegsave_buffer(image, &data, size, "Q", 85, NULL)
                      : vips_pngsave_buffer(image, &data, size, NULL)) != 0)
        data = NULL;
    if (image != NULL) g_object_unref(image);
    if (raw != NULL) g_object_unref(raw);
    process_leave();
    vips_thread_shutdown();
    return data;
}

/* A PNG starts with a signature and IHDR, 33 bytes together, followed by other chunks. A text chunk that names this
 * program is inserted there, so that output.h recognises the file. libvips would compress the text. */
gvm_status image_write_png(const char *path, const uint8_t *rgb, int width, int height, gvm_error *err)
{
    static const char chunk[] = "\0\0\0\x15"
                                "tEXt"
                                "Software\0" OUTPUT_SOFTWARE "\xd3\xcd\x53\xaa";
    if (!process_start()) return fail(err, GVM_IMAGE, "%s: cannot write it: libvips failed to start", path_tail(path));
    struct file_writer writer;
    gvm_status status = file_writer_open(&writer, path, err);
    if (status != GVM_OK) return status;
    size_t size;
    char *data = image_encode(&size, PNG, rgb, 3, width, height);
    status = data != NULL ? file_writer_write(&writer, data, 33, err)
                          : fail(err, GVM_MEMORY, "%s: cannot write it: out of memory", path_tail(path));
    if (status == GVM_OK) status = file_writer_write(&writer, chunk, sizeof chunk - 1, err);
    if (status == GVM_OK) status = file_writer_write(&writer, data + 33, size - 33, err);
    if (status == GVM_OK)
        status = file_writer_commit(&writer, err);
    else
        file_writer_abort(&writer);
    g_free(data);
    return status;
}
