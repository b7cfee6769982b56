/* fuzz_body.c - three lines as the headers Content-Type, Content-Length and Expect of a request, the rest as its body.
 * However the body is cut into pieces, the same picture and fields, or the same refusal, must come out. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES = 3, PICTURE = 64, MEMORY = 4096 };

static char *lines[LINES];

const char *__wrap_MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                               const char *key);

const char *__wrap_MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                               const char *key)
{
    static const char *const names[LINES] = {MHD_HTTP_HEADER_CONTENT_TYPE, MHD_HTTP_HEADER_CONTENT_LENGTH,
                                             MHD_HTTP_HEADER_EXPECT};
    (void)connection;
    if (kind != MHD_HEADER_KIND) return strcmp(key, "top") == 0 && lines[2][0] == 't' ? "1" : NULL; /* in the query */
    for (int i = 0; i < LINES; i++)
        if (strcmp(key, names[i]) == 0) return lines[i][0] != '\0' ? lines[i] : NULL;
    return NULL;
}

struct outcome {
    int refused;
    size_t size;
    uint64_t hash;
    bool ended;
};

static void put(struct outcome *o, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) o->hash = (o->hash ^ ((const uint8_t *)bytes)[i]) * 1099511628211u;
}

static const struct route *locate(void)
{
    const struct route *route = routes;
    while (strcmp(route->name, "/v1/locate") != 0) route++;
    return route;
}

static struct outcome take(struct service *s, const uint8_t *body, size_t size, size_t step)
{
    struct outcome o = {.hash = 1};
    struct request r = {.service = s, .route = locate(), .method = MHD_HTTP_METHOD_POST};
    r.guarded = guard_open(&s->guard, -1, NULL, INFINITY);
    body_start(&r);
    body_is_awaited(&r);
    for (size_t i = 0; i < size && !o.ended; i += step)
        o.ended = !body_take(&r, (const char *)body + i, size - i < step ? size - i : step);
    if (!o.ended && !r.refused) body_end(&r);
    if (r.size > PICTURE || (r.refused != 0) != (r.sentence[0] != '\0')) abort();
    o.refused = r.refused;
    if (!r.refused) {
        o.size = r.size;
        put(&o, r.body, r.size);
        for (int i = 0; i < PARAMETERS && r.fields != NULL; i++) {
            if (strlen(r.fields[i].text) != r.fields[i].size) abort();
            put(&o, r.fields[i].text, r.fields[i].size + 1);
        }
    }
    body_free(&r);
    guard_close(&s->guard, r.guarded);
    if (atomic_load(&s->guard.held) != 0) abort();
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct serve_options options = {.body_bytes = PICTURE, .memory_bytes = MEMORY};
    struct service service = {.options = &options};
    char *text = calloc(size + 1, 1), *body = text;
    if (text == NULL) abort();
    if (size > 0) memcpy(text, data, size);
    for (int i = 0; i < LINES; i++) {
        lines[i] = body;
        char *end = memchr(body, '\n', size - (size_t)(body - text));
        if (end == NULL) {
            free(text);
            return -1;
        }
        *end = '\0';
        body = end + 1;
    }
    size -= (size_t)(body - text);
    guard_start(&service.guard);
    metrics_start(&service.metrics);
    struct outcome whole = take(&service, (uint8_t *)body, size, size + 1),
                   single = take(&service, (uint8_t *)body, size, 1);
    if (whole.refused != single.refused || whole.size != single.size || whole.hash != single.hash) abort();
    metrics_end(&service.metrics);
    guard_end(&service.guard);
    free(text);
    return 0;
}
