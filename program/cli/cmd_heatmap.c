/* cmd_heatmap.c - draws a heat map of the network's attention over a picture. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "cli/camera.h"
#include "cli/cli.h"
#include "image/encode.h"
#include "image/heat.h"
#include "image/sheet.h"
#include "terminal/located.h"

enum {
    GAP = 8 /* pixels between two pictures */,
    MOST = 2048 /* pixels a side */
};

struct arguments {
    struct common common;
    const char *weights, *out, *image, *tile;
    int view, stage; /* -1: no view given; 0: multi */
    bool has_heading, json, force;
    int panorama; /* as in gvm_picture_fit */
    double heading;
    struct camera_arguments camera;
    gvm_camera_options wishes;
};

/* A picture as drawn and as the network's input. */
struct panel {
    int height, width;     /* as drawn */
    unsigned char *rgb;    /* (height, width, 3) */
    unsigned char *pixels; /* (heat.H, heat.W, 3), and the visibility */
    float *feature, *values;
    struct heat heat;
};

struct drawing {
    const struct arguments *a;
    gvm_model *model;
    gvm_session *session;
    int features;
    struct panel panels[2]; /* GVM_STREET, GVM_AERIAL; one of them zero unless both are drawn */
    double score;           /* of the two pictures; 1 of a picture with itself */
};

static int complete_arguments(struct arguments *a)
{
    const char *name = a->common.name;
    a->has_heading = option_given(&a->common, "heading");
    a->stage = (a->stage + 1) % 5; /* multi comes after the four */
    a->image = a->common.operands[0];
    if (a->tile != NULL && a->view == GVM_AERIAL)
        return usage_error(name, "--side-by-side needs a street picture; it cannot be combined with --view aerial");
    if (a->tile != NULL) a->view = GVM_STREET;
    if (a->view < 0) return usage_error(name, "--view is required");
    if (a->has_heading && a->view == GVM_AERIAL) return usage_error(name, "--heading requires --view street");
    if (option_given(&a->common, "panorama") && a->view == GVM_AERIAL)
        return usage_error(name, "--panorama requires --view street");
    const char *camera = options_given(&a->common, camera_names);
    if (camera != NULL && a->view == GVM_AERIAL) return usage_error(name, "--%s requires --view street", camera);
    return camera_options(&a->wishes, &a->camera, &a->common);
}

/* ------------------------------------------------------------------ the panels */

static int scaled(int length, int by, int of)
{
    int product = (int)((long long)length * by / of);
    return product > 0 ? product : 1;
}

/* Scale to the size drawn: its own, but at most MOST and at least the network's input. */
static gvm_status panel_scale(struct panel *p, const gvm_picture *picture, gvm_error *err)
{
    gvm_picture_info info = {.size = sizeof info};
    gvm_status status = gvm_picture_about(picture, &info, err);
    if (status != GVM_OK) return status;
    int longer = info.width > info.height ? info.width : info.height;
    int to = longer > MOST ? MOST : info.width < p->heat.W ? scaled(longer, p->heat.W, info.width) : longer;
    if (to > MOST) to = MOST;
    p->width = scaled(info.width, to, longer);
    p->height = scaled(info.height, to, longer);
    heat_scale(&p->heat, (double)p->width / info.width, (double)p->height / info.height);
    p->rgb = malloc((size_t)p->width * (size_t)p->height * 3);
    if (p->rgb == NULL) return fail(err, GVM_MEMORY, "out of memory for a heat map");
    return gvm_picture_scale(picture, p->rgb, p->height, p->width, err);
}

/* A panorama with several views would have several maps. */
static gvm_status check_single(const gvm_picture *picture, const struct drawing *d, gvm_error *err)
{
    int views;
    gvm_status status = gvm_picture_views(picture, d->model, NULL, 0, NULL, d->a->panorama, &views, err);
    if (status != GVM_OK || views == 1) return status;
    return fail(err, GVM_ARGUMENT,
                "%s: it is a full panorama, which makes %d views with these weights, but a heat map shows one; use "
                "--panorama no to take it as a photo",
                path_tail(d->a->image), views);
}

/* A photo on a panorama's canvas is drawn as the network sees it. */
static gvm_status draw_canvas(struct panel *p, gvm_error *err)
{
    size_t bytes = (size_t)p->heat.H * (size_t)p->heat.W * 3;
    p->rgb = malloc(bytes);
    if (p->rgb == NULL) return fail(err, GVM_MEMORY, "out of memory for a heat map");
    memcpy(p->rgb, p->pixels, bytes);
    p->width = p->heat.W;
    p->height = p->heat.H;
    memcpy(p->heat.box, (double[]){0, 0, p->width, p->height}, sizeof p->heat.box);
    return GVM_OK;
}

