/* ortho.c - see ortho.h. One scene holds the whole orthophoto and is shared by all threads, so there are no seams. */
#include "world/ortho.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "world/batch.h"
#include "world/build.h"
#include "world/folder.h"
#include "world/frame.h"
#include "world/geotiff.h"
#include "world/picture.h"
#include "world/places.h"
#include "world/render.h"

/* Metres: from a camera to the border; margin for solids beyond the border that throw shadows inside. */
static const float INSIDE = 40, SHADOWS = 130;

/* ------------------------------------------------------------------ from above */

enum { PIECE = 32 /* rows of a block that a thread takes at a time */ };

/* A row of blocks. */
struct strip {
    const struct frame *frame;
    const struct scene *scene;
    const struct view *view;
    unsigned char *pixels; /* (rows, size, 3) */
    int number, rows, pieces;
};

static gvm_status render_piece(const void *context, unsigned char *room, int number, gvm_error *err)
{
    (void)room, (void)err;
    const struct strip *strip = context;
    const struct frame *frame = strip->frame;
    int block = number / strip->pieces, from = frame_pixel(frame, block), to = frame_pixel(frame, block + 1);
    int first = number % strip->pieces * PIECE, top = frame_pixel(frame, strip->number);
    for (int row = first; row < first + PIECE && row < strip->rows; row++)
        for (int column = from; column < to; column++) {
            struct point p[4];
            for (int k = 0; k < 4; k++) {
                double u = ((float)(column - from) + pixel_rays[k][0]) / (float)(to - from),
                       v = ((float)row + pixel_rays[k][1]) / (float)strip->rows;
                p[k] = frame_point(frame, strip->number, block, u, v);
            }
            unsigned char *pixel = strip->pixels + 3 * ((size_t)row * frame->size + column);
            aerial_pixel(pixel, strip->scene, strip->view, p, (uint32_t)(top + row) * frame->size + column);
        }
    return GVM_OK;
}

static gvm_status write_strips(struct geotiff *tiff, const struct frame *frame, const struct scene *scene,
                               const struct view *view, struct progress *progress, gvm_error *err)
{
    struct strip strip = {.frame = frame, .scene = scene, .view = view};
    strip.pixels = malloc((size_t)FRAME_BLOCK * frame->size * 3);
    if (strip.pixels == NULL) return fail(err, GVM_MEMORY, "out of memory for an orthophoto");
    struct batch batch = {.make = render_piece, .context = &strip, .room = 1, .progress = progress};
    gvm_status status = GVM_OK;
    for (; strip.number < frame->blocks && status == GVM_OK; strip.number++) {
        int row = frame_pixel(frame, strip.number);
        strip.rows = frame_pixel(frame, strip.number + 1) - row;
        strip.pieces = (strip.rows + PIECE - 1) / PIECE;
        batch.count = strip.pieces * frame->blocks;
        status = batch_run(&batch, err);
        batch.before += (size_t)batch.count;
        if (status == GVM_OK) status = geotiff_write(tiff, strip.pixels, row, strip.rows, err);
    }
    free(strip.pixels);
    return status;
}

static gvm_status open_scene(struct scene *scene, const struct frame *frame, uint64_t seed, gvm_error *err)
{
    struct point corner[4];
    struct site site = {.seed = seed};
    frame_corners(corner, frame);
    for (int k = 0; k < 4; k++) site.reach = fmaxf(site.reach, fmaxf(fabsf(corner[k].x), fabsf(corner[k].y)));
    site.reach += SHADOWS;
    return scene_open(scene, &site, err);
}

