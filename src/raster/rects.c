/* rects.c - see rects.h. A sweep line from top to bottom: between two rows at which rectangles begin or end, it crosses
 * the same rectangles. */
#include "raster/rects.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static void append(struct rects *r, struct rect rect)
{
    struct rect *items = array_room(r->items, r->count, sizeof *items);
    if (items != NULL)
        (r->items = items)[r->count++] = rect;
    else
        r->short_of_memory = true;
}

void rects_add(struct rects *r, double x0, double y0, double x1, double y1)
{
    if (isnan(x0 + y0 + x1 + y1)) return;
    x0 = fmax(0, round(x0));
    y0 = fmax(0, round(y0));
    x1 = fmin(r->width, round(x1));
    y1 = fmin(r->height, round(y1));
    if (x0 < x1 && y0 < y1) append(r, (struct rect){(int)x0, (int)y0, (int)x1, (int)y1});
}

static int by_top(const void *a, const void *b)
{
    const struct rect *p = a, *q = b;
    return (p->y0 > q->y0) - (p->y0 < q->y0);
}

static int by_left(const void *a, const void *b)
{
    const struct rect *p = a, *q = b;
    return (p->x0 > q->x0) - (p->x0 < q->x0);
}

static int by_number(const void *a, const void *b)
{
    int p = *(const int *)a, q = *(const int *)b;
    return (p > q) - (p < q);
}

/* Add the strips from y0 to y1 of the rectangles crossed there, joined with the strips above if they are the same.
 * `above` is the index of the first strip above; returns the index of the first new one. */
static size_t add_strips(struct rects *out, const struct rect *crossed, size_t count, int y0, int y1, size_t above)
{
    size_t from = out->count, old = from - above;
    for (size_t i = 0; i < count;) {
        struct rect strip = {crossed[i].x0, y0, crossed[i].x1, y1};
        for (i++; i < count && crossed[i].x0 <= strip.x1; i++)
            if (crossed[i].x1 > strip.x1) strip.x1 = crossed[i].x1;
        append(out, strip);
    }
    bool same = out->count - from == old && old > 0;
    for (size_t i = 0; i < old && same; i++) {
        const struct rect *p = &out->items[above + i], *q = &out->items[from + i];
        same = p->y1 == y0 && p->x0 == q->x0 && p->x1 == q->x1;
    }
    if (!same) return from;
    for (size_t i = 0; i < old; i++) out->items[above + i].y1 = y1;
    out->count = from;
    return above;
}

void rects_join(struct rects *r)
{
    struct rects out = {.width = r->width, .height = r->height, .short_of_memory = r->short_of_memory};
    struct rect *crossed = malloc((r->count + 1) * sizeof *crossed);
    int *heights = malloc((2 * r->count + 1) * sizeof *heights);
    if (crossed == NULL || heights == NULL || r->count == 0) {
        r->short_of_memory = r->short_of_memory || crossed == NULL || heights == NULL;
        free(crossed);
        free(heights);
        return;
    }
    qsort(r->items, r->count, sizeof *r->items, by_top);
    for (size_t i = 0; i < r->count; i++) {
        heights[2 * i] = r->items[i].y0;
        heights[2 * i + 1] = r->items[i].y1;
    }
    qsort(heights, 2 * r->count, sizeof *heights, by_number);
    size_t next = 0, active = 0, above = 0;
    for (size_t h = 0; h + 1 < 2 * r->count; h++) {
        if (heights[h] == heights[h + 1]) continue;
        size_t kept = 0;
        for (size_t i = 0; i < active; i++)
            if (crossed[i].y1 > heights[h]) crossed[kept++] = crossed[i];
        active = kept;
        for (; next < r->count && r->items[next].y0 <= heights[h]; next++) crossed[active++] = r->items[next];
        if (active > kept) qsort(crossed, active, sizeof *crossed, by_left);
        above = add_strips(&out, crossed, active, heights[h], heights[h + 1], above);
    }
    free(crossed);
    free(heights);
    free(r->items);
    *r = out;
}

bool rects_are_all(const struct rects *r)
{
    const struct rect *p = r->items;
    return r->count == 1 && p->x0 == 0 && p->y0 == 0 && p->x1 == r->width && p->y1 == r->height;
}

void rects_free(struct rects *r)
{
    free(r->items);
    *r = (struct rects){.items = NULL};
}
