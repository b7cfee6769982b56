/* server.h - a map and a network as a service over HTTP, with a page for people. Relies on libmicrohttpd.
 *
 * A thread a connection reads and answers requests and decodes their pictures; one thread runs the network (engine.h);
 * the calling thread waits for a signal and ends connections that are overdue. */
#ifndef GVM_SERVER_SERVER_H
#define GVM_SERVER_SERVER_H

#include "geoviewmatch.h"
#include "server/serve_options.h"

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
