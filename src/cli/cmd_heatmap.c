/* cmd_heatmap.c - what the network looks at, drawn over the picture. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/output.h"
#include "cli/cli.h"
#include "image/image.h"
#include "image/overlay.h"

static const char help[] =
    "usage: geoviewmatch heatmap --view street|aerial --out P.png [options] IMAGE\n"
    "       geoviewmatch heatmap --side-by-side TILE --out P.png [options] IMAGE\n"
    "\n"
    "Draws over a picture, as the network takes it, where the network looks: blue is least, red most.\n"
    "A stage's heat is the mean over the channels of its map. The heat of the multi-scale feature is each position's\n"
    "share of a score: that of the picture with itself or, for a street picture and its tile side by side, that of\n"
    "the two with each other, which is printed.\n"
    "\n"
    "  --weights W           the network, a safetensors file (default: nano, the built-in one)\n"
    "  --view street|aerial  a full panorama, or a square picture from above\n"
    "  --side-by-side TILE   IMAGE is a street picture, TILE the picture from above to draw beside it\n"
    "  --stage 1|2|3|4|multi one stage, or the multi-scale feature (default: multi)\n"
    "  --out P.png           the file to write, whole or not at all\n"
    "  --heading DEG         where the street picture's centre column looks, degrees clockwise from north\n"
    "                        (default: what the picture says of itself, else 0)\n"
    "  --force               write over another file\n"
    "  --panorama yes|no     take the street picture as a full panorama, whatever it says of itself (default: no)\n"
    "  --json                what was written as JSON\n" COMMON_HELP;

enum { GAP = 8 /* pixels between two pictures */ };

struct arguments {
    struct common common;
    const char *weights, *out, *image, *tile;
    int view, stage; /* -1: no view is given; 0: multi */
    bool has_heading, json, force, panorama;
    double heading;
};

/* A picture as the network takes it, and then with its heat. */
struct panel {
    int width, height;
    unsigned char *pixels; /* (height, width, 3) */
    float *feature, *heat; /* (features), (height, width) */
};

static int check_arguments(struct arguments *a, int argc, char **argv)
{
    const char *name = a->common.name;
    if (a->tile != NULL && a->view == GVM_AERIAL)
        return usage_error(name, "--side-by-side goes with a street picture, not with --view aerial");
    if (a->tile != NULL) a->view = GVM_STREET;
    if (a->view < 0) return usage_error(name, "--view is missing");
    if (a->out == NULL) return usage_error(name, "--out is missing");
    if (a->has_heading && a->view == GVM_AERIAL) return usage_error(name, "--heading goes with --view street");
    if (a->panorama && a->view == GVM_AERIAL) return usage_error(name, "--panorama goes with --view street");
    if (optind == argc) return usage_error(name, "no picture is given");
    if (optind + 1 < argc) return usage_error(name, "'%s' is one argument too many", argv[optind + 1]);
    a->image = argv[optind];
    return GO_ON;
}

static int read_arguments(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {{"weights", required_argument, NULL, 'w'},
                                            {"view", required_argument, NULL, 'v'},
                                            {"side-by-side", required_argument, NULL, 't'},
                                            {"stage", required_argument, NULL, 's'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"heading", required_argument, NULL, 'd'},
                                            {"panorama", required_argument, NULL, 'p'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"force", no_argument, NULL, 'f'},
                                            COMMON_OPTIONS};
    const char *name = a->common.name;
    int status;
    for (int c; (c = next_option(argc, argv, options)) != -1;) {
        switch (c) {
        case 'w': a->weights = optarg; break;
        case 't': a->tile = optarg; break;
        case 'o': a->out = optarg; break;
        case 'j': a->json = true; break;
        case 'f': a->force = true; break;
        case 'v':
            a->view = strcmp(optarg, "street") == 0 ? GVM_STREET : strcmp(optarg, "aerial") == 0 ? GVM_AERIAL : -1;
            if (a->view < 0) return usage_error(name, "--view takes street or aerial, not '%s'", optarg);
            break;
        case 's':
            a->stage = strlen(optarg) == 1 && *optarg >= '1' && *optarg <= '4' ? *optarg - '0' : 0;
            if (a->stage == 0 && strcmp(optarg, "multi") != 0)
                return usage_error(name, "--stage takes 1, 2, 3, 4 or multi, not '%s'", optarg);
            break;
        case 'd':
            a->has_heading = true;
            if (!read_double(&a->heading, optarg, -360, 360))
                return usage_error(name, "--heading takes degrees from -360 to 360, not '%s'", optarg);
            break;
        case 'p':
            a->panorama = strcmp(optarg, "yes") == 0;
            if (!a->panorama && strcmp(optarg, "no") != 0)
                return usage_error(name, "--panorama takes yes or no, not '%s'", optarg);
            break;
        default:
            if ((status = common_option(&a->common, c, argv)) != GO_ON) return status;
        }
    }
    return check_arguments(a, argc, argv);
}

/* ------------------------------------------------------------------ the panels */

static gvm_status panel_open(struct panel *p, const struct arguments *a, gvm_session *session, const gvm_model *model,
                             gvm_view view, gvm_error *err)
{
    gvm_model_info info = gvm_model_about(model);
    p->width = view == GVM_STREET ? info.street_width : info.aerial_width;
    p->height = view == GVM_STREET ? info.street_height : info.aerial_height;
    size_t n = (size_t)p->width * (size_t)p->height;
    p->pixels = malloc(3 * n);
    p->heat = malloc(n * sizeof *p->heat);
    p->feature = malloc((size_t)info.features * sizeof *p->feature);
    if (p->pixels == NULL || p->heat == NULL || p->feature == NULL)
        return fail(err, GVM_MEMORY, "there is not enough memory for a heat map");
    const char *path = view == GVM_STREET ? a->image : a->view == GVM_STREET ? a->tile : a->image;
    gvm_status status =
        gvm_load_picture(model, view, p->pixels, path, a->has_heading ? &a->heading : NULL, a->panorama, err);
    if (status == GVM_OK) status = gvm_embed_pixels(session, view, p->feature, p->pixels, 1, err);
    return status;
}

