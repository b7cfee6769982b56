/* cmd_serve.c - a map as a service over HTTP, with a page. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "server/server.h"
#include "terminal/located.h"

static const char help[] =
    "usage: geoviewmatch serve --index MAP.gpkg [options]\n"
    "\n"
    "Serves a page on which pictures are dropped and their places are shown, and the same for programs\n"
    "(/v1/locate and others, described by /openapi.json). Its address is printed once it answers. SIGINT or\n"
    "SIGTERM ends it within five seconds, in which it answers what it has taken; a second one ends it at once.\n"
    "SIGHUP opens the log anew. Pictures stay in memory while they are worked on, and nowhere else.\n"
    "\n"
    "A map that is served must not be written over or cut: that is noticed, and answered with 503. Move (mv) the\n"
    "new map to its name instead, and start the service again. `index --add` does no harm; what it adds counts\n"
    "after a new start.\n"
    "\n"
    "  --weights W           the network, a safetensors file (default: nano, built in and for drawn towns only)\n"
    "  --index MAP.gpkg      a map that `index` made with the same weights\n"
    "  --port P              where to listen; 0: a port that is free (default: 8080)\n"
    "  --bind ADDRESS        of this machine, IPv4 or IPv6 (default: 127.0.0.1, which only this machine reaches); for\n"
    "                        other machines, one of its addresses there, or 0.0.0.0 or :: for all of them\n"
    "  --host NAME           that clients know it by, besides localhost and its addresses; may be given several "
    "times.\n"
    "                        Without --token a request for any other name is refused\n"
    "  --token FILE          whose first line clients must send as Authorization: Bearer TOKEN, but for the page's "
    "own\n"
    "                        files and /healthz\n"
    "  --tls-cert FILE       a certificate and\n"
    "  --tls-key FILE        its key, in PEM: for https\n"
    "  --min-margin X        answers with a smaller margin are marked weak, unless the request says otherwise\n"
    "                        (default: 0.05, as in `locate`)\n"
    "  --batch N             pictures that go through the network together, 1 to 256 (default: 16)\n"
    "  --patience-ms MS      that a picture waits for others to come with it, 0 to 10000 (default: 4)\n"
    "  --queue N             pictures that wait; beyond them requests get 503 with Retry-After, 1 to 10000\n"
    "                        (default: 64)\n"
    "  --body-mb MB          of a picture's file, 1 to 4096 (default: 64)\n"
    "  --memory-mb MB        of all files that are held at once, a quarter of it (or one file) for a client's\n"
    "                        address (default: 512)\n"
    "  --megapixels M        of a picture, 1 to 256 (default: 128)\n"
    "  --seconds S           for a request to come and to be worked on, and again for its answer to go, 1 to 3600\n"
    "                        (default: 60)\n"
    "  --connections N       at once, 1 to 10000 (default: 256); fewer if the system allows fewer open files\n"
    "  --each-client N       of them from one address (default: 64)\n"
    "  --log FILE            append a line for each request: when, what, status, bytes, time\n" COMMON_HELP;

struct arguments {
    struct common common;
    const char *weights, *index;
    struct serve_options options;
    int hosts;
};

enum {
    PORT = 1,
    BIND,
    HOST,
    TOKEN,
    CERT,
    KEY,
    MARGIN,
    BATCH,
    PATIENCE,
    QUEUE,
    BODY,
    MEMORY,
    PIXELS,
    SECONDS,
    CONNECTIONS,
    CLIENT,
    LOG
};

/* A whole number of an option; the name for the sentence. */
static int number(const struct arguments *a, long *value, const char *option, long low, long high)
{
    if (read_long(value, optarg, low, high)) return GO_ON;
    return usage_error(a->common.name, "--%s takes a number from %ld to %ld, not '%s'", option, low, high, optarg);
}

static int read_number(struct arguments *a, int option)
{
    struct serve_options *o = &a->options;
    long n = 0;
    int status = GO_ON;
    switch (option) {
    case PORT:
        status = number(a, &n, "port", 0, 65535);
        o->port = (int)n;
        break;
    case BATCH:
        status = number(a, &n, "batch", 1, 256);
        o->batch = (int)n;
        break;
    case QUEUE:
        status = number(a, &n, "queue", 1, 10000);
        o->queue = (int)n;
        break;
    case BODY:
        status = number(a, &n, "body-mb", 1, 4096);
        o->body_bytes = (size_t)n << 20;
        break;
    case MEMORY:
        status = number(a, &n, "memory-mb", 1, 1 << 20);
        o->memory_bytes = (size_t)n << 20;
        break;
    case PIXELS:
        status = number(a, &n, "megapixels", 1, 256);
        o->pixels = n * 1000000;
        break;
    case SECONDS:
        status = number(a, &n, "seconds", 1, 3600);
        o->seconds = (int)n;
        break;
    case CONNECTIONS:
        status = number(a, &n, "connections", 1, 10000);
        o->connections = (int)n;
        break;
    case CLIENT:
        status = number(a, &n, "each-client", 1, 10000);
        o->each_client = (int)n;
        break;
    }
    return status;
}

