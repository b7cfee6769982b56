/* xmp.c - see xmp.h. Uses GLib's GMarkup: a small parser without custom entities, file or network access.
 *
 * RDF writes a property as an attribute, GPano:Name="value", or as an element, <GPano:Name>value</GPano:Name>. A prefix
 * is bound to a namespace by its declaration; Google's prefix is usually, but not always, GPano. */
#include "image/xmp.h"

#include <glib.h>
#include <math.h>
#include <string.h>

enum { VALUE_MAX = 64, TEXT_MAX = 2 * VALUE_MAX, PREFIX_MAX = 32, PREFIXES = 16 };

enum space { NO_SPACE, GPANO, EXIF, NOTE, DJI, CAMERA };

static const char *const spaces[] = {[GPANO] = "http://ns.google.com/photos/1.0/panorama/",
                                     [EXIF] = "http://ns.adobe.com/exif/1.0/",
                                     [NOTE] = "http://ns.adobe.com/xmp/note/",
                                     [DJI] = "http://www.dji.com/drone-dji/1.0/",
                                     [CAMERA] = "http://pix4d.com/camera/1.0/"};

/* Coordinates are assembled after the whole packet is read. */
struct parse {
    struct xmp *xmp;
    struct {
        char prefix[PREFIX_MAX]; /* empty: the default namespace */
        enum space space;
    } known[PREFIXES];
    int count;
    enum space space;     /* of the element whose text is being read; NO_SPACE: none */
    char name[VALUE_MAX]; /* its name */
    GString *text;
    double lat, lon, heading;
    char lat_ref, lon_ref, reference;
};

/* g_ascii_strtod, because XMP uses a decimal point in every locale. */
static void take_number(double *number, const char *value, double low, double high)
{
    char *rest;
    double x = g_ascii_strtod(value, &rest);
    if (rest != value && *rest == '\0' && isfinite(x) && x >= low && x <= high) *number = x;
}

static void take_angle(bool *has, double *degrees, const char *value, double most)
{
    double angle = NAN;
    take_number(&angle, value, -most, most);
    if (isnan(angle)) return;
    *has = true;
    *degrees = angle;
}

static void take_above(struct gpano *gpano, const char *value, double most)
{
    double top = 0;
    take_number(&top, value, -most, most);
    gpano->above = fmax(0, -top);
}

static void take_gpano(struct gpano *gpano, const char *name, const char *value)
{
    const double pixels = 1e7, turns = 3600;
    const struct {
        const char *name;
        double *number;
    } sizes[] = {{"FullPanoWidthPixels", &gpano->full_width},    {"FullPanoHeightPixels", &gpano->full_height},
                 {"CroppedAreaLeftPixels", &gpano->left},        {"CroppedAreaTopPixels", &gpano->top},
                 {"CroppedAreaImageWidthPixels", &gpano->width}, {"CroppedAreaImageHeightPixels", &gpano->height}};
    if (strcmp(name, "CroppedAreaTopPixels") == 0) take_above(gpano, value, pixels);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        if (strcmp(name, sizes[i].name) == 0) {
            double number = NAN;
            take_number(&number, value, 0, pixels);
            if (isnan(number) || (number > 0 && number < 1)) return; /* sizes are divided by */
            *sizes[i].number = number;
            gpano->has_left = gpano->has_left || sizes[i].number == &gpano->left;
        }
    if (strcmp(name, "PoseHeadingDegrees") == 0) {
        double heading = NAN;
        take_number(&heading, value, -turns, turns);
        if (isnan(heading)) return;
        gpano->heading = heading;
        gpano->has_heading = true;
    } else if (strcmp(name, "ProjectionType") == 0 && *value != '\0') {
        gpano->equirectangular = g_ascii_strcasecmp(value, "equirectangular") == 0;
        gpano->cylindrical = g_ascii_strcasecmp(value, "cylindrical") == 0;
        gpano->other = !gpano->equirectangular;
    }
    if (strcmp(name, "PosePitchDegrees") == 0) take_angle(&gpano->has_pitch, &gpano->pitch, value, 90);
    if (strcmp(name, "PoseRollDegrees") == 0) take_angle(&gpano->has_roll, &gpano->roll, value, 180);
}

