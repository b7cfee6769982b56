/* cmd_index.c - overhead imagery becomes a map. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const char help[] =
    "usage: geoviewmatch index --out MAP.gpkg --raster T.tif... [options]\n"
    "       geoviewmatch index --out MAP.gpkg --tiles FILE.csv [options]\n"
    "       geoviewmatch index --out MAP.gpkg --xyz DIR | --tms DIR [options]\n"
    "       geoviewmatch index --out MAP.gpkg --remove AREA\n"
    "\n"
    "Makes a map that `locate` searches: MAP.gpkg, a GeoPackage with a polygon for each tile, and MAP.features beside\n"
    "it. Resumable: if it was interrupted, run the same command again. Places without imagery, or with less than half\n"
    "a tile of it, are skipped.\n"
    "\n"
    "  --weights W           the network, a safetensors file (default: nano, built in and for drawn towns only)\n"
    "  --out MAP.gpkg        the map\n"
    "  --raster FILE...      georeferenced pictures in any projection: GeoTIFF, VRT, MBTiles, JPEG 2000, JPEG and PNG\n"
    "                        with a world file; 8 or 16 bits. No tile spans two of them: join those that adjoin in a\n"
    "                        VRT (gdalbuildvrt). What no-data, a mask or alpha declares void is skipped, and what a\n"
    "                        mosaic does not cover\n"
    "  --tiles FILE.csv      pictures from above and their places, with the header image,lat,lon or\n"
    "                        image,lat,lon,metres\n"
    "  --xyz DIR             web-map tiles DIR/z/x/y.jpg (or .png, .webp); of several zooms the one whose tiles are\n"
    "                        nearest in size to what the weights were trained for. Rows count from the south if a\n"
    "                        tilemapresource.xml, metadata.json or tiles.json in it says so (TMS)\n"
    "  --tms DIR             the same, with rows that count from the south in any case\n"
    "  --add                 add to an existing map; makes tiles again that were removed or not read\n"
    "  --remove AREA         take the tiles out whose centres lie in W,S,E,N (degrees) or in a polygon in WKT\n"
    "  --tile-metres M       side of a raster's tile on the ground (default: the weights' own)\n"
    "  --stride-metres M     from one tile's centre to the next's (default: half a tile)\n"
    "  --crs CRS             coordinate system of rasters that do not say, or say a local one, as EPSG:25832\n"
    "  --alpha yes|no        whether a band that is marked as alpha is transparency, or a colour that is left out\n"
    "                        (default: a colour if it has all shades, as infrared has; a sentence says "
    "so)\n" COMMON_HELP;

struct arguments {
    struct common common;
    const char *weights, *out, *remove;
    bool both; /* --xyz and --tms */
    gvm_map_options options;
};

/* ------------------------------------------------------------------ options */

/* --raster and what follows it up to the next option. */
static void take_rasters(struct arguments *a, const char **rasters, int argc, char **argv)
{
    rasters[a->options.raster_count++] = optarg;
    while (optind < argc && argv[optind][0] != '-') rasters[a->options.raster_count++] = argv[optind++];
}

static int check_arguments(const struct arguments *a, int argc, char **argv)
{
    const char *name = a->common.name;
    const gvm_map_options *o = &a->options;
    int kinds = (o->raster_count > 0) + (o->tiles != NULL) + (o->xyz != NULL) + a->both;
    if (optind < argc) return usage_error(name, "'%s' is one argument too many", argv[optind]);
    if (a->out == NULL) return usage_error(name, "--out is missing");
    if (a->remove != NULL) {
        if (kinds > 0 || o->add) return usage_error(name, "--remove goes without imagery");
        return GO_ON;
    }
    if (kinds != 1) return usage_error(name, "one of --raster, --tiles, --xyz and --tms must be given");
    if (o->raster_count == 0 && (o->tile_m > 0 || o->stride_m > 0 || o->crs != NULL || o->alpha != 0))
        return usage_error(name, "--tile-metres, --stride-metres, --crs and --alpha go with --raster");
    return GO_ON;
}

