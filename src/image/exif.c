/* exif.c - see exif.h
 *
 * Directories are read in place, because in a TIFF they may be anywhere in a file of gigabytes. Numbers are accepted in
 * any numeric type: phones write signed values instead of unsigned ones, and floats. */
#include "image/exif.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_ENTRIES = 4096, LETTERS = 8 };

enum tag { /* of the main directory, the EXIF directory and the GPS directory */
           MAKE = 0x10f,
           MODEL = 0x110,
           ORIENTATION = 0x112,
           EXIF_DIRECTORY = 0x8769,
           GPS_DIRECTORY = 0x8825,
           FOCAL_LENGTH = 0x920a,
           TAKEN = 0x9003,
           MAKER_NOTE = 0x927c,
           WIDTH = 0xa002,
           HEIGHT = 0xa003,
           PLANE_RESOLUTION = 0xa20e,
           PLANE_UNIT = 0xa210,
           CUSTOM_RENDERED = 0xa401,
           FOCAL_35MM = 0xa405,
           LENS_MODEL = 0xa434,
           ACCELERATION = 8, /* of Apple's note */
           LAT_REF = 1,
           LAT = 2,
           LON_REF = 3,
           LON = 4,
           DIRECTION_REF = 16,
           DIRECTION = 17
};

struct tiff {
    const struct bytes *bytes;
    uint64_t base;  /* offsets are relative to this */
    bool big, wide; /* big-endian; BigTIFF */
};

struct entry {
    int tag, type;
    uint64_t count, at; /* at: offset of the values */
};

/* Values of a GPS directory. The reference letters are upper case, 0 if missing. */
struct gps {
    double lat[3], lon[3], direction;
    int lats, lons, directions;
    char lat_ref, lon_ref, direction_ref;
};

static int size_of(int type)
{
    static const int sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};
    return type >= 0 && type < (int)(sizeof sizes / sizeof *sizes) ? sizes[type] : 0;
}

static double signed_number(uint64_t n, int size)
{
    return size == 8 ? (double)(int64_t)n : n >> (8 * size - 1) ? (double)n - ldexp(1, 8 * size) : (double)n;
}

/* Value i of an entry. NaN for 0/0 or a non-numeric type, infinite for a fraction over 0. */
static double value_of(const struct tiff *t, const struct entry *e, int i)
{
    uint8_t bytes[8];
    int size = size_of(e->type);
    if (size == 0 || !bytes_have(bytes, t->bytes, e->at + (uint64_t)i * (uint64_t)size, (size_t)size)) return NAN;
    uint64_t n = bytes_number(bytes, size, t->big);
    uint32_t bits = (uint32_t)n;
    float single;
    double twice;
    switch (e->type) {
    case 1:
    case 3:
    case 4:
    case 13:
    case 16:
    case 18: return (double)n;
    case 6:
    case 8:
    case 9:
    case 17: return signed_number(n, size);
    case 5: return (double)bytes_number(bytes, 4, t->big) / (double)bytes_number(bytes + 4, 4, t->big);
    case 10:
        return signed_number(bytes_number(bytes, 4, t->big), 4) / signed_number(bytes_number(bytes + 4, 4, t->big), 4);
    case 11: memcpy(&single, &bits, sizeof single); return single;
    case 12: memcpy(&twice, &n, sizeof twice); return twice;
    default: return NAN;
    }
}

/* Returns the number of values read, at most `most`. */
static int values_of(double *values, int most, const struct tiff *t, const struct entry *e)
{
    int n = e->count < (uint64_t)most ? (int)e->count : most;
    for (int i = 0; i < n; i++) values[i] = value_of(t, e, i);
    return n;
}

static void text_of(char *text, size_t room, const struct tiff *t, const struct entry *e)
{
    size_t n = e->count < room - 1 ? (size_t)e->count : room - 1;
    if (size_of(e->type) != 1) n = 0;
    n = bytes_read(text, t->bytes, e->at, n);
    text[n] = '\0';
    for (n = strlen(text); n > 0 && isspace((unsigned char)text[n - 1]); n--) text[n - 1] = '\0';
}

static char letter_of(const struct tiff *t, const struct entry *e)
{
    char text[LETTERS];
    size_t n = e->count < LETTERS ? (size_t)e->count : LETTERS;
    if (size_of(e->type) != 1) return 0;
    n = bytes_read(text, t->bytes, e->at, n);
    for (size_t i = 0; i < n; i++)
        if (text[i] != '\0' && !isspace((unsigned char)text[i])) return (char)toupper((unsigned char)text[i]);
    return 0;
}

/* ------------------------------------------------------------------ positions and headings */

/* From degrees, minutes and seconds. Minutes and seconds are optional: programs write unused ones as 0/0. Without a
 * hemisphere letter the sign decides. */
