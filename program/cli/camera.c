/* camera.c - see camera.h */
#include "cli/camera.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"

#define AT_CAMERA(field) offsetof(struct camera_arguments, field)

static bool read_lens(void *fields, const char *text)
{
    struct camera_arguments *a = fields;
    char first[40];
    size_t n = strcspn(text, ",");
    a->fisheye = strcmp(text, "fisheye") == 0;
    a->bent = false;
    if (a->fisheye) return true;
    if (text[n] == '\0' || n >= sizeof first) return false;
    snprintf(first, sizeof first, "%.*s", (int)n, text);
    a->bent = read_double(&a->distortion[0], first, -2, 2) && read_double(&a->distortion[1], text + n + 1, -2, 2);
    return a->bent;
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

const char *const camera_names[] = {"fov", "focal35", "heading", "pitch", "roll", "lens", "projection", NULL};

int camera_options(gvm_camera_options *options, const struct camera_arguments *a, const struct common *common)
{
    static const gvm_lens lenses[] = {GVM_LENS_PINHOLE, GVM_LENS_CYLINDER, GVM_LENS_SPHERE};
    *options = (gvm_camera_options){.size = sizeof *options, .fov = a->fov, .focal_35mm = a->focal35};
    if (option_given(common, "heading")) options->heading = &a->heading;
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
