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
#include "geo/declination.h"

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

static void set_hundredths(VipsImage *image, const char *name, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%lld/100", llround(value * 100));
    set_exif(image, name, text);
}

static void set_heading(VipsImage *image, const struct shot *shot)
{
    double heading = shot->heading, off;
    if (shot->magnetic) {
        declination(&off, shot->lat, shot->lon, 2026.5);
        heading -= off + 360 * floor((heading - off) / 360);
        set_field(image, 2, "DateTimeOriginal", "2026:07:01 12:00:00");
    }
    set_exif(image, "GPSImgDirectionRef", shot->magnetic ? "M" : "T");
    set_hundredths(image, "GPSImgDirection", heading);
}

static void set_place(VipsImage *image, const struct shot *shot)
{
    set_exif(image, "GPSLatitudeRef", shot->lat < 0 ? "S" : "N");
    set_degrees(image, "GPSLatitude", shot->lat);
    set_exif(image, "GPSLongitudeRef", shot->lon < 0 ? "W" : "E");
    set_degrees(image, "GPSLongitude", shot->lon);
    set_hundredths(image, "GPSAltitude", shot->altitude);
    set_heading(image, shot);
    set_exif(image, "GPSMapDatum", "WGS-84");
}

/* GPano's properties: a name and a number with up to six decimals, by hand, because a locale may write a comma. */
struct property {
    const char *name;
    double value;
};

static void set_gpano(VipsImage *image, const char *projection, const struct property *properties)
{
    GString *xmp = g_string_new(NULL);
    g_string_printf(
        xmp,
        "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
        "<rdf:Description rdf:about=\"\" xmlns:GPano=\"http://ns.google.com/photos/1.0/panorama/\" "
        "GPano:ProjectionType=\"%s\" GPano:UsePanoramaViewer=\"True\"",
        projection);
    for (; properties->name != NULL; properties++) {
        char number[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd(number, sizeof number, "%.9g", properties->value);
        g_string_append_printf(xmp, " GPano:%s=\"%s\"", properties->name, number);
    }
    g_string_append(xmp, "/></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>");
    vips_image_set_blob_copy(image, VIPS_META_XMP_NAME, xmp->str, xmp->len);
    g_string_free(xmp, TRUE);
}

static gvm_status save_street(VipsImage *image, const char *path, const struct shot *shot, gvm_error *err)
{
    set_place(image, shot);
    gvm_status status = save(image, path, err);
    g_object_unref(image);
    vips_thread_shutdown();
    return status;
}

gvm_status panorama_save(const char *path, const unsigned char *pixels, int width, int height, const struct shot *shot,
                         gvm_error *err)
{
    VipsImage *image = wrap(pixels, width, height);
    if (image == NULL) return fail(err, GVM_MEMORY, "%s: out of memory", path_tail(path));
    const struct property geometry[] = {{"PoseHeadingDegrees", round(shot->heading * 100) / 100},
                                        {"PosePitchDegrees", 0},
                                        {"PoseRollDegrees", 0},
                                        {"FullPanoWidthPixels", width},
                                        {"FullPanoHeightPixels", 2 * height},
                                        {"CroppedAreaLeftPixels", 0},
                                        {"CroppedAreaTopPixels", floor(height / 2.0)},
                                        {"CroppedAreaImageWidthPixels", width},
                                        {"CroppedAreaImageHeightPixels", height},
                                        {NULL, 0}};
    set_gpano(image, "equirectangular", geometry);
    return save_street(image, path, shot, err);
}

/* ------------------------------------------------------------------ photos */

/* A phone's sensor is about a sixth as large as 35 mm film. */
static void set_lens(VipsImage *image, int focal_35mm)
{
    char text[40];
    snprintf(text, sizeof text, "%d/6", focal_35mm);
    set_field(image, 2, "FocalLength", text);
    snprintf(text, sizeof text, "%d", focal_35mm);
    set_field(image, 2, "FocalLengthIn35mmFilm", text);
}

/* GPano's pose is that of the full circle's centre. A cylinder's rows count from its horizon. */
static void set_stitched(VipsImage *image, const struct camera *c)
{
    bool sphere = c->lens == LENS_SPHERE;
    double full = sphere ? c->full_width : round(2 * M_PI * c->focal), left = sphere ? c->left : (full - c->width) / 2;
    double heading = c->heading - 360 * ((left + c->width / 2) / full - 0.5);
    const struct property geometry[] = {{"PoseHeadingDegrees", heading - 360 * floor(heading / 360)},
                                        {"PosePitchDegrees", c->pitch},
                                        {"PoseRollDegrees", c->roll},
                                        {"FullPanoWidthPixels", full},
                                        {"FullPanoHeightPixels", sphere ? c->full_height : c->height},
                                        {"CroppedAreaLeftPixels", left},
                                        {"CroppedAreaTopPixels", sphere ? c->top : -c->height / 2},
                                        {"CroppedAreaImageWidthPixels", c->width},
                                        {"CroppedAreaImageHeightPixels", c->height},
                                        {NULL, 0}};
    set_gpano(image, sphere ? "equirectangular" : "cylindrical", geometry);
}

gvm_status photo_save(const char *path, const unsigned char *stored, const struct photo *photo, const struct shot *shot,
                      gvm_error *err)
{
    bool turned = photo->orientation > 4;
    VipsImage *image = wrap(stored, turned ? photo->height : photo->width, turned ? photo->width : photo->height);
    if (image == NULL) return fail(err, GVM_MEMORY, "%s: out of memory", path_tail(path));
    vips_image_set_int(image, VIPS_META_ORIENTATION, photo->orientation);
    set_field(image, 0, "Make", "GeoViewMatch");
    set_field(image, 0, "Model", "drawn town");
    if (photo->focal_35mm > 0)
        set_lens(image, photo->focal_35mm);
    else
        set_stitched(image, &photo->camera);
    return save_street(image, path, shot, err);
}
