/* photos.c - see photos.h. */
#include "world/photos.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "world/build.h"
#include "world/folder.h"
#include "world/frame.h"
#include "world/photo.h"
#include "world/picture.h"
#include "world/places.h"

static const float CLOSEST = 2; /* metres of road to a photo */

struct job {
    struct pictures pictures; /* first, because folder_fill passes it to make_photo */
    const struct photos_options *options;
};

static gvm_status find_places(struct place *places, const struct frame *frame, const struct world_options *options,
                              const struct ortho_options *ortho, double margin, gvm_error *err)
{
    struct point corner[4];
    int found = 0;
    frame_corners(corner, frame);
    for (float every = PLACES_EVERY_M; found < options->pairs && every >= CLOSEST; every *= 0.7f) {
        gvm_status status = places_within(places, &found, options, corner, (float)margin, every, err);
        if (status != GVM_OK) return status;
    }
    if (found < options->pairs)
        return fail(err, GVM_ARGUMENT,
                    "the roads of %g m have room for %d photos at least %g m from the border, got %d; lower --pairs or "
                    "raise --metres",
                    ortho->metres, found, margin, options->pairs);
    return places_split(places, options, err);
}

static gvm_status make_photo(const void *context, unsigned char *room, int number, gvm_error *err)
{
    const struct job *job = context;
    const struct world_options *options = job->pictures.options;
    const struct place *place = &job->pictures.places[number];
    struct photo photo;
    struct view view;
    struct scene scene;
    photo_draw(&photo, &job->options->range, options->seed, number);
    view_draw(&view, WHEN_STREET, options->seed, (uint64_t)number);
    gvm_status status = scene_open_street(&scene, options->seed, place->x, place->y, err);
    if (status != GVM_OK) return status;
    if (!photo_render(room, &photo, &scene, &view, place->x, place->y, WORLD_CAMERA_M))
        status = fail(err, GVM_MEMORY, "out of memory for a photo");
    struct shot shot = {.heading = photo.camera.heading,
                        .altitude = scene_height(&scene, place->x, place->y) + WORLD_CAMERA_M,
                        .magnetic = job->options->magnetic};
    scene_free(&scene);
    world_degrees(&shot.lat, &shot.lon, options, place->x, place->y);
    unsigned char *stored = room + (size_t)photo.width * (size_t)photo.height * 3;
    if (status == GVM_OK) photo_store(stored, room, &photo);
    char *path = folder_picture(job->pictures.folder, "photos", number);
    if (status == GVM_OK) status = photo_save(path, stored, &photo, &shot, err);
    g_free(path);
    return status;
}

static void append_number(GString *text, const char *format, double number)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_c(text, ',');
    g_string_append(text, g_ascii_formatd(digits, sizeof digits, format, number));
}

/* As the option --lens takes it. */
static void append_lens(GString *text, const struct camera *c)
{
    static const char *const names[] = {",pinhole", ",fisheye", ",cylinder", ",sphere"};
    char k1[G_ASCII_DTOSTR_BUF_SIZE], k2[G_ASCII_DTOSTR_BUF_SIZE];
    if (c->k1 == 0 && c->k2 == 0)
        g_string_append(text, names[c->lens]);
    else
        g_string_append_printf(text, ",\"%s,%s\"", g_ascii_formatd(k1, sizeof k1, "%.9g", c->k1),
                               g_ascii_formatd(k2, sizeof k2, "%.9g", c->k2));
}

static gvm_status write_list(const struct job *job, gvm_error *err)
{
    const struct world_options *options = job->pictures.options;
    GString *text = g_string_new("image,lat,lon,heading,pitch,roll,fov,lens,split\n");
    for (int n = 0; n < options->pairs; n++) {
        const struct place *p = &job->pictures.places[n];
        struct photo photo;
        char place[PLACE_TEXT];
        photo_draw(&photo, &job->options->range, options->seed, n);
        place_text(place, options, p->x, p->y);
        g_string_append_printf(text, "photos/%06d.jpg,%s", n + 1, place);
        append_number(text, "%.2f", photo.camera.heading);
        append_number(text, "%.4f", photo.camera.pitch);
        append_number(text, "%.4f", photo.camera.roll);
        append_number(text, "%.3f", camera_fov(&photo.camera));
        append_lens(text, &photo.camera);
        g_string_append_printf(text, ",%s\n", p->test ? "test" : "train");
    }
    gvm_status status = folder_list(job->pictures.folder, "photos.csv", text, err);
    g_string_free(text, TRUE);
    return status;
}

gvm_status photos_write(const char *folder, int *pixels, const struct world_options *options,
                        const struct ortho_options *ortho, const struct photos_options *photos, bool force,
                        struct progress *progress, gvm_error *err)
{
    static const char *const kinds[] = {"photos", "imagery", NULL};
    struct frame frame;
    gvm_status status = frame_open(&frame, options, ortho, err);
    if (status != GVM_OK) return status;
    *pixels = frame.size;
    char *path = g_strdup_printf("%s/imagery/ortho.tif", folder);
    struct place *places = calloc((size_t)options->pairs, sizeof *places);
    const struct job job = {{folder, options, places}, photos};
    size_t room = (size_t)photos->range.longest * (size_t)photos->range.longest * 3 * 2; /* upright, and as stored */
    if (places == NULL) status = fail(err, GVM_MEMORY, "out of memory for %d photos", options->pairs);
    if (status == GVM_OK) status = find_places(places, &frame, options, ortho, photos->margin, err);
    if (status == GVM_OK) status = folder_prepare(folder, kinds, force, err);
    if (status == GVM_OK) status = picture_start(err);
    if (status == GVM_OK) status = ortho_draw(path, &frame, options, progress, err);
    if (status == GVM_OK) status = folder_fill(&job.pictures, make_photo, room, "photos", progress, err);
    if (status == GVM_OK) status = write_list(&job, err);
    g_free(path);
    free(places);
    frame_free(&frame);
    return status;
}
