/* serve_options.h - the options of the service. */
#ifndef GVM_SERVER_SERVE_OPTIONS_H
#define GVM_SERVER_SERVE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#endif
