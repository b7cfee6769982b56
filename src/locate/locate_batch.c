/* locate_batch.c - locates a batch of pictures in memory: embeds, searches, and merges hits into answers.
 *
 * Maps of cells (weights whose aerial view has zooms) have answers of cells side by side, weighted by their p.
 *
 * A street picture with an unknown heading becomes several queries, one for each heading; a tile's score is its best
 * one, and that heading is the estimate. A pass of the network may give several of them (embedder_run_turns). If
 * the heading is from magnetic north, only it and its two neighbours are tried
 * (docs/decisions/0002-magnetic-headings.md). Weights for photos have no heading: a panorama becomes several views, and
 * the mean of their features is one query. */
#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "image/panorama.h"
#include "locate/answers.h"
#include "locate/chance.h"
#include "network/session.h"
#include "network/street.h"
#include "search/search.h"

static const double REACH_CELLS = 1.5; /* distance within which cells join an answer's best one, in cells */

struct look {
    gvm_located *asked;
    size_t picture; /* its number in the batch */
    double heading; /* NaN: the weights take no heading */
    int view;       /* index of the view of a panorama */
    int stride;     /* its pass gives this look, and if > 0 those that follow it by 1 .. turns - 1 strides; -1: it is
                       one of the latter */
};

struct gvm_locator {
    gvm_session *session;
    const gvm_map *map;
    int trials;            /* headings tried if it is unknown */
    int turns;             /* headings that a pass of the network gives */
    struct look *looks;    /* (max_batch, trials or views) picture after picture */
    unsigned char *pixels; /* (max_batch, H, W, 3) turned */
    size_t *passes;        /* (max_batch) the first look of each of these pictures */
    float *rows;           /* (max_batch, turns, D) their features */
    float *features;       /* (looks, D) */
    gvm_hit *raw;          /* (looks, room) of each look */
    size_t *field;         /* (looks) the picture of each look */
    float *kept;           /* (count, tiles) all scores of these pictures; NULL: not kept */
    double reach;          /* answers_make's: of a map of cells, metres; 0 for a map of overlapping tiles */
    bool photos;           /* the weights take pictures without a heading */

    int most_hits;      /* allocated answers of a picture */
    int max_hits, room; /* answers of a picture and hits of a look in this call */
    bool merge;
};

/* A gvm_located of an older header ends before the probabilities and the views, or before the camera. */
enum { LEAST_SIZE = offsetof(gvm_located, p) };

static bool has_chance(const gvm_located *photo)
{
    return photo->size >= offsetof(gvm_located, camera);
}

static gvm_camera *camera_of(const gvm_located *photo)
{
    return photo->size >= sizeof *photo ? photo->camera : NULL;
}

/* The heading to rotate a picture by; 0 and *known = false if it is unknown or magnetic, so that several are tried. */
static double heading_of(bool *known, const gvm_question *q, const gvm_photo_info *info)
{
    *known = isfinite(q->heading) || (isnan(q->heading) && info->has_heading && !info->heading_is_magnetic);
    return isfinite(q->heading) ? q->heading : *known ? info->heading : 0;
}

/* Fails with GVM_ARGUMENT if a question's position is invalid. */
static gvm_status check_place(const gvm_question *q, const gvm_photo_info *info, gvm_error *err)
{
    const char *where = path_tail(q->photo);
    if (q->within_m == 0) return GVM_OK;
    if (isnan(q->lat) && isnan(q->lon) && q->within_m > 0) {
        if (info->has_place) return GVM_OK;
        return fail(err, GVM_ARGUMENT, "%s: it has no GPS position to search around", where);
    }
    if (fabs(q->lat) <= 90 && fabs(q->lon) <= 180 && q->within_m > 0) return GVM_OK;
    return fail(
        err, GVM_ARGUMENT,
        "%s: invalid search area %g m around %g, %g; expected a latitude within 90 and a longitude within 180 degrees",
        where, q->within_m, q->lat, q->lon);
}

/* The heading of a camera is true north's, unless its declination is unknown. If it is not used, the camera has none.
 */
static void take_camera(struct street *street, gvm_photo_info *info, const gvm_question *q)
{
    struct camera_facts *f = &street->facts;
    info->has_heading = f->heading_from != GVM_SOURCE_NONE;
    info->heading = f->camera.heading;
    info->heading_is_magnetic = f->magnetic && f->year == 0;
    if (isfinite(q->heading)) {
        f->camera.heading = q->heading - 360 * floor(q->heading / 360);
        f->heading_from = GVM_SOURCE_OPTION;
        f->magnetic = false;
    } else if (isinf(q->heading)) {
        f->camera.heading = 0;
        f->heading_from = GVM_SOURCE_NONE;
        f->magnetic = false;
    }
}

