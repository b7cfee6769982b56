/* server.h - serves a map and a network over HTTP, with a web page. Relies on libmicrohttpd.
 *
 * One thread per connection reads and answers requests and decodes their pictures; one thread runs the network
 * (engine.h); the calling thread waits for a signal and closes overdue connections. */
#ifndef GVM_SERVER_SERVER_H
#define GVM_SERVER_SERVER_H

#include "geoviewmatch.h"
#include "server/serve_options.h"

/* Serve until SIGINT or SIGTERM; then accept no more requests, finish those that can be finished in a few seconds, and
 * return. If something cannot be interrupted, such as a large network's batch, the process ends with status 0 within
 * five seconds, or immediately at a second signal. SIGHUP reopens the log. The address is printed to stdout as one line
 * once the service is ready; other messages go to stderr. The process must have no other thread that handles signals.
 *
 *   map  of `model`
 *
 * GVM_OK after a signal; GVM_ARGUMENT (an invalid address, or not this machine's), GVM_FILE (token, certificate, log;
 * the port is in use), GVM_FORMAT (an empty token, an invalid certificate) or GVM_MEMORY. */
gvm_status serve(const gvm_model *model, const gvm_map *map, const struct serve_options *options, gvm_error *err);

#endif
