/* cmd_world.c - a practice city: pairs of pictures to learn from, or a map to locate in, where there are none. */
#include <string.h>

#include "cli/cli.h"
#include "world/ortho.h"

struct arguments {
    struct common common;
    struct world_options world;
    struct ortho_options orthophoto;
    const char *out;
    double test; /* percent */
    int projection;
    bool ortho, force;
};

static int make(void *arguments)
{
    struct arguments *a = arguments;
    struct progress progress = {.quiet = a->common.quiet};
    struct world_options *world = &a->world;
    gvm_error err;
    int pixels;
    const char *other = options_given(&a->common, (const char *const[]){"offset", "test", NULL});
    if (a->ortho && other) return usage_error("world", "--ortho does not go with --%s", other);
    if (a->ortho && a->orthophoto.metres * world->scale > ORTHO_MOST_M)
        return usage_error("world", "--metres takes at most %d with --scale %d", ORTHO_MOST_M / world->scale,
                           world->scale);
    world->test = a->test / 100;
    a->orthophoto.projection = (enum ortho_grid)a->projection;
    gvm_status status = a->ortho ? ortho_write(a->out, &pixels, world, &a->orthophoto, a->force, &progress, &err)
                                 : world_write(a->out, world, a->force, &progress, &err);
    if (status != GVM_OK) return failed(&err);
    if (a->ortho)
        print_line("%s: an orthophoto of %d x %d pixels, %d panoramas", a->out, pixels, pixels, world->pairs);
    else
        print_line("%s: %d pairs, %d of them for testing", a->out, world->pairs,
                   (int)(world->test * world->pairs + 0.5));
    return DONE;
}

static bool read_origin(void *fields, const char *text)
{
    struct world_options *world = &((struct arguments *)fields)->world;
    return read_place(&world->lat, &world->lon, text, 80);
}

static const struct option_row rows[] = {
    {"out", OPTION_TEXT, AT(out), "FOLDER", .needed = true, .help = "a new or empty folder"},
    {"pairs", OPTION_INT, AT(world.pairs), "N", 1, WORLD_MAX_PAIRS, .needed = true,
     .help = "how many pairs, or panoramas"},
    {"seed", OPTION_LONG, AT(world.seed), "S", 0, INFINITY, "1", .help = "which town and which pictures"},
    {"origin", OPTION_OTHER, 0, "LAT,LON", .standard = "45,-30", .read = read_origin,
     .takes = "LAT,LON in degrees, within 80 degrees of the equator",
     .help = "where the town's middle is said to lie; unless given in the Atlantic"},
    {"scale", OPTION_INT, AT(world.scale), "K", 1, 4, "1",
     .help = "pictures K times as large as 256 x 256 and 640 x 160, and K times the pixels a metre of the orthophoto"},
    {"force", OPTION_FLAG, AT(force), .help = "write over what the folder holds"},
    {.type = OPTION_TITLE, .help = "For pairs:"},
    {"offset", OPTION_DOUBLE, AT(world.offset_m), "M", 0, 30, "0", .takes = "metres",
     .help = "the camera stands up to M metres off the aerial picture's centre"},
    {"test", OPTION_DOUBLE, AT(test), "PERCENT", 0, 100, "10", .takes = "a percentage",
     .help = "pairs of the town's eastern part, for testing"},
    {.type = OPTION_TITLE, .help = "For an orthophoto:"},
    {"ortho", OPTION_FLAG, AT(ortho), .help = "make one"},
    {"metres", OPTION_DOUBLE, AT(orthophoto.metres), "M", ORTHO_LEAST_M, ORTHO_MOST_M, "600", .takes = "metres",
     .with = "ortho", .help = "its side on the ground; with --scale K at most 4000 / K"},
    {"projection", OPTION_CHOICE, AT(projection), "mercator|utm", .standard = "mercator", .with = "ortho",
     .help = "web mercator, EPSG:3857, or the UTM zone of the town's middle"},
    {"turn", OPTION_YES, AT(orthophoto.turn), "yes|no", .standard = "no", .with = "ortho",
     .help = "each panorama looks in a direction of its own, as its EXIF and XMP say, and not north"},
    {0},
};

const struct command world_command = {
    .name = "world",
    .summary = "a practice city to learn from",
    .usage = "--out FOLDER --pairs N [options]\n"
             "--out FOLDER --pairs N --ortho [options]",
    .about =
        "Generates a town and takes N street panoramas in it, each with the aerial picture (64 m wide, north up) of "
        "its place, taken at another time: other sun, season, air, cars and sensor. Writes street/ and aerial/ "
        "with JPEGs, tiles.csv (where each aerial picture lies) and, last of all, pairs.csv (where each panorama "
        "was taken).\n"
        "\n"
        "With --ortho the town from above is one picture instead, to make a map of and to locate the panoramas in. "
        "Writes ortho.tif (a GeoTIFF of 0.25 m a pixel), street/ and, last of all, photos.csv "
        "(image,lat,lon,heading).",
    .rows = rows,
    .examples = "  geoviewmatch world --out town --pairs 200          pairs to train with\n"
                "  geoviewmatch world --out town --ortho --pairs 30   an orthophoto and panoramas to locate in it\n",
    .size = sizeof(struct arguments),
    .run = make,
};
