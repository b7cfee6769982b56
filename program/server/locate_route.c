/* locate_route.c - POST /v1/locate: where a picture was taken. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/image.h"
#include "image/panorama.h"
#include "locate/locate_json.h"
#include "network/session.h"
#include "server/service.h"

unsigned char *read_panorama(gvm_photo_info *info, struct request *r, const gvm_question *question)
{
    struct service *s = r->service;
    struct image image;
    gvm_error err;
    bool known;
    const struct picture_shape shape = config_shape(&s->model->network->config, GVM_STREET);
    unsigned char *pixels = malloc(view_bytes(s->model, GVM_STREET));
    gvm_status status = locate_check(question, &err);
    if (pixels == NULL) status = fail(&err, GVM_MEMORY, "There is not enough memory for the picture.");
    if (question->within_m > 0 && isnan(question->lat) && status == GVM_ARGUMENT)
        status = GVM_OK; /* as it says itself */
    if (status == GVM_OK && work_enter(r)) {
        const struct image_limit limit = {
            .pixels = s->options->pixels, .until = r->until, .stop = work_is_over, .user = r};
        status = image_decode(&image, r->body, r->size, &limit, question->photo, &err);
        if (status != GVM_OK && work_is_over(r)) work_refuse(r);
        if (status == GVM_OK) {
            *info = photo_said(&image);
            double heading = locate_heading(&known, question, info);
            status = panorama_fit(pixels, &shape, &heading, question->panorama, &image, question->photo, &err);
            image_free(&image);
        }
        gate_leave(&s->decoders);
    }
    if (status != GVM_OK) refuse(r, http_status(status), "%s", err.text);
    if (!r->refused) return pixels;
    free(pixels);
    return NULL;
}

/* ------------------------------------------------------------------ the answer */

static json_t *answers_of(const struct located *located)
{
    json_t *list = json_array();
    for (int k = 0; k < located->found->count; k++) {
        json_t *hit = located_hit(located, k);
        json_object_set_new(hit, "tile", json_integer((json_int_t)located->hits[k].number));
        json_array_append_new(list, hit);
    }
    return list;
}

static json_t *tiles_of(const struct asked *asked)
{
    json_t *list = json_array();
    for (int k = 0; k < asked->tile_count; k++) {
        const gvm_hit *hit = &asked->tiles[k];
        json_array_append_new(list, json_pack("{sI,sf,sf,sf,sf,sf}", "id", (json_int_t)hit->number, "lat", hit->lat,
                                              "lon", hit->lon, "half_tile_m", hit->half_tile_m, "score", hit->score,
                                              "heading", hit->heading));
    }
    return list;
}

static json_t *json_of(const struct asked *asked, double min_margin)
{
    struct located located = {
        .hits = asked->hits, .found = asked->found, .lat = NAN, .lon = NAN, .min_margin = min_margin};
    json_t *json = json_object();
    located_facts(json, &located);
    json_object_set_new(json, "answers", answers_of(&located));
    json_object_set_new(json, "top_tiles", tiles_of(asked));
    return json;
}

/* ------------------------------------------------------------------ the request */

/* What the network needs of the picture; true with a place in the queue. The body goes as soon as it is decoded. */
static bool prepare(struct asked *asked, unsigned char **pixels, struct request *r, gvm_question *question)
{
    if (r->service->map->tiles.count == 0) {
        refuse(r, 422, "The map is empty: it has no tile to compare the picture with.");
        return false;
    }
    if (!engine_enter(r->service->engine)) {
        metrics_mishap(&r->service->metrics, QUEUE_FULL);
        refuse(r, 503, "The queue is full; try again in a moment.");
        return false;
    }
    *pixels = read_panorama(&asked->info, r, question);
    body_free(r);
    if (*pixels != NULL && question->within_m > 0 && isnan(question->lat) && asked->info.has_place) {
        question->lat = asked->info.lat;
        question->lon = asked->info.lon;
    }
    if (*pixels != NULL && locate_check(question, &asked->err) != GVM_OK) refuse(r, 422, "%s", asked->err.text);
    if (!r->refused) return true;
    engine_leave(r->service->engine);
    return false;
}

enum MHD_Result locate_post(struct request *r)
{
    struct work work = {.top = 0};
    gvm_question question;
    gvm_found found = {0};
    double min_margin;
    unsigned char *pixels = NULL;
    if (!read_question(&question, &work.top, &min_margin, r)) return reply_refused(r);
    gvm_hit *hits = calloc((size_t)work.top, sizeof *hits);
    if (hits == NULL) refuse(r, 503, "There is not enough memory for the answer; try again in a moment.");
    json_t *json = NULL;
    if (!r->refused && prepare(&work.asked, &pixels, r, &question)) {
        work.asked.question = &question;
        work.asked.pixels = pixels;
        work.asked.hits = hits;
        work.asked.found = &found;
        if (work_done(r, &work)) json = json_of(&work.asked, min_margin);
    }
    free(pixels);
    free(hits);
    return r->refused ? reply_refused(r) : reply_json(r, "application/json", json);
}
