/* cmd_serve.c - a map as a service over HTTP, with a page. */
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
        return usage_error("serve", "--tls-cert and --tls-key go together");
    if (a->options.memory_bytes < a->options.body_bytes)
        return usage_error("serve", "--memory-mb must be as much as --body-mb at least");
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
     .help = "the network, a safetensors file (default: nano, built in and for drawn towns only)"},
    {"index", OPTION_TEXT, AT(index), "MAP.gpkg", .needed = true,
     .help = "a map that `index` made with the same weights"},
    {"port", OPTION_INT, AT(options.port), "P", 0, 65535, "8080", .help = "where to listen; 0: a port that is free"},
    {"bind", OPTION_TEXT, AT(options.bind), "ADDRESS", .standard = "127.0.0.1",
     .help = "of this machine, IPv4 or IPv6. Only this machine reaches the default; for other machines, one of its "
             "addresses there, or 0.0.0.0 or :: for all of them"},
    {"host", OPTION_OTHER, 0, "NAME", .read = read_host, .takes = "up to 16 names",
     .help = "that clients know it by, besides localhost and its addresses; may be given several times. Without "
             "--token a request for any other name is refused"},
    {"token", OPTION_TEXT, AT(options.token), "FILE",
     .help = "whose first line clients must send as Authorization: Bearer TOKEN, but for the page's own files and "
             "/healthz"},
    {"tls-cert", OPTION_TEXT, AT(options.tls_cert), "FILE", .help = "a certificate and"},
    {"tls-key", OPTION_TEXT, AT(options.tls_key), "FILE", .help = "its key, in PEM: for https"},
    {"min-margin", OPTION_DOUBLE, AT(options.min_margin), "X", 0, 2, "0.05", .takes = "a difference of scores",
     .help = "answers with a smaller margin are marked weak, unless the request says otherwise"},
    {"batch", OPTION_INT, AT(options.batch), "N", 1, 256, "16",
     .help = "pictures that go through the network together"},
    {"patience-ms", OPTION_DOUBLE, AT(options.patience_ms), "MS", 0, 10000, "4", .takes = "milliseconds",
     .help = "that a picture waits for others to come with it"},
    {"queue", OPTION_INT, AT(options.queue), "N", 1, 10000, "64",
     .help = "pictures that wait; beyond them requests get 503 with Retry-After"},
    {"body-mb", OPTION_LONG, AT(options.body_bytes), "MB", 1, 4096, "64", .unit = 1 << 20,
     .help = "of a picture's file"},
    {"memory-mb", OPTION_LONG, AT(options.memory_bytes), "MB", 1, 1 << 20, "512", .unit = 1 << 20,
     .help = "of all files that are held at once, a quarter of it (or one file) for a client's address"},
    {"megapixels", OPTION_LONG, AT(options.pixels), "M", 1, 256, "128", .unit = 1e6, .help = "of a picture"},
    {"seconds", OPTION_INT, AT(options.seconds), "S", 1, 3600, "60",
     .help = "for a request to come and to be worked on, and again for its answer to go"},
    {"connections", OPTION_INT, AT(options.connections), "N", 1, 10000, "256",
     .help = "at once; fewer if the system allows fewer open files"},
    {"each-client", OPTION_INT, AT(options.each_client), "N", 1, 10000, "64", .help = "of them from one address"},
    {"log", OPTION_TEXT, AT(options.log), "FILE",
     .help = "append a line for each request: when, what, status, bytes, time"},
    {0},
};

const struct command serve_command = {
    .name = "serve",
    .summary = "the same as a page and as a service for programs",
    .usage = "--index MAP.gpkg [options]",
    .about =
        "Serves a page on which pictures are dropped and their places are shown, and the same for programs "
        "(/v1/locate and others, described by /openapi.json). Its address is printed once it answers. SIGINT or "
        "SIGTERM ends it within five seconds, in which it answers what it has taken; a second one ends it at once. "
        "SIGHUP opens the log anew. Pictures stay in memory while they are worked on, and nowhere else.\n"
        "\n"
        "A map that is served must not be written over or cut: that is noticed, and answered with 503. Move (mv) "
        "the new map to its name instead, and start the service again. `index --add` does no harm; what it adds "
        "counts after a new start.",
    .rows = rows,
    .device = true,
    .examples = "  geoviewmatch serve --index town.gpkg               a page at http://127.0.0.1:8080/\n"
                "  geoviewmatch serve --index town.gpkg --bind 0.0.0.0 --host robot.local --token token.txt\n",
    .size = sizeof(struct arguments),
    .run = run,
};
