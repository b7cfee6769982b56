/* located.c - see located.h */
#include "terminal/located.h"

#include <math.h>

#include "base/json_put.h"
#include "base/json_text.h"
#include "geo/earth.h"

const char *const located_within[GVM_RADII] = {"p_within_25_m", "p_within_50_m", "p_within_100_m"};

double located_error(const struct located *photo, const gvm_hit *hit)
{
    return isnan(photo->lat) ? NAN : metres_between(photo->lat, photo->lon, hit->lat, hit->lon);
}

double located_off_gps(const struct located *photo, const gvm_hit *hit)
{
    const gvm_photo_info *info = &photo->found->info;
    return info->has_place ? metres_between(info->lat, info->lon, hit->lat, hit->lon) : NAN;
}

double located_heading(double heading, int decimals)
{
    return heading >= 360 - 0.5 * pow(10, -decimals) ? 0 : heading;
}

enum weakness located_weakness(const gvm_found *found, double min_margin)
{
    if (isnan(found->margin)) return UNDECIDED;
    return found->margin < min_margin ? WEAK : CLEAR;
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *located_hit(const struct located *photo, int k)
{
    const gvm_hit *hit = &photo->hits[k];
    json_t *o = json_pack("{si,sf,sf,sf,sf,so}", "rank", k + 1, "lat", hit->lat, "lon", hit->lon, "half_tile_m",
                          hit->half_tile_m, "score", hit->score, "heading", number(hit->heading));
    if (photo->chance->known) json_put(&o, "p", json_real(photo->p[k]));
    if (!isnan(photo->lat)) json_put(&o, "error_m", json_real(located_error(photo, hit)));
    if (photo->found->info.has_place) json_put(&o, "gps_m", json_real(located_off_gps(photo, hit)));
    return o;
}

void located_facts(json_t **object, const struct located *photo)
{
    if (photo->status != GVM_OK) {
        json_put(object, "error", json_text(photo->sentence));
        return;
    }
    const gvm_found *found = photo->found;
    const gvm_photo_info *info = &found->info;
    enum weakness weak = located_weakness(found, photo->min_margin);
    json_put(object, "weak", weak == UNDECIDED ? json_null() : json_boolean(weak == WEAK));
    json_put(object, "margin", number(found->margin));
    json_put(object, "heading_estimated", json_boolean(found->heading_found));
    if (info->heading_is_magnetic) json_put(object, "heading_reference", json_string("magnetic"));
    if (photo->views > 1) json_put(object, "views", json_integer(photo->views));
    if (located_has_camera(photo)) json_put(object, "camera", located_camera(photo->camera));
    json_put(object, "gps", info->has_place ? json_pack("{sf,sf}", "lat", info->lat, "lon", info->lon) : json_null());
    const gvm_chance *chance = photo->chance;
    json_put(object, "calibrated", chance->known ? json_boolean(chance->calibrated) : json_null());
    if (!chance->known) return;
    for (int i = 0; i < GVM_RADII; i++) json_put(object, located_within[i], json_real(chance->within[i]));
    json_put(object, "radius_90_m", number(chance->radius_90));
}

/* ------------------------------------------------------------------ the camera */

/* As in gvm_source. */
const char *located_source(gvm_source source)
{
    static const char *const words[] = {"unknown",
                                        "as given",
                                        "from XMP GPano",
                                        "from XMP",
                                        "from EXIF",
                                        "from EXIF: the phone's acceleration vector",
                                        "from the picture's shape",
                                        "from a table of action cameras",
                                        "from EXIF: 35 mm equivalent focal length",
                                        "from EXIF: focal length and resolution of the focal plane",
                                        "from EXIF: focal length, and a table of sensors",
                                        "assumed"};
    return words[source];
}

static json_t *source_json(gvm_source source)
{
    return source == GVM_SOURCE_NONE ? json_null() : json_string(gvm_source_name(source));
}

const char *located_lens(gvm_lens lens)
{
    static const char *const names[] = {"", "pinhole", "fisheye", "cylinder", "sphere"}; /* as in gvm_lens */
    return names[lens];
}

json_t *located_camera(const gvm_camera *c)
{
    json_t *warnings = json_array();
    for (int i = 0; i < c->warning_count; i++) json_push(&warnings, json_string(c->warnings[i]));
    json_t *json =
        json_pack("{si,ss,so,sf,sf,so,sf,sf,sf,so}", "orientation", c->orientation, "lens", located_lens(c->lens),
                  "lens_from", source_json(c->lens_from), "fov", c->fov, "fov_vertical", c->fov_vertical, "fov_from",
                  source_json(c->fov_from), "focal_px", c->focal_px, "k1", c->k1, "k2", c->k2, "warnings", warnings);
    const struct {
        const char *name, *from;
        double angle;
        gvm_source source;
    } angles[] = {{"heading", "heading_from", c->heading, c->heading_from},
                  {"pitch", "pitch_from", c->pitch, c->pitch_from},
                  {"roll", "roll_from", c->roll, c->roll_from}};
    for (size_t i = 0; i < sizeof angles / sizeof *angles; i++) {
        bool known = angles[i].source != GVM_SOURCE_NONE;
        json_put(&json, angles[i].name, known ? json_real(angles[i].angle) : json_null());
        json_put(&json, angles[i].from, source_json(angles[i].source));
    }
    if (c->maker[0] != '\0') json_put(&json, "maker", json_text(c->maker));
    if (c->model[0] != '\0') json_put(&json, "model", json_text(c->model));
    if (c->heading_is_magnetic && c->year > 0) json_put(&json, "declination", json_real(c->declination));
    if (c->lens == GVM_LENS_SPHERE)
        json_put(&json, "circle",
                 json_pack("{sf,sf,sf,sf}", "width", c->full_width, "height", c->full_height, "left", c->left, "top",
                           c->top));
    return json;
}
