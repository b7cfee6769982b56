/* routes.c - the table of routes, the page's files, health and metrics. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/assets.h"
#include "server/service.h"

static handler health_get, metrics_get;

#define BIT(parameter) (1u << (parameter))
#define CAMERA (BIT(FOV) | BIT(FOCAL35) | BIT(PITCH) | BIT(ROLL) | BIT(LENS))
#define QUESTION (CAMERA | BIT(NEAR) | BIT(WITHIN) | BIT(HEADING) | BIT(TOP) | BIT(MIN_MARGIN) | BIT(PANORAMA))
#define SCORES (CAMERA | BIT(NEAR) | BIT(WITHIN) | BIT(HEADING) | BIT(PANORAMA) | BIT(FORMAT))
#define HEAT (CAMERA | BIT(VIEW) | BIT(STAGE) | BIT(TILE) | BIT(HEADING) | BIT(PANORAMA))

/* The page needs no token: it has no data of the map, and a browser cannot send a token for it. */
const struct route routes[] = {
    {"/", .unlocked = true, .get = page_get},
    {"/app/{name}", .unlocked = true, .get = page_get},
    {"/leaflet/{name}", .unlocked = true, .get = page_get},
    {"/openapi.json", .unlocked = true, .get = page_get},
    {"/healthz", .unlocked = true, .get = health_get},
    {"/metrics", .get = metrics_get},
    {"/v1/map", .get = map_get},
    {"/v1/imagery/{z}/{x}/{y}.jpg", .get = imagery_get},
    {"/v1/tiles", .get = tiles_get, .parameters = BIT(BBOX)},
    {"/v1/tiles/{id}.jpg", .get = tile_get},
    {"/v1/locate", .post = locate_post, .parameters = QUESTION},
    {"/v1/scores", .post = scores_post, .parameters = SCORES},
    {"/v1/heatmap", .get = heatmap_get, .post = heatmap_post, .parameters = HEAT},
    {.name = "other"},
};

enum { ROUTES = sizeof routes / sizeof *routes };
static_assert((int)ROUTES <= (int)METRIC_ROUTES, "metrics_text needs a name for each route");

int route_number(const struct route *route)
{
    return (int)(route - routes);
}

void route_find(struct request *r)
{
    for (r->route = routes; r->route < &routes[ROUTES - 1]; r->route++) {
        const char *name = r->route->name;
        size_t length = strcspn(name, "{"); /* the rest of the path is the tail */
        if (name[length] == '{' ? strncmp(r->path, name, length) != 0 : strcmp(r->path, name) != 0) continue;
        r->tail = r->path + length;
        return;
    }
}

/* ------------------------------------------------------------------ the page */

static const char *type_of(const char *path)
{
    static const char *const types[][2] = {
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".html", "text/html; charset=utf-8"},
        {".json", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
    };
    const char *dot = strrchr(path, '.');
    if (strcmp(path, "/") == 0) dot = ".html";
    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof *types; i++)
        if (strcmp(dot, types[i][0]) == 0) return types[i][1];
    return "application/octet-stream";
}

/* FNV-1a: the files are trusted, so collisions are not a concern. */
static void make_etag(char etag[24], const struct asset *asset)
{
    uint64_t hash = 14695981039346656037u;
    for (const unsigned char *p = asset->data; p < asset->end; p++) hash = (hash ^ *p) * 1099511628211u;
    snprintf(etag, 24, "\"%016llx\"", (unsigned long long)hash);
}

enum MHD_Result page_get(struct request *r)
{
    for (size_t i = 0; i < asset_count; i++) {
        const struct asset *asset = &assets[i];
        if (strcmp(asset->path, r->path) != 0) continue;
        char etag[24];
        make_etag(etag, asset);
        return reply_static(r, type_of(r->path), asset->data, (size_t)(asset->end - asset->data), etag);
    }
    return reply_problem(r, 404, "No such file.");
}

/* ------------------------------------------------------------------ health and metrics */

static enum MHD_Result health_get(struct request *r)
{
    static const char fine[] = "{\"status\":\"ok\"}";
    if (atomic_load(&r->service->stopping)) return reply_problem(r, 503, "The service is stopping.");
    if (!work_has_map(r)) return reply_refused(r);
    return reply_static(r, "application/json", fine, sizeof fine - 1, NULL);
}

static enum MHD_Result metrics_get(struct request *r)
{
    struct service *s = r->service;
    struct gauges gauges = {.waiting = engine_waiting(s->engine),
                            .queue = s->options->queue,
                            .connections = atomic_load(&s->guard.count),
                            .held_bytes = (double)atomic_load(&s->guard.held)};
    const char *names[METRIC_ROUTES] = {NULL};
    for (int i = 0; i < ROUTES; i++) names[i] = routes[i].name;
    char *text = metrics_text(&s->metrics, names, &gauges);
    return reply_owned(r, "text/plain; version=0.0.4; charset=utf-8", text, text != NULL ? strlen(text) : 0, NULL);
}