static gvm_status prepare_pixels(gvm_located *photo, const gvm_picture *picture, const gvm_model *model)
{
    const gvm_question *q = photo->question;
    struct street street;
    bool known, photos = !has_headings(model);
    int room = has_chance(photo) && photo->room > 0 ? photo->room : 1, views;
    gvm_error *err = &photo->err;
    gvm_status status = street_choose(&street, picture, model, q->panorama, q->camera, err);
    if (status == GVM_OK && street.way == STREET_CANVAS) take_camera(&street, &photo->info, q);
    if (status == GVM_OK) status = street_describe(camera_of(photo), &street, picture, err);
    photo->heading = photos ? NAN : heading_of(&known, q, &photo->info);
    photo->turn = photos ? 0 : panorama_columns(photo->heading, view_size(model, GVM_STREET)[1]);
    if (status == GVM_OK)
        status = street_fit(&street, picture, model, photo->pixels, room, &photo->heading, &views, err);
    if (status == GVM_OK && has_chance(photo)) photo->views = views;
    photo->status = status;
    return status;
}

gvm_status gvm_located_prepare(gvm_located *photo, const gvm_picture *picture, const gvm_model *model)
{
    const gvm_question *q = photo->question;
    gvm_picture_info about = {.size = sizeof about};
    if (photo->size < LEAST_SIZE) return GVM_ARGUMENT;
    photo->status = gvm_picture_about(picture, &about, &photo->err);
    photo->info = about.photo;
    photo->tile_count = 0;
    if (photo->status == GVM_OK) photo->status = check_place(q, &photo->info, &photo->err);
    if (photo->status != GVM_OK) return photo->status;
    return prepare_pixels(photo, picture, model);
}

static int views_of(const gvm_located *photo)
{
    return has_chance(photo) && photo->views > 1 ? photo->views : 1;
}

/* The looks of a picture without a known heading; returns how many. near: a heading from magnetic north. */
static size_t list_trials(const gvm_locator *b, struct look *looks, const struct look *like, const double *near)
{
    const double step = 360.0 / b->trials;
    bool few = near != NULL && b->trials > 3;
    int n = few ? 3 : b->trials, passes = !few && b->turns > 1 && n % b->turns == 0 ? n / b->turns : 0;
    for (int h = 0; h < n; h++) {
        looks[h] = *like;
        looks[h].heading = (few ? *near - step : near ? *near : 0) + h * step;
        looks[h].stride = passes == 0 ? 0 : h < passes ? passes : -1;
    }
    return (size_t)n;
}

/* Returns how many there are. */
static size_t list_looks(gvm_locator *b, gvm_located *const *asked, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        bool known, near = isnan(asked[i]->question->heading) && asked[i]->info.has_heading;
        if (asked[i]->status != GVM_OK) continue;
        for (int v = 0; b->photos && v < views_of(asked[i]); v++)
            b->looks[n++] = (struct look){.asked = asked[i], .picture = i, .heading = NAN, .view = v};
        asked[i]->found->heading_found = 0;
        if (b->photos) continue;
        const struct look look = {
            .asked = asked[i], .picture = i, .heading = heading_of(&known, asked[i]->question, &asked[i]->info)};
        asked[i]->found->heading_found = !known;
        if (known)
            b->looks[n++] = look;
        else
            n += list_trials(b, b->looks + n, &look, near ? &asked[i]->info.heading : NULL);
    }
    return n;
}

/* Gather the pictures of the next passes from look *at on, all of them turned or none; advances *at. Returns how many.
 */
static size_t next_passes(gvm_locator *b, size_t *at, size_t count)
{
    const struct picture_shape shape = config_shape(&b->session->model->network->config, GVM_STREET);
    size_t n = 0, bytes = picture_bytes(&shape);
    for (; *at < count; ++*at) {
        const struct look *look = &b->looks[*at];
        if (look->stride < 0) continue;
        if (n == (size_t)b->session->max_batch || (n > 0 && (look->stride > 0) != (b->looks[b->passes[0]].stride > 0)))
            break;
        unsigned char *pixels = b->pixels + n * bytes;
        memcpy(pixels, look->asked->pixels + (size_t)look->view * bytes, bytes);
        if (look->asked->found->heading_found) panorama_turn(pixels, &shape, look->heading);
        b->passes[n++] = *at;
    }
    return n;
}