static double angle_of(const double parts[3], int count, char hemisphere, const char *letters)
{
    double degrees = count > 0 ? fabs(parts[0]) : NAN, unit = 60;
    bool minus = count > 0 && parts[0] < 0;
    for (int i = 1; i < count; i++, unit *= 60) {
        if (!isnan(parts[i])) degrees += fabs(parts[i]) / unit;
        minus = minus || parts[i] < 0;
    }
    if (hemisphere == 0 && !minus) return NAN;
    if (hemisphere != 0 && strchr(letters, hemisphere) == NULL) return NAN;
    return minus || hemisphere == letters[1] ? -degrees : degrees;
}

void exif_set_place(struct exif *exif, double lat, double lon)
{
    if (!(fabs(lat) <= 90 && fabs(lon) <= 180) || (lat == 0 && lon == 0)) return;
    exif->has_place = true;
    exif->lat = lat;
    exif->lon = lon;
}

void exif_set_heading(struct exif *exif, double degrees, char reference)
{
    bool magnetic = toupper((unsigned char)reference) == 'M';
    if (!(fabs(degrees) <= 360) || (magnetic && exif->has_heading && !exif->magnetic)) return;
    exif->has_heading = true;
    exif->magnetic = magnetic;
    exif->heading = degrees < 0 ? degrees + 360 : degrees;
}

/* ------------------------------------------------------------------ directories */

typedef void take_entry(void *user, const struct tiff *t, const struct entry *e);

static void read_directory(const struct tiff *t, uint64_t at, take_entry *take, void *user)
{
    uint8_t raw[20];
    int head = t->wide ? 8 : 2, each = t->wide ? 20 : 12, word = t->wide ? 8 : 4;
    if (!bytes_have(raw, t->bytes, at, (size_t)head)) return;
    uint64_t n = bytes_number(raw, head, t->big);
    at += (uint64_t)head;
    for (uint64_t i = 0; i < n && i < MOST_ENTRIES; i++, at += (uint64_t)each) {
        if (!bytes_have(raw, t->bytes, at, (size_t)each)) return;
        struct entry e = {(int)bytes_number(raw, 2, t->big), (int)bytes_number(raw + 2, 2, t->big),
                          bytes_number(raw + 4, word, t->big), at + 4 + (uint64_t)word};
        uint64_t size = (uint64_t)size_of(e.type);
        if (size == 0 || e.count == 0 || e.count > t->bytes->size) continue;
        if (e.count * size > (uint64_t)word) e.at = t->base + bytes_number(raw + 4 + word, word, t->big);
        if (e.at > t->bytes->size || e.count * size > t->bytes->size - e.at) continue; /* truncated */
        take(user, t, &e);
    }
}

static void take_gps(void *user, const struct tiff *t, const struct entry *e)
{
    struct gps *gps = user;
    switch (e->tag) {
    case LAT_REF: gps->lat_ref = letter_of(t, e); break;
    case LON_REF: gps->lon_ref = letter_of(t, e); break;
    case DIRECTION_REF: gps->direction_ref = letter_of(t, e); break;
    case LAT: gps->lats = values_of(gps->lat, 3, t, e); break;
    case LON: gps->lons = values_of(gps->lon, 3, t, e); break;
    case DIRECTION: gps->directions = values_of(&gps->direction, 1, t, e); break;
    default: break;
    }
}

struct found {
    struct exif *exif;
    uint64_t exif_at, gps_at, note_at; /* offsets; 0: none */
    double plane_resolution;           /* pixels a unit */
    int plane_unit;
};

/* "YYYY:MM:DD HH:MM:SS" as a year with a fraction; 0 if it is no date. */
static double year_of(const char *text)
{
    int year, month, day;
    if (sscanf(text, "%4d:%2d:%2d", &year, &month, &day) != 3) return 0;
    if (year < 1900 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31) return 0;
    return year + (month - 1 + (day - 1) / 31.0) / 12;
}

/* A lens's focal length in mm; 0 if it is none, which is recorded. */
static double focal_of(struct exif *exif, double mm)
{
    bool good = mm >= 0.5 && mm <= 5000;
    if (!good && mm != 0 && !isnan(mm)) exif->absurd = true; /* 0, 0/0: the camera does not know it */
    return good ? mm : 0;
}

/* The part of the EXIF directory that describes lens and sensor. */
static void take_lens(struct found *found, const struct tiff *t, const struct entry *e, double value)
{
    char text[64];
    struct exif *exif = found->exif;
    switch (e->tag) {
    case FOCAL_LENGTH:
        exif->focal = focal_of(exif, value);
        exif->has_focal = exif->has_focal || exif->focal > 0;
        break;
    case FOCAL_35MM: exif->focal_35mm = focal_of(exif, value); break;
    case WIDTH: exif->width = value >= 1 && value <= 1e6 ? value : 0; break;
    case HEIGHT: exif->height = value >= 1 && value <= 1e6 ? value : 0; break;
    case PLANE_RESOLUTION: found->plane_resolution = value; break;
    case PLANE_UNIT: found->plane_unit = value >= 1 && value <= 5 ? (int)value : 0; break;
    case MAKER_NOTE: found->note_at = e->at; break;
    case TAKEN:
        text_of(text, sizeof text, t, e);
        exif->year = year_of(text);
        break;
    case LENS_MODEL:
        text_of(text, sizeof text, t, e);
        exif->front = strstr(text, "front") != NULL;
        break;
    default: break;
    }
}

