/* service.h - what the files of the service share: the service, a request, its routes, its answers. */
#ifndef GVM_SERVER_SERVICE_H
#define GVM_SERVER_SERVICE_H

#include <jansson.h>
#include <microhttpd.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/json_put.h"
#include "server/engine.h"
#include "server/guard.h"
#include "server/metrics.h"
#include "server/serve_options.h"

/* What all requests share; read-only but for what locks itself. */
struct service {
    const struct serve_options *options;
    const gvm_model *model;
    const gvm_map *map;
    gvm_map_guard *watch;
    gvm_model_info info;
    gvm_view_info views[2]; /* GVM_STREET, GVM_AERIAL */
    gvm_map_info map_info;
    struct engine *engine;
    gvm_imagery *imagery;
    struct metrics metrics;
    struct guard guard;
    sem_t decoders; /* pictures that may be decoded or drawn besides, at a time */
    char *facts[2]; /* of /v1/map: without and with imagery */
    char tag[48];   /* of what is drawn from the map: another one at each start, since the map may be */
    char *token;    /* NULL: none is asked for */
    pthread_mutex_t log_lock;
    FILE *log; /* NULL: none */
    struct MHD_Daemon *daemon;
    int port;
    atomic_int active;     /* requests that are not over */
    atomic_ullong served;  /* requests that are */
    atomic_bool stopping;  /* no new request is taken */
    atomic_bool abandoned; /* nor are those that were taken waited for */
};

enum { PARAMETER_TEXT = 64 };

/* A request, from its headers to the end of its answer. */
struct request {
    struct service *service;
    struct MHD_Connection *connection;
    const struct route *route;
    const char *path;   /* without the host that a proxy puts before it */
    const char *tail;   /* of the path, what the route leaves open and what is behind that; NULL: no route */
    const char *method; /* lives as long as the request */
    struct guarded *guarded;
    double start, until; /* of the time that it may take, in all */
    char host[256];      /* whom it is for */
    bool has_host;

    char *body; /* the picture's bytes */
    size_t size, room;
    size_t skipped;    /* bytes of a body that nobody wants */
    size_t taken;      /* of one that is wanted */
    struct form *form; /* of a multipart body */
    struct field {
        char text[PARAMETER_TEXT];
        size_t size; /* 0: not given; PARAMETER_TEXT: longer than any value is */
    } * fields;      /* (PARAMETERS) of the form */

    int refused;        /* status of what is wrong already; 0 */
    bool ends;          /* its connection, with the answer, which goes out at once */
    bool last;          /* of its connection */
    atomic_bool gone;   /* the client is; nothing is answered */
    char sentence[400]; /* then, why */
    const char *retry;  /* then, the parameter with which it may be asked again; NULL: none */
    int status;         /* of the answer; 0: none yet */
    size_t answer;      /* bytes of it */
};

/* To stderr, unless it is to be quiet. */
__attribute__((format(printf, 2, 3))) void tell(const struct service *service, const char *format, ...);

/* A file of up to 1 MB as text, to be freed: a token, a certificate. */
gvm_status read_small_file(char **text, const char *path, gvm_error *err);

/* ------------------------------------------------------------------ framing: framing.c */

/* Refuse a request whose beginning or end a proxy could read otherwise. Sets its path, of the target `url`. */
void framing_check(struct request *request, const char *url, const char *version);

/* Whether libmicrohttpd, as it is before 1.0, takes malformed lines, and they are found here. From 1.0 on it refuses
 * them where it is to be strict. */
bool framing_is_ours(void);

/* For MHD_OPTION_UNESCAPE_CALLBACK. */
size_t framing_unescape(void *user, struct MHD_Connection *connection, char *text);

/* ------------------------------------------------------------------ listening: listen.c */

/* Start to take requests; the address is in the service then. GVM_OK, or as serve. */
gvm_status listen_start(struct service *service, gvm_error *err);

/* Say where it is reached: a line to stdout, and more to stderr. */
void listen_tell(const struct service *service);

/* ------------------------------------------------------------------ parameters: parameters.c */

enum parameter { NEAR, WITHIN, HEADING, TOP, MIN_MARGIN, VIEW, STAGE, TILE, BBOX, PANORAMA, FORMAT, PARAMETERS };
extern const char *const parameter_names[PARAMETERS];

/* A value from the query or else the form; NULL where it is in neither. */
const char *parameter(const struct request *request, enum parameter which);

/* Refuse the request where it has a parameter that is not among `allowed` (bits), in the query. */
void check_parameters(struct request *request, unsigned allowed);

/* Fill in a question about a picture, and how many answers. Refuses the request, and false, where a value is none. */
bool read_question(gvm_question *question, int *top, double *min_margin, struct request *request);