static int read_option(struct arguments *a, int option, char **argv)
{
    struct serve_options *o = &a->options;
    const char *name = a->common.name;
    switch (option) {
    case 'w': a->weights = optarg; return GO_ON;
    case 'i': a->index = optarg; return GO_ON;
    case BIND: o->bind = optarg; return GO_ON;
    case HOST:
        if (a->hosts == SERVE_HOSTS) return usage_error(name, "--host is given more than %d times", SERVE_HOSTS);
        o->hosts[a->hosts++] = optarg;
        return GO_ON;
    case TOKEN: o->token = optarg; return GO_ON;
    case CERT: o->tls_cert = optarg; return GO_ON;
    case KEY: o->tls_key = optarg; return GO_ON;
    case LOG: o->log = optarg; return GO_ON;
    case MARGIN:
        if (read_double(&o->min_margin, optarg, 0, 2)) return GO_ON;
        return usage_error(name, "--min-margin takes a difference of scores from 0 to 2, not '%s'", optarg);
    case PATIENCE:
        if (read_double(&o->patience_ms, optarg, 0, 10000)) return GO_ON;
        return usage_error(name, "--patience-ms takes milliseconds from 0 to 10000, not '%s'", optarg);
    default: return option <= LOG ? read_number(a, option) : common_option(&a->common, option, argv);
    }
}

static int read_arguments(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {{"weights", required_argument, NULL, 'w'},
                                            {"index", required_argument, NULL, 'i'},
                                            {"port", required_argument, NULL, PORT},
                                            {"bind", required_argument, NULL, BIND},
                                            {"host", required_argument, NULL, HOST},
                                            {"token", required_argument, NULL, TOKEN},
                                            {"tls-cert", required_argument, NULL, CERT},
                                            {"tls-key", required_argument, NULL, KEY},
                                            {"min-margin", required_argument, NULL, MARGIN},
                                            {"batch", required_argument, NULL, BATCH},
                                            {"patience-ms", required_argument, NULL, PATIENCE},
                                            {"queue", required_argument, NULL, QUEUE},
                                            {"body-mb", required_argument, NULL, BODY},
                                            {"memory-mb", required_argument, NULL, MEMORY},
                                            {"megapixels", required_argument, NULL, PIXELS},
                                            {"seconds", required_argument, NULL, SECONDS},
                                            {"connections", required_argument, NULL, CONNECTIONS},
                                            {"each-client", required_argument, NULL, CLIENT},
                                            {"log", required_argument, NULL, LOG},
                                            COMMON_OPTIONS};
    const char *name = a->common.name;
    int status;
    for (int c; (c = next_option(argc, argv, options)) != -1;)
        if ((status = read_option(a, c, argv)) != GO_ON) return status;
    if (a->index == NULL) return usage_error(name, "--index is missing");
    if ((a->options.tls_cert == NULL) != (a->options.tls_key == NULL))
        return usage_error(name, "--tls-cert and --tls-key go together");
    if (a->options.memory_bytes < a->options.body_bytes)
        return usage_error(name, "--memory-mb must be as much as --body-mb at least");
    if (optind < argc) return usage_error(name, "'%s' is one argument too many", argv[optind]);
    a->options.quiet = a->common.quiet;
    return GO_ON;
}

int cmd_serve(int argc, char **argv)
{
    struct arguments a = {.common = {.name = "serve", .help = help}, .options = serve_defaults};
    int end = read_arguments(&a, argc, argv);
    if (end != GO_ON) return end;
    gvm_error err;
    gvm_model *model = NULL;
    gvm_map *map = NULL;
    gvm_status status = gvm_model_open(&model, weights_path(a.weights), &err);
    if (status == GVM_OK) status = gvm_map_open(&map, a.index, model, GVM_MAP_EMPTY, &err);
    if (status == GVM_OK) warn_incomplete(map);
    if (status == GVM_OK) status = serve(model, map, &a.options, &err);
    gvm_map_free(map);
    gvm_model_free(model);
    return status == GVM_OK ? DONE : failed(&err);
}
