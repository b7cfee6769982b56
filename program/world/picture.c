/* picture.c - see picture.h. Relies on libvips, which writes EXIF. */
#include "world/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <vips/vips.h>

#include "base/error.h"
#include "base/file.h"

gvm_status picture_start(gvm_error *err)
{
    if (vips_init("geoviewmatch") != 0) return fail(err, GVM_IMAGE, "cannot write pictures: libvips failed to start");
    vips_cache_set_max(0);
    return GVM_OK;
}

/* No temporary file: the pictures are valid only once the list, written last, names them. */
static gvm_status write_file(const char *path, const void *data, size_t size, gvm_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0 && errno == ELOOP)
        return fail(err, GVM_FILE, "%s: it is a symbolic link, which is not written through; remove it",
                    path_tail(path));
    if (fd < 0) return fail_errno(err, "create", path_tail(path));
    gvm_status status = file_append(fd, data, size) ? GVM_OK : fail_errno(err, "write", path_tail(path));
    if (close(fd) != 0 && status == GVM_OK) status = fail_errno(err, "write", path_tail(path));
    if (status != GVM_OK) unlink(path);
    return status;
}

static gvm_status save(VipsImage *image, const char *path, gvm_error *err)
{
    void *data = NULL;
    size_t size;
    vips_image_set_int(image, VIPS_META_CONCURRENCY, 1);
    if (vips_jpegsave_buffer(image, &data, &size, "Q", JPEG_QUALITY, NULL) != 0)
        return fail(err, GVM_IMAGE, "%s: libvips cannot write it as a JPEG", path_tail(path));
    gvm_status status = write_file(path, data, size, err);
    g_free(data);
    return status;
}

static VipsImage *wrap(const unsigned char *pixels, int width, int height)
{
    VipsImage *raw =
        vips_image_new_from_memory(pixels, (size_t)width * height * 3, width, height, 3, VIPS_FORMAT_UCHAR);
    VipsImage *image = NULL;
    if (raw == NULL) return NULL;
    vips_copy(raw, &image, "interpretation", VIPS_INTERPRETATION_sRGB, NULL);
    g_object_unref(raw);
    return image;
}

gvm_status aerial_save(const char *path, const unsigned char *pixels, int width, int height, gvm_error *err)
{
    VipsImage *image = wrap(pixels, width, height);
    if (image == NULL) return fail(err, GVM_MEMORY, "%s: out of memory", path_tail(path));
    gvm_status status = save(image, path, err);
    g_object_unref(image);
    vips_thread_shutdown();
    return status;
}

/* libvips takes EXIF values as text, rationals as "45/1 30/1 123456/10000", and only the part before a bracket. */
static void set_field(VipsImage *image, int directory, const char *name, const char *value)
{
    char field[64];
    snprintf(field, sizeof field, "exif-ifd%d-%s", directory, name);
    vips_image_set_string(image, field, value);
}

static void set_exif(VipsImage *image, const char *name, const char *value)
{
    set_field(image, 3, name, value);
}

static void set_degrees(VipsImage *image, const char *name, double degrees)
{
    char text[80];
    long long parts = llround(fabs(degrees) * 3600 * 10000); /* of an arc second, 3 mm */
    snprintf(text, sizeof text, "%lld/1 %lld/1 %lld/10000", parts / 36000000, parts / 600000 % 60, parts % 600000);
    set_exif(image, name, text);
}

static void set_place(VipsImage *image, const struct shot *shot)
{
    char text[40];
    set_exif(image, "GPSLatitudeRef", shot->lat < 0 ? "S" : "N");
    set_degrees(image, "GPSLatitude", shot->lat);
    set_exif(image, "GPSLongitudeRef", shot->lon < 0 ? "W" : "E");
    set_degrees(image, "GPSLongitude", shot->lon);
    snprintf(text, sizeof text, "%lld/100", llround(shot->altitude * 100));
    set_exif(image, "GPSAltitude", text);
    set_exif(image, "GPSImgDirectionRef", "T");
    snprintf(text, sizeof text, "%lld/100", llround(shot->heading * 100));
    set_exif(image, "GPSImgDirection", text);
    set_exif(image, "GPSMapDatum", "WGS-84");
}

static void set_gpano(VipsImage *image, int width, int height, double heading)
{
    char xmp[1200];
    long long part = llround(heading * 100); /* by hand: a locale may write a comma */
    snprintf(xmp, sizeof xmp,
             "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
             "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
             "<rdf:Description rdf:about=\"\" xmlns:GPano=\"http://ns.google.com/photos/1.0/panorama/\" "
             "GPano:ProjectionType=\"equirectangular\" GPano:UsePanoramaViewer=\"True\" "
             "GPano:PoseHeadingDegrees=\"%lld.%02lld\" "
             "GPano:PosePitchDegrees=\"0\" GPano:PoseRollDegrees=\"0\" "
             "GPano:FullPanoWidthPixels=\"%d\" GPano:FullPanoHeightPixels=\"%d\" "
             "GPano:CroppedAreaLeftPixels=\"0\" GPano:CroppedAreaTopPixels=\"%d\" "
             "GPano:CroppedAreaImageWidthPixels=\"%d\" GPano:CroppedAreaImageHeightPixels=\"%d\"/>"
             "</rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>",
             part / 100, part % 100, width, 2 * height, height / 2, width, height);
    vips_image_set_blob_copy(image, VIPS_META_XMP_NAME, xmp, strlen(xmp));
}

/* A phone's sensor is about a sixth as large as 35 mm film. */
static void set_lens(VipsImage *image, int focal_35mm)
{
    char text[40];
    set_field(image, 0, "Orientation", "1");
    snprintf(text, sizeof text, "%d/6", focal_35mm);
    set_field(image, 2, "FocalLength", text);
    snprintf(text, sizeof text, "%d", focal_35mm);
    set_field(image, 2, "FocalLengthIn35mmFilm", text);
}

/* A photo, or a panorama if focal_35mm is 0. */
static gvm_status save_street(const char *path, const unsigned char *pixels, int width, int height,
                              const struct shot *shot, int focal_35mm, gvm_error *err)
{
    VipsImage *image = wrap(pixels, width, height);
    if (image == NULL) return fail(err, GVM_MEMORY, "%s: out of memory", path_tail(path));
    set_place(image, shot);
    if (focal_35mm > 0)
        set_lens(image, focal_35mm);
    else
        set_gpano(image, width, height, shot->heading);
    gvm_status status = save(image, path, err);
    g_object_unref(image);
    vips_thread_shutdown();
    return status;
}

gvm_status panorama_save(const char *path, const unsigned char *pixels, int width, int height, const struct shot *shot,
                         gvm_error *err)
{
    return save_street(path, pixels, width, height, shot, 0, err);
}

gvm_status photo_save(const char *path, const unsigned char *pixels, int width, int height, const struct shot *shot,
                      int focal_35mm, gvm_error *err)
{
    return save_street(path, pixels, width, height, shot, focal_35mm, err);
}