/* Embed the looks; a picture whose embedding fails gets its status. */
static void embed_looks(gvm_locator *b, size_t count)
{
    size_t D = (size_t)b->map->width, n;
    for (size_t at = 0; (n = next_passes(b, &at, count)) > 0;) {
        bool turned = b->looks[b->passes[0]].stride > 0;
        size_t each = turned ? (size_t)b->turns : 1;
        bool ran = (turned ? session_embed_turns : session_embed)(b->session, GVM_STREET, b->rows, b->pixels, n);
        for (size_t i = 0; i < n * each; i++) {
            size_t first = b->passes[i / each], look = first + i % each * (size_t)b->looks[first].stride;
            gvm_located *asked = b->looks[look].asked;
            memcpy(b->features + look * D, b->rows + i * D, D * sizeof *b->rows);
            if (!ran || !is_feature(b->rows + i * D, D))
                asked->status = fail_embedding(&asked->err, b->session, ran, asked->question->photo);
        }
    }
}

/* Replace the views of each picture by one look with their mean feature; returns how many looks are left. */
static size_t join_views(gvm_locator *b, size_t count)
{
    size_t D = (size_t)b->map->width, n = 0;
    for (size_t at = 0, next; at < count; at = next, n++) {
        gvm_located *asked = b->looks[at].asked;
        int views = b->photos ? views_of(asked) : 1;
        next = at + (size_t)views;
        b->looks[n] = b->looks[at];
        if (asked->status == GVM_OK && !mean_feature(b->features + n * D, b->features + at * D, views, D))
            asked->status = fail_embedding(&asked->err, b->session, true, asked->question->photo);
    }
    return n;
}

/* Search for the looks first..last-1; hits are (looks, room). */
static gvm_status search(const gvm_locator *b, gvm_hit *raw, int room, int *each, size_t first, size_t last,
                         const struct search_among *among, gvm_error *err)
{
    return map_search(raw, room, each, b->map, b->session->model, among, b->features + first * (size_t)b->map->width,
                      last - first, err);
}

/* Make answers from the hits (looks, room) of a picture's looks, `each` hits of each look; this compacts `raw`. Returns
 * the look with the best hit. */
static size_t make_answers(const gvm_locator *b, gvm_located *asked, gvm_hit *raw, int room, int each, size_t first,
                           size_t last)
{
    gvm_found *found = asked->found;
    size_t count = 0, best = first;
    double most = -INFINITY;
    for (size_t l = first; l < last; l++)
        for (int i = 0; i < each; i++, count++) {
            raw[count] = raw[(l - first) * (size_t)room + (size_t)i];
            raw[count].heading = b->looks[l].heading - 360 * floor(b->looks[l].heading / 360);
            if (raw[count].score > most) best = l, most = raw[count].score;
        }
    count = answers_sort(raw, count);
    asked->tile_count = count < GVM_BEST_TILES ? (int)count : GVM_BEST_TILES;
    memcpy(asked->tiles, raw, (size_t)asked->tile_count * sizeof *raw);
    found->count = answers_make(asked->hits, b->max_hits, &found->margin, raw, count, b->reach, b->merge);
    return best;
}

/* Keep the picture as rotated for its best hit. */
static void keep_best_look(const gvm_locator *b, gvm_located *asked, size_t best)
{
    const struct picture_shape shape = config_shape(&b->session->model->network->config, GVM_STREET);
    size_t D = (size_t)b->map->width;
    if (asked->found->heading_found) panorama_turn(asked->pixels, &shape, b->looks[best].heading);
    asked->heading = b->looks[best].heading;
    if (!b->photos) asked->turn = panorama_columns(asked->heading, shape.width);
    if (asked->feature != NULL) memcpy(asked->feature, b->features + best * D, D * sizeof *asked->feature);
}

/* Compute the probabilities of a picture's answers from all scores. */
static gvm_status weigh(const gvm_locator *b, gvm_located *asked, const struct search_among *among, const float *kept,
                        gvm_error *err)
{
    int count = asked->found->count;
    size_t tiles = b->map->tiles.count;
    struct score_field field = {
        .map = b->map, .scores = kept, .items = among->items, .count = among->items != NULL ? among->count : tiles};
    if (count == 0) return GVM_OK;
    if (kept != NULL) chance_scale(&field, b->map, b->session->model->info.score_scale);
    double metres = !b->merge ? 0 : b->reach > 0 ? b->reach : 2 * asked->hits->half_tile_m;
    if (metres > 0 && b->reach > 0 && field.sharpness > 0) chance_places(asked->hits, count, metres, &field);
    if (!has_chance(asked)) return GVM_OK;
    assert(kept != NULL || asked->scores == NULL);
    for (size_t i = 0; i < tiles && asked->scores != NULL; i++) asked->scores[i] = NAN;
    for (size_t i = 0; i < field.count && asked->scores != NULL; i++)
        asked->scores[among->items != NULL ? among->items[i] : i] = kept[i];
    gvm_chance chance;
    gvm_status status = chance_find(&chance, asked->p, asked->hits, count, metres, &field, err);
    if (asked->chance != NULL) *asked->chance = chance;
    return status;
}