gvm_status ortho_draw(const char *path, const struct frame *frame, const struct world_options *options,
                      struct progress *progress, gvm_error *err)
{
    struct scene scene;
    struct view view;
    struct geotiff tiff;
    gvm_status status = open_scene(&scene, frame, options->seed, err);
    if (status != GVM_OK) return status;
    view_draw(&view, WHEN_AERIAL, options->seed, 0);
    status = geotiff_create(&tiff, path, frame, err);
    if (status == GVM_OK) {
        int pieces = (frame->size + PIECE - 1) / PIECE;
        progress_start(progress, "orthophoto", "pieces", (size_t)pieces * frame->blocks);
        status = write_strips(&tiff, frame, &scene, &view, progress, err);
        progress_end(progress);
        if (status == GVM_OK)
            status = geotiff_commit(&tiff, err);
        else
            geotiff_abort(&tiff);
    }
    scene_free(&scene);
    return status;
}

/* ------------------------------------------------------------------ on the streets */

static gvm_status find_places(struct place *places, const struct frame *frame, const struct world_options *options,
                              const struct ortho_options *ortho, gvm_error *err)
{
    struct point corner[4];
    int found;
    frame_corners(corner, frame);
    gvm_status status = places_within(places, &found, options, corner, INSIDE, PLACES_EVERY_M, err);
    if (status != GVM_OK) return status;
    if (found < options->pairs)
        return fail(err, GVM_ARGUMENT,
                    "the roads of %g m have room for %d panoramas, got %d; lower --pairs or raise --metres",
                    ortho->metres, found, options->pairs);
    for (int n = 0; ortho->turn && n < options->pairs; n++) {
        struct dice d = dice_for(options->seed, USE_HEADING, n, 0);
        places[n].heading = dice_pick(&d, 36000) / 100.0;
    }
    return GVM_OK;
}

static gvm_status make_photo(const void *context, unsigned char *room, int number, gvm_error *err)
{
    const struct pictures *photos = context;
    const struct place *place = &photos->places[number];
    gvm_status status = world_pair(room, NULL, photos->options, place, number, err);
    if (status != GVM_OK) return status;
    return world_save_street(photos->folder, photos->options, place, number, room, err);
}

static gvm_status write_list(const struct pictures *photos, gvm_error *err)
{
    GString *text = g_string_new("image,lat,lon,heading\n");
    for (int n = 0; n < photos->options->pairs; n++) {
        const struct place *p = &photos->places[n];
        char camera[PLACE_TEXT];
        place_text(camera, photos->options, p->x, p->y);
        long part = lround(p->heading * 100); /* by hand: a locale may write a comma */
        g_string_append_printf(text, "street/%06d.jpg,%s,%ld.%02ld\n", n + 1, camera, part / 100, part % 100);
    }
    gvm_status status = folder_list(photos->folder, "photos.csv", text, err);
    g_string_free(text, TRUE);
    return status;
}

/* ------------------------------------------------------------------ the folder */

gvm_status ortho_write(const char *folder, int *pixels, const struct world_options *options,
                       const struct ortho_options *ortho, bool force, struct progress *progress, gvm_error *err)
{
    static const char *const kinds[] = {"street", NULL};
    struct frame frame;
    gvm_status status = frame_open(&frame, options, ortho, err);
    if (status != GVM_OK) return status;
    *pixels = frame.size;
    char *path = g_strdup_printf("%s/ortho.tif", folder);
    struct place *places = calloc((size_t)options->pairs, sizeof *places);
    struct pictures photos = {folder, options, places};
    if (places == NULL) status = fail(err, GVM_MEMORY, "out of memory for %d panoramas", options->pairs);
    if (status == GVM_OK) status = find_places(places, &frame, options, ortho, err);
    if (status == GVM_OK) status = folder_prepare(folder, kinds, force, err);
    if (status == GVM_OK) status = picture_start(err);
    if (status == GVM_OK) status = ortho_draw(path, &frame, options, progress, err);
    if (status == GVM_OK)
        status = folder_fill(&photos, make_photo, world_street_bytes(options), "panoramas", progress, err);
    if (status == GVM_OK) status = write_list(&photos, err);
    g_free(path);
    free(places);
    frame_free(&frame);
    return status;
}
