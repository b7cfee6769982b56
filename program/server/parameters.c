/* parameters.c - reads a request's parameters from its query or its form. */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "server/address.h"
#include "server/service.h"

const char *const parameter_names[PARAMETERS] = {"near",  "within", "heading", "top",      "min_margin", "view",
                                                 "stage", "tile",   "bbox",    "panorama", "format"};

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

bool read_question(gvm_question *q, int *top, double *min_margin, struct request *r)
{
    const char *heading = parameter(r, HEADING), *answers = parameter(r, TOP), *margin = parameter(r, MIN_MARGIN);
    const char *panorama = parameter(r, PANORAMA);
    long number = 5;
    *q = (gvm_question){.photo = "the picture", .heading = NAN};
    *min_margin = r->service->options->min_margin;
    if (heading != NULL && strcmp(heading, "find") == 0)
        q->heading = INFINITY;
    else if (heading != NULL && !read_plain(&q->heading, heading, -360, 360))
        return refuse(r, 400, "The parameter heading takes degrees from -360 to 360, or find, got '%.40s'.", heading);
    if (answers != NULL && !(is_plain_number(answers) && read_long(&number, answers, 1, SERVE_TOP)))
        return refuse(r, 400, "The parameter top takes a number from 1 to %d, got '%.40s'.", SERVE_TOP, answers);
    if (margin != NULL && !read_plain(min_margin, margin, 0, 2))
        return refuse(r, 400, "The parameter min_margin takes a difference of scores from 0 to 2, got '%.40s'.",
                      margin);
    if (panorama != NULL && strcmp(panorama, "yes") != 0 && strcmp(panorama, "no") != 0)
        return refuse(r, 400, "The parameter panorama takes yes or no, got '%.40s'.", panorama);
    if (panorama != NULL) q->panorama = strcmp(panorama, "yes") == 0 ? GVM_AS_PANORAMA : GVM_AS_PHOTO;
    if (heading != NULL && takes_photos(r->service))
        return refuse(r, 400,
                      "The parameter heading is unsupported with these weights: they take photos of any heading and do "
                      "not estimate it.");
    *top = (int)number;
    return read_place_of(q, r);
}

bool read_tile(size_t *number, const struct request *r, const char *text, const char *end)
{
    return read_index(number, text, end, r->service->map_info.tiles);
}