static gvm_status street_read(struct panel *p, const gvm_picture *picture, const struct drawing *d, gvm_error *err)
{
    const struct arguments *a = d->a;
    gvm_camera camera = {.size = sizeof camera};
    const gvm_street_options options = {.size = sizeof options,
                                        .room = 1,
                                        .panorama = a->panorama,
                                        .heading = a->has_heading ? &a->heading : NULL,
                                        .camera = &a->wishes};
    int count;
    gvm_status status = gvm_picture_street(picture, d->model, p->pixels, &options, &camera, &count, err);
    if (status != GVM_OK || camera.lens == GVM_LENS_FOUND || located_is_circle(&camera)) return status;
    return draw_canvas(p, err);
}

static gvm_status panel_read(struct drawing *d, gvm_view view, gvm_error *err)
{
    struct panel *p = &d->panels[view];
    const struct arguments *a = d->a;
    const gvm_picture_options options = {.size = sizeof options, .path = (int)view == a->view ? a->image : a->tile};
    const double *heading = a->has_heading ? &a->heading : NULL;
    gvm_picture *picture;
    gvm_part part = {.turn = 0};
    gvm_status status = gvm_picture_open(&picture, &options, err);
    if (status == GVM_OK && view == GVM_STREET) status = check_single(picture, d, err);
    if (status == GVM_OK && view == GVM_STREET)
        status = street_read(p, picture, d, err);
    else if (status == GVM_OK)
        status = gvm_picture_fit(picture, d->model, view, p->pixels, NULL, a->panorama, err);
    if (status == GVM_OK && p->rgb == NULL)
        status = gvm_picture_part(picture, d->model, view, &part, heading, a->panorama, err);
    if (status == GVM_OK && p->rgb == NULL) {
        p->heat.turn = part.turn;
        memcpy(p->heat.box, (double[]){part.left, part.top, part.right, part.bottom}, sizeof p->heat.box);
        status = panel_scale(p, picture, err);
    }
    gvm_picture_free(picture);
    add_hint(err, status);
    return status;
}

static gvm_status panel_open(struct drawing *d, gvm_view view, gvm_error *err)
{
    struct panel *p = &d->panels[view];
    gvm_view_info info = {.size = sizeof info};
    gvm_status status = gvm_view_about(d->model, view, &info, err);
    if (status != GVM_OK) return status;
    size_t n = (size_t)info.width * (size_t)info.height;
    p->pixels = malloc(info.bytes);
    p->values = malloc(n * sizeof *p->values);
    p->feature = malloc((size_t)d->features * sizeof *p->feature);
    p->heat = (struct heat){.values = p->values, .H = info.height, .W = info.width};
    if (p->pixels == NULL || p->values == NULL || p->feature == NULL)
        return fail(err, GVM_MEMORY, "out of memory for a heat map");
    status = panel_read(d, view, err);
    return status == GVM_OK ? gvm_embed_pixels(d->session, view, p->feature, p->pixels, 1, err) : status;
}

/* Scale to that height. */
static gvm_status panel_draw(struct sheet *sheet, struct drawing *d, gvm_view view, int height, gvm_error *err)
{
    struct panel *p = &d->panels[view];
    const float *other = d->panels[1 - view].feature; /* NULL: it is compared with itself */
    gvm_status status = gvm_heatmap(d->session, view, d->a->stage, p->values, p->pixels, other, err);
    if (status != GVM_OK) return status;
    p->heat.unit = d->a->stage == 0 && d->score != 0 ? d->score / ((double)p->heat.H * p->heat.W) : 1;
    int width = height == p->height ? p->width : scaled(p->width, height, p->height);
    return heat_draw(sheet, height, width, p->rgb, p->height, p->width, &p->heat, err);
}

/* The tile as high as the street picture, and white between them. */
static gvm_status draw_pair(struct sheet *result, struct drawing *d, gvm_error *err)
{
    struct sheet sheets[2] = {{0}};
    gvm_status status = GVM_OK;
    d->score = 0;
    for (int i = 0; i < d->features; i++) d->score += (double)d->panels[0].feature[i] * d->panels[1].feature[i];
    for (int v = 0; v < 2 && status == GVM_OK; v++)
        status = panel_draw(&sheets[v], d, (gvm_view)v, d->panels[GVM_STREET].height, err);
    if (status == GVM_OK) status = sheet_open(result, sheets[0].width + GAP + sheets[1].width, sheets[0].height, err);
    for (int v = 0, left = 0; v < 2 && status == GVM_OK; left += sheets[v++].width + GAP)
        sheet_place(result, left, 0, sheets[v].pixels, sheets[v].height, sheets[v].width);
    sheet_free(&sheets[0]);
    sheet_free(&sheets[1]);
    return status;
}

/* ------------------------------------------------------------------ the command */

