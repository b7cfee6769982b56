/* image.c - see image.h. Uses libvips.
 *
 * Steps: magic bytes > cost > header by the loader > limits > colour > pixels > orientation. libvips evaluates lazily,
 * so only the header is decoded before "pixels". */
#include "image/image.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "image/budget.h"
#include "image/bytes.h"
#include "image/cost.h"
#include "image/metadata.h"
#include "image/process.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vips/vips.h>

enum { MAX_SIDE = 65535 /* JPEG's own limit */, SAMPLES = 8 /* bytes per decoded pixel: 16-bit RGBA */ };

static const int64_t MAX_PIXELS = 256000000;

/* Bytes of the samples of an interlaced PNG, which libpng decodes in one uninterruptible call at about 4 ns each: 8-bit
 * RGB of the most pixels that the service accepts. */
static const int64_t MAX_INTERLACED = 400000000;

/* Time limit for files: no user waits longer for one picture. */
static const double FILE_SECONDS = 600;

/* Interval between checks whether to stop waiting; time limit for finding out why a picture is damaged. */
static const double ASK_SECONDS = 0.2, REASON_SECONDS = 2;

/* Memory of all decoded pictures together: thirty panoramas of 8,000 x 4,000, fewer if their decoders buffer whole
 * pictures, or one of the largest pictures. */
#define MEMORY (2ll * 256 * 1000 * 1000 * 6)
static struct budget memory = BUDGET(MEMORY);

/* Source of a picture: an open file, or bytes in memory. */
struct input {
    struct bytes bytes;
    enum picture_kind kind;
    bool header_only; /* no pixels */
    struct image_limit limit;
    const char *where; /* name for error messages */
    bool whole;        /* its decoder buffers the whole picture */
};

static bool has_ended(void *user)
{
    struct image_limit *limit = user;
    return (isfinite(limit->until) && clock_seconds() >= limit->until) ||
           (limit->stop != NULL && limit->stop(limit->user));
}

/* Loaders are named explicitly, so that no other loader of libvips sees the file. Shrink-on-load would be faster, but
 * gives different pixels from those that networks are trained with. */
static VipsImage *open_picture(const struct input *input)
{
    VipsImage *image = NULL;
    VipsSource *source = input->bytes.memory != NULL
                             ? vips_source_new_from_memory(input->bytes.memory, input->bytes.size)
                             : vips_source_new_from_descriptor(input->bytes.fd);
    if (source == NULL) return NULL;
    VipsAccess access = VIPS_ACCESS_SEQUENTIAL;
    VipsFailOn fail_on = VIPS_FAIL_ON_ERROR;
    switch (input->kind) {
    case JPEG: vips_jpegload_source(source, &image, "access", access, "fail_on", fail_on, NULL); break;
    case PNG: vips_pngload_source(source, &image, "access", access, "fail_on", fail_on, NULL); break;
    case WEBP: vips_webpload_source(source, &image, "access", access, "fail_on", fail_on, NULL); break;
    case TIFF: vips_tiffload_source(source, &image, "access", access, "fail_on", fail_on, NULL); break;
    case HEIC: vips_heifload_source(source, &image, "access", access, "fail_on", fail_on, NULL); break;
    default: break;
    }
    g_object_unref(source);
    return image;
}

static gvm_status check_header(const VipsImage *in, const struct input *input, gvm_error *err)
{
    const char *where = input->where;
    int w = vips_image_get_width(in), h = vips_image_get_height(in), bands = vips_image_get_bands(in);
    VipsBandFormat format = vips_image_get_format(in);
    if (w < 1 || h < 1) return fail(err, GVM_IMAGE, "%s: the picture has no pixels (%d x %d)", where, w, h);
    if ((int64_t)w * h > input->limit.pixels)
        return fail(err, GVM_IMAGE, "%s: %d x %d pixels exceed the limit of %g megapixels", where, w, h,
                    (double)input->limit.pixels / 1e6);
    if (w > MAX_SIDE || h > MAX_SIDE)
        return fail(err, GVM_IMAGE, "%s: %d x %d pixels exceed the limit of %d pixels a side", where, w, h, MAX_SIDE);
    if (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT)
        return fail(err, GVM_IMAGE, "%s: unsupported sample type, expected 8 or 16 bits; convert it to 8-bit RGB",
                    where);
    if (bands < 1 || bands > 16)
        return fail(err, GVM_IMAGE, "%s: unsupported number of channels, %d; convert it to 8-bit RGB", where, bands);
    const int64_t bytes = (int64_t)w * h * bands * (int64_t)vips_format_sizeof(format);
    if (bytes > SAMPLES * input->limit.pixels)
        return fail(err, GVM_IMAGE, "%s: %d x %d pixels of %d channels exceed the limit; convert it to 8-bit RGB",
                    where, w, h, bands);
    if (input->kind == PNG && input->whole && !input->header_only && bytes > MAX_INTERLACED)
        return fail(err, GVM_IMAGE,
                    "%s: an interlaced PNG of %d x %d pixels exceeds the limit; save it without interlacing", where, w,
                    h);
    return GVM_OK;
}

