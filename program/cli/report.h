/* report.h - shared by the files of the report: locate_report.c writes the page, report_photo.c a photo's section,
 * report_chart.c the maps, report_pieces.c common parts. */
#ifndef GVM_CLI_REPORT_H
#define GVM_CLI_REPORT_H

#include <glib.h>
#include <stdio.h>

#include "base/file.h"
#include "cli/locate.h"
#include "image/heat.h"

enum { REPORT_ANSWERS = 5 /* shown of a photo */ };

/* A photo as shown, made while it is decoded. */
struct shown {
    unsigned char *rgb; /* (height, width, 3) as taken; NULL: out of memory */
    int width, height;
    double box[4];  /* the network's input in it: left, top, right, bottom */
    bool rectangle; /* whether it is a rectangle of it */
};

struct report {
    const struct report_options *options;
    FILE *out;               /* the file being written */
    struct file_writer part; /* a temporary file: the photos' sections, in the order located, */
    FILE *sections;          /* and its stream */
    const struct answers *answers;
    char **paths;        /* of all photos, as UTF-8 */
    size_t count;        /* the first photos, which have a section */
    struct shown *shown; /* (count) those decoded but not yet located */
    gvm_session *session;
    const gvm_model *model;
    const gvm_map *map;
    gvm_view_info views[2];
    gvm_map_info area;
    gvm_imagery *imagery;
    GPtrArray *missing;    /* sentences, each once: missing imagery, shown at the top of the page; */
    GPtrArray *problems;   /* other parts that could not be shown */
    unsigned char *aerial; /* at the network's size */
    float *tile_feature, *heat;
};

/* Start a report, to be freed with report_free: make the folder, and check that its files may be overwritten. */
gvm_status report_open(struct report **report, const struct report_options *options, const struct answers *answers,
                       gvm_session *session, const gvm_model *model, const gvm_map *map, gvm_error *err);
void report_free(struct report *report);

/* A photo was decoded; any thread. */
void report_opened(struct report *report, size_t photo, const gvm_picture *picture);

/* A photo was located or failed: write its section. */
void report_located(struct report *report, size_t photo, const gvm_located *located);

/* All photos are done: write FOLDER/index.html, with embedded pictures, and FOLDER/answers.geojson. Returns the exit
 * status: FAILED, with errors on stderr, if something could not be shown. */
int report_write(struct report *report, bool quiet);

/* The outcome of an answer. Without a true place it is neither right nor wrong. */
enum outcome { RIGHT, WRONG, SURE, UNSURE, ONLY, REFUSED };
enum outcome report_outcome(const struct answers *a, size_t photo);
extern const char *const outcome_classes[]; /* of the style, by outcome */

/* The name of a photo's file, without its folder. */
const char *report_name(const struct report *r, size_t photo);

/* Write to the page like printf, with HTML escapes in the arguments of %s. */
__attribute__((format(printf, 2, 3))) void put(FILE *out, const char *format, ...);

/* A picture as base64, to be freed with g_free; NULL if out of memory. */
gchar *report_jpeg(const unsigned char *rgb, int width, int height);

/* Write a picture with its `alt` text. */
__attribute__((format(printf, 5, 6))) void report_picture(struct report *r, const unsigned char *rgb, int width,
                                                          int height, const char *alt, ...);

/* Record a sentence about what could not be shown, once. */
void report_problem(struct report *r, const char *sentence);

void report_overview(struct report *r);            /* a map of all photos */
void report_chart(struct report *r, size_t photo); /* a map of one photo's answers */

extern const char report_style[], report_script[];

#endif
