/* cmd_index.c - overhead imagery becomes a map. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

struct arguments {
    struct common common;
    const char *weights, *out, *remove, *xyz, *tms;
    int alpha;
    bool add;
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

static int complete_arguments(struct arguments *a)
{
    static const char *const of_rasters[] = {"tile-metres", "stride-metres", "crs", "alpha", NULL};
    const char *name = a->common.name;
    gvm_map_options *o = &a->options;
    int kinds = (o->raster_count > 0) + (o->tiles != NULL) + (a->xyz != NULL) + (a->tms != NULL);
    o->size = sizeof *o;
    o->rasters = a->rasters;
    o->xyz = a->tms ? a->tms : a->xyz;
    o->tms = a->tms != NULL;
    o->add = a->add;
    o->alpha = a->alpha < 0 ? 0 : a->alpha == 0 ? 1 : -1;
    if (a->remove != NULL) {
        if (kinds > 0 || o->add) return usage_error(name, "--remove goes without imagery");
        return GO_ON;
    }
    if (kinds != 1) return usage_error(name, "one of --raster, --tiles, --xyz and --tms must be given");
    if (o->raster_count == 0 && options_given(&a->common, of_rasters))
        return usage_error(name, "--tile-metres, --stride-metres, --crs and --alpha go with --raster");
    return GO_ON;
}

/* ------------------------------------------------------------------ the job */

static void show(void *user, const gvm_map_progress *p, const gvm_error *failure)
{
    struct progress *bar = user;
    if (p->note != NULL) {
        if (!bar->quiet) fprintf(stderr, "%s\n", p->note);
        return;
    }
    if (failure != NULL) {
        progress_clear(bar);
        failed(failure);
    }
    progress_show(bar, "index", "tiles", p->done - p->resumed, p->places - p->resumed);
}

static void print_result(const char *map, const gvm_map_progress *p)
{
    print_text(map);
    printf(": %s%zu tile%s", p->done == p->resumed ? "complete already, " : "", p->tiles, p->tiles == 1 ? "" : "s");
    if (p->empty > 0) printf(", %zu empty place%s skipped", p->empty, p->empty == 1 ? "" : "s");
    if (p->removed > 0) printf(", %zu removed (--add makes them again)", p->removed);
    if (p->failed > 0)
        printf(", %zu that could not be read and %s missing (--add tries again)", p->failed,
               p->failed == 1 ? "is" : "are");
    printf("\n");
}

static int build(const struct arguments *a)
{
    gvm_error err;
    gvm_model *model = NULL;
    gvm_session *session = NULL;
    gvm_map_progress progress = {.size = sizeof progress};
    struct progress bar = {.quiet = a->common.quiet};
    gvm_status status = gvm_model_open(&model, weights_path(a->weights), &err);
    if (status == GVM_OK) status = gvm_session_open(&session, model, 16, &err);
    if (status == GVM_OK) status = gvm_map_build(a->out, session, &a->options, &progress, show, &bar, &err);
    progress_end(&bar);
    int end = status == GVM_OK ? DONE : failed(&err);
    if (status == GVM_OK) {
        print_result(a->out, &progress);
        if (progress.failed > 0) end = FAILED;
    }
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
    {"crs", OPTION_TEXT, AT(options.crs), "CRS",
     .help = "coordinate system of rasters that do not say, or say a local one, as EPSG:25832"},
    {"alpha", OPTION_CHOICE, AT(alpha), "yes|no",
     .help =
         "whether a band that is marked as alpha is transparency, or a colour that is left out (default: a colour if "
         "it has all shades, as infrared has; a sentence says so)"},
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
        "less than half a tile of it, are skipped.",
    .rows = rows,
    .device = true,
    .examples = "  geoviewmatch index --raster orthophoto.tif --out town.gpkg\n"
                "  geoviewmatch index --raster sheets/*.tif --crs EPSG:25832 --out county.gpkg\n"
                "  geoviewmatch index --xyz tiles/ --out county.gpkg --add\n",
    .size = sizeof(struct arguments),
    .run = run,
};
