/* cmd_heatmap.c - what the network looks at, drawn over the picture. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/output.h"
#include "cli/cli.h"
#include "image/encode.h"
#include "image/heat.h"
#include "image/sheet.h"

enum {
    GAP = 8 /* pixels between two pictures */,
    MOST = 2048 /* pixels a side */
};

struct arguments {
    struct common common;
    const char *weights, *out, *image, *tile;
    int view, stage; /* -1: no view is given; 0: multi */
    bool has_heading, json, force, panorama;
    double heading;
};

/* A picture as it is and as the network takes it. */
struct panel {
    int H, W;              /* the network's */
    int height, width;     /* of what is drawn */
    unsigned char *rgb;    /* (height, width, 3) */
    unsigned char *pixels; /* (H, W, 3) */
    float *feature, *values;
    struct heat heat;
};

static int complete_arguments(struct arguments *a)
{
    const char *name = a->common.name;
    a->has_heading = option_given(&a->common, "heading");
    a->stage = (a->stage + 1) % 5; /* multi is behind the four */
    a->image = a->common.operands[0];
    if (a->tile != NULL && a->view == GVM_AERIAL)
        return usage_error(name, "--side-by-side goes with a street picture, not with --view aerial");
    if (a->tile != NULL) a->view = GVM_STREET;
    if (a->view < 0) return usage_error(name, "--view is missing");
    if (a->has_heading && a->view == GVM_AERIAL) return usage_error(name, "--heading goes with --view street");
    if (a->panorama && a->view == GVM_AERIAL) return usage_error(name, "--panorama goes with --view street");
    return GO_ON;
}

/* ------------------------------------------------------------------ the panels */

static int scaled(int length, int by, int of)
{
    int product = (int)((long long)length * by / of);
    return product > 0 ? product : 1;
}

/* To the size that is drawn: its own, but no larger than MOST and no smaller than the network's input. */
static gvm_status panel_scale(struct panel *p, const gvm_picture *picture, gvm_error *err)
{
    gvm_picture_info info = {.size = sizeof info};
    gvm_status status = gvm_picture_about(picture, &info, err);
    if (status != GVM_OK) return status;
    int longer = info.width > info.height ? info.width : info.height;
    int to = longer > MOST ? MOST : info.width < p->W ? scaled(longer, p->W, info.width) : longer;
    if (to > MOST) to = MOST;
    p->width = scaled(info.width, to, longer);
    p->height = scaled(info.height, to, longer);
    heat_scale(&p->heat, (double)p->width / info.width, (double)p->height / info.height);
    p->rgb = malloc((size_t)p->width * (size_t)p->height * 3);
    if (p->rgb == NULL) return fail(err, GVM_MEMORY, "there is not enough memory for a heat map");
    return gvm_picture_scale(picture, p->rgb, p->height, p->width, err);
}

static gvm_status panel_read(struct panel *p, const struct arguments *a, const gvm_model *model, gvm_view view,
                             const char *path, gvm_error *err)
{
    const gvm_picture_options options = {.size = sizeof options, .path = path};
    const double *heading = a->has_heading ? &a->heading : NULL;
    gvm_picture *picture;
    gvm_part part = {.turn = 0};
    gvm_status status = gvm_picture_open(&picture, &options, err);
    if (status == GVM_OK) status = gvm_picture_fit(picture, model, view, p->pixels, heading, a->panorama, err);
    if (status == GVM_OK) status = gvm_picture_part(picture, model, view, &part, heading, a->panorama, err);
    p->heat = (struct heat){.turn = part.turn, .box = {part.left, part.top, part.right, part.bottom}};
    if (status == GVM_OK) status = panel_scale(p, picture, err);
    gvm_picture_free(picture);
    if (err != NULL) add_hint(err, status);
    return status;
}

static gvm_status panel_open(struct panel *p, const struct arguments *a, gvm_session *session, const gvm_model *model,
                             int features, gvm_view view, gvm_error *err)
{
    gvm_view_info info = {.size = sizeof info};
    gvm_status status = gvm_view_about(model, view, &info, err);
    if (status != GVM_OK) return status;
    p->W = info.width;
    p->H = info.height;
    size_t n = (size_t)p->W * (size_t)p->H;
    p->pixels = malloc(3 * n);
    p->values = malloc(n * sizeof *p->values);
    p->feature = malloc((size_t)features * sizeof *p->feature);
    if (p->pixels == NULL || p->values == NULL || p->feature == NULL)
        return fail(err, GVM_MEMORY, "there is not enough memory for a heat map");
    const char *path = view == GVM_STREET || a->view == GVM_AERIAL ? a->image : a->tile;
    status = panel_read(p, a, model, view, path, err);
    if (status == GVM_OK) status = gvm_embed_pixels(session, view, p->feature, p->pixels, 1, err);
    return status;
}

/* other: what it is compared with; NULL: itself */
static gvm_status panel_draw(struct sheet *sheet, struct panel *p, const struct arguments *a, gvm_session *session,
                             gvm_view view, const float *other, double score, int height, int width, gvm_error *err)
{
    gvm_status status = gvm_heatmap(session, view, a->stage, p->values, p->pixels, other, err);
    if (status != GVM_OK) return status;
    p->heat.values = p->values;
    p->heat.H = p->H;
    p->heat.W = p->W;
    p->heat.unit = a->stage == 0 && score != 0 ? score / ((double)p->H * p->W) : 1;
    return heat_draw(sheet, height, width, p->rgb, p->height, p->width, &p->heat, err);
}

