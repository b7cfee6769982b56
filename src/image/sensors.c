/* sensors.c - see sensors.h */
#include "image/sensors.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "image/exif.h"

static const struct sensors {
    const char *maker;
    float width;
    const char *models; /* separated by spaces */
} sensors[] = {
#define SENSORS(maker, width, models) {maker, (float)(width), models},
#include "image/sensors.def"
#undef SENSORS
};

/* Facts from OpenSfM, opensfm/data/camera_calibration.yaml (BSD-2-Clause). */
static const struct calibration calibrations[] = {
    {"gopro", NULL, 15, 0.466, -0.195, 0.030, false}, /* Hero 3, 7 MP wide */
    {"gopro", NULL, 16, 0.5, -0.39, 0.22, false},     /* Hero 2, 5 MP wide */
    {"gopro", NULL, 20, 0.625, -0.37, 0.28, false},   /* Hero 3, 7 MP medium */
    {"gopro", NULL, 23, 0.71875, -0.38, 0.24, false}, /* Hero 2, 5 MP medium */
    {"garmin", "virb", 0, 0.57, -0.30, 0.06, false},
    {"garmin", "virbxe", 0, 0.466, -0.08, 0, false}, /* with its own correction */
    {"drift", "ghosts", 0, 0.47, -0.22, 0.03, false},
    {"xiaoyi", NULL, 0, 0.5, -0.19, 0.028, false},
    {"geo", "frames", 0, 0.5, -0.24, 0.04, false},
    {"bullet5s", NULL, 0, 0.57, -0.30, 0.06, false},
    {"sony", "hdras200v", 0, 0.55, -0.30, 0.08, false},
    {"sony", "hdras300", 0, 0.3958, -0.1496, 0.0201, false},
    {"parrot", "bebop2", 0, 0.36666666666666666, 0, 0, true},
    {"dji", "fc300s", 0, 0.5930666527479901, -0.012137318698010527, 0.016199087342953698, false},
};

/* Lower case, letters and digits only. */
static void plain(char out[EXIF_NAME], const char *name)
{
    size_t n = 0;
    for (; *name != '\0' && n < EXIF_NAME - 1; name++)
        if (isalnum((unsigned char)*name)) out[n++] = (char)tolower((unsigned char)*name);
    out[n] = '\0';
}

static void remove_word(char *text, const char *word)
{
    size_t n = strlen(word);
    for (char *at; n > 0 && (at = strstr(text, word)) != NULL;) memmove(at, at + n, strlen(at + n) + 1);
}

/* The words that tools/make_sensors.py drops from the table's models. */
static void plain_model(char out[EXIF_NAME], const char *maker, const char *model)
{
    static const char *const series[] = {"alpha",   "coolpix",    "cybershot", "digitalcamera", "digitalixus",
                                         "digimax", "easyshare",  "exilim",    "finepix",       "lumix",
                                         "optio",   "photosmart", "powershot", "zoom"};
    plain(out, model);
    remove_word(out, maker);
    for (size_t i = 0; i < sizeof series / sizeof *series; i++) remove_word(out, series[i]);
}

static bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = words; n > 0 && (at = strstr(at, word)) != NULL; at++)
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0')) return true;
    return false;
}

/* EXIF has "NIKON CORPORATION", the table "nikon". */
double sensor_width_of(const char *maker, const char *model)
{
    char own[EXIF_NAME], name[EXIF_NAME] = "";
    const char *last = NULL;
    plain(own, maker);
    for (size_t i = 0; i < sizeof sensors / sizeof *sensors; i++) {
        const struct sensors *s = &sensors[i];
        if (strncmp(own, s->maker, strlen(s->maker)) != 0) continue;
        if (last == NULL || strcmp(last, s->maker) != 0) plain_model(name, last = s->maker, model);
        if (has_word(s->models, name)) return s->width;
    }
    return 0;
}

const struct calibration *calibration_of(const char *maker, const char *model, double focal_35mm)
{
    char own[EXIF_NAME], name[EXIF_NAME];
    plain(own, maker);
    plain(name, model);
    remove_word(name, own);
    for (size_t i = 0; i < sizeof calibrations / sizeof *calibrations; i++) {
        const struct calibration *c = &calibrations[i];
        if (strcmp(own, c->maker) == 0 && (c->model == NULL || strcmp(name, c->model) == 0) &&
            (c->focal_35mm == 0 || fabs(focal_35mm - c->focal_35mm) < 0.5))
            return c;
    }
    return NULL;
}
