/* cmd_serve.c - serves a map over HTTP, with a web page. */
#include <string.h>

#include "cli/cli.h"
#include "server/server.h"
#include "terminal/located.h"

struct arguments {
    struct common common;
    const char *weights, *index;
    struct serve_options options;
    int hosts;
};

static int run(void *arguments)
{
    struct arguments *a = arguments;
    if ((a->options.tls_cert == NULL) != (a->options.tls_key == NULL))
        return usage_error("serve", "--tls-cert and --tls-key require each other");
    if (a->options.memory_bytes < a->options.body_bytes)
        return usage_error("serve", "--memory-mb must be at least --body-mb");
    a->options.quiet = a->common.quiet;
    gvm_error err;
    gvm_model *model = NULL;
    gvm_map *map = NULL;
    gvm_status status = gvm_model_open(&model, weights_path(a->weights), &err);
    if (status == GVM_OK) status = gvm_map_open(&map, a->index, model, GVM_MAP_EMPTY, &err);
    if (status == GVM_OK) warn_incomplete(map);
    if (status == GVM_OK) status = serve(model, map, &a->options, &err);
    gvm_map_free(map);
    gvm_model_free(model);
    return status == GVM_OK ? DONE : failed(&err);
}

static bool read_host(void *fields, const char *text)
{
    struct arguments *a = fields;
    if (a->hosts == SERVE_HOSTS) return false;
    a->options.hosts[a->hosts++] = text;
    return true;
}

static const struct option_row rows[] = {
    {"weights", OPTION_TEXT, AT(weights), "W",
     .help = "weights, a safetensors file (default: nano, built in, for drawn towns only)"},
    {"index", OPTION_TEXT, AT(index), "MAP.gpkg", .needed = true,
     .help = "a map made by `index` with the same weights"},
    {"port", OPTION_INT, AT(options.port), "P", 0, 65535, "8080", .help = "port to listen on; 0: any free one"},
    {"bind", OPTION_TEXT, AT(options.bind), "ADDRESS", .standard = "127.0.0.1",
     .help = "address to listen on, IPv4 or IPv6. The default is reachable from this machine only; to expose the "
             "service, give one of the machine's addresses, or 0.0.0.0 or :: for all of them"},
    {"host", OPTION_OTHER, 0, "NAME", .read = read_host, .takes = "up to 16 names",
     .help = "host name that clients use, besides localhost and its addresses; may be repeated. Without --token a "
             "request for any other host is refused"},
    {"token", OPTION_TEXT, AT(options.token), "FILE",
     .help = "file whose first line clients must send as Authorization: Bearer TOKEN, except for the page's own files "
             "and /healthz"},
    {"tls-cert", OPTION_TEXT, AT(options.tls_cert), "FILE", .help = "TLS certificate in PEM; enables https"},
    {"tls-key", OPTION_TEXT, AT(options.tls_key), "FILE", .help = "its private key in PEM"},
    {"min-margin", OPTION_DOUBLE, AT(options.min_margin), "X", 0, 2, "0.05", .takes = "a difference of scores",
     .help = "answers with a smaller margin are marked weak, unless the request says otherwise"},
    {"batch", OPTION_INT, AT(options.batch), "N", 1, 256, "16", .help = "batch size"},
    {"patience-ms", OPTION_DOUBLE, AT(options.patience_ms), "MS", 0, 10000, "4", .takes = "milliseconds",
     .help = "longest wait of a picture for others to fill its batch"},
    {"queue", OPTION_INT, AT(options.queue), "N", 1, 10000, "64",
     .help = "length of the queue of pictures; requests beyond it get 503 with Retry-After"},
    {"body-mb", OPTION_LONG, AT(options.body_bytes), "MB", 1, 4096, "64", .unit = 1 << 20,
     .help = "largest picture file"},
    {"memory-mb", OPTION_LONG, AT(options.memory_bytes), "MB", 1, 1 << 20, "512", .unit = 1 << 20,
     .help = "largest total of files held at once; a quarter of it (or one file) per client address"},
    {"megapixels", OPTION_LONG, AT(options.pixels), "M", 1, 256, "128", .unit = 1e6,
     .help = "largest picture in megapixels"},
    {"seconds", OPTION_INT, AT(options.seconds), "S", 1, 3600, "60",
     .help = "limit for receiving and processing a request, and again for sending its answer"},
    {"connections", OPTION_INT, AT(options.connections), "N", 1, 10000, "256",
     .help = "most connections at once; fewer if the system allows fewer open files"},
    {"each-client", OPTION_INT, AT(options.each_client), "N", 1, 10000, "64",
     .help = "most connections from one address"},
    {"log", OPTION_TEXT, AT(options.log), "FILE",
     .help = "append a line per request to this file: time, request, status, bytes, duration"},
    {0},
};

const struct command serve_command = {
    .name = "serve",
    .summary = "locate as a web page and an HTTP service",
    .usage = "--index MAP.gpkg [options]",
    .about = "Serves a web page that locates pictures dropped on it, and an HTTP API (/v1/locate and others, described "
             "by /openapi.json). Its address is printed once it is ready. SIGINT or SIGTERM stops it within five "
             "seconds, in which accepted requests are answered; a second one stops it immediately. SIGHUP reopens the "
             "log. Pictures are kept in memory only, while they are processed.\n"
             "\n"
             "A map that is served must not be overwritten or truncated: this is detected and answered with 503. "
             "Instead, move (mv) the new map to its name and restart the service. `index --add` is safe; tiles that it "
             "adds are used after a restart.",
    .rows = rows,
    .device = true,
    .examples = "  geoviewmatch serve --index town.gpkg               a page at http://127.0.0.1:8080/\n"
                "  geoviewmatch serve --index town.gpkg --bind 0.0.0.0 --host robot.local --token token.txt\n",
    .size = sizeof(struct arguments),
    .run = run,
};
