/* locate.c - where street pictures were taken: read ahead, the network, the search, and what is made of its hits.
 *
 * A panorama whose heading nobody knows is looked at in HEADINGS directions, each of which is a query; a tile counts
 * with its best one, which is also the estimate of the heading. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "image/panorama.h"
#include "map/answers.h"
#include "map/search.h"
#include "model/read_ahead.h"
#include "model/session.h"

enum { HEADINGS = 16 };

struct look {
    size_t slot; /* of the batch */
    double heading;
};

struct job {
    gvm_session *session;
    const gvm_map *map;
    const gvm_question *questions;
    size_t n;
    bool merge;
    int max_hits;
    gvm_hit *hits;    /* (n, max_hits) */
    gvm_found *found; /* (n) */
    gvm_file_done *done;
    void *user;
    gvm_status first; /* failure */
    gvm_error *err;

    int raw_room;          /* hits kept of a look */
    struct look *looks;    /* (max_batch HEADINGS) those of a batch, photo after photo */
    unsigned char *pixels; /* (max_batch, H, W, 3) turned */
    float *features;       /* (max_batch HEADINGS, D) */
    gvm_hit *raw;          /* (max_batch HEADINGS, raw_room) of each look */
};

/* The heading to look with; *known: not one of HEADINGS. */
static double first_heading(bool *known, const gvm_question *q, const gvm_photo_info *info)
{
    *known = isfinite(q->heading) || (isnan(q->heading) && info->has_heading);
    return isfinite(q->heading) ? q->heading : *known ? info->heading : 0;
}

static gvm_status check_question(const gvm_question *q, gvm_error *err)
{
    const char *where = path_tail(q->photo);
    if (q->within_m == 0 || (fabs(q->lat) <= 90 && fabs(q->lon) <= 180 && q->within_m > 0)) return GVM_OK;
    if (isnan(q->lat) || isnan(q->lon))
        return fail(err, GVM_ARGUMENT, "%s: it tells no GPS position, which a search near it needs", where);
    return fail(err, GVM_ARGUMENT,
                "%s: %g m around %g, %g is nowhere: latitudes go to 90 and longitudes to 180 degrees", where,
                q->within_m, q->lat, q->lon);
}

static void load(void *user, size_t i, unsigned char *pixels, struct slot *slot)
{
    const struct job *job = user;
    const gvm_question *q = &job->questions[i];
    bool known;
    slot->status = check_question(q, &slot->err);
    if (slot->status == GVM_OK) slot->status = gvm_photo_about(&slot->info, q->photo, &slot->err);
    if (slot->status != GVM_OK) return;
    double heading = first_heading(&known, q, &slot->info);
    slot->status = gvm_load_picture(job->session->model, GVM_STREET, pixels, q->photo, &heading, &slot->err);
}

/* Returns how many there are. */
static size_t list_looks(struct job *job, size_t from, size_t count, const struct slot *slots)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        bool known;
        if (slots[i].status != GVM_OK) continue;
        double heading = first_heading(&known, &job->questions[from + i], &slots[i].info);
        job->found[from + i].heading_found = !known;
        for (int h = 0; h < (known ? 1 : HEADINGS); h++)
            job->looks[n++] = (struct look){i, known ? heading : h * 360.0 / HEADINGS};
    }
    return n;
}

/* Features of the looks; a photo for which that fails gets its status. */
static void embed_looks(struct job *job, size_t from, size_t count, struct slot *slots, const unsigned char *pixels)
{
    const int *size = view_size(job->session->model, GVM_STREET);
    size_t bytes = view_bytes(job->session->model, GVM_STREET), D = (size_t)job->map->width, n;
    for (size_t at = 0; at < count; at += n) {
        n = count - at < (size_t)job->session->max_batch ? count - at : (size_t)job->session->max_batch;
        for (size_t i = 0; i < n; i++) {
            const struct look *look = &job->looks[at + i];
            memcpy(job->pixels + i * bytes, pixels + look->slot * bytes, bytes);
            if (job->found[from + look->slot].heading_found)
                panorama_turn(job->pixels + i * bytes, size[0], size[1], look->heading);
        }
        bool ran = session_embed(job->session, GVM_STREET, job->features + at * D, job->pixels, (int)n);
        for (size_t i = 0; i < n; i++) {
            struct slot *slot = &slots[job->looks[at + i].slot];
            if (!ran || !is_feature(job->features + (at + i) * D, D))
                slot->status =
                    fail_embedding(&slot->err, job->session, ran, job->questions[from + job->looks[at + i].slot].photo);
        }
    }
}

