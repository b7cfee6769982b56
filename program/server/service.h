/* service.h - shared by the files of the service: the service, a request, routes, answers. */
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

/* Shared by all requests; read-only except for members that lock themselves. */
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
    sem_t decoders; /* limits how many pictures are decoded or drawn at once */
    char *facts[2]; /* of /v1/map: without and with imagery */
    char tag[48];   /* ETag of the map's pictures: new at each start, because the map may have changed */
    char *token;    /* NULL: none required */
    pthread_mutex_t log_lock;
    FILE *log;       /* NULL: none */
    bool log_broken; /* its last line could not be written */
    struct MHD_Daemon *daemon;
    int port;
    atomic_int active;     /* requests in progress */
    atomic_ullong served;  /* finished requests */
    atomic_bool stopping;  /* no new request is accepted */
    atomic_bool abandoned; /* and accepted ones are no longer waited for */
};

enum { PARAMETER_TEXT = 64 };

/* A request, from its headers to the end of its answer. */
struct request {
    struct service *service;
    struct MHD_Connection *connection;
    const struct route *route;
    const char *path;   /* without the host of an absolute target */
    const char *tail;   /* the path from the route's variable part on; NULL: no route */
    const char *method; /* lives as long as the request */
    struct guarded *guarded;
    double start, until; /* start and deadline */
    char host[256];      /* the host addressed */
    bool has_host;

    char *body; /* the picture's bytes */
    size_t size, room;
    size_t skipped;    /* bytes of an unwanted body */
    size_t taken;      /* of a wanted body */
    struct form *form; /* of a multipart body */
    struct field {
        char text[PARAMETER_TEXT];
        size_t size; /* 0: not given; PARAMETER_TEXT: too long for any value */
    } * fields;      /* (PARAMETERS) of the form */

    int refused;        /* status of the first error; 0: none */
    bool ends;          /* its connection is closed after the answer, which is sent immediately */
    bool last;          /* the last request of its connection */
    atomic_bool gone;   /* the client has disconnected; nothing is answered */
    char sentence[400]; /* the error's sentence */
    const char *retry;  /* the parameter for a retry; NULL: none */
    int status;         /* of the answer; 0: none yet */
    size_t answer;      /* bytes of it */
};

/* Print to stderr, unless quiet. */
__attribute__((format(printf, 2, 3))) void tell(const struct service *service, const char *format, ...);

/* A file of up to 1 MB as text, to be freed: a token, a certificate. */
gvm_status read_small_file(char **text, const char *path, gvm_error *err);

/* ------------------------------------------------------------------ framing: framing.c */

/* Refuse a request that a proxy could frame differently. Sets its path from the target `url`. */
void framing_check(struct request *request, const char *url, const char *version);

/* Whether libmicrohttpd accepts malformed lines (before 1.0), so that they must be detected here. From 1.0 on it
 * refuses them in strict mode. */
bool framing_is_ours(void);

/* For MHD_OPTION_UNESCAPE_CALLBACK. */
size_t framing_unescape(void *user, struct MHD_Connection *connection, char *text);

/* ------------------------------------------------------------------ listening: listen.c */

/* Start accepting requests; sets the service's address. GVM_OK, or as serve. */
gvm_status listen_start(struct service *service, gvm_error *err);

/* Print the addresses: one line to stdout, more to stderr. */
void listen_tell(const struct service *service);

/* ------------------------------------------------------------------ parameters: parameters.c */

enum parameter {
    NEAR,
    WITHIN,
    HEADING,
    TOP,
    MIN_MARGIN,
    VIEW,
    STAGE,
    TILE,
    BBOX,
    PANORAMA,
    FORMAT,
    FOV,
    FOCAL35,
    PITCH,
    ROLL,
    LENS,
    PARAMETERS
};
extern const char *const parameter_names[PARAMETERS];

/* A value from the query, else the form; NULL if it is in neither. */
const char *parameter(const struct request *request, enum parameter which);

/* Refuse the request if its query has a parameter that is not in `allowed` (bits). */
void check_parameters(struct request *request, unsigned allowed);

/* A question about a picture, and what it points to. */
struct question {
    gvm_question asked;
    gvm_camera_options wishes;
    double pitch, roll, distortion[2];
    int top; /* number of answers */
    double min_margin;
};

/* Fill in a question about a picture. False if a value is invalid; the request is then refused. */
bool read_question(struct question *question, struct request *request);