static void take_gravity(void *user, const struct tiff *t, const struct entry *e)
{
    struct exif *exif = user;
    double g[3];
    if (e->tag != ACCELERATION || values_of(g, 3, t, e) != 3) return;
    double length = hypot(hypot(g[0], g[1]), g[2]);
    exif->has_gravity = length > 0.8 && length < 1.2; /* else the phone was moved */
    for (int i = 0; i < 3 && exif->has_gravity; i++) exif->gravity[i] = g[i] / length;
}

/* Apple's note: a mark, the byte order, a directory whose offsets are relative to the note. */
static void read_note(struct exif *exif, const struct bytes *bytes, uint64_t at)
{
    uint8_t head[14];
    if (!bytes_have(head, bytes, at, sizeof head) || memcmp(head, "Apple iOS\0", 10) != 0) return;
    struct tiff t = {bytes, at, memcmp(head + 12, "MM", 2) == 0, false};
    read_directory(&t, at + sizeof head, take_gravity, exif);
}

/* From pixels a unit: inches, centimetres, millimetres or micrometres. A sensor is 1 to 100 mm wide. */
static double sensor_width(const struct found *found)
{
    static const double units[] = {0, 0, 25.4, 10, 1, 0.001};
    double longest = fmax(found->exif->width, found->exif->height);
    double width = longest / found->plane_resolution * units[found->plane_unit];
    return width >= 1 && width <= 100 ? width : 0;
}

static void take_picture(void *user, const struct tiff *t, const struct entry *e)
{
    struct found *found = user;
    struct exif *exif = found->exif;
    double value = NAN;
    values_of(&value, 1, t, e);
    switch (e->tag) {
    case MAKE: text_of(exif->make, sizeof exif->make, t, e); break;
    case MODEL: text_of(exif->model, sizeof exif->model, t, e); break;
    case EXIF_DIRECTORY: found->exif_at = value >= 1 && value < 1e18 ? (uint64_t)value : 0; break;
    case GPS_DIRECTORY: found->gps_at = value >= 1 && value < 1e18 ? (uint64_t)value : 0; break;
    case ORIENTATION:
        if (value >= 1 && value <= 8) exif->orientation = (int)value;
        break;
    case CUSTOM_RENDERED:
        if (value == 6) exif->sweep = true;
        break;
    default: take_lens(found, t, e, value); break;
    }
}

/* The byte order is taken from the number 42, not from the two letters before it: some programs convert only one of
 * them. */
static bool read_header(struct tiff *t, uint64_t *directory)
{
    uint8_t head[16];
    if (!bytes_have(head, t->bytes, t->base, 8)) return false;
    if (memcmp(head, "II", 2) != 0 && memcmp(head, "MM", 2) != 0) return false;
    t->big = head[2] == 0;
    uint64_t version = bytes_number(head + 2, 2, t->big);
    t->wide = version == 43;
    if ((version != 42 && version != 43) || (t->wide && !bytes_have(head, t->bytes, t->base, 16))) return false;
    *directory = t->base + (t->wide ? bytes_number(head + 8, 8, t->big) : bytes_number(head + 4, 4, t->big));
    return true;
}

void exif_read(struct exif *exif, const struct bytes *bytes, uint64_t at)
{
    struct tiff t = {bytes, at, false, false};
    struct found found = {.exif = exif, .plane_unit = 2}; /* inches, unless it says so */
    struct gps gps = {0};
    uint64_t directory;
    if (!read_header(&t, &directory)) return;
    read_directory(&t, directory, take_picture, &found);
    if (found.exif_at != 0) read_directory(&t, at + found.exif_at, take_picture, &found);
    double width = sensor_width(&found);
    if (width > 0) exif->sensor_width = width;
    if (found.note_at != 0) read_note(exif, bytes, found.note_at);
    if (found.gps_at == 0) return;
    read_directory(&t, at + found.gps_at, take_gps, &gps);
    exif_set_place(exif, angle_of(gps.lat, gps.lats, gps.lat_ref, "NS"),
                   angle_of(gps.lon, gps.lons, gps.lon_ref, "EW"));
    if (gps.directions > 0) exif_set_heading(exif, gps.direction, gps.direction_ref);
}

void exif_read_block(struct exif *exif, const void *block, size_t size)
{
    const struct bytes bytes = {block, -1, size, NULL};
    exif_read(exif, &bytes, size >= 6 && memcmp(block, "Exif\0", 5) == 0 ? 6 : 0);
}