/* Hits (looks, room) of the looks first..last-1, near a question's place or, without one, everywhere. */
static gvm_status search(const struct job *job, gvm_hit *raw, int room, int *each, size_t first, size_t last,
                         const gvm_question *near, gvm_error *err)
{
    const gvm_model *model = job->session->model;
    const float *features = job->features + first * (size_t)job->map->width;
    if (near == NULL || !(near->within_m > 0))
        return gvm_map_search(job->map, model, raw, room, each, features, last - first, err);
    return gvm_map_search_near(job->map, model, raw, room, each, features, last - first, near->lat, near->lon,
                               near->within_m, err);
}

/* Make answers of the hits (looks, room) of a photo's looks, `each` of every one; they are moved together. */
static void make_answers(const struct job *job, size_t photo, gvm_hit *raw, int room, int each, size_t first,
                         size_t last)
{
    gvm_found *found = &job->found[photo];
    size_t count = 0;
    for (size_t l = first; l < last; l++)
        for (int i = 0; i < each; i++, count++) {
            raw[count] = raw[(l - first) * (size_t)room + (size_t)i];
            raw[count].heading = job->looks[l].heading - 360 * floor(job->looks[l].heading / 360);
        }
    found->count =
        answers_make(job->hits + photo * (size_t)job->max_hits, job->max_hits, &found->margin, raw, count, job->merge);
}

/* Where tiles stand so close that all hits were of a few places, more of them are asked for, until there are answers
 * enough and one that does not overlap with the first. */
static gvm_status answer(const struct job *job, size_t photo, size_t first, size_t last, int each, gvm_error *err)
{
    const gvm_question *q = &job->questions[photo];
    gvm_found *found = &job->found[photo];
    gvm_status status = GVM_OK;
    int room = job->raw_room;
    make_answers(job, photo, job->raw + first * (size_t)room, room, each, first, last);
    while (status == GVM_OK && each == room && (found->count < job->max_hits || isnan(found->margin))) {
        room = room > INT_MAX / 8 ? INT_MAX : 8 * room;
        if ((size_t)room > job->map->tiles.count) room = (int)job->map->tiles.count;
        if (room <= each) break; /* that was the whole map */
        gvm_hit *raw = malloc((last - first) * (size_t)room * sizeof *raw);
        status = raw != NULL
                     ? search(job, raw, room, &each, first, last, q, err)
                     : fail(err, GVM_MEMORY, "%s: there is not enough memory for its hits", path_tail(q->photo));
        if (status == GVM_OK) make_answers(job, photo, raw, room, each, first, last);
        free(raw);
    }
    if (status != GVM_OK || found->count > 0) return status;
    return fail(err, GVM_ARGUMENT, "%s: no tile of the map lies within %g m of %.6f, %.6f", path_tail(q->photo),
                q->within_m, q->lat, q->lon);
}

