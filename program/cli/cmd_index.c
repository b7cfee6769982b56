/* cmd_index.c - overhead imagery becomes a map. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"

struct arguments {
    struct common common;
    const char *weights, *out, *remove, *xyz, *tms;
    int alpha;
    bool add, json, share;
    gvm_map_options options;
    const char *rasters[]; /* room for all words */
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
        if (kinds > 0 || o->add) return usage_error(name, "--remove goes without imagery");
        return GO_ON;
    }
    if (kinds != 1) return usage_error(name, "one of --raster, --tiles, --xyz and --tms must be given");
    if (o->raster_count == 0 && options_given(&a->common, of_rasters))
        return usage_error(name, "--tile-metres, --stride-metres, --crs, --alpha and --near go with --raster");
    if (options_given(&a->common, near) && !options_given(&a->common, within))
        return usage_error(name, "--near needs --within, the metres around it");
    return GO_ON;
}

/* ------------------------------------------------------------------ the job */

/* How progress is reported. */
struct telling {
    struct progress bar;
    double cell_m; /* side of a cell; 0: the map is of tiles */
    bool begun;
    double start; /* when */
    size_t tiles; /* that there were then */
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

/* Bytes of both files. */
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

/* Of cells, the ground that was done, and how long it took. */
static void print_ground(const char *map, const gvm_map_progress *p, const struct telling *t)
{
    double each = t->cell_m * t->cell_m / 1e6, made = (double)(p->tiles - t->tiles) * each;
    double pace = (clock_seconds() - t->start) / made;
    printf(", %.3g km2", (double)p->tiles * each);
    if (p->tiles > t->tiles) printf(", %.*f s a km2", pace < 10 ? 1 : 0, pace);
    printf(", %.3g MB", map_bytes(map) / 1e6);
    if (p->partly > 0) printf(", %zu in part without imagery, which is white there", p->partly);
}

static void print_result(const char *map, const gvm_map_progress *p, const struct telling *t)
{
    const char *unit = t->cell_m > 0 ? "cell" : "tile";
    print_text(map);
    printf(": %s%zu %s%s", p->done == p->resumed ? "complete already, " : "", p->tiles, unit, p->tiles == 1 ? "" : "s");
    if (t->cell_m > 0) print_ground(map, p, t);
    if (p->empty > 0) printf(", %zu empty place%s skipped", p->empty, p->empty == 1 ? "" : "s");
    if (p->removed > 0) printf(", %zu removed (--add makes them again)", p->removed);
    if (p->failed > 0)
        printf(", %zu that could not be read and %s missing (--add tries again)", p->failed,
               p->failed == 1 ? "is" : "are");
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

/* Places that pass through the network together: of several pictures each, fewer, unless a GPU wants them. */
static int batch_of(const struct arguments *a, const gvm_view_info *view)
{
    return view->zoom_count > 0 && !a->common.cuda ? 4 : 16;
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
     .help = "the network, a safetensors file (default: nano, built in and for drawn towns only)"},
    {"out", OPTION_TEXT, AT(out), "MAP.gpkg", .needed = true, .help = "the map"},
    {"raster", OPTION_OTHER, 0, "FILE", .read = read_raster, .more = true,
     .help = "georeferenced pictures in any projection: GeoTIFF, VRT, MBTiles, JPEG 2000, JPEG and PNG with a world "
             "file; 8 or 16 bits. No tile spans two of them: join those that adjoin in a VRT (gdalbuildvrt). What "
             "no-data, a mask or alpha declares void is skipped, and what a mosaic does not cover"},
    {"tiles", OPTION_TEXT, AT(options.tiles), "FILE.csv",
     .help = "pictures from above and their places, with the header image,lat,lon or image,lat,lon,metres"},
    {"xyz", OPTION_TEXT, AT(xyz), "DIR",
     .help =
         "web-map tiles DIR/z/x/y.jpg (or .png, .webp); of several zooms the one whose tiles are nearest in size to "
         "what the weights were trained for. Rows count from the south if a tilemapresource.xml, metadata.json or "
         "tiles.json in it says so (TMS)"},
    {"tms", OPTION_TEXT, AT(tms), "DIR", .help = "the same, with rows that count from the south in any case"},
    {"add", OPTION_FLAG, AT(add), .help = "add to an existing map; makes tiles again that were removed or not read"},
    {"remove", OPTION_TEXT, AT(remove), "AREA",
     .help = "take the tiles out whose centres lie in W,S,E,N (degrees) or in a polygon in WKT"},
    {"tile-metres", OPTION_DOUBLE, AT(options.tile_m), "M", 1, 20000, .takes = "metres",
     .help = "side of a raster's tile on the ground; if not given, the weights' own"},
    {"stride-metres", OPTION_DOUBLE, AT(options.stride_m), "M", 0.01, 1e5, .takes = "metres",
     .help = "from one tile's centre to the next's; if not given, half a tile"},
    {"near", OPTION_OTHER, 0, "LAT,LON", .read = read_near, .takes = "LAT,LON in degrees",
     .help = "index only what lies around this place"},
    {"within", OPTION_DOUBLE, AT(options.within_m), "M", 1, 1e6, .takes = "metres", .with = "near",
     .help = "how far from it"},
    {"crs", OPTION_TEXT, AT(options.crs), "CRS",
     .help = "coordinate system of rasters that do not say, or say a local one, as EPSG:25832"},
    {"alpha", OPTION_CHOICE, AT(alpha), "yes|no",
     .help =
         "whether a band that is marked as alpha is transparency, or a colour that is left out (default: a colour if "
         "it has all shades, as infrared has; a sentence says so)"},
    {"share", OPTION_FLAG, AT(share),
     .help = "groups of 4 x 4 cells share their picture of the coarsest zoom, and of 2 x 2 that of the next: 1.7 times "
             "less work, with other features. Compare recalls (eval) before you rely on it"},
    {"json", OPTION_FLAG, AT(json), .help = "the last line as JSON"},
    {0},
};

const struct command index_command = {
    .name = "index",
    .summary = "overhead imagery to a map that is searched",
    .usage = "--out MAP.gpkg --raster T.tif... [options]\n"
             "--out MAP.gpkg --tiles FILE.csv [options]\n"
             "--out MAP.gpkg --xyz DIR | --tms DIR [options]\n"
             "--out MAP.gpkg --remove AREA",
    .about =
        "Makes a map that `locate` searches: MAP.gpkg, a GeoPackage with a polygon for each tile, and MAP.features "
        "beside it. Resumable: if it was interrupted, run the same command again. Places without imagery, or with "
        "less than half a tile of it, are skipped. For weights whose aerial view has several zooms (info says so) the "
        "map is of cells, 30 m apart on a lattice that all maps share, and each is looked at in pictures of up to some "
        "600 m around it: give all rasters of a region at once. What they do not cover is white there.",
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
