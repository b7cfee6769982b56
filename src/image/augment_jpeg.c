/* augment_jpeg.c - JPEG compression and decompression in memory. Uses libvips. */
#include <stdlib.h>
#include <string.h>
#include <vips/vips.h>

#include "image/augment_parts.h"
#include "image/process.h"

/* out: (height, width, 3), decoded by libvips */
static bool decode_jpeg(uint8_t *out, int width, int height, void *data, size_t size)
{
    VipsImage *read = NULL, *target = vips_image_new_from_memory(out, (size_t)width * height * 3, width, height, 3,
                                                                 VIPS_FORMAT_UCHAR);
    bool ok = target != NULL && vips_jpegload_buffer(data, size, &read, NULL) == 0 && read->Bands == 3 &&
              vips_image_write(read, target) == 0;
    if (read != NULL) g_object_unref(read);
    if (target != NULL) g_object_unref(target);
    return ok;
}

gvm_status augment_jpeg(uint8_t *rgb, int width, int height, int quality)
{
    if (!process_start()) return GVM_MEMORY;
    void *data = NULL;
    size_t size, bytes = (size_t)width * (size_t)height * 3;
    uint8_t *copy = malloc(bytes);
    process_enter();
    VipsImage *raw = vips_image_new_from_memory(rgb, bytes, width, height, 3, VIPS_FORMAT_UCHAR);
    bool ok =
        copy != NULL && raw != NULL &&
        vips_jpegsave_buffer(raw, &data, &size, "Q", quality, "subsample_mode", VIPS_FOREIGN_SUBSAMPLE_ON, NULL) == 0 &&
        decode_jpeg(copy, width, height, data, size);
    if (raw != NULL) g_object_unref(raw);
    process_leave();
    vips_thread_shutdown();
    if (ok) memcpy(rgb, copy, bytes);
    g_free(data);
    free(copy);
    return ok ? GVM_OK : GVM_MEMORY;
}
