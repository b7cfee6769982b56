/* routes.c - the addresses that there are, the page's files, and how the service is. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/assets.h"
#include "server/service.h"

static handler health_get, metrics_get;

#define BIT(parameter) (1u << (parameter))
#define QUESTION (BIT(NEAR) | BIT(WITHIN) | BIT(HEADING) | BIT(TOP) | BIT(MIN_MARGIN) | BIT(PANORAMA))
#define HEAT (BIT(VIEW) | BIT(STAGE) | BIT(TILE) | BIT(HEADING) | BIT(PANORAMA))

/* The page itself holds nothing of the map, and a browser cannot send a token for it: it is open. */
const struct route routes[] = {
    {"/", "/", false, true, page_get, NULL, 0},
    {"/app/{name}", "/app/", true, true, page_get, NULL, 0},
    {"/leaflet/{name}", "/leaflet/", true, true, page_get, NULL, 0},
    {"/openapi.json", "/openapi.json", false, true, page_get, NULL, 0},
    {"/healthz", "/healthz", false, true, health_get, NULL, 0},
    {"/metrics", "/metrics", false, false, metrics_get, NULL, 0},
    {"/v1/map", "/v1/map", false, false, map_get, NULL, 0},
    {"/v1/imagery/{z}/{x}/{y}.jpg", "/v1/imagery/", true, false, imagery_get, NULL, 0},
    {"/v1/tiles", "/v1/tiles", false, false, tiles_get, NULL, BIT(BBOX)},
    {"/v1/tiles/{id}.jpg", "/v1/tiles/", true, false, tile_get, NULL, 0},
    {"/v1/locate", "/v1/locate", false, false, NULL, locate_post, QUESTION},
    {"/v1/heatmap", "/v1/heatmap", false, false, heatmap_get, heatmap_post, HEAT},
    {"other", "", true, false, NULL, NULL, 0},
};

enum { ROUTES = sizeof routes / sizeof *routes };
static_assert((int)ROUTES <= (int)METRIC_ROUTES, "metrics_text takes so many names");

int route_number(const struct route *route)
{
    return (int)(route - routes);
}

const struct route *route_find(const char **tail, const char *path)
{
    for (int i = 0; i < ROUTES - 1; i++) {
        size_t length = strlen(routes[i].prefix);
        *tail = path + length;
        if (routes[i].has_tail ? strncmp(path, routes[i].prefix, length) == 0 : strcmp(path, routes[i].prefix) == 0)
            return &routes[i];
    }
    *tail = path;
    return &routes[ROUTES - 1];
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

/* FNV-1a: the files are our own, so nobody looks for two that collide. */
static void make_etag(char etag[24], const struct asset *asset)
{
    uint64_t hash = 14695981039346656037u;
    for (const unsigned char *p = asset->data; p < asset->end; p++) hash = (hash ^ *p) * 1099511628211u;
    snprintf(etag, 24, "\"%016llx\"", (unsigned long long)hash);
}

enum MHD_Result page_get(struct request *r)
{
    const char *path = r->tail - strlen(r->route->prefix);
    for (size_t i = 0; i < asset_count; i++) {
        const struct asset *asset = &assets[i];
        if (strcmp(asset->path, path) != 0) continue;
        char etag[24];
        make_etag(etag, asset);
        return reply_static(r, type_of(path), asset->data, (size_t)(asset->end - asset->data), etag);
    }
    return reply_problem(r, 404, "There is no such file.");
}

/* ------------------------------------------------------------------ how it is */

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
                            .connections = guard_count(&s->guard),
                            .held_bytes = (double)guard_held(&s->guard)};
    const char *names[METRIC_ROUTES] = {NULL};
    for (int i = 0; i < ROUTES; i++) names[i] = routes[i].name;
    char *text = metrics_text(&s->metrics, names, &gauges);
    return reply_owned(r, "text/plain; version=0.0.4; charset=utf-8", text, text != NULL ? strlen(text) : 0, NULL);
}
