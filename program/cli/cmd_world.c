/* cmd_world.c - a practice city: pairs of pictures to learn from, or a map to locate in, where there are none. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "world/ortho.h"

static const char help[] =
    "usage: geoviewmatch world --out FOLDER --pairs N [options]\n"
    "       geoviewmatch world --out FOLDER --pairs N --ortho [options]\n"
    "\n"
    "Generates a town and takes N street panoramas in it, each with the aerial picture (64 m wide, north up) of its\n"
    "place, taken at another time: other sun, season, air, cars and sensor. Writes street/ and aerial/ with JPEGs,\n"
    "tiles.csv (where each aerial picture lies) and, last of all, pairs.csv (where each panorama was taken).\n"
    "\n"
    "With --ortho the town from above is one picture instead, to make a map of and to locate the panoramas in. Writes\n"
    "ortho.tif (a GeoTIFF of 0.25 m a pixel), street/ and, last of all, photos.csv (image,lat,lon,heading).\n"
    "\n"
    "  --out FOLDER          a new or empty folder\n"
    "  --pairs N             how many pairs, or panoramas\n"
    "  --seed S              which town and which pictures, 0 or more (default: 1)\n"
    "  --origin LAT,LON      where the town's middle is said to lie (default: 45,-30, in the Atlantic)\n"
    "  --scale K             pictures K times as large as 256 x 256 and 640 x 160, and K times the pixels a metre of\n"
    "                        the orthophoto, 1 to 4 (default: 1)\n"
    "  --force               write over what the folder holds\n"
    "\n"
    "For pairs:\n"
    "  --offset M            the camera stands up to M metres off the aerial picture's centre (default: 0, at most "
    "30)\n"
    "  --test PERCENT        pairs of the town's eastern part, for testing (default: 10)\n"
    "\n"
    "For an orthophoto:\n"
    "  --ortho               make one\n"
    "  --metres M            its side on the ground, 200 to 4000 / K (default: 600)\n"
    "  --projection P        mercator: web mercator, EPSG:3857 (default), or utm: the zone of the town's middle\n"
    "  --turn yes|no         each panorama looks in a direction of its own, as its EXIF and XMP say, and not north\n"
    "                        (default: no)\n" PLAIN_HELP;

struct arguments {
    struct common common;
    struct world_options world;
    struct ortho_options orthophoto;
    const char *out;
    const char *for_pairs, *for_ortho; /* an option that only they take, as given; NULL: none */
    bool ortho, force;
};

static int read_pairs_option(struct arguments *a, int option, const char *name)
{
    switch (option) {
    case 'm':
        a->for_pairs = "--offset";
        if (!read_double(&a->world.offset_m, optarg, 0, 30))
            return usage_error(name, "--offset takes metres from 0 to 30, not '%s'", optarg);
        return GO_ON;
    default:
        a->for_pairs = "--test";
        if (!read_double(&a->world.test, optarg, 0, 100))
            return usage_error(name, "--test takes a percentage from 0 to 100, not '%s'", optarg);
        a->world.test /= 100;
        return GO_ON;
    }
}

static int read_ortho_option(struct arguments *a, int option, const char *name)
{
    bool second;
    switch (option) {
    case 'g':
        a->for_ortho = "--metres";
        if (!read_double(&a->orthophoto.metres, optarg, ORTHO_LEAST_M, ORTHO_MOST_M))
            return usage_error(name, "--metres takes %d to %d, not '%s'", ORTHO_LEAST_M, ORTHO_MOST_M, optarg);
        return GO_ON;
    case 'j':
        a->for_ortho = "--projection";
        second = strcmp(optarg, "utm") == 0;
        if (!second && strcmp(optarg, "mercator") != 0)
            return usage_error(name, "--projection takes mercator or utm, not '%s'", optarg);
        a->orthophoto.projection = second ? PROJECTION_UTM : PROJECTION_MERCATOR;
        return GO_ON;
    default:
        a->for_ortho = "--turn";
        second = strcmp(optarg, "yes") == 0;
        if (!second && strcmp(optarg, "no") != 0) return usage_error(name, "--turn takes yes or no, not '%s'", optarg);
        a->orthophoto.turn = second;
        return GO_ON;
    }
}

