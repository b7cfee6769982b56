/* camera.c - see camera.h */
#include "cli/camera.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"

#define AT_CAMERA(field) offsetof(struct camera_arguments, field)

static bool read_distortion(double distortion[2], const char *text)
{
    char first[40];
    size_t n = strcspn(text, ",");
    if (text[n] == '\0' || n >= sizeof first) return false;
    snprintf(first, sizeof first, "%.*s", (int)n, text);
    return read_double(&distortion[0], first, -2, 2) && read_double(&distortion[1], text + n + 1, -2, 2);
}

static bool read_lens(void *fields, const char *text)
{
    struct camera_arguments *a = fields;
    a->fisheye = strcmp(text, "fisheye") == 0;
    a->bent = !a->fisheye && read_distortion(a->distortion, text);
    return a->fisheye || a->bent;
}

const struct option_row camera_rows[] = {
    {.type = OPTION_TITLE, .help = "The camera, by default from the picture's metadata:"},
    {"fov", OPTION_DOUBLE, AT_CAMERA(fov), "DEG", 1, 360, .takes = "degrees",
     .help = "horizontal field of view in degrees"},
    {"focal35", OPTION_DOUBLE, AT_CAMERA(focal35), "MM", 1, 5000, .takes = "millimetres",
     .help = "instead of --fov: 35 mm equivalent focal length"},
    {"pitch", OPTION_DOUBLE, AT_CAMERA(pitch), "DEG", -90, 90, .takes = "degrees",
     .help = "degrees that the camera looked above the horizon"},
    {"roll", OPTION_DOUBLE, AT_CAMERA(roll), "DEG", -180, 180, .takes = "degrees",
     .help = "degrees that the camera was turned clockwise, as seen from behind it"},
    {"lens", OPTION_OTHER, 0, "fisheye|K1,K2", .read = read_lens,
     .takes = "fisheye, or two numbers from -2 to 2 as K1,K2",
     .help = "a fisheye (the distance from the centre is proportional to the angle), or radial distortion: a point at "
             "the distance r from the centre, in focal lengths, is moved to r (1 + K1 r^2 + K2 r^4)"},
    {"projection", OPTION_CHOICE, AT_CAMERA(projection), "flat|cylinder|sphere",
     .help = "flat: an ordinary photo, even if it looks like a panorama; cylinder: a panorama by sweep; sphere: an "
             "equirectangular panorama or a part of one"},
    {0}};

const char *const camera_names[] = {"fov", "focal35", "pitch", "roll", "lens", "projection", NULL};

int camera_options(gvm_camera_options *options, const struct camera_arguments *a, const struct common *common)
{
    static const gvm_lens lenses[] = {GVM_LENS_PINHOLE, GVM_LENS_CYLINDER, GVM_LENS_SPHERE};
    *options = (gvm_camera_options){.size = sizeof *options, .fov = a->fov, .focal_35mm = a->focal35};
    if (option_given(common, "pitch")) options->pitch = &a->pitch;
    if (option_given(common, "roll")) options->roll = &a->roll;
    if (a->bent) options->distortion = a->distortion;
    if (a->projection >= 0) options->lens = lenses[a->projection];
    if (a->fisheye) options->lens = GVM_LENS_FISHEYE;
    if (a->fov > 0 && a->focal35 > 0) return usage_error(common->name, "--fov and --focal35 exclude each other");
    if ((a->fisheye || a->bent) && a->projection > 0)
        return usage_error(common->name, "--lens requires --projection flat, if one is given");
    return GO_ON;
}

gvm_status camera_allowed(const gvm_model *model, const struct common *common, gvm_error *err)
{
    const char *given = options_given(common, camera_names);
    gvm_view_info info = {.size = sizeof info};
    gvm_status status = gvm_view_about(model, GVM_STREET, &info, err);
    if (status != GVM_OK || given == NULL || info.masked) return status;
    if (info.projection == GVM_EQUIRECTANGULAR)
        return fail(
            err, GVM_ARGUMENT,
            "--%s is unsupported with these weights: they take full panoramas only; weights with \"visible\" in "
            "their configuration, such as nano-photo's, take any camera's picture",
            given);
    return fail(err, GVM_ARGUMENT,
                "--%s is unsupported with these weights: they take any photo as it is, whatever its camera", given);
}

/* ------------------------------------------------------------------ lists */

const char *const camera_columns[CAMERA_COLUMNS] = {"fov", "focal35", "pitch", "roll", "lens"};

const struct camera_line camera_unknown = {.numbers = {NAN, NAN, NAN, NAN}, .distortion = {NAN, NAN}};

static bool read_kind(struct camera_line *line, const char *text)
{
    static const char *const names[] = {"", "pinhole", "fisheye", "cylinder", "sphere"}; /* as in gvm_lens */
    for (int i = 1; i < 5; i++)
        if (strcmp(text, names[i]) == 0) line->lens = (gvm_lens)i;
    if (line->lens != GVM_LENS_FOUND) return true;
    return read_distortion(line->distortion, text);
}

gvm_status camera_cell(struct camera_line *line, int column, const struct csv *csv, const char *text, gvm_error *err)
{
    static const double range[][2] = {{1, 360}, {1, 5000}, {-90, 90}, {-180, 180}};
    if (*text == '\0') return GVM_OK;
    if (column == CAMERA_COLUMNS - 1) {
        if (read_kind(line, text)) return GVM_OK;
        return CSV_FAIL(csv, err, "lens \"%.60s\" is none of pinhole, fisheye, cylinder, sphere and K1,K2", text);
    }
    double *value = &line->numbers[column], low = range[column][0], high = range[column][1];
    if (csv_value(value, csv, text) && *value >= low && *value <= high) return GVM_OK;
    return CSV_FAIL(csv, err, "%s \"%.60s\" is not a number from %g to %g", camera_columns[column], text, low, high);
}

static bool differs(double a, double b)
{
    return isnan(a) != isnan(b) || (!isnan(a) && a != b);
}

bool camera_differs(const struct camera_line *a, const struct camera_line *b)
{
    bool any = a->lens != b->lens;
    for (int i = 0; i < CAMERA_COLUMNS - 1; i++) any = any || differs(a->numbers[i], b->numbers[i]);
    return any || differs(a->distortion[0], b->distortion[0]) || differs(a->distortion[1], b->distortion[1]);
}

void camera_merge(gvm_camera_options *out, const gvm_camera_options *options, const struct camera_line *line)
{
    enum { FOV, FOCAL, PITCH, ROLL };
    const double *n = line->numbers;
    *out = *options;
    if (out->fov == 0 && out->focal_35mm == 0) {
        if (!isnan(n[FOV]))
            out->fov = n[FOV];
        else if (!isnan(n[FOCAL]))
            out->focal_35mm = n[FOCAL];
    }
    if (out->pitch == NULL && !isnan(n[PITCH])) out->pitch = &n[PITCH];
    if (out->roll == NULL && !isnan(n[ROLL])) out->roll = &n[ROLL];
    if (out->lens != GVM_LENS_FOUND || out->distortion != NULL) return;
    out->lens = line->lens;
    if (!isnan(line->distortion[1])) out->distortion = line->distortion;
}
