/* cmd_world.c - a practice city: pairs of pictures to learn from where there are none. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "world/world.h"

static const char help[] =
    "usage: geoviewmatch world --out FOLDER --pairs N [options]\n"
    "\n"
    "Generates a town and takes N street panoramas in it, each with the aerial picture (64 m wide, north up) of its\n"
    "place, taken at another time: other sun, season, air, cars and sensor. Writes street/ and aerial/ with JPEGs,\n"
    "tiles.csv (where each aerial picture lies) and, last of all, pairs.csv (where each panorama was taken).\n"
    "\n"
    "  --out FOLDER          a new or empty folder\n"
    "  --pairs N             how many\n"
    "  --seed S              which town and which pictures, 0 or more (default: 1)\n"
    "  --offset M            the camera stands up to M metres off the aerial picture's centre (default: 0, at most "
    "30)\n"
    "  --test PERCENT        pairs of the town's eastern part, for testing (default: 10)\n"
    "  --origin LAT,LON      where the town's middle is said to lie (default: 45,-30, in the Atlantic)\n"
    "  --scale K             pictures K times as large as 256 x 256 and 640 x 160, 1 to 4 (default: 1)\n"
    "  --force               write over what the folder holds\n" COMMON_HELP;

struct arguments {
    struct common common;
    struct world_options world;
    const char *out;
    bool force;
};

static bool read_origin(struct world_options *world, const char *text)
{
    char lat[40];
    const char *comma = strchr(text, ',');
    if (comma == NULL || comma - text >= (long)sizeof lat) return false;
    memcpy(lat, text, (size_t)(comma - text));
    lat[comma - text] = '\0';
    return read_double(&world->lat, lat, -80, 80) && read_double(&world->lon, comma + 1, -180, 180);
}

static int read_option(struct arguments *a, int option, char **argv)
{
    const char *name = a->common.name;
    long number;
    switch (option) {
    case 'o': a->out = optarg; return GO_ON;
    case 'f': a->force = true; return GO_ON;
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
    case 'm':
        if (!read_double(&a->world.offset_m, optarg, 0, 30))
            return usage_error(name, "--offset takes metres from 0 to 30, not '%s'", optarg);
        return GO_ON;
    case 't':
        if (!read_double(&a->world.test, optarg, 0, 100))
            return usage_error(name, "--test takes a percentage from 0 to 100, not '%s'", optarg);
        a->world.test /= 100;
        return GO_ON;
    case 'k':
        if (!read_long(&number, optarg, 1, 4)) return usage_error(name, "--scale takes 1 to 4, not '%s'", optarg);
        a->world.scale = (int)number;
        return GO_ON;
    case 'l':
        if (!read_origin(&a->world, optarg))
            return usage_error(name, "--origin takes LAT,LON in degrees, within 80 degrees of the equator, not '%s'",
                               optarg);
        return GO_ON;
    default: return common_option(&a->common, option, argv);
    }
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
                                            COMMON_OPTIONS};
    struct arguments a = {.common = {.name = "world", .help = help}, .world = world_defaults};
    int status;
    for (int c; (c = next_option(argc, argv, options)) != -1;)
        if ((status = read_option(&a, c, argv)) != GO_ON) return status;
    if (optind < argc) return usage_error("world", "'%s' is one argument too many", argv[optind]);
    if (a.out == NULL) return usage_error("world", "--out is missing");
    if (a.world.pairs == 0) return usage_error("world", "--pairs is missing");
    struct progress progress = {.quiet = a.common.quiet};
    gvm_error err;
    if (world_write(a.out, &a.world, a.force, &progress, &err) != GVM_OK) return failed(&err);
    print_text(a.out);
    printf(": %d pairs, %d of them for testing\n", a.world.pairs, (int)(a.world.test * a.world.pairs + 0.5));
    return DONE;
}
