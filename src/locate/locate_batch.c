/* locate_batch.c - see locate_batch.h: the network, the search, and what is made of its hits.
 *
 * A panorama whose heading nobody knows is looked at in HEADINGS directions, each of which is a query; a tile counts
 * with its best one, which is also the estimate of the heading. One whose heading is from magnetic north is looked at
 * in that direction and in the next to either side (docs/decisions/0002-magnetic-headings.md). */
#include "locate/locate_batch.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "image/panorama.h"
#include "locate/answers.h"
#include "network/session.h"
#include "search/search.h"

enum { HEADINGS = 16 };

struct look {
    struct asked *asked;
    double heading;
};

struct locate_batch {
    gvm_session *session;
    const gvm_map *map;
    struct look *looks;    /* (max_batch HEADINGS) picture after picture */
    unsigned char *pixels; /* (max_batch, H, W, 3) turned */
    float *features;       /* (max_batch HEADINGS, D) */
    gvm_hit *raw;          /* (max_batch HEADINGS, room) of each look */

    int max_hits, room; /* answers a picture, and hits kept of a look, this time */
    bool merge;
};

double locate_heading(bool *known, const gvm_question *q, const gvm_photo_info *info)
{
    *known = isfinite(q->heading) || (isnan(q->heading) && info->has_heading && !info->heading_is_magnetic);
    return isfinite(q->heading) ? q->heading : *known ? info->heading : 0;
}

gvm_status locate_check(const gvm_question *q, gvm_error *err)
{
    const char *where = path_tail(q->photo);
    if (q->within_m == 0 || (fabs(q->lat) <= 90 && fabs(q->lon) <= 180 && q->within_m > 0)) return GVM_OK;
    if (isnan(q->lat) || isnan(q->lon))
        return fail(err, GVM_ARGUMENT, "%s: it gives no GPS position, around which to search", where);
    return fail(err, GVM_ARGUMENT,
                "%s: %g m around %g, %g is nowhere: latitudes go to 90 and longitudes to 180 degrees", where,
                q->within_m, q->lat, q->lon);
}

/* Returns how many there are. */
static size_t list_looks(struct locate_batch *b, struct asked *asked, size_t count)
{
    const double step = 360.0 / HEADINGS;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        bool known, near = isnan(asked[i].question->heading) && asked[i].info.has_heading;
        if (asked[i].status != GVM_OK) continue;
        double first = locate_heading(&known, asked[i].question, &asked[i].info);
        if (!known && near) first = asked[i].info.heading - step;
        asked[i].found->heading_found = !known;
        for (int h = 0; h < (known ? 1 : near ? 3 : HEADINGS); h++)
            b->looks[n++] = (struct look){&asked[i], first + h * step};
    }
    return n;
}

/* Features of the looks; a picture for which that fails gets its status. */
static void embed_looks(struct locate_batch *b, size_t count)
{
    const int *size = view_size(b->session->model, GVM_STREET);
    size_t bytes = view_bytes(b->session->model, GVM_STREET), D = (size_t)b->map->width, n;
    for (size_t at = 0; at < count; at += n) {
        n = count - at < (size_t)b->session->max_batch ? count - at : (size_t)b->session->max_batch;
        for (size_t i = 0; i < n; i++) {
            const struct look *look = &b->looks[at + i];
            memcpy(b->pixels + i * bytes, look->asked->pixels, bytes);
            if (look->asked->found->heading_found)
                panorama_turn(b->pixels + i * bytes, size[0], size[1], look->heading);
        }
        bool ran = session_embed(b->session, GVM_STREET, b->features + at * D, b->pixels, n);
        for (size_t i = 0; i < n; i++) {
            struct asked *asked = b->looks[at + i].asked;
            if (!ran || !is_feature(b->features + (at + i) * D, D))
                asked->status = fail_embedding(&asked->err, b->session, ran, asked->question->photo);
        }
    }
}

/* Hits (looks, room) of the looks first..last-1, near a question's place or, without one, everywhere. */
static gvm_status search(const struct locate_batch *b, gvm_hit *raw, int room, int *each, size_t first, size_t last,
                         const gvm_question *near, gvm_error *err)
{
    const gvm_model *model = b->session->model;
    const float *features = b->features + first * (size_t)b->map->width;
    if (near == NULL || !(near->within_m > 0))
        return gvm_map_search(b->map, model, raw, room, each, features, last - first, err);
    return gvm_map_search_near(b->map, model, raw, room, each, features, last - first, near->lat, near->lon,
                               near->within_m, err);
}

