/* parameters.c - reads a request's parameters from its query or its form. */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "server/address.h"
#include "server/service.h"

const char *const parameter_names[PARAMETERS] = {"near",    "within", "heading", "top",      "min_margin", "view",
                                                 "stage",   "tile",   "bbox",    "panorama", "format",     "fov",
                                                 "focal35", "pitch",  "roll",    "lens"};

const char *parameter(const struct request *r, enum parameter which)
{
    const char *text = MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, parameter_names[which]);
    if (text == NULL && r->fields != NULL && r->fields[which].size > 0) text = r->fields[which].text;
    return text;
}

struct check {
    struct request *request;
    unsigned allowed, seen;
};

static enum MHD_Result check_one(void *user, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct check *check = user;
    (void)kind, (void)value;
    for (int i = 0; i < PARAMETERS; i++) {
        if (strcmp(key, parameter_names[i]) != 0 || !(check->allowed >> i & 1)) continue;
        if (check->seen >> i & 1) refuse(check->request, 400, "The parameter %s is given twice.", key);
        check->seen |= 1u << i;
        return MHD_YES;
    }
    refuse(check->request, 400, "Unknown parameter '%.40s'.", key);
    return MHD_NO;
}

void check_parameters(struct request *r, unsigned allowed)
{
    struct check check = {r, allowed, 0};
    MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, check_one, &check);
}

/* As base/number.h, but digits only: no leading white space, no hexadecimal numbers. */
static bool read_plain(double *number, const char *text, double low, double high)
{
    return is_plain_number(text) && read_double(number, text, low, high);
}

static bool read_place_of(gvm_question *q, struct request *r)
{
    const char *near = parameter(r, NEAR), *within = parameter(r, WITHIN);
    if (within != NULL && near == NULL) return refuse(r, 400, "The parameter within requires near.");
    if (near == NULL) return true;
    q->within_m = 100;
    if (within != NULL && !read_plain(&q->within_m, within, 1e-3, 1e8))
        return refuse(r, 400, "The parameter within takes metres above 0, got '%.40s'.", within);
    if (strcmp(near, "exif") == 0) {
        q->lat = q->lon = NAN;
        return true;
    }
    const char *comma = strchr(near, ',');
    if (comma != NULL && is_plain_number(near) && is_plain_number(comma + 1) && read_place(&q->lat, &q->lon, near, 90))
        return true;
    return refuse(r, 400, "The parameter near takes LAT,LON in degrees, or exif, got '%.60s'.", near);
}

/* A number of the camera; *given: it is there. */
static bool read_number(double *number, bool *given, struct request *r, enum parameter which, double low, double high)
{
    const char *text = parameter(r, which);
    *given = text != NULL;
    if (text == NULL || read_plain(number, text, low, high)) return true;
    return refuse(r, 400, "The parameter %s takes a number from %g to %g, got '%.40s'.", parameter_names[which], low,
                  high, text);
}

static bool read_lens(struct question *q, struct request *r)
{
    static const char *const names[] = {"", "pinhole", "fisheye", "cylinder", "sphere"}; /* as in gvm_lens */
    const char *text = parameter(r, LENS), *comma = text != NULL ? strchr(text, ',') : NULL;
    char first[PARAMETER_TEXT];
    if (text == NULL) return true;
    for (int i = 1; i < 5; i++)
        if (strcmp(text, names[i]) == 0) q->wishes.lens = (gvm_lens)i;
    if (q->wishes.lens != GVM_LENS_FOUND) return true;
    q->wishes.distortion = q->distortion;
    if (comma != NULL && (size_t)(comma - text) < sizeof first) {
        snprintf(first, sizeof first, "%.*s", (int)(comma - text), text);
        if (read_plain(&q->distortion[0], first, -2, 2) && read_plain(&q->distortion[1], comma + 1, -2, 2)) return true;
    }
    return refuse(r, 400,
                  "The parameter lens takes pinhole, fisheye, cylinder, sphere, or K1,K2 from -2 to 2, got '%.40s'.",
                  text);
}

static bool read_camera(struct question *q, struct request *r)
{
    static const enum parameter all[] = {FOV, FOCAL35, PITCH, ROLL, LENS};
    const gvm_view_info *v = &r->service->views[GVM_STREET];
    bool fov, focal, pitch, roll;
    for (size_t i = 0; i < sizeof all / sizeof *all && !v->masked; i++)
        if (parameter(r, all[i]) != NULL)
            return refuse(r, 400, "The parameter %s is unsupported with these weights: they use no photo's camera.",
                          parameter_names[all[i]]);
    q->wishes = (gvm_camera_options){.size = sizeof q->wishes};
    q->asked.camera = &q->wishes;
    if (!read_number(&q->wishes.fov, &fov, r, FOV, 1, 360) ||
        !read_number(&q->wishes.focal_35mm, &focal, r, FOCAL35, 1, 5000) ||
        !read_number(&q->pitch, &pitch, r, PITCH, -90, 90) || !read_number(&q->roll, &roll, r, ROLL, -180, 180))
        return false;
    if (pitch) q->wishes.pitch = &q->pitch;
    if (roll) q->wishes.roll = &q->roll;
    if (fov && focal) return refuse(r, 400, "The parameters fov and focal35 exclude each other.");
    return read_lens(q, r);
}

static bool read_heading(gvm_question *q, struct request *r)
{
    const char *heading = parameter(r, HEADING);
    if (heading == NULL) return true;
    if (takes_photos(r->service))
        return refuse(r, 400,
                      "The parameter heading is unsupported with these weights: they take photos of any heading and do "
                      "not estimate it.");
    if (strcmp(heading, "find") == 0) {
        q->heading = INFINITY;
        return true;
    }
    return read_plain(&q->heading, heading, -360, 360) ||
           refuse(r, 400, "The parameter heading takes degrees from -360 to 360, or find, got '%.40s'.", heading);
}

bool read_question(struct question *q, struct request *r)
{
    const char *answers = parameter(r, TOP), *margin = parameter(r, MIN_MARGIN), *panorama = parameter(r, PANORAMA);
    long number = 5;
    *q = (struct question){.asked = {.photo = "the picture", .heading = NAN},
                           .min_margin = r->service->options->min_margin};
    if (answers != NULL && !(is_plain_number(answers) && read_long(&number, answers, 1, SERVE_TOP)))
        return refuse(r, 400, "The parameter top takes a number from 1 to %d, got '%.40s'.", SERVE_TOP, answers);
    if (margin != NULL && !read_plain(&q->min_margin, margin, 0, 2))
        return refuse(r, 400, "The parameter min_margin takes a difference of scores from 0 to 2, got '%.40s'.",
                      margin);
    if (panorama != NULL && strcmp(panorama, "yes") != 0 && strcmp(panorama, "no") != 0)
        return refuse(r, 400, "The parameter panorama takes yes or no, got '%.40s'.", panorama);
    if (panorama != NULL) q->asked.panorama = strcmp(panorama, "yes") == 0 ? GVM_AS_PANORAMA : GVM_AS_PHOTO;
    q->top = (int)number;
    return read_heading(&q->asked, r) && read_camera(q, r) && read_place_of(&q->asked, r);
}

bool read_tile(size_t *number, const struct request *r, const char *text, const char *end)
{
    return read_index(number, text, end, r->service->map_info.tiles);
}
