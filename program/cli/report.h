/* report.h - what the files of the report share: locate_report.c writes the page, report_photo.c a photo's section,
 * report_chart.c the maps in it, report_pieces.c what they are made of. */
#ifndef GVM_CLI_REPORT_H
#define GVM_CLI_REPORT_H

#include <glib.h>
#include <stdio.h>

#include "cli/locate.h"
#include "image/heat.h"

enum { REPORT_ANSWERS = 5 /* shown of a photo */ };

/* A photo as it is shown, made while it is decoded. */
struct shown {
    unsigned char *rgb; /* (height, width, 3) as it was taken; NULL: there was not the memory */
    int width, height;
    double box[4]; /* of it: what the network sees, left, top, right, bottom */
};

struct report {
    const struct report_options *options;
    FILE *out;      /* where is being written */
    FILE *sections; /* a file without a name: the photos' sections, in the order in which they were located */
    const struct answers *answers;
    char **paths;        /* of all photos, as UTF-8 */
    size_t count;        /* photos that have a section of their own, the first ones */
    struct shown *shown; /* (count) those that are decoded and not yet located */
    gvm_session *session;
    const gvm_model *model;
    const gvm_map *map;
    gvm_view_info views[2];
    gvm_map_info area;
    gvm_imagery *imagery;
    GPtrArray *missing;    /* sentences, each once: imagery that is gone, which the page says at its top; */
    GPtrArray *problems;   /* other things that could not be shown */
    unsigned char *aerial; /* at the network's size */
    float *tile_feature, *heat;
};

/* Begin a report, to be given to report_free: make the folder, and see that what is in it may be written over. */
gvm_status report_open(struct report **report, const struct report_options *options, const struct answers *answers,
                       gvm_session *session, const gvm_model *model, const gvm_map *map, gvm_error *err);
void report_free(struct report *report);

/* A photo was decoded; any thread. */
void report_opened(struct report *report, size_t photo, const gvm_picture *picture);

/* It was located, or not: write its section. */
void report_located(struct report *report, size_t photo, const gvm_located *located);

/* All were: write FOLDER/index.html, which holds its pictures itself, and FOLDER/answers.geojson. Returns the exit
 * status: FAILED, with sentences on stderr, if something could not be shown. */
int report_write(struct report *report, bool quiet);

/* What is to be said of an answer. Without a truth it is neither right nor wrong. */
enum outcome { RIGHT, WRONG, SURE, UNSURE, ONLY, REFUSED };
enum outcome report_outcome(const struct answers *a, size_t photo);
extern const char *const outcome_classes[]; /* of the style, by outcome */

/* The name of a photo's file, without its folder. */
const char *report_name(const struct report *r, size_t photo);

/* Write into the page as printf would; what stands for a %s is escaped as HTML takes it. */
__attribute__((format(printf, 2, 3))) void put(FILE *out, const char *format, ...);

/* A picture as base64, to be given to g_free; NULL without memory. */
gchar *report_jpeg(const unsigned char *rgb, int width, int height);

/* A picture in the page, and what its `alt` says. */
__attribute__((format(printf, 5, 6))) void report_picture(struct report *r, const unsigned char *rgb, int width,
                                                          int height, const char *alt, ...);

/* Keep a sentence about what could not be shown, unless it is kept already. */
void report_problem(struct report *r, const char *sentence);

void report_overview(struct report *r);            /* a map of all photos */
void report_chart(struct report *r, size_t photo); /* a map of one photo's answers */

extern const char report_style[], report_script[];

#endif