static int read_option(struct arguments *a, int option, char **argv)
{
    const char *name = a->common.name;
    long number;
    switch (option) {
    case 'o': a->out = optarg; return GO_ON;
    case 'f': a->force = true; return GO_ON;
    case 'x': a->ortho = true; return GO_ON;
    case 'p':
        if (!read_long(&number, optarg, 1, WORLD_MAX_PAIRS))
            return usage_error(name, "--pairs takes a number from 1 to %d, not '%s'", WORLD_MAX_PAIRS, optarg);
        a->world.pairs = (int)number;
        return GO_ON;
    case 's':
        if (!read_long(&number, optarg, 0, INT64_MAX))
            return usage_error(name, "--seed takes a whole number of 0 or more, not '%s'", optarg);
        a->world.seed = (uint64_t)number;
        return GO_ON;
    case 'k':
        if (!read_long(&number, optarg, 1, 4)) return usage_error(name, "--scale takes 1 to 4, not '%s'", optarg);
        a->world.scale = (int)number;
        return GO_ON;
    case 'l':
        if (!read_place(&a->world.lat, &a->world.lon, optarg, 80))
            return usage_error(name, "--origin takes LAT,LON in degrees, within 80 degrees of the equator, not '%s'",
                               optarg);
        return GO_ON;
    case 'm':
    case 't': return read_pairs_option(a, option, name);
    case 'g':
    case 'j':
    case 'h': return read_ortho_option(a, option, name);
    default: return common_option(&a->common, option, argv);
    }
}

static int check(const struct arguments *a)
{
    if (a->out == NULL) return usage_error("world", "--out is missing");
    if (a->world.pairs == 0) return usage_error("world", "--pairs is missing");
    if (a->ortho && a->for_pairs != NULL) return usage_error("world", "--ortho does not go with %s", a->for_pairs);
    if (!a->ortho && a->for_ortho != NULL) return usage_error("world", "%s needs --ortho", a->for_ortho);
    if (a->ortho && a->orthophoto.metres * a->world.scale > ORTHO_MOST_M)
        return usage_error("world", "--metres takes at most %d with --scale %d", ORTHO_MOST_M / a->world.scale,
                           a->world.scale);
    return GO_ON;
}

static int make(const struct arguments *a)
{
    struct progress progress = {.quiet = a->common.quiet};
    const struct world_options *world = &a->world;
    gvm_error err;
    int pixels;
    gvm_status status = a->ortho ? ortho_write(a->out, &pixels, world, &a->orthophoto, a->force, &progress, &err)
                                 : world_write(a->out, world, a->force, &progress, &err);
    if (status != GVM_OK) return failed(&err);
    print_text(a->out);
    if (a->ortho)
        printf(": an orthophoto of %d x %d pixels, %d panoramas\n", pixels, pixels, world->pairs);
    else
        printf(": %d pairs, %d of them for testing\n", world->pairs, (int)(world->test * world->pairs + 0.5));
    return DONE;
}

int cmd_world(int argc, char **argv)
{
    static const struct option options[] = {{"out", required_argument, NULL, 'o'},
                                            {"pairs", required_argument, NULL, 'p'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"offset", required_argument, NULL, 'm'},
                                            {"test", required_argument, NULL, 't'},
                                            {"origin", required_argument, NULL, 'l'},
                                            {"scale", required_argument, NULL, 'k'},
                                            {"force", no_argument, NULL, 'f'},
                                            {"ortho", no_argument, NULL, 'x'},
                                            {"metres", required_argument, NULL, 'g'},
                                            {"projection", required_argument, NULL, 'j'},
                                            {"turn", required_argument, NULL, 'h'},
                                            PLAIN_OPTIONS};
    struct arguments a = {
        .common = {.name = "world", .help = help}, .world = world_defaults, .orthophoto = ortho_defaults};
    int status;
    for (int c; (c = next_option(argc, argv, options)) != -1;)
        if ((status = read_option(&a, c, argv)) != GO_ON) return status;
    if (optind < argc) return usage_error("world", "'%s' is one argument too many", argv[optind]);
    status = check(&a);
    return status == GO_ON ? make(&a) : status;
}
