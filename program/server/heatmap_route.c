/* heatmap_route.c - /v1/heatmap: heat maps of a picture or of one of the map's tiles. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/encode.h"
#include "image/heat.h"
#include "server/service.h"

/* The inputs of a heat map. */
struct wanted {
    gvm_view view;
    int stage;
    bool has_tile;
    size_t tile;
    struct question question;
    gvm_located photo;     /* its pixels NULL: not needed */
    unsigned char *aerial; /* NULL: not needed */
    float *map, *feature;
};

static bool read_heat(struct wanted *h, struct request *r, gvm_view view)
{
    const char *seen = parameter(r, VIEW), *stage = parameter(r, STAGE), *tile = parameter(r, TILE);
    const char *heading = parameter(r, HEADING);
    h->view = view;
    h->has_tile = tile != NULL;
    if (seen != NULL && strcmp(seen, "street") != 0 && strcmp(seen, "aerial") != 0)
        refuse(r, 400, "The parameter view takes street or aerial, got '%.40s'.", seen);
    else if (seen != NULL)
        h->view = strcmp(seen, "street") == 0 ? GVM_STREET : GVM_AERIAL;
    if (stage != NULL && strcmp(stage, "multi") != 0) {
        if (strlen(stage) == 1 && *stage >= '1' && *stage <= '4')
            h->stage = *stage - '0';
        else
            refuse(r, 400, "The parameter stage takes 1, 2, 3, 4 or multi, got '%.40s'.", stage);
    }
    if (tile != NULL && !read_tile(&h->tile, r, tile, "")) refuse(r, 404, "The map has no tile '%.40s'.", tile);
    if (h->view == GVM_AERIAL && tile == NULL) refuse(r, 400, "The parameter tile, a tile's number, is required.");
    if (heading != NULL && strcmp(heading, "find") == 0)
        refuse(r, 400, "The parameter heading takes degrees from -360 to 360 here; a heat map cannot estimate it.");
    return !r->refused && read_question(&h->question, r);
}

/* The tile as the network's input. */
static bool read_aerial(struct wanted *h, struct request *r)
{
    const gvm_view_info *v = &r->service->views[GVM_AERIAL];
    gvm_hit hit;
    gvm_error err;
    if (v->height != v->width)
        return refuse(r, 422, "Heat maps of these weights' tiles are unsupported, because they are not square.");
    if (v->zoom_count > 0)
        return refuse(r, 422, "Heat maps of these weights' tiles are unsupported, because they have several pictures.");
    h->aerial = malloc(input_bytes(r->service, GVM_AERIAL));
    gvm_status status = GVM_MEMORY;
    if (h->aerial != NULL) {
        if (!work_enter(r)) return false;
        status = gvm_map_tile(r->service->map, h->tile, &hit, &err);
        if (status == GVM_OK) status = gvm_map_picture(r->service->map, &hit, h->aerial, v->height, &err);
        work_leave(r);
    }
    if (status == GVM_OK) return true;
    if (status == GVM_MEMORY) return refuse(r, 503, "Out of memory for the tile; try again in a moment.");
    return refuse(r, 404, "The imagery of tile %zu is missing or unreadable.", h->tile);
}

/* The tile's feature from the map. */
static bool read_feature(struct wanted *h, struct request *r)
{
    gvm_error err;
    h->feature = malloc((size_t)r->service->info.features * sizeof *h->feature);
    if (h->feature != NULL && gvm_map_feature(r->service->map, h->tile, h->feature, &err) == GVM_OK) return true;
    return refuse(r, 503, "Out of memory for the heat map; try again in a moment.");
}

static enum MHD_Result draw(struct wanted *h, struct request *r)
{
    const gvm_view_info *v = &r->service->views[h->view];
    unsigned char *pixels = h->view == GVM_STREET ? h->photo.pixels : h->aerial;
    h->map = malloc((size_t)v->height * (size_t)v->width * sizeof *h->map);
    if (h->map == NULL) {
        engine_leave(r->service->engine);
        return reply_problem(r, 503, "Out of memory for the heat map; try again in a moment.");
    }
    struct work work = {.view = h->view,
                        .stage = h->stage,
                        .pixels = pixels,
                        .partner = h->view == GVM_AERIAL ? h->photo.pixels : NULL,
                        .other = h->view == GVM_STREET ? h->feature : NULL,
                        .heat = h->map};
    if (!work_done(r, &work)) return reply_refused(r);
    heat_cover(pixels, v->height, v->width,
               &(struct heat){h->map, v->height, v->width, 0, {0, 0, v->width, v->height}, 1});
    size_t bytes = 0;
    void *png = image_encode(&bytes, PNG, pixels, 3, v->width, v->height);
    return reply_owned(r, "image/png", png, bytes, NULL);
}

/* A panorama with several views would have several maps. */
static bool check_single(const struct wanted *h, struct request *r)
{
    if (h->photo.views <= 1) return true;
    r->retry = "panorama=no";
    return refuse(r, 422,
                  "The picture is a full panorama, which makes %d views with these weights, but a heat map shows one.",
                  h->photo.views);
}

static enum MHD_Result answer(struct request *r, gvm_view view)
{
    struct wanted h = {.stage = 0};
    if (!read_heat(&h, r, view) || !work_queue(r)) return reply_refused(r);
    bool ready = true;
    if (r->size > 0) {
        h.question.asked.within_m = 0;
        h.photo.question = &h.question.asked;
        ready = read_street(&h.photo, r) && check_single(&h, r);
    }
    if (ready && h.view == GVM_AERIAL) ready = read_aerial(&h, r);
    if (ready && h.view == GVM_STREET && h.has_tile) ready = read_feature(&h, r);
    if (!ready) engine_leave(r->service->engine);
    enum MHD_Result result = ready ? draw(&h, r) : reply_refused(r);
    free(h.photo.pixels);
    free(h.aerial);
    free(h.map);
    free(h.feature);
    return result;
}

enum MHD_Result heatmap_get(struct request *r)
{
    const char *view = parameter(r, VIEW);
    if (view != NULL && strcmp(view, "aerial") != 0)
        return reply_problem(r, 400, "A heat map of a street picture needs POST with the picture.");
    return answer(r, GVM_AERIAL);
}

enum MHD_Result heatmap_post(struct request *r)
{
    return answer(r, GVM_STREET);
}