/* Read a tile's number from text with this end; false if the map has no such tile. */
bool read_tile(size_t *number, const struct request *request, const char *text, const char *end);

/* ------------------------------------------------------------------ bodies: body.c */

/* Start a request's body: check its headers, and refuse the request if they are wrong. */
void body_start(struct request *request);

/* Whether the client waits for permission to send it (Expect), or claims too much: a refusal is then sent immediately.
 */
bool body_is_awaited(const struct request *request);

/* More of it arrived. False closes the connection. */
bool body_take(struct request *request, const char *data, size_t size);

/* The body is complete. Refuses the request if it is truncated or has no picture. */
void body_end(struct request *request);
void body_free(struct request *request);

/* ------------------------------------------------------------------ work: work.c */

/* Whether the client has disconnected or the deadline has passed. `user` is the request. */
bool work_is_over(void *user);

/* Acquire a decoder, to be released with work_leave. False, and refused, if none became free. */
bool work_enter(struct request *request);
void work_leave(struct request *request);

/* Reserve a place in the network's queue (engine_enter); false, and refused, if it is full. */
bool work_queue(struct request *request);

/* Refuse a request that has ended. If the client has disconnected, reply_refused closes the connection without an
 * answer. */
bool work_refuse(struct request *request);

/* Run the network; false, and refused, if it was not done. */
bool work_done(struct request *request, struct work *work);

/* False, and refused, if the map's files were changed while being served: the answers would be wrong. */
bool work_has_map(struct request *request);

/* ------------------------------------------------------------------ answers: reply.c */

/* Record an error, to be answered once the request has been received. The first one is kept. Returns false, so that
 * functions can end with `return refuse(...)`. */
__attribute__((format(printf, 3, 4))) bool refuse(struct request *request, int status, const char *format, ...);

/* Each queues an answer and returns the result for MHD's handler. */

/* Static bytes. etag: theirs, or NULL if they must not be cached. */
enum MHD_Result reply_static(struct request *request, const char *type, const void *data, size_t size,
                             const char *etag);

/* Bytes from malloc or g_malloc (which are the same), freed with the answer; NULL: 503. etag: as above */
enum MHD_Result reply_owned(struct request *request, const char *type, void *data, size_t size, const char *etag);

/* An empty answer, 204. */
enum MHD_Result reply_nothing(struct request *request);

/* Whether the client has the bytes already: its If-None-Match has the tag. reply_static then answers 304. */
bool is_known(const struct request *request, const char *etag);

/* Frees it; NULL: 503. */
enum MHD_Result reply_json(struct request *request, const char *type, json_t *json);

/* The error of `refuse`, as application/problem+json. */
enum MHD_Result reply_refused(struct request *request);

/* The same immediately. */
#define reply_problem(request, ...) (refuse(request, __VA_ARGS__), reply_refused(request))

/* Reply 503 to a request whose own record could not be allocated. */
enum MHD_Result reply_short(struct MHD_Connection *connection);

/* Refuse with the HTTP status of an error. */
bool refuse_failure(struct request *request, gvm_status status, const gvm_error *err);

static inline bool takes_photos(const struct service *service)
{
    return service->views[GVM_STREET].projection != GVM_EQUIRECTANGULAR;
}

/* Bytes of the network's input for one picture. */
static inline size_t input_bytes(const struct service *service, gvm_view view)
{
    return service->views[view].bytes;
}

/* ------------------------------------------------------------------ routes: routes.c and others */

typedef enum MHD_Result handler(struct request *request);

struct route {
    const char *name;    /* the path with its variable part, such as "/v1/tiles/{id}.jpg" */
    bool unlocked;       /* needs no token */
    handler *get, *post; /* NULL: method not allowed */
    unsigned parameters; /* bits */
};

extern const struct route routes[];
int route_number(const struct route *route);

/* Find the route of the request's path, and its tail; the last route is "not found". */
void route_find(struct request *request);

handler page_get, map_get, imagery_get, tiles_get, tile_get, locate_post, scores_post, heatmap_get, heatmap_post;

/* The text of /v1/map; NULL if out of memory. */
char *map_facts(const struct service *service, bool imagery);

/* Decode the body, which is freed, and prepare the picture and its question to be located. Free its pixels, also if it
 * is refused (false). */
bool read_street(gvm_located *photo, struct request *request);

/* The same for a picture to be located, with a place in the network's queue. */
bool read_located(gvm_located *photo, struct request *request);

#endif