/* Replace *image by out; returns false if the operation failed. */
static bool step(VipsImage **image, int failed, VipsImage **out)
{
    if (failed) return false;
    g_object_unref(*image);
    *image = *out;
    return true;
}

/* Alpha is composited over black: aerial data use black for no data. Extra channels of a TIFF are dropped: they are
 * infrared as often as alpha. */
static bool without_extra(VipsImage **image, enum picture_kind kind, int colours)
{
    VipsImage *out = NULL;
    if (vips_image_get_bands(*image) == colours) return true;
    if (kind != TIFF && vips_image_get_bands(*image) == colours + 1)
        return step(image, vips_flatten(*image, &out, NULL), &out);
    return step(image, vips_extract_band(*image, &out, 0, "n", colours, NULL), &out);
}

/* Convert to 8-bit sRGB. The embedded profile is applied to CMYK only, which is undefined without one: networks are
 * trained with the RGB values as stored. */
static bool to_srgb(VipsImage **image, enum picture_kind kind)
{
    VipsImage *out = NULL;
    int bands = vips_image_get_bands(*image);
    bool wide = vips_image_get_format(*image) == VIPS_FORMAT_USHORT;
    if (vips_image_get_interpretation(*image) == VIPS_INTERPRETATION_CMYK && bands >= 4) {
        if (!without_extra(image, TIFF, 4)) return false;
        return step(
            image,
            vips_icc_transform(*image, &out, "srgb", "embedded", TRUE, "input_profile", "cmyk", "depth", 8, NULL),
            &out);
    }
    VipsInterpretation meaning;
    if (bands >= 3)
        meaning = wide ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB;
    else
        meaning = wide ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W;
    if (!step(image, vips_copy(*image, &out, "interpretation", meaning, NULL), &out)) return false;
    if (!without_extra(image, kind, bands >= 3 ? 3 : 1)) return false;
    return step(image, vips_colourspace(*image, &out, VIPS_INTERPRETATION_sRGB, NULL), &out);
}

/* libvips reads the orientation of JPEG and TIFF; in PNG and WebP it is only in EXIF. HEIC's decoder applies it. */
static int orientation_of(VipsImage *in, const struct exif *exif, enum picture_kind kind)
{
    int said = vips_image_get_orientation(in);
    if (kind == HEIC) return 1;
    return said <= 1 && exif->orientation > 1 ? exif->orientation : said;
}

static bool turn(VipsImage **image, int orientation)
{
    if (orientation <= 1) return true;
    vips_image_set_int(*image, VIPS_META_ORIENTATION, orientation);
    VipsImage *out = vips_image_copy_memory(*image); /* the loader is sequential, rotation needs random access */
    if (!step(image, out == NULL, &out)) return false;
    return step(image, vips_autorot(*image, &out, NULL), &out);
}

/* Pass the pixels through, unless decoding must stop. */
static int pass_on(VipsRegion *out, void *sequence, void *in, void *limit, gboolean *stop)
{
    VipsRegion *region = sequence;
    (void)in, (void)stop;
    if (has_ended(limit)) return -1;
    return vips_region_prepare(region, &out->valid) != 0 ||
                   vips_region_region(out, region, &out->valid, out->valid.left, out->valid.top) != 0
               ? -1
               : 0;
}

/* Insert a step that checks whether to stop. libvips's progress signal comes too late or not at all, because another
 * thread sends it. */
static bool watch(VipsImage **in, struct image_limit *limit)
{
    VipsImage *out = vips_image_new();
    if (vips_image_pipelinev(out, VIPS_DEMAND_STYLE_THINSTRIP, *in, NULL) != 0 ||
        vips_image_generate(out, vips_start_one, pass_on, vips_stop_one, *in, limit) != 0) {
        g_object_unref(out);
        return false;
    }
    vips_object_local(out, *in); /* freed with it */
    *in = out;
    return true;
}