/* A tile's number in the map from text with this end; false where there is no such tile. */
bool read_tile(size_t *number, const struct request *request, const char *text, const char *end);

/* ------------------------------------------------------------------ bodies: body.c */

/* A request with a body begins: what its headers say of it. Refuses where that is wrong. */
void body_start(struct request *request);

/* Whether the client waits for leave to send it (Expect), or claims more than is taken: a refusal goes out at once. */
bool body_is_awaited(const struct request *request);

/* More of it has come. False ends the connection. */
bool body_take(struct request *request, const char *data, size_t size);

/* It is all there. Refuses where it is not whole, or has no picture. */
void body_end(struct request *request);
void body_free(struct request *request);

/* ------------------------------------------------------------------ work: work.c */

/* Whether nobody waits for the answer any more, or for no longer. `user` is the request. */
bool work_is_over(void *user);

/* Take one of the places for decoding, to be given back with work_leave. False, and refused, where none came free. */
bool work_enter(struct request *request);
void work_leave(struct request *request);

/* Take a place in the network's queue (engine_enter); false, and refused, where all are taken. */
bool work_queue(struct request *request);

/* Refuse what is over. Of a client that has gone: without words, as reply_refused then ends the connection. */
bool work_refuse(struct request *request);

/* Have the network do it; false, and refused, where it was not done. */
bool work_done(struct request *request, struct work *work);

/* Refuse, and false, where the map's files were changed while they are served: its answers would be wrong. */
bool work_has_map(struct request *request);

/* ------------------------------------------------------------------ answers: reply.c */

/* Say what is wrong, to be answered once the request has come whole. The first one holds. False, so that what fails
 * ends with `return refuse(...)`; so do the others below and above. */
__attribute__((format(printf, 3, 4))) bool refuse(struct request *request, int status, const char *format, ...);

/* Each queues an answer and returns what MHD's handler is to return. */

/* Bytes that last for ever. etag: of them, or NULL for what must not be kept. */
enum MHD_Result reply_static(struct request *request, const char *type, const void *data, size_t size,
                             const char *etag);

/* Bytes from malloc or g_malloc (which are one), freed with the answer; NULL is 503. etag: as above */
enum MHD_Result reply_owned(struct request *request, const char *type, void *data, size_t size, const char *etag);

/* That there is nothing to show. */
enum MHD_Result reply_nothing(struct request *request);

/* Whether the client has the bytes already: the list in its If-None-Match has the tag. Then reply_static is 304. */
bool is_known(const struct request *request, const char *etag);

/* Frees it; NULL is 503. */
enum MHD_Result reply_json(struct request *request, const char *type, json_t *json);

/* What `refuse` was told, as application/problem+json. */
enum MHD_Result reply_refused(struct request *request);

/* The same at once. */
#define reply_problem(request, ...) (refuse(request, __VA_ARGS__), reply_refused(request))

/* 503 to a request for which not even its own record could be had. */
enum MHD_Result reply_short(struct MHD_Connection *connection);

/* Refuse what failed, with the status that it stands for. */
bool refuse_failure(struct request *request, gvm_status status, const gvm_error *err);

static inline bool takes_photos(const struct service *service)
{
    return service->views[GVM_STREET].projection != GVM_EQUIRECTANGULAR;
}

/* Bytes of the network's input: of one picture. */
static inline size_t input_bytes(const struct service *service, gvm_view view)
{
    const gvm_view_info *v = &service->views[view];
    return (size_t)v->height * (size_t)v->width * 3;
}

/* ------------------------------------------------------------------ routes: routes.c and others */

typedef enum MHD_Result handler(struct request *request);

struct route {
    const char *name;    /* the path, with what is left open in it, as "/v1/tiles/{id}.jpg" */
    bool unlocked;       /* needs no token */
    handler *get, *post; /* NULL: there is no such method */
    unsigned parameters; /* bits */
};

extern const struct route routes[];
int route_number(const struct route *route);

/* Finds the route of the request's path, with its tail; the last one stands for what there is not. */
void route_find(struct request *request);

handler page_get, map_get, imagery_get, tiles_get, tile_get, locate_post, scores_post, heatmap_get, heatmap_post;

/* The text of /v1/map; NULL without memory. */
char *map_facts(const struct service *service, bool imagery);

/* The body, which goes then, made ready to be located, of a picture with its question; its pixels are to be freed, also
 * where it is refused: false. */
bool read_street(gvm_located *photo, struct request *request);

/* The same of a picture that is to be located, with a place in the network's queue. */
bool read_located(gvm_located *photo, struct request *request);

#endif
