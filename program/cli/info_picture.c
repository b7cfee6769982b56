/* info_picture.c - describes a picture: its format, its camera, which weights take it. */
#include <math.h>
#include <stdio.h>

#include "cli/info.h"
#include "terminal/located.h"

/* ------------------------------------------------------------------ the camera */

static void add_lens(struct facts *f, const gvm_camera *c)
{
    char bent[80] = "", film[40] = "", from[80] = "";
    if (c->k1 != 0 || c->k2 != 0) snprintf(bent, sizeof bent, " with k1 %.4g and k2 %.4g", c->k1, c->k2);
    if (c->lens_from != GVM_SOURCE_ASSUMED) snprintf(from, sizeof from, ", %s", located_source(c->lens_from));
    fact(f, NULL, NULL, "lens", "%s%s%s", located_lens(c->lens), bent, from);
    if (c->focal_35mm > 0 && c->fov_from == GVM_SOURCE_FOCAL_35MM)
        snprintf(film, sizeof film, ", %g mm", c->focal_35mm);
    fact(f, NULL, NULL, "field of view", "%.1f x %.1f degrees, %s%s", c->fov, c->fov_vertical,
         located_source(c->fov_from), film);
    if (c->lens == GVM_LENS_SPHERE)
        fact(f, NULL, NULL, "full circle", "%.0f x %.0f pixels, the picture at %.0f, %.0f", c->full_width,
             c->full_height, c->left, c->top);
    else
        fact(f, NULL, NULL, "focal length", "%.0f pixels", c->focal_px);
}

static void add_heading(struct facts *f, const gvm_camera *c)
{
    double heading = located_heading(c->heading, 1), turned = c->heading - c->declination; /* as it was written */
    const char *from = located_source(c->heading_from);
    turned -= 360 * floor(turned / 360);
    if (c->heading_is_magnetic && c->year > 0)
        fact(f, NULL, NULL, "heading",
             "%.1f degrees, %s: %.1f from magnetic north, and a declination of %.1f degrees in %.0f", heading, from,
             located_heading(turned, 1), c->declination, floor(c->year));
    else
        fact(f, NULL, NULL, "heading", "%.1f degrees%s, %s", heading,
             c->heading_is_magnetic ? " from magnetic north" : "", from);
}

static void add_camera(struct facts *f, const gvm_camera *c)
{
    fact_json(f, "camera", located_camera(c));
    if (f->json) return;
    if (c->orientation > 0)
        fact(f, NULL, NULL, "orientation", "%d%s", c->orientation, c->orientation > 1 ? ", turned upright" : "");
    if (c->maker[0] != '\0' || c->model[0] != '\0')
        fact(f, NULL, NULL, "camera", "%s%s%s", c->maker, c->maker[0] != '\0' ? " " : "", c->model);
    add_lens(f, c);
    if (c->heading_from != GVM_SOURCE_NONE) add_heading(f, c);
    if (c->pitch_from != GVM_SOURCE_NONE)
        fact(f, NULL, NULL, "pitch", "%.1f degrees, %s", c->pitch, located_source(c->pitch_from));
    if (c->roll_from != GVM_SOURCE_NONE)
        fact(f, NULL, NULL, "roll", "%.1f degrees, %s", c->roll, located_source(c->roll_from));
    for (int i = 0; i < c->warning_count; i++) fact(f, NULL, NULL, "warning", "%s", c->warnings[i]);
}

/* ------------------------------------------------------------------ pictures */

/* Which weights take it; nothing if unknown. */
static void add_takers(struct facts *f, const gvm_picture *picture, const gvm_camera *camera)
{
    enum { LEAST_FOV = 25 /* as in gvm_picture_street */ };
    int panoramas, photos;
    if (gvm_picture_suits(picture, &panoramas, &photos, NULL) != GVM_OK) return;
    bool any = camera->fov >= LEAST_FOV;
    char names[160];
    snprintf(names, sizeof names, "%s%s%s%s", panoramas ? "; weights for panoramas" : "",
             any ? "; weights for any camera" : "", photos > 0 ? "; weights for photos" : "",
             photos > 1 ? ", as views of a panorama" : "");
    fact(f, "panorama", json_boolean(panoramas), "suits", "%s",
         names[0] != '\0' ? names + 2 : "no weights: it is too small or too elongated");
    fact_json(f, "any_camera", json_boolean(any));
    fact_json(f, "photo_views", json_integer(photos));
}

static void add_ground(struct facts *f, const gvm_raster_info *ground)
{
    fact(f, "box", json_pack("[ffff]", ground->west, ground->south, ground->east, ground->north), "covers",
         "latitude %.6f to %.6f, longitude %.6f to %.6f", ground->south, ground->north, ground->west, ground->east);
    fact(f, "pixel_m", json_real(ground->pixel_m), "pixel", "%.3g m", ground->pixel_m);
}

static void describe(struct facts *f, const char *path, const char *format, const gvm_picture_info *info,
                     const gvm_raster_info *ground)
{
    char size[64] = "";
    const gvm_photo_info *said = &info->photo;
    if (info->width > 0) snprintf(size, sizeof size, " of %d x %d pixels", info->width, info->height);
    facts_open(f, f->json, path, "picture", "a %s picture%s%s", format, size,
               ground != NULL ? ", georeferenced: `index --raster` builds a map from it" : "");
    fact_json(f, "format", json_string(format));
    fact_json(f, "width", json_integer(info->width));
    fact_json(f, "height", json_integer(info->height));
    if (said->has_place) {
        fact(f, "lat", json_real(said->lat), "GPS position", "%.6f, %.6f", said->lat, said->lon);
        fact_json(f, "lon", json_real(said->lon));
    }
    if (said->has_heading) {
        fact_json(f, "heading", json_real(said->heading));
        fact_json(f, "heading_reference", json_string(said->heading_is_magnetic ? "magnetic" : "true"));
    }
}

/* Pixels that cannot be decoded do not keep the header from being described. */
static gvm_status open_picture(gvm_picture **picture, const char *path, bool header_only, gvm_error *err)
{
    gvm_picture_options options = {.size = sizeof options, .path = path, .header_only = header_only};
    gvm_status status = gvm_picture_open(picture, &options, err);
    if (status == GVM_OK || header_only) return status;
    options.header_only = 1;
    return gvm_picture_open(picture, &options, err);
}

int info_picture(const char *path, const char *format, const gvm_camera_options *options, bool json)
{
    gvm_picture_info info = {.size = sizeof info};
    gvm_raster_info ground = {.size = sizeof ground};
    gvm_camera camera = {.size = sizeof camera};
    gvm_picture *picture;
    gvm_error err;
    struct facts f = {.json = json};
    bool lies = gvm_raster_about(path, &ground, NULL) == GVM_OK;
    gvm_status status = open_picture(&picture, path, lies, &err);
    if (status != GVM_OK && !lies) return failed(&err);
    bool opened = status == GVM_OK;
    if (opened) gvm_picture_about(picture, &info, NULL);
    if (opened && !lies) status = gvm_picture_camera(picture, options, &camera, &err);
    if (lies || status == GVM_OK) {
        describe(&f, path, format, &info, lies ? &ground : NULL);
        if (lies) {
            add_ground(&f, &ground);
        } else {
            add_camera(&f, &camera);
            add_takers(&f, picture, &camera);
        }
    }
    if (opened) gvm_picture_free(picture);
    return lies || status == GVM_OK ? facts_close(&f) : failed(&err);
}
