/* serve_options.h - the options of the service. */
#ifndef GVM_SERVER_SERVE_OPTIONS_H
#define GVM_SERVER_SERVE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SERVE_TOP = 100, /* most answers of a request */
    SERVE_HOSTS = 16 /* names of the service */
};

struct serve_options {
    const char *bind;                   /* an address of this machine, IPv4 or IPv6 */
    int port;                           /* 0: any free one */
    const char *hosts[SERVE_HOSTS + 1]; /* further host names; NULL after the last */
    int batch;                          /* batch size */
    double patience_ms;                 /* longest wait of a picture for others to fill its batch */
    int queue;                          /* length of the queue; beyond it the answer is 503 */
    size_t body_bytes;                  /* of a request */
    size_t memory_bytes;                /* of all bodies held at once */
    int64_t pixels;                     /* of a picture */
    int seconds;                        /* limit for receiving a request, and for sending its answer */
    int connections;                    /* in all */
    int each_client;                    /* of one address */
    double min_margin;                  /* an answer with a smaller margin is weak, unless the request says otherwise */
    const char *token;                  /* a file with the token that clients must send; NULL: none */
    const char *tls_cert, *tls_key;     /* PEM files; both or neither */
    const char *log;                    /* a file that gets a line per request; NULL: none */
    bool quiet;                         /* nothing on stderr */
};

#endif