/* Bytes needed for decoding, including what a decoder buffers of the whole picture: a progressive JPEG has two bytes
 * per coefficient. */
static int64_t memory_of(const struct input *input, const VipsImage *in, int orientation)
{
    int64_t samples = (int64_t)vips_format_sizeof(vips_image_get_format(in)) * vips_image_get_bands(in);
    int64_t each = 3 + (orientation > 1 ? 3 : 0);
    if (input->whole) each += input->kind == JPEG ? 2 * samples : samples;
    int64_t all = each * vips_image_get_width(in) * vips_image_get_height(in);
    return all < MEMORY ? all : MEMORY;
}

static gvm_status fail_late(gvm_error *err, const struct input *input)
{
    return fail(err, GVM_IMAGE, "%s: decoding this picture timed out", input->where);
}

/* broken, out: libvips failed and its error text has the reason; err is not set then. */
static gvm_status decode(struct image *image, bool *broken, struct input *input, gvm_error *err)
{
    gvm_status status = GVM_IMAGE;
    *broken = true;
    VipsImage *in = open_picture(input), *target = NULL;
    if (in == NULL) return status;
    if ((status = check_header(in, input, err)) != GVM_OK) {
        *broken = false;
        goto done;
    }
    metadata_read(&image->gpano, &image->exif, &image->attitude, in, &input->bytes, input->kind);
    const int orientation = orientation_of(in, &image->exif, input->kind);
    if (input->header_only) {
        bool turned = orientation >= 5;
        image->width = turned ? vips_image_get_height(in) : vips_image_get_width(in);
        image->height = turned ? vips_image_get_width(in) : vips_image_get_height(in);
        *broken = false;
        goto done;
    }
    status = GVM_IMAGE;
    int64_t amount = memory_of(input, in, orientation);
    while (!budget_take_until(&memory, amount, fmin(input->limit.until, clock_seconds() + ASK_SECONDS)))
        if (has_ended(&input->limit)) goto done;
    image->held = amount;

    VipsImage *own = NULL; /* a copy whose metadata may be changed */
    if (!watch(&in, &input->limit)) goto done;
    if (!to_srgb(&in, input->kind) || !step(&in, vips_copy(in, &own, NULL), &own)) goto done;
    vips_image_set_int(in, VIPS_META_CONCURRENCY, 1); /* callers decode several pictures in parallel instead */
    if (!turn(&in, orientation)) goto done;
    image->width = vips_image_get_width(in);
    image->height = vips_image_get_height(in);
    size_t size = (size_t)image->width * image->height * 3;
    image->pixels = malloc(size);
    if (image->pixels == NULL) {
        *broken = false;
        status =
            fail(err, GVM_MEMORY, "%s: out of memory for %d x %d pixels", input->where, image->width, image->height);
        goto done;
    }
    target = vips_image_new_from_memory(image->pixels, size, image->width, image->height, 3, VIPS_FORMAT_UCHAR);
    if (target == NULL || vips_image_write(in, target) != 0) goto done;
    *broken = false;
    status = GVM_OK;
done:
    if (target != NULL) g_object_unref(target);
    g_object_unref(in);
    if (status != GVM_OK) image_free(image);
    return status;
}

/* Find out why libvips failed: decode once more, exclusively. Blocks other threads, so the time is limited. */
static gvm_status decode_again(struct image *image, bool *broken, char *why, size_t size, struct input input,
                               gvm_error *err)
{
    double until = fmin(input.limit.until, clock_seconds() + REASON_SECONDS);
    snprintf(why, size, "it is corrupt");
    if (!process_enter_alone(until)) return GVM_IMAGE;
    input.limit.until = until;
    if (input.bytes.memory == NULL) lseek(input.bytes.fd, 0, SEEK_SET);
    gvm_status status = decode(image, broken, &input, err);
    if (!has_ended(&input.limit)) process_error(why, size);
    process_leave();
    return status;
}

static gvm_status decode_locked(struct image *image, struct input *input, gvm_error *err)
{
    bool broken;
    process_enter();
    gvm_status status = decode(image, &broken, input, err);
    process_leave();
    if (!broken) return status;
    if (has_ended(&input->limit)) return fail_late(err, input);

    char why[200];
    status = decode_again(image, &broken, why, sizeof why, *input, err);
    if (!broken) return status; /* the file or the available memory has changed */
    return fail(err, GVM_IMAGE, "%s: this %s picture cannot be decoded (%s)%s", input->where,
                picture_kind_name(input->kind), why, input->kind == HEIC ? "; convert it to JPEG" : "");
}

