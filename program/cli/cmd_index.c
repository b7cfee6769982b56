/* cmd_index.c - builds a map from overhead imagery. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"

struct arguments {
    struct common common;
    const char *weights, *out, *remove, *xyz, *tms;
    int alpha;
    bool add, json, share;
    gvm_map_options options;
    const char *rasters[]; /* room for all arguments */
};

/* ------------------------------------------------------------------ options */

static bool read_raster(void *fields, const char *text)
{
    struct arguments *a = fields;
    a->rasters[a->options.raster_count++] = text;
    return true;
}

static bool read_near(void *fields, const char *text)
{
    struct arguments *a = fields;
    return read_place(&a->options.near_lat, &a->options.near_lon, text, 85);
}

static int complete_arguments(struct arguments *a)
{
    static const char *const of_rasters[] = {"tile-metres", "stride-metres", "crs", "alpha", "near", NULL};
    static const char *const near[] = {"near", NULL}, *const within[] = {"within", NULL};
    const char *name = a->common.name;
    gvm_map_options *o = &a->options;
    int kinds = (o->raster_count > 0) + (o->tiles != NULL) + (a->xyz != NULL) + (a->tms != NULL);
    o->size = sizeof *o;
    o->rasters = a->rasters;
    o->xyz = a->tms ? a->tms : a->xyz;
    o->tms = a->tms != NULL;
    o->add = a->add;
    o->share = a->share;
    o->alpha = a->alpha < 0 ? 0 : a->alpha == 0 ? 1 : -1;
    if (a->remove != NULL) {
        if (kinds > 0 || o->add) return usage_error(name, "--remove cannot be combined with imagery");
        return GO_ON;
    }
    if (kinds != 1) return usage_error(name, "exactly one of --raster, --tiles, --xyz and --tms is required");
    if (o->raster_count == 0 && options_given(&a->common, of_rasters))
        return usage_error(name, "--tile-metres, --stride-metres, --crs, --alpha and --near require --raster");
    if (options_given(&a->common, near) && !options_given(&a->common, within))
        return usage_error(name, "--near requires --within, the radius in metres");
    return GO_ON;
}

/* ------------------------------------------------------------------ the job */

/* The state of the progress display. */
struct telling {
    struct progress bar;
    double cell_m; /* side of a cell; 0: a map of tiles */
    bool begun;
    double start; /* when */
    size_t tiles; /* existing at the start */
};

static void show(void *user, const gvm_map_progress *p, const gvm_error *failure)
{
    struct telling *t = user;
    struct progress *bar = &t->bar;
    if (!t->begun) t->tiles = p->tiles;
    t->begun = true;
    if (p->note != NULL) {
        if (!bar->quiet) fprintf(stderr, "%s\n", p->note);
        return;
    }
    if (failure != NULL) {
        progress_clear(bar);
        failed(failure);
    }
    progress_show(bar, "index", t->cell_m > 0 ? "cells" : "tiles", p->done - p->resumed, p->places - p->resumed);
}

/* Size of both files, bytes. */
static double map_bytes(const char *map)
{
    char *stem = strndup(map, strlen(map) - strlen(".gpkg")), *features = stem ? path_with(stem, ".features") : NULL;
    struct stat st;
    double bytes = stat(map, &st) == 0 ? (double)st.st_size : 0;
    if (features != NULL && stat(features, &st) == 0) bytes += (double)st.st_size;
    free(stem);
    free(features);
    return bytes;
}

/* For cells: the area done, and the time it took. */
static void print_ground(const char *map, const gvm_map_progress *p, const struct telling *t)
{
    double each = t->cell_m * t->cell_m / 1e6, made = (double)(p->tiles - t->tiles) * each;
    double pace = (clock_seconds() - t->start) / made;
    printf(", %.3g km2", (double)p->tiles * each);
    if (p->tiles > t->tiles) printf(", %.*f s a km2", pace < 10 ? 1 : 0, pace);
    printf(", %.3g MB", map_bytes(map) / 1e6);
    if (p->partly > 0) printf(", %zu partly without imagery (white there)", p->partly);
}

