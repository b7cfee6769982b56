/* locate_json.c - see locate_json.h */
#include "map/locate_json.h"

#include <math.h>

#include "base/distance.h"
#include "base/json_text.h"

double located_off(const struct located *photo, const gvm_hit *hit)
{
    return isnan(photo->lat) ? NAN : metres_between(photo->lat, photo->lon, hit->lat, hit->lon);
}

bool located_on_map(const struct located *photo)
{
    return !(photo->found->margin < photo->min_margin);
}

json_t *located_hit(const struct located *photo, int k)
{
    const gvm_hit *hit = &photo->hits[k];
    json_t *o = json_pack("{si,sf,sf,sf,sf,sf}", "rank", k + 1, "lat", hit->lat, "lon", hit->lon, "radius_m",
                          hit->radius_m, "score", hit->score, "heading", hit->heading);
    if (!isnan(photo->lat)) json_object_set_new(o, "error_m", json_real(located_off(photo, hit)));
    return o;
}

void located_facts(json_t *object, const struct located *photo)
{
    if (photo->status != GVM_OK) {
        json_object_set_new(object, "error", json_text(photo->sentence));
        return;
    }
    double margin = photo->found->margin;
    json_object_set_new(object, "on_map", json_boolean(located_on_map(photo)));
    json_object_set_new(object, "margin", isfinite(margin) ? json_real(margin) : json_null());
    json_object_set_new(object, "heading_estimated", json_boolean(photo->found->heading_found));
}