/* Pix4D's pitch is 0 straight down and 90 ahead, DJI's is that above the horizon. */
static void take_attitude(struct attitude *a, bool dji, const char *name, const char *value)
{
    const double below = dji ? 0 : 90;
    bool has_pitch = false;
    double pitch;
    if (strcmp(name, dji ? "GimbalYawDegree" : "Yaw") == 0) {
        take_angle(&a->has_yaw, &a->yaw, value, 360);
        if (a->yaw < 0) a->yaw += 360;
    }
    if (strcmp(name, dji ? "GimbalPitchDegree" : "Pitch") == 0) take_angle(&has_pitch, &pitch, value, 180);
    if (has_pitch && fabs(pitch - below) <= 90) {
        a->has_pitch = true;
        a->pitch = pitch - below;
    }
    if (strcmp(name, dji ? "GimbalRollDegree" : "Roll") == 0) take_angle(&a->has_roll, &a->roll, value, 180);
}

/* Parses "51,30.5N" or "51,30,30N", as specified by XMP, and "-51.5", "51.5 N" and "51 deg 30' 0.00\" N", as programs
 * write it. *reference: the letter; without one 0 for plain degrees, ? for degrees and minutes. */
static double coordinate(char *reference, const char *value)
{
    static const char between[] = ", \t'\"";
    double degrees = 0, unit = 1;
    bool minus = *value == '-';
    *reference = 0;
    if (*value == '-' || *value == '+') value++;
    for (int i = 0; i < 3 && g_ascii_isdigit(*value); i++, unit *= 60) {
        char *rest;
        double x = g_ascii_strtod(value, &rest);
        if (!isfinite(x) || (i > 0 && x >= 60)) return NAN;
        degrees += x / unit;
        for (value = rest; *value != '\0' && (*value & 0x80 || strchr(between, *value) != NULL); value++) continue;
        if (i == 0 && g_ascii_strncasecmp(value, "deg", 3) == 0)
            for (value += 3; *value == ' ';) value++;
    }
    char letter = g_ascii_toupper(*value);
    if (unit == 1 || (letter != '\0' && (value[1] != '\0' || strchr("NSEW", letter) == NULL))) return NAN;
    *reference = (char)(letter != 0 || unit == 60 || minus ? letter : '?');
    return minus ? -degrees : degrees;
}

/* Applies the hemisphere letter, which may come from a separate property; without one the sign decides. */
static double signed_degrees(double degrees, char letter, const char *letters)
{
    if (letter == 0) return degrees;
    if (strchr(letters, letter) == NULL) return NAN;
    return letter == letters[1] ? -fabs(degrees) : degrees;
}

/* "9000/100" or "90.0" */
static double fraction(const char *value)
{
    char *rest;
    double above = g_ascii_strtod(value, &rest), below = 1;
    if (rest == value) return NAN;
    if (*rest == '/') {
        value = rest + 1;
        below = g_ascii_strtod(value, &rest);
        if (rest == value) return NAN;
    }
    return *rest == '\0' ? above / below : NAN;
}