static void print_result(const char *map, const gvm_map_progress *p, const struct telling *t)
{
    const char *unit = t->cell_m > 0 ? "cell" : "tile";
    print_text(map);
    printf(": %s%zu %s%s", p->done == p->resumed ? "already complete, " : "", p->tiles, unit, p->tiles == 1 ? "" : "s");
    if (t->cell_m > 0) print_ground(map, p, t);
    if (p->empty > 0) printf(", %zu empty place%s skipped", p->empty, p->empty == 1 ? "" : "s");
    if (p->removed > 0) printf(", %zu removed (--add adds them again)", p->removed);
    if (p->failed > 0)
        printf(", %zu that could not be read and %s missing (--add retries)", p->failed, p->failed == 1 ? "is" : "are");
    printf("\n");
}

static int print_json(const char *map, const gvm_map_progress *p, const struct telling *t)
{
    json_t *all =
        json_pack("{so,sI,sI,sI,sI,sI,sI,sf,sf}", "map", json_text(map), "tiles", (json_int_t)p->tiles, "made",
                  (json_int_t)(p->tiles > t->tiles ? p->tiles - t->tiles : 0), "partly", (json_int_t)p->partly, "empty",
                  (json_int_t)p->empty, "removed", (json_int_t)p->removed, "failed", (json_int_t)p->failed, "seconds",
                  clock_seconds() - t->start, "bytes", map_bytes(map));
    if (t->cell_m > 0) json_put(&all, "cell_m", json_real(t->cell_m));
    return json_print(all);
}

/* Batch size in places: smaller if each has several pictures, except on a GPU. */
static int batch_of(const struct arguments *a, const gvm_view_info *view)
{
    return view->zoom_count > 0 && !a->common.cuda ? 4 : 16;
}

/* Ctrl-C while the map is built: what to do, then the end that main.c has for the signal. */
static void (*ends)(int);

static void interrupted(int number)
{
    static const char sentence[] = "\ngeoviewmatch: interrupted; run the same command again to continue\n";
    ssize_t written = write(STDERR_FILENO, sentence, sizeof sentence - 1);
    (void)written;
    ends(number);
}

static void hear_interrupt(void)
{
    ends = signal(SIGINT, interrupted);
    if (ends == SIG_IGN || ends == SIG_DFL || ends == SIG_ERR) signal(SIGINT, ends == SIG_ERR ? SIG_DFL : ends);
}

static int build(const struct arguments *a)
{
    gvm_error err;
    gvm_model *model = NULL;
    gvm_session *session = NULL;
    gvm_map_progress progress = {.size = sizeof progress};
    gvm_view_info view = {.size = sizeof view};
    struct telling t = {.bar = {.quiet = a->common.quiet}, .start = clock_seconds()};
    gvm_status status = gvm_model_open(&model, weights_path(a->weights), &err);
    if (status == GVM_OK) status = gvm_view_about(model, GVM_AERIAL, &view, &err);
    t.cell_m = view.cell_m;
    if (status == GVM_OK) status = gvm_session_open(&session, model, batch_of(a, &view), &err);
    hear_interrupt();
    if (status == GVM_OK) status = gvm_map_build(a->out, session, &a->options, &progress, show, &t, &err);
    progress_end(&t.bar);
    int end = status == GVM_OK ? DONE : failed(&err);
    if (!t.begun) t.tiles = progress.tiles;
    if (status == GVM_OK && a->json) end = print_json(a->out, &progress, &t);
    if (status == GVM_OK && !a->json) print_result(a->out, &progress, &t);
    if (status == GVM_OK && progress.failed > 0) end = FAILED;
    gvm_session_free(session);
    gvm_model_free(model);
    return end;
}

static int take_out(const struct arguments *a)
{
    gvm_error err;
    size_t removed;
    if (gvm_map_remove(a->out, a->remove, &removed, &err) != GVM_OK) return failed(&err);
    print_line("%s: %zu tile%s removed", a->out, removed, removed == 1 ? "" : "s");
    return DONE;
}

static int run(void *arguments)
{
    struct arguments *a = arguments;
    int end = complete_arguments(a);
    return end != GO_ON ? end : a->remove != NULL ? take_out(a) : build(a);
}

