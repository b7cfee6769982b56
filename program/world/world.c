/* world.c - see world.h. Pairs are made on all threads, each only from the seed and its number. */
#include "world/world.h"

#include <glib.h>
#include <stdlib.h>

#include "base/error.h"
#include "world/build.h"
#include "world/folder.h"
#include "world/picture.h"
#include "world/places.h"
#include "world/render.h"

const struct world_options world_defaults = {.seed = 1, .test = 0.1, .lat = 45, .lon = -30, .scale = 1};

/* ------------------------------------------------------------------ one pair */

size_t world_street_bytes(const struct world_options *options)
{
    return (size_t)640 * 160 * 3 * options->scale * options->scale;
}

gvm_status world_pair(unsigned char *street, unsigned char *aerial, const struct world_options *options,
                      const struct place *place, int number, gvm_error *err)
{
    struct scene scene;
    gvm_status status = scene_open_street(&scene, options->seed, place->x, place->y, err);
    if (status != GVM_OK) return status;
    struct view view;
    view_draw(&view, WHEN_STREET, options->seed, (uint64_t)number);
    if (!panorama_render(street, 640 * options->scale, 160 * options->scale, &scene, &view, place->x, place->y,
                         WORLD_CAMERA_M, place->heading))
        status = fail(err, GVM_MEMORY, "out of memory for a panorama");
    if (aerial != NULL) {
        view_draw(&view, WHEN_AERIAL, options->seed, (uint64_t)number);
        aerial_render(aerial, 256 * options->scale, &scene, &view, place->tile_x, place->tile_y, (float)WORLD_TILE_M);
    }
    scene_free(&scene);
    return status;
}

gvm_status world_save_street(const char *folder, const struct world_options *options, const struct place *place,
                             int number, const unsigned char *street, gvm_error *err)
{
    struct shot shot = {.heading = place->heading,
                        .altitude = town_height(options->seed, place->x, place->y) + WORLD_CAMERA_M};
    world_degrees(&shot.lat, &shot.lon, options, place->x, place->y);
    char *path = folder_picture(folder, "street", number);
    gvm_status status = panorama_save(path, street, 640 * options->scale, 160 * options->scale, &shot, err);
    g_free(path);
    return status;
}

/* ------------------------------------------------------------------ the folder */

static gvm_status make_pair(const void *context, unsigned char *room, int number, gvm_error *err)
{
    const struct pictures *pairs = context;
    const struct world_options *options = pairs->options;
    const struct place *place = &pairs->places[number];
    unsigned char *street = room, *aerial = room + world_street_bytes(options);
    int side = 256 * options->scale;
    gvm_status status = world_pair(street, aerial, options, place, number, err);
    if (status == GVM_OK) status = world_save_street(pairs->folder, options, place, number, street, err);
    if (status != GVM_OK) return status;
    char *path = folder_picture(pairs->folder, "aerial", number);
    status = aerial_save(path, aerial, side, side, err);
    g_free(path);
    return status;
}

static gvm_status write_list(const struct pictures *pairs, bool tiles, gvm_error *err)
{
    GString *text = g_string_new(tiles ? "image,lat,lon,metres\n"
                                       : "id,street,aerial,lat,lon,heading,split,aerial_lat,aerial_lon\n");
    for (int n = 0; n < pairs->options->pairs; n++) {
        const struct place *p = &pairs->places[n];
        char camera[PLACE_TEXT], tile[PLACE_TEXT];
        place_text(camera, pairs->options, p->x, p->y);
        place_text(tile, pairs->options, p->tile_x, p->tile_y);
        if (tiles)
            g_string_append_printf(text, "aerial/%06d.jpg,%s,%g\n", n + 1, tile, WORLD_TILE_M);
        else
            g_string_append_printf(text, "%06d,street/%06d.jpg,aerial/%06d.jpg,%s,0,%s,%s\n", n + 1, n + 1, n + 1,
                                   camera, p->test ? "test" : "train", tile);
    }
    gvm_status status = folder_list(pairs->folder, tiles ? "tiles.csv" : "pairs.csv", text, err);
    g_string_free(text, TRUE);
    return status;
}

gvm_status world_write(const char *folder, const struct world_options *options, bool force, struct progress *progress,
                       gvm_error *err)
{
    static const char *const kinds[] = {"street", "aerial", NULL};
    gvm_status status = folder_prepare(folder, kinds, force, err);
    if (status == GVM_OK) status = picture_start(err);
    if (status != GVM_OK) return status;
    struct place *places = malloc((size_t)options->pairs * sizeof *places);
    if (places == NULL) return fail(err, GVM_MEMORY, "out of memory for %d pairs", options->pairs);
    status = world_places(places, options, err);
    struct pictures pairs = {folder, options, places};
    size_t room = world_street_bytes(options) + (size_t)256 * 256 * 3 * options->scale * options->scale;
    if (status == GVM_OK) status = folder_fill(&pairs, make_pair, room, "pairs", progress, err);
    if (status == GVM_OK) status = write_list(&pairs, true, err);
    if (status == GVM_OK) status = write_list(&pairs, false, err);
    free(places);
    return status;
}