static int read_arguments(struct arguments *a, const char **rasters, int argc, char **argv)
{
    static const struct option options[] = {{"weights", required_argument, NULL, 'w'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"raster", required_argument, NULL, 'r'},
                                            {"tiles", required_argument, NULL, 't'},
                                            {"xyz", required_argument, NULL, 'x'},
                                            {"tms", required_argument, NULL, 'T'},
                                            {"alpha", required_argument, NULL, 'l'},
                                            {"add", no_argument, NULL, 'a'},
                                            {"remove", required_argument, NULL, 'm'},
                                            {"tile-metres", required_argument, NULL, 'g'},
                                            {"stride-metres", required_argument, NULL, 's'},
                                            {"crs", required_argument, NULL, 'c'},
                                            COMMON_OPTIONS};
    gvm_map_options *o = &a->options;
    const char *name = a->common.name;
    int status;
    for (int c; (c = next_option(argc, argv, options)) != -1;) {
        switch (c) {
        case 'w': a->weights = optarg; break;
        case 'o': a->out = optarg; break;
        case 'r': take_rasters(a, rasters, argc, argv); break;
        case 't': o->tiles = optarg; break;
        case 'x':
        case 'T':
            a->both = o->xyz != NULL && o->tms != (c == 'T');
            o->xyz = optarg;
            o->tms = c == 'T';
            break;
        case 'a': o->add = 1; break;
        case 'm': a->remove = optarg; break;
        case 'c': o->crs = optarg; break;
        case 'l':
            o->alpha = strcmp(optarg, "yes") == 0 ? 1 : strcmp(optarg, "no") == 0 ? -1 : 0;
            if (o->alpha == 0) return usage_error(name, "--alpha takes yes or no, not '%s'", optarg);
            break;
        case 'g':
            if (!read_double(&o->tile_m, optarg, 1, 20000))
                return usage_error(name, "--tile-metres takes metres from 1 to 20000, not '%s'", optarg);
            break;
        case 's':
            if (!read_double(&o->stride_m, optarg, 0.01, 100000))
                return usage_error(name, "--stride-metres takes metres from 0.01 to 100000, not '%s'", optarg);
            break;
        default:
            if ((status = common_option(&a->common, c, argv)) != GO_ON) return status;
        }
    }
    o->rasters = rasters;
    return check_arguments(a, argc, argv);
}

/* ------------------------------------------------------------------ the job */

struct bar {
    struct progress progress;
    bool started;
};

static void show(void *user, const gvm_map_progress *p, const gvm_error *failure)
{
    struct bar *bar = user;
    if (p->note != NULL) {
        if (!bar->progress.quiet) fprintf(stderr, "%s\n", p->note);
        return;
    }
    if (!bar->started) progress_start(&bar->progress, "index", "tiles", p->places - p->resumed);
    bar->started = true;
    if (failure != NULL) {
        progress_clear(&bar->progress);
        failed(failure);
    }
    progress_step(&bar->progress, p->done - p->resumed);
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
    struct bar bar = {.progress.quiet = a->common.quiet};
    gvm_status status = gvm_model_open(&model, weights_path(a->weights), &err);
    if (status == GVM_OK) status = gvm_session_open(&session, model, 16, &err);
    if (status == GVM_OK) status = gvm_map_build(a->out, session, &a->options, &progress, show, &bar, &err);
    if (bar.started) progress_end(&bar.progress);
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
    print_text(a->out);
    printf(": %zu tile%s removed\n", removed, removed == 1 ? "" : "s");
    return DONE;
}

int cmd_index(int argc, char **argv)
{
    struct arguments a = {.common = {.name = "index", .help = help}, .options.size = sizeof a.options};
    const char **rasters = calloc((size_t)argc + 1, sizeof *rasters);
    if (rasters == NULL) return failed(&(gvm_error){"there is not enough memory for the list of rasters"});
    int end = read_arguments(&a, rasters, argc, argv);
    if (end == GO_ON) end = a.remove != NULL ? take_out(&a) : build(&a);
    free(rasters);
    return end;
}
