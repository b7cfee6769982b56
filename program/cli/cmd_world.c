/* cmd_world.c - generates a town: pairs of pictures for training, or an orthophoto and photos. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"
#include "world/photos.h"

struct arguments {
    struct common common;
    struct world_options world;
    struct ortho_options orthophoto;
    struct photos_options photo;
    const char *out;
    double test; /* percent */
    int projection;
    bool ortho, photos, force;
};

/* GO_ON or the result of usage_error. */
static int check(const struct arguments *a)
{
    static const char *const pairs_only[] = {"offset", "test", NULL}, *const imagery[] = {"metres", "projection", NULL},
                             *const no_photos[] = {"ortho", "offset", "scale", NULL};
    const char *other = a->photos  ? options_given(&a->common, no_photos)
                        : a->ortho ? options_given(&a->common, pairs_only)
                                   : NULL;
    if (other) return usage_error("world", "--%s cannot be combined with --%s", a->photos ? "photos" : "ortho", other);
    other = options_given(&a->common, imagery);
    if (other && !a->ortho && !a->photos) return usage_error("world", "--%s requires --ortho or --photos", other);
    double most =
        a->photos ? fmin(ORTHO_MOST_M, ORTHO_MOST_PIXELS * a->orthophoto.pixel) : (double)ORTHO_MOST_M / a->world.scale;
    if (a->photos && a->orthophoto.metres > most)
        return usage_error("world", "--metres must be at most %g with --pixel %g", most, a->orthophoto.pixel);
    if (a->ortho && a->orthophoto.metres > most)
        return usage_error("world", "--metres must be at most %g with --scale %d", most, a->world.scale);
    return GO_ON;
}

static gvm_status draw(int *pixels, const struct arguments *a, struct progress *progress, gvm_error *err)
{
    if (a->photos) return photos_write(a->out, pixels, &a->world, &a->orthophoto, &a->photo, a->force, progress, err);
    if (a->ortho) return ortho_write(a->out, pixels, &a->world, &a->orthophoto, a->force, progress, err);
    return world_write(a->out, &a->world, a->force, progress, err);
}

