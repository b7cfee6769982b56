/* locate_route.c - POST /v1/locate: locates a picture. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/service.h"
#include "terminal/located.h"

/* Returns true to stop decoding. */
static int stops(void *request)
{
    return work_is_over(request);
}

bool read_street(gvm_located *photo, struct request *r)
{
    struct service *s = r->service;
    gvm_picture *picture;
    photo->size = sizeof *photo;
    photo->room = takes_photos(s) ? GVM_PANORAMA_VIEWS : 1; /* for a single photo most of it is never touched */
    photo->pixels = malloc((size_t)photo->room * input_bytes(s, GVM_STREET));
    if (photo->pixels == NULL) refuse(r, 503, "Out of memory for the picture.");
    if (photo->pixels == NULL || !work_enter(r)) return false;
    const gvm_picture_options options = {.size = sizeof options,
                                         .bytes = r->body,
                                         .byte_count = r->size,
                                         .name = photo->question->photo,
                                         .max_pixels = s->options->pixels,
                                         .seconds = fmax(1e-3, r->until - clock_seconds()),
                                         .stop = stops,
                                         .user = r};
    photo->status = gvm_picture_open(&picture, &options, &photo->err);
    if (photo->status != GVM_OK && work_is_over(r)) work_refuse(r);
    if (photo->status == GVM_OK) gvm_located_prepare(photo, picture, s->model);
    gvm_picture_free(picture);
    work_leave(r);
    body_free(r); /* right after decoding */
    if (photo->status != GVM_OK) refuse_failure(r, photo->status, &photo->err);
    return !r->refused;
}

/* ------------------------------------------------------------------ the answer */

static json_t *answers_of(const struct located *located)
{
    json_t *list = json_array();
    for (int k = 0; k < located->found->count; k++) {
        json_t *hit = located_hit(located, k);
        json_put(&hit, "tile", json_integer((json_int_t)located->hits[k].number));
        json_push(&list, hit);
    }
    return list;
}

static json_t *tiles_of(const gvm_located *photo)
{
    json_t *list = json_array();
    for (int k = 0; k < photo->tile_count; k++) {
        const gvm_hit *hit = &photo->tiles[k];
        json_t *heading = isnan(hit->heading) ? json_null() : json_real(hit->heading);
        json_push(&list, json_pack("{sI,sf,sf,sf,sf,so}", "id", (json_int_t)hit->number, "lat", hit->lat, "lon",
                                   hit->lon, "half_tile_m", hit->half_tile_m, "score", hit->score, "heading", heading));
    }
    return list;
}

static json_t *json_of(const gvm_located *photo, double min_margin)
{
    struct located located = {.hits = photo->hits,
                              .found = photo->found,
                              .p = photo->p,
                              .chance = photo->chance,
                              .lat = NAN,
                              .lon = NAN,
                              .min_margin = min_margin,
                              .views = photo->views,
                              .camera = photo->camera};
    json_t *json = json_object();
    located_facts(&json, &located);
    json_put(&json, "answers", answers_of(&located));
    json_put(&json, "top_tiles", tiles_of(photo));
    return json;
}

/* ------------------------------------------------------------------ the request */

bool read_located(gvm_located *photo, struct request *r)
{
    if (r->service->map_info.tiles == 0)
        return refuse(r, 422, "The map is empty: it has no tile to compare the picture with.");
    if (!work_queue(r)) return false;
    if (read_street(photo, r)) return true;
    engine_leave(r->service->engine);
    return false;
}

enum MHD_Result locate_post(struct request *r)
{
    struct work work = {.top = 0};
    struct question question;
    gvm_found found = {0};
    gvm_chance chance = {.known = 0};
    gvm_camera camera = {.size = sizeof camera};
    if (!read_question(&question, r)) return reply_refused(r);
    work.top = question.top;
    gvm_hit *hits = calloc((size_t)work.top, sizeof *hits);
    double *p = calloc((size_t)work.top, sizeof *p);
    if (hits == NULL || p == NULL) refuse(r, 503, "Out of memory for the answer; try again in a moment.");
    json_t *json = NULL;
    work.photo = (gvm_located){
        .question = &question.asked, .hits = hits, .found = &found, .p = p, .chance = &chance, .camera = &camera};
    if (!r->refused && read_located(&work.photo, r) && work_done(r, &work))
        json = json_of(&work.photo, question.min_margin);
    free(work.photo.pixels);
    free(hits);
    free(p);
    return r->refused ? reply_refused(r) : reply_json(r, "application/json", json);
}