static void take(struct parse *p, enum space space, const char *name, const char *raw)
{
    char value[VALUE_MAX] = "";
    while (g_ascii_isspace(*raw)) raw++;
    size_t n = strlen(raw);
    while (n > 0 && g_ascii_isspace(raw[n - 1])) n--;
    if (n >= sizeof value) return;
    memcpy(value, raw, n);
    value[n] = '\0';
    if (space == GPANO) take_gpano(&p->xmp->gpano, name, value);
    if (space == NOTE && strcmp(name, "HasExtendedXMP") == 0 && n == XMP_GUID) memcpy(p->xmp->guid, value, n + 1);
    if (space == DJI || space == CAMERA) take_attitude(&p->xmp->attitude, space == DJI, name, value);
    if (space != EXIF && space != DJI) return;
    char letter;
    if (g_ascii_strcasecmp(name, "GPSLatitude") == 0 && isnan(p->lat)) {
        p->lat = coordinate(&letter, value);
        if (letter != 0 && p->lat_ref == 0) p->lat_ref = letter;
    }
    bool lon = g_ascii_strcasecmp(name, "GPSLongitude") == 0 || strcmp(name, "GpsLongtitude") == 0; /* DJI's */
    if (lon && isnan(p->lon)) {
        p->lon = coordinate(&letter, value);
        if (letter != 0 && p->lon_ref == 0) p->lon_ref = letter;
    }
    if (strcmp(name, "GPSLatitudeRef") == 0) p->lat_ref = g_ascii_toupper(*value);
    if (strcmp(name, "GPSLongitudeRef") == 0) p->lon_ref = g_ascii_toupper(*value);
    if (strcmp(name, "GPSImgDirection") == 0) p->heading = fraction(value);
    if (strcmp(name, "GPSImgDirectionRef") == 0) p->reference = *value;
}

/* ------------------------------------------------------------------ namespaces */

static enum space space_of(const struct parse *p, const char **local, const char *name)
{
    const char *colon = strchr(name, ':');
    size_t n = colon != NULL ? (size_t)(colon - name) : 0;
    *local = colon != NULL ? colon + 1 : name;
    for (int i = p->count; i-- > 0;)
        if (strlen(p->known[i].prefix) == n && memcmp(p->known[i].prefix, name, n) == 0) return p->known[i].space;
    return n == 5 && memcmp(name, "GPano", n) == 0 ? GPANO : NO_SPACE; /* some programs do not declare it */
}

/* Some programs write https, or omit the final slash. */
static bool is_same_space(const char *uri, const char *known)
{
    uri += g_str_has_prefix(uri, "https://") ? 8 : g_str_has_prefix(uri, "http://") ? 7 : 0;
    known += strlen("http://");
    size_t length = strlen(known) - 1;
    return strncmp(uri, known, length) == 0 && (uri[length] == '\0' || strcmp(uri + length, "/") == 0);
}

/* Whether an attribute declares a prefix. Records it if it is bound to a namespace of interest, or no longer is. */
static bool declares(struct parse *p, const char *name, const char *uri)
{
    if (strncmp(name, "xmlns", 5) != 0 || (name[5] != ':' && name[5] != '\0')) return false;
    const char *prefix = name[5] == ':' ? name + 6 : "", *local;
    enum space space = NO_SPACE;
    for (int i = GPANO; i <= CAMERA; i++)
        if (is_same_space(uri, spaces[i])) space = (enum space)i;
    char full[PREFIX_MAX + 8];
    if (strlen(prefix) >= PREFIX_MAX || p->count == PREFIXES) return true;
    g_snprintf(full, sizeof full, *prefix != '\0' ? "%s:x" : "x", prefix);
    if (space_of(p, &local, full) == space) return true;
    g_strlcpy(p->known[p->count].prefix, prefix, PREFIX_MAX);
    p->known[p->count++].space = space;
    return true;
}

/* ------------------------------------------------------------------ parser callbacks */

static void on_start(GMarkupParseContext *context, const char *element, const char **names, const char **values,
                     gpointer user, GError **error)
{
    struct parse *p = user;
    const char *local;
    (void)context, (void)error;
    for (int i = 0; names[i] != NULL; i++) declares(p, names[i], values[i]);
    for (int i = 0; names[i] != NULL; i++)
        if (strchr(names[i], ':') != NULL) { /* attributes without a prefix are in no namespace */
            enum space space = space_of(p, &local, names[i]);
            if (space != NO_SPACE) take(p, space, local, values[i]);
        }
    p->space = space_of(p, &local, element);
    g_strlcpy(p->name, local, sizeof p->name);
    g_string_truncate(p->text, 0);
}

