/* server.h - a map and a network as a service over HTTP, with a page for people. Relies on libmicrohttpd.
 *
 * A thread a connection reads and answers requests and decodes their pictures; one thread runs the network (engine.h);
 * the calling thread waits for a signal and ends connections that are overdue. */
#ifndef GVM_SERVER_SERVER_H
#define GVM_SERVER_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "geoviewmatch.h"

enum {
    SERVE_TOP = 100, /* answers that a request may ask for */
    SERVE_HOSTS = 16 /* names of the service */
};

struct serve_options {
    const char *bind;                   /* an address of this machine, IPv4 or IPv6 */
    int port;                           /* 0: one that is free */
    const char *hosts[SERVE_HOSTS + 1]; /* names that it goes by besides; NULL behind the last */
    int batch;                          /* pictures that go through the network together */
    double patience_ms;                 /* that a picture waits for others to fill its batch */
    int queue;                          /* pictures that wait; for one more the answer is 503 */
    size_t body_bytes;                  /* of a request */
    size_t memory_bytes;                /* of all bodies that are held at once */
    int64_t pixels;                     /* of a picture */
    int seconds;                        /* for a request to arrive whole, and for its answer to be taken */
    int connections;                    /* in all */
    int each_client;                    /* of one address */
    double min_margin;                  /* an answer with a smaller margin is weak, unless the request says otherwise */
    const char *token;                  /* a file with what a client must send; NULL: nothing */
    const char *tls_cert, *tls_key;     /* PEM files; both or neither */
    const char *log;                    /* a file to which a line a request is appended; NULL: none */
    bool quiet;                         /* nothing on stderr */
};

/* Serve until SIGINT or SIGTERM; then take no more, finish what can be finished in a few seconds, and return. What
 * cannot be interrupted then, such as a large network's batch, ends with the process: status 0 within five seconds, or
 * at once, at a second signal. SIGHUP opens the log anew. The address goes to stdout as one line once requests
 * are answered; what else there is to say to stderr. The process must have no other thread that takes signals.
 *
 *   map   of `model`
 *
 * GVM_OK after a signal; GVM_ARGUMENT (no such address, or not this machine's), GVM_FILE (token, certificate, log; the
 * port is taken), GVM_FORMAT (an empty token, a certificate that is none) or GVM_MEMORY. */
gvm_status serve(const gvm_model *model, const gvm_map *map, const struct serve_options *options, gvm_error *err);

#endif