/* Make answers of the hits (looks, room) of a picture's looks, `each` of every one; they are moved together. */
static void make_answers(const struct locate_batch *b, struct asked *asked, gvm_hit *raw, int room, int each,
                         size_t first, size_t last)
{
    gvm_found *found = asked->found;
    size_t count = 0;
    for (size_t l = first; l < last; l++)
        for (int i = 0; i < each; i++, count++) {
            raw[count] = raw[(l - first) * (size_t)room + (size_t)i];
            raw[count].heading = b->looks[l].heading - 360 * floor(b->looks[l].heading / 360);
        }
    count = answers_sort(raw, count);
    asked->tile_count = count < ASKED_TILES ? (int)count : ASKED_TILES;
    memcpy(asked->tiles, raw, (size_t)asked->tile_count * sizeof *raw);
    found->count = answers_make(asked->hits, b->max_hits, &found->margin, raw, count, b->merge);
}

/* Where tiles stand so close that all hits were of a few places, more of them are asked for, until there are answers
 * enough and one that does not overlap with the first. */
static gvm_status answer(const struct locate_batch *b, struct asked *asked, size_t first, size_t last, int each,
                         gvm_error *err)
{
    const gvm_question *q = asked->question;
    gvm_found *found = asked->found;
    gvm_status status = GVM_OK;
    int room = b->room;
    make_answers(b, asked, b->raw + first * (size_t)room, room, each, first, last);
    while (status == GVM_OK && each == room && (found->count < b->max_hits || isnan(found->margin))) {
        room = room > INT_MAX / 8 ? INT_MAX : 8 * room;
        if ((size_t)room > b->map->tiles.count) room = (int)b->map->tiles.count;
        if (room <= each) break; /* that was the whole map */
        gvm_hit *raw = malloc((last - first) * (size_t)room * sizeof *raw);
        status = raw != NULL
                     ? search(b, raw, room, &each, first, last, q, err)
                     : fail(err, GVM_MEMORY, "%s: there is not enough memory for its hits", path_tail(q->photo));
        if (status == GVM_OK) make_answers(b, asked, raw, room, each, first, last);
        free(raw);
    }
    if (status != GVM_OK || found->count > 0) return status;
    return fail(err, GVM_ARGUMENT, "%s: no tile of the map lies within %g m of %.6f, %.6f", path_tail(q->photo),
                q->within_m, q->lat, q->lon);
}

/* All looks in one search, unless some picture is looked for in a place of its own, or a feature is missing. */
static void answer_all(struct locate_batch *b, size_t looks)
{
    bool together = looks > 0;
    int each = 0;
    for (size_t l = 0; l < looks; l++)
        if (b->looks[l].asked->status != GVM_OK || b->looks[l].asked->question->within_m > 0) together = false;
    gvm_error err;
    gvm_status status = together ? search(b, b->raw, b->room, &each, 0, looks, NULL, &err) : GVM_OK;
    for (size_t first = 0, last; first < looks; first = last) {
        struct asked *own = b->looks[first].asked;
        for (last = first; last < looks && b->looks[last].asked == own;) last++;
        if (own->status != GVM_OK) continue;
        if (!together)
            own->status =
                search(b, b->raw + first * (size_t)b->room, b->room, &each, first, last, own->question, &own->err);
        else if ((own->status = status) != GVM_OK)
            own->err = err;
        if (own->status == GVM_OK) own->status = answer(b, own, first, last, each, &own->err);
    }
}

void locate_batch_run(struct locate_batch *b, struct asked *asked, size_t count, int max_hits, bool merge)
{
    b->max_hits = max_hits;
    b->room = raw_hits_for(max_hits);
    b->merge = merge;
    size_t looks = list_looks(b, asked, count);
    embed_looks(b, looks);
    answer_all(b, looks);
    for (size_t i = 0; i < count; i++) asked[i].found->info = asked[i].info;
}

gvm_status locate_batch_open(struct locate_batch **batch, gvm_session *session, const gvm_map *map, int most_hits,
                             gvm_error *err)
{
    *batch = NULL;
    gvm_status status = search_check(map, session->model, most_hits, err);
    if (status != GVM_OK) return status;
    struct locate_batch *b = calloc(1, sizeof *b);
    size_t most = (size_t)session->max_batch, looks = most * HEADINGS, D = (size_t)map->width;
    if (b != NULL) {
        b->session = session;
        b->map = map;
        b->looks = malloc(looks * sizeof *b->looks);
        b->pixels = malloc(most * view_bytes(session->model, GVM_STREET));
        b->features = malloc(looks * D * sizeof *b->features);
        b->raw = malloc(looks * (size_t)raw_hits_for(most_hits) * sizeof *b->raw);
    }
    if (b == NULL || !b->looks || !b->pixels || !b->features || !b->raw) {
        locate_batch_free(b);
        return fail(err, GVM_MEMORY, "there is not enough memory to locate photos");
    }
    *batch = b;
    return GVM_OK;
}

void locate_batch_free(struct locate_batch *b)
{
    if (b == NULL) return;
    free(b->looks);
    free(b->pixels);
    free(b->features);
    free(b->raw);
    free(b);
}