static void on_end(GMarkupParseContext *context, const char *element, gpointer user, GError **error)
{
    struct parse *p = user;
    (void)context, (void)element, (void)error;
    if (p->space != NO_SPACE) take(p, p->space, p->name, p->text->str);
    p->space = NO_SPACE;
}

static void on_text(GMarkupParseContext *context, const char *text, gsize size, gpointer user, GError **error)
{
    struct parse *p = user;
    (void)context, (void)error;
    if (p->space != NO_SPACE && p->text->len < TEXT_MAX)
        g_string_append_len(p->text, text, size < TEXT_MAX ? (gssize)size : TEXT_MAX);
}

/* Convert to UTF-8 that GMarkup accepts: from UTF-16 or UTF-32, without invalid bytes and without unknown entities,
 * which only occur in text that is not needed. Free the result with g_free. */
static char *plain_text(const char *text, size_t size)
{
    static const char *const known[] = {"amp;", "lt;", "gt;", "quot;", "apos;", "#"};
    const char *start = size > 0 ? memchr(text, '<', size) : NULL; /* skips a byte order mark */
    if (start == NULL) return NULL;
    size_t before = (size_t)(start - text), left = size - before, zeros = 0;
    while (zeros < 3 && zeros + 1 < left && start[zeros + 1] == '\0') zeros++;
    bool wide = zeros == 3 || (zeros == 1 && left >= 4 && start[3] == '\0');
    bool big = wide && before >= zeros && start[-1] == '\0' && before % (zeros + 1) == zeros;
    char *utf8 = NULL;
    if (wide) {
        const char *from = zeros == 3 ? (big ? "UTF-32BE" : "UTF-32LE") : big ? "UTF-16BE" : "UTF-16LE";
        size_t first = big ? before - zeros : before;
        utf8 = g_convert(text + first, (gssize)((size - first) / (zeros + 1) * (zeros + 1)), "UTF-8", from, NULL, NULL,
                         NULL);
    } else {
        utf8 = g_utf8_make_valid(start, (gssize)left);
    }
    for (char *p = utf8 != NULL ? strchr(utf8, '&') : NULL; p != NULL; p = strchr(p + 1, '&')) {
        bool good = false;
        for (size_t i = 0; i < G_N_ELEMENTS(known); i++) good = good || g_str_has_prefix(p + 1, known[i]);
        if (!good) *p = ' ';
    }
    return utf8;
}

void xmp_read(struct xmp *xmp, const char *text, size_t size)
{
    static const GMarkupParser parser = {on_start, on_end, on_text, NULL, NULL};
    char *plain = plain_text(text, size);
    if (plain == NULL) return;
    struct parse p = {.xmp = xmp, .text = g_string_new(NULL), .lat = NAN, .lon = NAN, .heading = NAN};
    GMarkupParseContext *context = g_markup_parse_context_new(&parser, G_MARKUP_TREAT_CDATA_AS_TEXT, &p, NULL);
    g_markup_parse_context_parse(context, plain, (gssize)strlen(plain), NULL);
    g_markup_parse_context_free(context);
    g_string_free(p.text, TRUE);
    g_free(plain);
    exif_set_place(&xmp->exif, signed_degrees(p.lat, p.lat_ref, "NS"), signed_degrees(p.lon, p.lon_ref, "EW"));
    exif_set_heading(&xmp->exif, p.heading, p.reference);
}

bool gpano_says(const struct gpano *g)
{
    return g->full_width > 0 || g->full_height > 0 || g->width > 0 || g->height > 0 || g->has_heading ||
           g->equirectangular || g->other || g->has_pitch || g->has_roll;
}