/* If tiles are so dense that all hits belong to a few answers, search again for more hits until there are enough
 * answers and one that does not overlap with the first. */
static gvm_status answer(const gvm_locator *b, gvm_located *asked, size_t first, size_t last, int each,
                         const struct search_among *among, gvm_error *err)
{
    assert(first < last);
    gvm_found *found = asked->found;
    gvm_status status = GVM_OK;
    int room = b->room;
    size_t best = make_answers(b, asked, b->raw + first * (size_t)room, room, each, first, last);
    while (status == GVM_OK && each == room && (found->count < b->max_hits || isnan(found->margin))) {
        const struct search_among again = {.items = among->items, .count = among->count};
        room = room > INT_MAX / 8 ? INT_MAX : 8 * room;
        if ((size_t)room > b->map->tiles.count) room = (int)b->map->tiles.count;
        if (room <= each) break; /* that was the whole map */
        gvm_hit *raw = malloc((last - first) * (size_t)room * sizeof *raw);
        status = raw != NULL
                     ? search(b, raw, room, &each, first, last, &again, err)
                     : fail(err, GVM_MEMORY, "%s: out of memory for its hits", path_tail(asked->question->photo));
        if (status == GVM_OK) best = make_answers(b, asked, raw, room, each, first, last);
        free(raw);
    }
    if (status == GVM_OK && found->count > 0) keep_best_look(b, asked, best);
    if (status != GVM_OK || found->count > 0) return status;
    const gvm_question *q = asked->question;
    bool own = isnan(q->lat);
    return fail(err, GVM_ARGUMENT, "%s: no tile of the map lies within %g m of %.6f, %.6f", path_tail(q->photo),
                q->within_m, own ? asked->info.lat : q->lat, own ? asked->info.lon : q->lon);
}

/* Search for one picture if that is not done yet (each < 0), and make its answers. */
static gvm_status answer_one(gvm_locator *b, size_t first, size_t last, int each, gvm_error *err)
{
    gvm_located *own = b->looks[first].asked;
    const gvm_question *q = own->question;
    size_t picture = b->looks[first].picture;
    float *kept = b->kept != NULL ? b->kept + picture * b->map->tiles.count : NULL;
    struct search_among among = {.kept = kept, .field = b->field};
    gvm_status status = GVM_OK;
    size_t *items = NULL;
    if (q->within_m > 0) {
        bool gps = isnan(q->lat);
        among.items = items =
            map_near(&among.count, b->map, gps ? own->info.lat : q->lat, gps ? own->info.lon : q->lon, q->within_m);
        if (items == NULL)
            status = fail(err, GVM_MEMORY, "%s: cannot search the map: out of memory", path_tail(q->photo));
    }
    for (size_t l = 0; l < last - first; l++) b->field[l] = 0;
    if (status == GVM_OK && each < 0)
        status = search(b, b->raw + first * (size_t)b->room, b->room, &each, first, last, &among, err);
    if (status == GVM_OK) status = answer(b, own, first, last, each, &among, err);
    if (status == GVM_OK) status = weigh(b, own, &among, kept, err);
    free(items);
    return status;
}

/* Search for all looks at once, unless a picture has a search area of its own or a feature is missing. */
static void answer_all(gvm_locator *b, size_t looks)
{
    bool together = looks > 0;
    int each = -1;
    for (size_t l = 0; l < looks; l++) {
        if (b->looks[l].asked->status != GVM_OK || b->looks[l].asked->question->within_m > 0) together = false;
        b->field[l] = b->looks[l].picture;
    }
    gvm_error err;
    const struct search_among among = {.kept = b->kept, .field = b->field};
    gvm_status status = together ? search(b, b->raw, b->room, &each, 0, looks, &among, &err) : GVM_OK;
    for (size_t first = 0, last; first < looks; first = last) {
        gvm_located *own = b->looks[first].asked;
        for (last = first; last < looks && b->looks[last].asked == own;) last++;
        if (own->status != GVM_OK) continue;
        if ((own->status = status) != GVM_OK)
            own->err = err;
        else
            own->status = answer_one(b, first, last, each, &own->err);
    }
}