static int make(void *arguments)
{
    struct arguments *a = arguments;
    struct progress progress = {.quiet = a->common.quiet};
    gvm_error err;
    int pixels = 0, refused = check(a);
    if (refused != GO_ON) return refused;
    a->world.test = a->test / 100;
    a->orthophoto.projection = (enum ortho_grid)a->projection;
    if (!a->photos) a->orthophoto.pixel = 0;
    if (draw(&pixels, a, &progress, &err) != GVM_OK) return failed(&err);
    int pairs = a->world.pairs, test = (int)(a->world.test * pairs + 0.5);
    if (a->photos)
        print_line("%s: an orthophoto of %d x %d pixels, %d photos, %d of them for testing", a->out, pixels, pixels,
                   pairs, test);
    else if (a->ortho)
        print_line("%s: an orthophoto of %d x %d pixels, %d panoramas", a->out, pixels, pixels, pairs);
    else
        print_line("%s: %d pairs, %d of them for testing", a->out, pairs, test);
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
     .help = "number of pairs, panoramas or photos"},
    {"seed", OPTION_LONG, AT(world.seed), "S", 0, INFINITY, "1", .help = "seed of the town and the pictures"},
    {"origin", OPTION_OTHER, 0, "LAT,LON", .standard = "45,-30", .read = read_origin,
     .takes = "LAT,LON in degrees, within 80 degrees of the equator", .help = "position of the town's centre"},
    {"scale", OPTION_INT, AT(world.scale), "K", 1, 4, "1",
     .help = "scale of the pictures, from 256 x 256 and 640 x 160, and of the orthophoto's pixels per metre; not with "
             "--photos"},
    {"force", OPTION_FLAG, AT(force), .help = "overwrite the folder's files"},
    {.type = OPTION_TITLE, .help = "For pairs (--test also for photos):"},
    {"offset", OPTION_DOUBLE, AT(world.offset_m), "M", 0, 30, "0", .takes = "metres",
     .help = "the camera is up to M metres off the aerial picture's centre"},
    {"test", OPTION_DOUBLE, AT(test), "PERCENT", 0, 100, "10", .takes = "a percentage",
     .help = "share of pairs or photos for testing, from the town's eastern part"},
    {.type = OPTION_TITLE, .help = "For an orthophoto:"},
    {"ortho", OPTION_FLAG, AT(ortho), .help = "generate an orthophoto and panoramas"},
    {"photos", OPTION_FLAG, AT(photos), .help = "generate an orthophoto and ordinary photos"},
    {"metres", OPTION_DOUBLE, AT(orthophoto.metres), "M", ORTHO_LEAST_M, ORTHO_MOST_M, "600", .takes = "metres",
     .help = "side of the orthophoto on the ground; at most 4000 / K with --scale K, 16000 P with --pixel P"},
    {"projection", OPTION_CHOICE, AT(projection), "mercator|utm", .standard = "mercator",
     .help = "Web Mercator, EPSG:3857, or the UTM zone of the town's centre"},
    {"turn", OPTION_YES, AT(orthophoto.turn), "yes|no", .standard = "no", .with = "ortho",
     .help = "give each panorama a random heading, recorded in its EXIF and XMP, instead of north"},
    {.type = OPTION_TITLE, .help = "For photos:"},
    {"pixel", OPTION_DOUBLE, AT(orthophoto.pixel), "P", 0.05, 5, "0.2", .takes = "metres", .with = "photos",
     .help = "ground sample distance of the orthophoto"},
    {"margin", OPTION_DOUBLE, AT(photo.margin), "M", 0, 1000, "310", .takes = "metres", .with = "photos",
     .help = "least imagery around each photo"},
    {"photo-size", OPTION_INT, AT(photo.longest), "N", 64, PHOTOS_MOST_PIXELS, "320", .with = "photos",
     .help = "pixels of a photo's longer side; aspect ratios are 4:3, 3:4, 16:9 and 9:16"},
    {"fov", OPTION_PAIR, AT(photo.fov), "LOW,HIGH", 20, 120, "50,110", .with = "photos",
     .help = "field of view of photos along their longer side, degrees"},
    {0},
};

const struct command world_command = {
    .name = "world",
    .summary = "generate a town as a data set",
    .usage = "--out FOLDER --pairs N [options]\n"
             "--out FOLDER --pairs N --ortho [options]\n"
             "--out FOLDER --pairs N --photos [options]",
    .about =
        "Generates a town and N street panoramas of it, each with the aerial picture (64 m wide, north up) of its "
        "place at another time: with different sun, season, air, cars and sensor. Writes street/ and aerial/ with "
        "JPEGs, tiles.csv (the position of each aerial picture) and, last, pairs.csv (the position of each panorama).\n"
        "\n"
        "With --ortho the town from above is one orthophoto instead, to build a map from and locate the panoramas on. "
        "Writes ortho.tif (a GeoTIFF of 0.25 m a pixel), street/ and, last, photos.csv (image,lat,lon,heading).\n"
        "\n"
        "With --photos the pictures are those of an ordinary camera: random heading, nearly level, a phone's field of "
        "view; EXIF has the position, heading and focal length. Writes imagery/ortho.tif, photos/ and, last, "
        "photos.csv (image,lat,lon,heading,hfov,split).",
    .rows = rows,
    .examples = "  geoviewmatch world --out town --pairs 200          pairs to train with\n"
                "  geoviewmatch world --out town --ortho --pairs 30   an orthophoto and panoramas to locate in it\n"
                "  geoviewmatch world --out town --photos --pairs 4000 --metres 2600\n",
    .size = sizeof(struct arguments),
    .run = make,
};