static gvm_status panel_draw(struct panel *p, const struct arguments *a, gvm_session *session, gvm_view view,
                             const float *other, gvm_error *err)
{
    gvm_status status = gvm_heatmap(session, view, a->stage, p->heat, p->pixels, other, err);
    if (status == GVM_OK) overlay(p->pixels, p->pixels, p->heat, p->height, p->width);
    return status;
}

/* As high as the other, the sides' ratio kept. */
static gvm_status panel_grow(struct panel *p, int height, gvm_error *err)
{
    if (p->height >= height) return GVM_OK;
    int width = (int)((long)p->width * height / p->height);
    unsigned char *pixels = malloc((size_t)width * (size_t)height * 3);
    gvm_status status = GVM_MEMORY;
    if (pixels != NULL)
        status = image_resize(pixels, height, width, p->pixels, p->height, p->width,
                              (const double[4]){0, 0, p->width, p->height});
    if (status != GVM_OK) {
        free(pixels);
        return fail(err, status, "there is not enough memory for a heat map");
    }
    free(p->pixels);
    *p = (struct panel){.width = width, .height = height, .pixels = pixels, .feature = p->feature, .heat = p->heat};
    return GVM_OK;
}

/* Side by side in a picture of its own, white between them. */
static gvm_status join(struct panel *both, struct panel panels[2], gvm_error *err)
{
    int height = panels[0].height > panels[1].height ? panels[0].height : panels[1].height;
    gvm_status status = panel_grow(&panels[0], height, err);
    if (status == GVM_OK) status = panel_grow(&panels[1], height, err);
    if (status != GVM_OK) return status;
    size_t left = 3 * (size_t)panels[0].width, right = 3 * (size_t)panels[1].width, row = left + 3 * GAP + right;
    both->height = height;
    both->width = (int)(row / 3);
    both->pixels = malloc((size_t)height * row);
    if (both->pixels == NULL) return fail(err, GVM_MEMORY, "there is not enough memory for a heat map");
    memset(both->pixels, 255, (size_t)height * row);
    for (size_t y = 0; y < (size_t)height; y++) {
        memcpy(both->pixels + y * row, panels[0].pixels + y * left, left);
        memcpy(both->pixels + y * row + left + 3 * GAP, panels[1].pixels + y * right, right);
    }
    return GVM_OK;
}

static void panel_free(struct panel *p)
{
    free(p->pixels);
    free(p->feature);
    free(p->heat);
}

/* ------------------------------------------------------------------ the command */

static gvm_status draw(struct panel *result, double *score, const struct arguments *a, gvm_session *session,
                       const gvm_model *model, gvm_error *err)
{
    gvm_view view = (gvm_view)a->view;
    if (a->tile == NULL) {
        gvm_status status = panel_open(result, a, session, model, view, err);
        return status == GVM_OK ? panel_draw(result, a, session, view, NULL, err) : status;
    }
    struct panel panels[2] = {{0}}; /* GVM_STREET, GVM_AERIAL */
    gvm_status status = GVM_OK;
    for (int v = 0; v < 2 && status == GVM_OK; v++)
        status = panel_open(&panels[v], a, session, model, (gvm_view)v, err);
    for (int v = 0; v < 2 && status == GVM_OK; v++)
        status = panel_draw(&panels[v], a, session, (gvm_view)v, panels[1 - v].feature, err);
    if (status == GVM_OK) {
        int features = gvm_model_about(model).features;
        for (int i = 0; i < features; i++) *score += (double)panels[0].feature[i] * panels[1].feature[i];
        status = join(result, panels, err);
    }
    panel_free(&panels[0]);
    panel_free(&panels[1]);
    return status;
}

static int print_result(const struct arguments *a, const struct panel *result, double score)
{
    if (a->json) {
        json_t *root =
            json_pack("{s:o, s:i, s:i}", "file", json_text(a->out), "width", result->width, "height", result->height);
        if (a->tile != NULL) json_object_set_new(root, "score", json_real(score));
        return json_print(root);
    }
    print_text(a->out);
    printf(": %d x %d pixels", result->width, result->height);
    if (a->tile != NULL) printf(", score %.4f", score);
    putchar('\n');
    return DONE;
}

int cmd_heatmap(int argc, char **argv)
{
    struct arguments a = {.common = {.name = "heatmap", .help = help}, .view = -1};
    int end = read_arguments(&a, argc, argv);
    if (end != GO_ON) return end;
    gvm_error err;
    gvm_model *model = NULL;
    gvm_session *session = NULL;
    struct panel result = {0};
    double score = 0;
    gvm_status status =
        output_check(a.out, &output_picture, a.force, (const char *[]){a.image, a.tile, a.weights}, 3, &err);
    if (status == GVM_OK) status = gvm_model_open(&model, weights_path(a.weights), &err);
    if (status == GVM_OK) status = gvm_session_open(&session, model, 1, &err);
    if (status == GVM_OK) status = draw(&result, &score, &a, session, model, &err);
    if (status == GVM_OK) status = image_write_png(a.out, result.pixels, result.width, result.height, &err);
    end = status == GVM_OK ? print_result(&a, &result, score) : failed(&err);
    panel_free(&result);
    gvm_session_free(session);
    gvm_model_free(model);
    return end;
}