/* All looks in one search, unless some photo is looked for in a place of its own, or a feature is missing. */
static void answer_batch(struct job *job, size_t from, size_t count, struct slot *slots, size_t looks)
{
    bool together = looks > 0;
    int each = 0;
    for (size_t i = 0; i < count; i++)
        if (slots[i].status == GVM_FORMAT || slots[i].status == GVM_MEMORY || job->questions[from + i].within_m > 0)
            together = false;
    gvm_error err;
    gvm_status status = together ? search(job, job->raw, job->raw_room, &each, 0, looks, NULL, &err) : GVM_OK;
    for (size_t first = 0, last; first < looks; first = last) {
        size_t i = job->looks[first].slot;
        for (last = first; last < looks && job->looks[last].slot == i;) last++;
        struct slot *slot = &slots[i];
        if (slot->status != GVM_OK) continue;
        if (!together)
            slot->status = search(job, job->raw + first * (size_t)job->raw_room, job->raw_room, &each, first, last,
                                  &job->questions[from + i], &slot->err);
        else if ((slot->status = status) != GVM_OK)
            slot->err = err;
        if (slot->status == GVM_OK) slot->status = answer(job, from + i, first, last, each, &slot->err);
    }
}

static gvm_status take(void *user, size_t from, size_t count, struct slot *slots, unsigned char *pixels, gvm_error *err)
{
    struct job *job = user;
    (void)err;
    size_t looks = list_looks(job, from, count, slots);
    embed_looks(job, from, looks, slots, pixels);
    answer_batch(job, from, count, slots, looks);
    for (size_t i = 0; i < count; i++) {
        job->found[from + i].info = slots[i].info;
        if (slots[i].status != GVM_OK && job->first == GVM_OK) {
            job->first = slots[i].status;
            if (job->err != NULL) *job->err = slots[i].err;
        }
        if (job->done != NULL) job->done(job->user, from + i, job->n, slots[i].status, &slots[i].err);
    }
    return GVM_OK;
}

static bool reserve(struct job *job)
{
    size_t batch = (size_t)job->session->max_batch, looks = batch * HEADINGS, D = (size_t)job->map->width;
    job->raw_room = raw_hits_for(job->max_hits);
    job->looks = malloc(looks * sizeof *job->looks);
    job->pixels = malloc(batch * view_bytes(job->session->model, GVM_STREET));
    job->features = malloc(looks * D * sizeof *job->features);
    job->raw = malloc(looks * (size_t)job->raw_room * sizeof *job->raw);
    return job->looks && job->pixels && job->features && job->raw;
}

gvm_status gvm_locate_files(gvm_session *session, const gvm_map *map, const gvm_question *questions, size_t n,
                            int merge, gvm_hit *hits, int max_hits, gvm_found *found, gvm_file_done *done, void *user,
                            gvm_error *err)
{
    clear_error(err);
    memset(found, 0, n * sizeof *found);
    gvm_status status = search_check(map, session->model, max_hits, err);
    if (status != GVM_OK) return status;
    struct job job = {.session = session,
                      .map = map,
                      .questions = questions,
                      .n = n,
                      .merge = merge,
                      .max_hits = max_hits,
                      .hits = hits,
                      .found = found,
                      .done = done,
                      .user = user,
                      .err = err};
    struct read_ahead work = {.n = n,
                              .batch = (size_t)session->max_batch,
                              .bytes = view_bytes(session->model, GVM_STREET),
                              .user = &job,
                              .load = load,
                              .take = take};
    if (reserve(&job))
        status = read_ahead(&work, err);
    else
        status = fail(err, GVM_MEMORY, "there is not enough memory to locate photos");
    free(job.looks);
    free(job.pixels);
    free(job.features);
    free(job.raw);
    return status != GVM_OK ? status : job.first;
}

gvm_status gvm_locate(gvm_session *session, const gvm_map *map, const char *photo, const double *heading, gvm_hit *hits,
                      int max_hits, int *count, gvm_error *err)
{
    gvm_question question = {.photo = photo, .heading = heading != NULL ? *heading : NAN};
    gvm_found found = {0};
    *count = 0;
    if (heading != NULL && !isfinite(*heading))
        return fail(err, GVM_ARGUMENT, "%s: a heading must be a number of degrees", path_tail(photo));
    gvm_status status = gvm_locate_files(session, map, &question, 1, 1, hits, max_hits, &found, NULL, NULL, err);
    *count = found.count;
    return status;
}
