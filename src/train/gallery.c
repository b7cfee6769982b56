/* gallery.c - see gallery.h. */
#include "train/gallery.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/encode.h"
#include "image/sheet.h"

/* Blue and orange differ for colour-blind viewers, and in grey too. */
static const struct colour right_colour = {0, 90, 181}, wrong_colour = {230, 140, 30};

struct gallery {
    struct sheet sheet;
    const struct pictures *pictures;
    const struct split *split;
    uint8_t *room; /* buffer for a picture of either view */
    int frame, gap, letters;
};

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int tile_left(const struct gallery *g, int k)
{
    return g->gap + g->pictures->street.width + g->gap + g->frame +
           k * (g->pictures->aerial.width + 2 * g->frame + g->gap);
}

/* Height of a row's pictures, without the two lines of text below. */
static int band_height(const struct gallery *g)
{
    return larger(g->pictures->street.height, g->pictures->aerial.height + 2 * g->frame);
}

static int row_height(const struct gallery *g)
{
    return band_height(g) + g->gap + 2 * sheet_line(g->letters) + g->gap;
}

/* Draw a picture's name and a line of text. */
static void draw_lines(struct gallery *g, const char *path, const char *text, int left, int top, int width)
{
    const char *slash = strrchr(path, '/');
    sheet_text(&g->sheet, left, top, slash ? slash + 1 : path, g->letters, width);
    sheet_text(&g->sheet, left, top + sheet_line(g->letters), text, g->letters, width);
}

static gvm_status draw_street(struct gallery *g, int query, int rank, int top, gvm_error *err)
{
    const int H = g->pictures->street.height, W = g->pictures->street.width;
    const uint8_t *pixels;
    gvm_status status = pictures_read(&pixels, g->room, g->pictures, g->split, GVM_STREET, query, err);
    if (status != GVM_OK) return status;
    char text[40];
    snprintf(text, sizeof text, "right tile: rank %d", rank + 1);
    top += (band_height(g) - H) / 2;
    sheet_place(&g->sheet, g->gap, top, pixels, H, W);
    draw_lines(g, g->split->queries[query].path, text, g->gap, top + H + g->gap, W);
    return GVM_OK;
}

static gvm_status draw_tile(struct gallery *g, int query, int tile, float score, int left, int top, gvm_error *err)
{
    const int H = g->pictures->aerial.height, W = g->pictures->aerial.width;
    const uint8_t *pixels;
    gvm_status status = pictures_read(&pixels, g->room, g->pictures, g->split, GVM_AERIAL, tile, err);
    if (status != GVM_OK) return status;
    char text[24];
    snprintf(text, sizeof text, "%.3f", isfinite(score) ? (double)score : 0);
    bool right = truth_holds(g->split, query, tile, g->pictures->data->hit_m);
    top += (band_height(g) - H) / 2;
    sheet_place(&g->sheet, left, top, pixels, H, W);
    sheet_frame(&g->sheet, left, top, H, W, g->frame, right ? right_colour : wrong_colour);
    draw_lines(g, g->split->tiles[tile].path, text, left, top + H + g->frame + g->gap, W);
    return GVM_OK;
}

static gvm_status draw_row(struct gallery *g, int query, const struct ranking *ranking, int top, gvm_error *err)
{
    gvm_status status = draw_street(g, query, ranking->rank, top, err);
    for (int k = 0; k < TOP_KEPT && ranking->top[k] >= 0 && status == GVM_OK; k++)
        status = draw_tile(g, query, ranking->top[k], ranking->score[k], tile_left(g, k), top, err);
    return status;
}

gvm_status gallery_save(const char *path, const struct ranking *rankings, const struct pictures *pictures,
                        const struct split *split, int rows, gvm_error *err)
{
    size_t street = picture_bytes(&pictures->street), aerial = picture_bytes(&pictures->aerial);
    int unit = larger(1, pictures->aerial.height / 64), Q = split->query_count;
    struct gallery g = {.pictures = pictures, .split = split, .frame = 2 * unit, .gap = 3 * unit};
    g.letters = larger(SHEET_TEXT_LEAST, 6 * unit);
    if (rows > Q) rows = Q;
    g.room = malloc(street > aerial ? street : aerial);
    if (g.room == NULL) return fail(err, GVM_MEMORY, "%s: cannot draw it: out of memory", path);
    gvm_status status = sheet_open(&g.sheet, tile_left(&g, TOP_KEPT) - g.frame, g.gap + rows * row_height(&g), err);
    for (int i = 0; i < rows && status == GVM_OK; i++) {
        int query = (int)((int64_t)i * Q / rows);
        status = draw_row(&g, query, &rankings[query], g.gap + i * row_height(&g), err);
    }
    if (status == GVM_OK) status = image_write_png(path, g.sheet.pixels, g.sheet.width, g.sheet.height, err);
    sheet_free(&g.sheet);
    free(g.room);
    return status;
}