/* The tile as high as the street picture, and white between them. */
static gvm_status draw_pair(struct sheet *result, double *score, struct panel panels[2], const struct arguments *a,
                            gvm_session *session, int features, gvm_error *err)
{
    struct sheet sheets[2] = {{0}};
    int width = panels[0].width, height = panels[0].height;
    for (int i = 0; i < features; i++) *score += (double)panels[0].feature[i] * panels[1].feature[i];
    gvm_status status =
        panel_draw(&sheets[0], &panels[0], a, session, GVM_STREET, panels[1].feature, *score, height, width, err);
    if (status == GVM_OK)
        status = panel_draw(&sheets[1], &panels[1], a, session, GVM_AERIAL, panels[0].feature, *score, height,
                            scaled(panels[1].width, height, panels[1].height), err);
    if (status == GVM_OK) status = sheet_open(result, sheets[0].width + GAP + sheets[1].width, sheets[0].height, err);
    for (int v = 0, left = 0; v < 2 && status == GVM_OK; left += sheets[v++].width + GAP)
        sheet_place(result, left, 0, sheets[v].pixels, sheets[v].height, sheets[v].width);
    sheet_free(&sheets[0]);
    sheet_free(&sheets[1]);
    return status;
}

static void panel_free(struct panel *p)
{
    free(p->rgb);
    free(p->pixels);
    free(p->feature);
    free(p->values);
}

/* ------------------------------------------------------------------ the command */

static gvm_status draw(struct sheet *result, double *score, const struct arguments *a, gvm_session *session,
                       const gvm_model *model, gvm_error *err)
{
    struct panel panels[2] = {{0}}; /* GVM_STREET, GVM_AERIAL */
    gvm_model_info info = {.size = sizeof info};
    gvm_status status = gvm_model_about(model, &info, err);
    for (int v = 0; v < 2 && status == GVM_OK; v++)
        if (a->tile != NULL || v == a->view)
            status = panel_open(&panels[v], a, session, model, info.features, (gvm_view)v, err);
    struct panel *own = &panels[a->view];
    if (status == GVM_OK && a->tile != NULL)
        status = draw_pair(result, score, panels, a, session, info.features, err);
    else if (status == GVM_OK)
        status = panel_draw(result, own, a, session, (gvm_view)a->view, NULL, 1, own->height, own->width, err);
    panel_free(&panels[0]);
    panel_free(&panels[1]);
    return status;
}

static int print_result(const struct arguments *a, const struct sheet *result, double score)
{
    if (a->json) {
        json_t *root =
            json_pack("{s:o, s:i, s:i}", "file", json_text(a->out), "width", result->width, "height", result->height);
        if (a->tile != NULL) json_object_set_new(root, "score", json_real(score));
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
    gvm_model *model = NULL;
    gvm_session *session = NULL;
    struct sheet result = {0};
    double score = 0;
    int end = complete_arguments(a);
    if (end != GO_ON) return end;
    gvm_status status =
        output_check(a->out, &output_picture, a->force, (const char *[]){a->image, a->tile, a->weights}, 3, &err);
    if (status == GVM_OK) status = gvm_model_open(&model, weights_path(a->weights), &err);
    if (status == GVM_OK) status = gvm_session_open(&session, model, 1, &err);
    if (status == GVM_OK) status = draw(&result, &score, a, session, model, &err);
    if (status == GVM_OK) status = image_write_png(a->out, result.pixels, result.width, result.height, &err);
    end = status == GVM_OK ? print_result(a, &result, score) : failed(&err);
    sheet_free(&result);
    gvm_session_free(session);
    gvm_model_free(model);
    return end;
}

static const struct option_row rows[] = {
    {"weights", OPTION_TEXT, AT(weights), "W",
     .help = "the network, a safetensors file (default: nano, the built-in one)"},
    {"view", OPTION_CHOICE, AT(view), "street|aerial",
     .help = "a full panorama, or a square picture from above"}, /* in the order of gvm_view */
    {"side-by-side", OPTION_TEXT, AT(tile), "TILE",
     .help = "IMAGE is a street picture, TILE the picture from above to draw beside it"},
    {"stage", OPTION_CHOICE, AT(stage), "1|2|3|4|multi", .standard = "multi",
     .help = "one stage, or the multi-scale feature"},
    {"out", OPTION_TEXT, AT(out), "P.png", .needed = true, .help = "the file to write, whole or not at all"},
    {"heading", OPTION_DOUBLE, AT(heading), "DEG", -360, 360, .takes = "degrees",
     .help = "where the street picture's centre column looks, degrees clockwise from north; if not given, what the "
             "picture says of itself, else 0"},
    {"force", OPTION_FLAG, AT(force), .help = "write over another file"},
    {"panorama", OPTION_YES, AT(panorama), "yes|no", .standard = "no",
     .help = "take the street picture as a full panorama, whatever it says of itself"},
    {"json", OPTION_FLAG, AT(json), .help = "what was written as JSON"},
    {0},
};

const struct command heatmap_command = {
    .name = "heatmap",
    .summary = "what the network looks at in a picture",
    .usage = "--view street|aerial --out P.png [options] IMAGE\n"
             "--side-by-side TILE --out P.png [options] IMAGE",
    .about =
        "Draws over a picture, in its own shape and up to 2,048 pixels a side, where the network looks: blue is "
        "least, red most, and below them the numbers that they stand for. What the network does not see has no "
        "heat. A stage's heat is the mean over the channels of its map. The heat of the multi-scale feature is each "
        "position's share of a score, 1 where it is as large as on the average: that of the picture with itself "
        "or, for a street picture and its tile side by side, that of the two with each other, which is printed.",
    .rows = rows,
    .device = true,
    .operand = "picture",
    .least = 1,
    .most = 1,
    .examples = "  geoviewmatch heatmap --view street --out heat.png photo.jpg\n"
                "  geoviewmatch heatmap --side-by-side tile.png --out pair.png photo.jpg\n",
    .size = sizeof(struct arguments),
    .run = heatmap,
};