/* Allocate the scores of all tiles if they are wanted or if probabilities are: p is reported, or cells need it. */
static gvm_status keep_scores(gvm_locator *b, gvm_located *const *photos, size_t count, gvm_error *err)
{
    bool has_p = b->session->model->info.score_scale > 0, wanted = has_p && b->reach > 0;
    for (size_t i = 0; i < count; i++) {
        const gvm_located *photo = photos[i];
        if (has_chance(photo) && (photo->scores || (has_p && (photo->p || photo->chance)))) wanted = true;
    }
    size_t scores = count * b->map->tiles.count;
    b->kept = NULL;
    if (!wanted) return GVM_OK;
    b->kept = malloc((scores + 1) * sizeof *b->kept);
    if (b->kept == NULL) return fail(err, GVM_MEMORY, "out of memory for the scores of %zu tiles", b->map->tiles.count);
    for (size_t i = 0; i < scores; i++) b->kept[i] = -INFINITY;
    return GVM_OK;
}

gvm_status gvm_locator_run(gvm_locator *b, gvm_located *const *photos, size_t count, int max_hits, int each_tile,
                           gvm_error *err)
{
    clear_error(err);
    if (max_hits < 1 || max_hits > b->most_hits)
        return fail(err, GVM_ARGUMENT, "%d hits requested; expected 1 to %d", max_hits, b->most_hits);
    if (count > (size_t)b->session->max_batch)
        return fail(err, GVM_ARGUMENT, "%zu pictures exceed the session's batch size of %d", count,
                    b->session->max_batch);
    for (size_t i = 0; i < count; i++)
        if (photos[i]->size < LEAST_SIZE)
            return fail(err, GVM_ARGUMENT, "a picture's size is %zu; set it to its sizeof", photos[i]->size);
    b->max_hits = max_hits;
    b->room = raw_hits_for(max_hits);
    b->merge = each_tile == 0;
    gvm_status status = keep_scores(b, photos, count, err);
    if (status != GVM_OK) return status;
    size_t looks = list_looks(b, photos, count);
    embed_looks(b, looks);
    looks = join_views(b, looks);
    answer_all(b, looks);
    free(b->kept);
    for (size_t i = 0; i < count; i++) photos[i]->found->info = photos[i]->info;
    return GVM_OK;
}

gvm_status gvm_locator_open(gvm_locator **locator, gvm_session *session, const gvm_map *map, int max_hits,
                            gvm_error *err)
{
    clear_error(err);
    *locator = NULL;
    gvm_status status = search_check(map, session->model, max_hits, err);
    if (status != GVM_OK) return status;
    gvm_locator *b = calloc(1, sizeof *b);
    const struct network *network = session->model->network;
    size_t most = (size_t)session->max_batch, looks = 0, D = (size_t)map->width;
    if (b != NULL) {
        b->session = session;
        b->map = map;
        b->most_hits = max_hits;
        b->trials = network_headings(network);
        b->turns = network->views[GVM_STREET].turns;
        looks = most * (size_t)(b->trials > GVM_PANORAMA_VIEWS ? b->trials : GVM_PANORAMA_VIEWS);
        b->passes = malloc(most * sizeof *b->passes);
        b->rows = malloc(most * (size_t)b->turns * D * sizeof *b->rows);
        b->looks = malloc(looks * sizeof *b->looks);
        b->pixels = malloc(most * view_bytes(session->model, GVM_STREET));
        b->features = malloc(looks * D * sizeof *b->features);
        b->field = malloc(looks * sizeof *b->field);
        b->reach = REACH_CELLS * network->config.cell_m;
        b->photos = !has_headings(session->model);
        b->raw = malloc(looks * (size_t)raw_hits_for(max_hits) * sizeof *b->raw);
    }
    if (b == NULL || !b->looks || !b->pixels || !b->passes || !b->rows || !b->features || !b->field || !b->raw) {
        gvm_locator_free(b);
        return fail(err, GVM_MEMORY, "cannot locate photos: out of memory");
    }
    *locator = b;
    return GVM_OK;
}

void gvm_locator_free(gvm_locator *b)
{
    if (b == NULL) return;
    free(b->looks);
    free(b->pixels);
    free(b->passes);
    free(b->rows);
    free(b->features);
    free(b->field);
    free(b->raw);
    free(b);
}