static gvm_status check_cost(struct input *input, gvm_error *err)
{
    struct cost cost;
    uint8_t interlaced = 0;
    cost_of(&cost, &input->bytes, input->kind, input->header_only, has_ended, &input->limit);
    if (cost.ended) return fail_late(err, input);
    const char *what = cost_excess(&cost, input->kind);
    if (what != NULL)
        return fail(err, GVM_IMAGE,
                    "%s: this picture has too many %s, as a decompression bomb has; save it anew with another program",
                    input->where, what);
    if (input->kind == PNG) bytes_read(&interlaced, &input->bytes, 28, 1); /* the last byte of IHDR */
    input->whole =
        input->kind == WEBP || input->kind == TIFF || input->kind == HEIC || cost.scans > 1 || interlaced != 0;
    return GVM_OK;
}

/* HEIC only if libvips has its loader, and only from files: a small HEIC can keep its decoder busy without limit
 * (docs/decisions/0001-heic.md). */
static bool is_read(const struct input *input)
{
    if (input->kind == HEIC)
        return input->bytes.memory == NULL && vips_type_find("VipsOperation", "heifload_source") != 0;
    return input->kind >= JPEG && input->kind <= TIFF;
}

static gvm_status decode_known(struct image *image, struct input *input, gvm_error *err)
{
    uint8_t magic[32];
    size_t size = bytes_read(magic, &input->bytes, 0, sizeof magic);
    input->kind = picture_kind(magic, size);
    if (input->limit.pixels > MAX_PIXELS) input->limit.pixels = MAX_PIXELS;
    if (input->bytes.size == 0) return fail(err, GVM_IMAGE, "%s: the file is empty", input->where);
    if (input->kind == NO_PICTURE)
        return fail(err, GVM_IMAGE, "%s: unsupported format; expected a JPEG, PNG, WebP or TIFF picture", input->where);
    if (!is_read(input))
        return fail(err, GVM_IMAGE, "%s: unsupported format %s; convert it to JPEG", input->where,
                    picture_kind_name(input->kind));
    gvm_status status = check_cost(input, err);
    return status == GVM_OK ? decode_locked(image, input, err) : status;
}

static gvm_status read_file(struct image *image, bool header_only, const char *path, gvm_error *err)
{
    const char *where = path_tail(path);
    *image = (struct image){0};
    if (!process_start()) return fail(err, GVM_IMAGE, "%s: cannot read it: libvips failed to start", where);

    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* O_NONBLOCK: a named pipe must not block */
    if (fd < 0) return fail_errno(err, "open", where);
    int error = 0;
    struct input input = {.bytes = {.fd = fd, .error = &error},
                          .header_only = header_only,
                          .limit = {.pixels = MAX_PIXELS, .until = clock_seconds() + FILE_SECONDS},
                          .where = where};
    gvm_status status;
    struct stat info;
    if (fstat(fd, &info) != 0)
        status = fail_errno(err, "read", where);
    else if (S_ISDIR(info.st_mode))
        status = fail(err, GVM_FILE, "%s: it is a directory, expected a picture", where);
    else if (!S_ISREG(info.st_mode))
        status = fail(err, GVM_FILE, "%s: it is not a regular file", where);
    else {
        input.bytes.size = (uint64_t)info.st_size;
        status = decode_known(image, &input, err);
    }
    close(fd);
    if (error != 0) { /* what was found is not all, or not the reason */
        image_free(image);
        errno = error;
        status = fail_errno(err, "read", where);
    }
    vips_thread_shutdown();
    return status;
}

gvm_status image_load(struct image *image, const char *path, gvm_error *err)
{
    return read_file(image, false, path, err);
}

gvm_status image_about(struct image *image, const char *path, gvm_error *err)
{
    return read_file(image, true, path, err);
}

gvm_status image_decode(struct image *image, const void *bytes, size_t size, const struct image_limit *limit,
                        const char *where, gvm_error *err)
{
    struct input input = {.bytes = {bytes, -1, size, NULL}, .limit = *limit, .where = where};
    *image = (struct image){0};
    if (!process_start()) return fail(err, GVM_IMAGE, "%s: cannot read it: libvips failed to start", where);
    gvm_status status = decode_known(image, &input, err);
    vips_thread_shutdown();
    return status;
}

void image_free(struct image *image)
{
    free(image->pixels);
    if (image->held > 0) budget_give_back(&memory, image->held);
    *image = (struct image){0};
}
