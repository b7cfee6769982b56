/* cmd_world.c - generates a town: pairs of pictures for training, or an orthophoto and photos. */
#include <math.h>
#include <stdio.h>
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

static const char DEFAULT_SHAPES[] = "4:3,3:4,16:9,9:16";

/* "4:3,3:4": each side a whole number, the longer at most 10 times the other. */
static bool read_shapes(void *fields, const char *text)
{
    struct photo_range *range = &((struct arguments *)fields)->photo.range;
    range->shape_count = 0;
    for (bool more = true; more; text++) {
        int length = 0, *shape = range->shapes[range->shape_count];
        if (range->shape_count == PHOTO_SHAPES || sscanf(text, "%4d:%4d%n", &shape[0], &shape[1], &length) != 2)
            return false;
        int low = shape[0] < shape[1] ? shape[0] : shape[1], high = shape[0] < shape[1] ? shape[1] : shape[0];
        if (low < 1 || high > 10 * low) return false;
        range->shape_count++;
        text += length;
        more = *text == ',';
    }
    return text[-1] == '\0';
}

/* The name of a lens, or a pinhole's k1 and k2. */
static bool read_lens(void *fields, const char *text)
{
    static const char *const names[] = {"pinhole", "fisheye", "cylinder", "sphere"};
    struct photo_range *range = &((struct arguments *)fields)->photo.range;
    double *const k[2] = {&range->k1, &range->k2};
    char first[32];
    range->k1 = range->k2 = 0;
    for (int lens = 0; lens < 4; lens++)
        if (strcmp(text, names[lens]) == 0) {
            range->lens = (enum lens)lens;
            return true;
        }
    size_t length = strcspn(text, ",");
    if (text[length] != ',' || length >= sizeof first) return false;
    memcpy(first, text, length);
    first[length] = '\0';
    range->lens = LENS_PINHOLE;
    return read_double(k[0], first, -2, 2) && read_double(k[1], text + length + 1, -2, 2);
}

static int check_photos(const struct arguments *a)
{
    const struct photo_range *range = &a->photo.range;
    double most = range->lens == LENS_PINHOLE ? 150 : 360;
    if (range->fov[1] > most)
        return usage_error("world", "--fov must be at most %g degrees with this --lens, got %g", most, range->fov[1]);
    if (!photo_range_shows(range))
        return usage_error("world", "with this --lens, a photo of %g degrees would not be filled to its corners",
                           range->fov[1]);
    return GO_ON;
}

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
    return a->photos ? check_photos(a) : GO_ON;
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
    {"photo-size", OPTION_INT, AT(photo.range.longest), "N", 64, PHOTOS_MOST_PIXELS, "320", .with = "photos",
     .help = "pixels of a photo's longer side"},
    {"shape", OPTION_OTHER, 0, "W:H,...", .standard = DEFAULT_SHAPES, .read = read_shapes, .with = "photos",
     .takes = "up to 8 aspect ratios such as 4:3,3:4, one side at most 10 times the other",
     .help = "aspect ratios to draw from"},
    {"fov", OPTION_PAIR, AT(photo.range.fov), "LOW,HIGH", 20, 360, "50,110", .with = "photos",
     .help = "field of view of photos along their longer side, degrees; at most 150 with a pinhole"},
    {"lens", OPTION_OTHER, 0, "LENS", .standard = "pinhole", .read = read_lens, .with = "photos",
     .takes = "pinhole, fisheye, cylinder, sphere, or K1,K2 from -2 to 2",
     .help = "pinhole; K1,K2: a pinhole with radial distortion; fisheye; cylinder: a panorama by sweep; sphere: a "
             "partial panorama"},
    {"pitch", OPTION_DOUBLE, AT(photo.range.pitch), "DEG", 0, 30, "3", .takes = "degrees", .with = "photos",
     .help = "standard deviation of the photos' pitch, cut off at three times that"},
    {"roll", OPTION_DOUBLE, AT(photo.range.roll), "DEG", 0, 60, "2", .takes = "degrees", .with = "photos",
     .help = "standard deviation of the photos' roll, cut off at three times that"},
    {"orientation", OPTION_CHOICE, AT(photo.range.orientation), "any|1|2|3|4|5|6|7|8", .standard = "1",
     .with = "photos", .help = "EXIF orientation in which the photos are stored"},
    {"north", OPTION_CHOICE, AT(photo.magnetic), "true|magnetic", .standard = "true", .with = "photos",
     .help = "north that the headings in EXIF refer to; those of photos.csv refer to true north"},
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
        "view; EXIF has the position, heading, focal length and orientation, XMP (GPano) the geometry of cylinders and "
        "spheres. Writes imagery/ortho.tif, photos/ and, last, photos.csv "
        "(image,lat,lon,heading,pitch,roll,fov,lens,split; fov is horizontal).",
    .rows = rows,
    .examples =
        "  geoviewmatch world --out town --pairs 200          pairs to train with\n"
        "  geoviewmatch world --out town --ortho --pairs 30   an orthophoto and panoramas to locate in it\n"
        "  geoviewmatch world --out town --photos --pairs 4000 --metres 2600\n"
        "  geoviewmatch world --out town --photos --pairs 40 --metres 1000 --photo-size 1600 --orientation any\n",
    .size = sizeof(struct arguments),
    .run = make,
};