static const struct option_row rows[] = {
    {"weights", OPTION_TEXT, AT(weights), "W",
     .help = "weights, a safetensors file (default: nano, built in, for drawn towns only)"},
    {"out", OPTION_TEXT, AT(out), "MAP.gpkg", .needed = true, .help = "the map to write"},
    {"raster", OPTION_OTHER, 0, "FILE", .read = read_raster, .more = true,
     .help = "georeferenced rasters in any projection: GeoTIFF, VRT, MBTiles, JPEG 2000, JPEG and PNG with a world "
             "file; 8 or 16 bits. No tile spans two rasters: join adjacent ones in a VRT (gdalbuildvrt). Nodata, "
             "masked and transparent areas and the gaps of a mosaic are skipped"},
    {"tiles", OPTION_TEXT, AT(options.tiles), "FILE.csv",
     .help = "list of aerial pictures and their positions, with the header image,lat,lon or image,lat,lon,metres"},
    {"xyz", OPTION_TEXT, AT(xyz), "DIR",
     .help = "web-map tiles DIR/z/x/y.jpg (or .png, .webp); of several zoom levels the one nearest to the weights' "
             "tile size is used. Rows count from the south if a tilemapresource.xml, metadata.json or tiles.json in it "
             "says so (TMS)"},
    {"tms", OPTION_TEXT, AT(tms), "DIR", .help = "the same, with rows always counted from the south"},
    {"add", OPTION_FLAG, AT(add),
     .help = "add to an existing map; adds tiles again that were removed or could not be read"},
    {"remove", OPTION_TEXT, AT(remove), "AREA",
     .help = "remove the tiles with centres in W,S,E,N (degrees) or in a WKT polygon"},
    {"tile-metres", OPTION_DOUBLE, AT(options.tile_m), "M", 1, 20000, .takes = "metres",
     .help = "tile size of rasters on the ground, by default the weights'"},
    {"stride-metres", OPTION_DOUBLE, AT(options.stride_m), "M", 0.01, 1e5, .takes = "metres",
     .help = "distance between the centres of adjacent tiles, by default half a tile"},
    {"near", OPTION_OTHER, 0, "LAT,LON", .read = read_near, .takes = "LAT,LON in degrees",
     .help = "index only the area around this place"},
    {"within", OPTION_DOUBLE, AT(options.within_m), "M", 1, 1e6, .takes = "metres", .with = "near",
     .help = "its radius"},
    {"crs", OPTION_TEXT, AT(options.crs), "CRS",
     .help = "coordinate system of rasters without one, or with a local one, for example EPSG:25832"},
    {"alpha", OPTION_CHOICE, AT(alpha), "yes|no",
     .help = "yes: a band marked as alpha is transparency; no: it is a colour band and ignored (default: no, with a "
             "warning, if it has many values, as infrared has)"},
    {"share", OPTION_FLAG, AT(share),
     .help = "groups of 4 x 4 cells share their picture of the coarsest zoom, and groups of 2 x 2 that of the next: "
             "1.7 times less work, but different features. Compare recalls (eval) before relying on it"},
    {"json", OPTION_FLAG, AT(json), .help = "print the summary as JSON"},
    {0},
};

const struct command index_command = {
    .name = "index",
    .summary = "build a searchable map from overhead imagery",
    .usage = "--out MAP.gpkg --raster T.tif... [options]\n"
             "--out MAP.gpkg --tiles FILE.csv [options]\n"
             "--out MAP.gpkg --xyz DIR | --tms DIR [options]\n"
             "--out MAP.gpkg --remove AREA",
    .about =
        "Builds a map for `locate`: MAP.gpkg, a GeoPackage with a polygon for each tile, and MAP.features beside it. "
        "Resumable: after an interruption rerun the same command. Places without imagery, or with less than half a "
        "tile of it, are skipped. For weights whose aerial view has several zooms (shown by `info`) the map consists "
        "of cells, 30 m apart on a lattice that all maps share. Each cell is embedded from pictures of up to some 600 "
        "m around it, so give all rasters of a region at once. Areas that they do not cover are white.",
    .rows = rows,
    .device = true,
    .examples =
        "  geoviewmatch index --raster orthophoto.tif --out town.gpkg\n"
        "  geoviewmatch index --raster sheets/*.tif --crs EPSG:25832 --out county.gpkg\n"
        "  geoviewmatch index --weights W --raster sheets/*.tif --near 42.36,-71.06 --within 2000 --out town.gpkg\n"
        "  geoviewmatch index --xyz tiles/ --out county.gpkg --add\n",
    .size = sizeof(struct arguments),
    .run = run,
};
