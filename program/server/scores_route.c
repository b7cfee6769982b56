/* scores_route.c - POST /v1/scores: a picture's scores of all tiles, as an overlay or a GeoTIFF. */
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "geo/earth.h"
#include "image/encode.h"
#include "image/heat.h"
#include "server/service.h"

enum { PIXELS = 1 << 21 /* most of the field */ };

/* ------------------------------------------------------------------ as pixels */

static double mercator(double lat)
{
    return asinh(tan(fmax(-85.05, fmin(85.05, lat)) * EARTH_DEGREE));
}

static double from_mercator(double y)
{
    return atan(sinh(y)) / EARTH_DEGREE;
}

/* From 0, the least, to 1: by the root of p, because p falls off fast, or by the score. */
static float strength(const gvm_field_info *info, float score, float p)
{
    if (info->has_p) return info->p_high > 0 ? sqrtf(p / (float)info->p_high) : 0;
    return info->score_high > info->score_low
               ? (score - (float)info->score_low) / (float)(info->score_high - info->score_low)
               : 1;
}

/* (height, width, 4), with rows in Web Mercator; the field's are of equal latitude. Low values are faint, and pixels
 * without a tile transparent. */
static uint8_t *draw(const gvm_field *field, const gvm_field_info *info)
{
    const float *scores = gvm_field_scores(field), *p = gvm_field_p(field);
    size_t W = (size_t)info->width;
    uint8_t *rgba = calloc((size_t)info->height * W, 4), *to = rgba;
    double top = mercator(info->north), step = (top - mercator(info->south)) / info->height;
    for (int y = 0; y < info->height && rgba != NULL; y++) {
        double lat = from_mercator(top - (y + 0.5) * step);
        int row = (int)((info->north - lat) / (info->north - info->south) * info->height);
        size_t at = (size_t)(row < 0 ? 0 : row < info->height ? row : info->height - 1) * W;
        for (size_t x = 0; x < W; x++, at++, to += 4) {
            if (isnan(scores[at])) continue;
            float t = strength(info, scores[at], p != NULL ? p[at] : 0), rgb[3];
            heat_colour(rgb, t);
            for (int c = 0; c < 3; c++) to[c] = (uint8_t)(rgb[c] + 0.5f);
            to[3] = (uint8_t)(20 + 200 * t * t);
        }
    }
    return rgba;
}

/* ------------------------------------------------------------------ the answers */

static json_t *describe(const gvm_field_info *info, const char *image)
{
    json_t *json = json_pack("{s[ffff],ss,sf,sf,sf,so,so}", "bounds", info->west, info->south, info->east, info->north,
                             "image", image, "pixel_m", info->pixel_m, "score_low", info->score_low, "score_high",
                             info->score_high, "p_high", info->has_p ? json_real(info->p_high) : json_null(),
                             "calibrated", info->has_p ? json_boolean(info->calibrated) : json_null());
    return json;
}

static enum MHD_Result reply_layer(struct request *r, const gvm_field *field)
{
    gvm_field_info info = {.size = sizeof info};
    size_t size = 0;
    gvm_field_about(field, &info, NULL);
    uint8_t *rgba = draw(field, &info);
    void *png = rgba != NULL ? image_encode(&size, PNG, rgba, 4, info.width, info.height) : NULL;
    g_autofree gchar *text = png != NULL ? g_base64_encode(png, size) : NULL;
    g_autofree gchar *image = text != NULL ? g_strconcat("data:image/png;base64,", text, NULL) : NULL;
    free(rgba);
    g_free(png);
    return reply_json(r, "application/json", image != NULL ? describe(&info, image) : NULL);
}

static enum MHD_Result reply_field(struct request *r, const float *scores, bool tiff)
{
    const gvm_field_options options = {
        .size = sizeof options, .scores = scores, .score_scale = r->service->info.score_scale, .max_pixels = PIXELS};
    gvm_field *field = NULL;
    gvm_error err;
    void *bytes = NULL;
    size_t size = 0;
    if (!work_enter(r)) return reply_refused(r);
    gvm_status status = gvm_field_open(&field, r->service->map, &options, &err);
    if (status == GVM_OK && tiff) status = gvm_field_tiff(field, &bytes, &size, &err);
    if (status != GVM_OK) refuse_failure(r, status, &err);
    enum MHD_Result result = r->refused ? reply_refused(r)
                             : tiff     ? reply_owned(r, "image/tiff", bytes, size, NULL)
                                        : reply_layer(r, field);
    work_leave(r);
    gvm_field_free(field);
    return result;
}

enum MHD_Result scores_post(struct request *r)
{
    struct work work = {.top = 1};
    struct question question;
    gvm_found found = {0};
    gvm_hit hit;
    const char *format = parameter(r, FORMAT);
    bool tiff = format != NULL && strcmp(format, "tiff") == 0;
    if (format != NULL && !tiff && strcmp(format, "json") != 0)
        return reply_problem(r, 400, "The parameter format takes json or tiff, got '%.40s'.", format);
    if (!read_question(&question, r)) return reply_refused(r);
    float *scores = malloc((r->service->map_info.tiles + 1) * sizeof *scores);
    if (scores == NULL) refuse(r, 503, "Out of memory for the scores; try again in a moment.");
    work.photo = (gvm_located){.question = &question.asked, .hits = &hit, .found = &found, .scores = scores};
    enum MHD_Result result = !r->refused && read_located(&work.photo, r) && work_done(r, &work)
                                 ? reply_field(r, scores, tiff)
                                 : reply_refused(r);
    free(work.photo.pixels);
    free(scores);
    return result;
}