static gvm_status draw(struct sheet *result, struct drawing *d, gvm_error *err)
{
    gvm_model_info info = {.size = sizeof info};
    gvm_status status = gvm_model_about(d->model, &info, err);
    d->features = info.features;
    for (int v = 0; v < 2 && status == GVM_OK; v++)
        if (d->a->tile != NULL || v == d->a->view) status = panel_open(d, (gvm_view)v, err);
    if (status == GVM_OK && d->a->tile != NULL)
        status = draw_pair(result, d, err);
    else if (status == GVM_OK)
        status = panel_draw(result, d, (gvm_view)d->a->view, d->panels[d->a->view].height, err);
    for (int v = 0; v < 2; v++) {
        free(d->panels[v].rgb);
        free(d->panels[v].pixels);
        free(d->panels[v].feature);
        free(d->panels[v].values);
    }
    return status;
}

static int print_result(const struct arguments *a, const struct sheet *result, double score)
{
    if (a->json) {
        json_t *root =
            json_pack("{s:o, s:i, s:i}", "file", json_text(a->out), "width", result->width, "height", result->height);
        if (a->tile != NULL) json_put(&root, "score", json_real(score));
        return json_print(root);
    }
    char with[32] = "";
    if (a->tile != NULL) snprintf(with, sizeof with, ", score %.4f", score);
    print_line("%s: %d x %d pixels%s", a->out, result->width, result->height, with);
    return DONE;
}

static int heatmap(void *arguments)
{
    struct arguments *a = arguments;
    gvm_error err;
    struct drawing d = {.a = a, .score = 1};
    struct sheet result = {0};
    int end = complete_arguments(a);
    if (end != GO_ON) return end;
    gvm_status status =
        output_check(a->out, &output_picture, a->force, (const char *[]){a->image, a->tile, a->weights}, 3, &err);
    if (status == GVM_OK) status = gvm_model_open(&d.model, weights_path(a->weights), &err);
    if (status == GVM_OK) status = check_heading(d.model, a->has_heading, &err);
    if (status == GVM_OK) status = camera_allowed(d.model, &a->common, &err);
    if (status == GVM_OK) status = gvm_session_open(&d.session, d.model, 1, &err);
    if (status == GVM_OK) status = draw(&result, &d, &err);
    if (status == GVM_OK) status = image_write_png(a->out, result.pixels, result.width, result.height, &err);
    end = status == GVM_OK ? print_result(a, &result, d.score) : failed(&err);
    sheet_free(&result);
    gvm_session_free(d.session);
    gvm_model_free(d.model);
    return end;
}

static const struct option_row rows[] = {
    {"weights", OPTION_TEXT, AT(weights), "W",
     .help = "weights, a safetensors file (default: nano, the built-in ones)"},
    /* in the order of gvm_view */
    {"view", OPTION_CHOICE, AT(view), "street|aerial",
     .help = "a street picture (panorama or photo, as the weights take), or a square picture from above"},
    {"side-by-side", OPTION_TEXT, AT(tile), "TILE",
     .help = "draw the picture from above TILE beside the street picture IMAGE"},
    {"stage", OPTION_CHOICE, AT(stage), "1|2|3|4|multi", .standard = "multi",
     .help = "a stage, or the multi-scale feature"},
    {"out", OPTION_TEXT, AT(out), "P.png", .needed = true, .help = "output file, written completely or not at all"},
    {"heading", OPTION_DOUBLE, AT(heading), "DEG", -360, 360, .takes = "degrees",
     .help = "heading of the street picture's centre column, degrees clockwise from north, by default from its "
             "metadata, else 0"},
    {"force", OPTION_FLAG, AT(force), .help = "overwrite an existing file"},
    {"panorama", OPTION_CHOICE, AT(panorama), "auto|yes|no", .standard = "auto", /* in the order of GVM_AS_FOUND, ... */
     .help = "yes takes the street picture as a full panorama, whatever its metadata; no, with weights for photos, as "
             "a photo"},
    {"json", OPTION_FLAG, AT(json), .help = "print a summary as JSON"},
    {0},
};

const struct command heatmap_command = {
    .name = "heatmap",
    .summary = "draw what the network attends to in a picture",
    .usage = "--view street|aerial --out P.png [options] IMAGE\n"
             "--side-by-side TILE --out P.png [options] IMAGE",
    .about =
        "Draws a heat map over a picture, in the picture's shape and up to 2,048 pixels a side: blue is least, "
        "red most, with a scale below. Parts outside the network's input have no heat. A stage's heat is the mean "
        "over the channels of its map. The heat of the multi-scale feature is each position's share of a score "
        "(1: the average share). The score is that of the picture with itself or, for a street picture and its "
        "tile side by side, that of the two, which is printed. With weights for photos a panorama makes several "
        "views and cannot be drawn; --panorama no takes it as a photo. With weights that take any camera a photo is "
        "drawn as the network sees it, on a panorama's canvas with north at its centre.",
    .rows = rows,
    .more = camera_rows,
    .more_at = offsetof(struct arguments, camera),
    .device = true,
    .operand = "picture",
    .least = 1,
    .most = 1,
    .examples = "  geoviewmatch heatmap --view street --out heat.png photo.jpg\n"
                "  geoviewmatch heatmap --side-by-side tile.png --out pair.png photo.jpg\n",
    .size = sizeof(struct arguments),
    .run = heatmap,
};
