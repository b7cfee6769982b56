/* report.h - what the files of the report share: locate_report.c writes the page, report_photo.c a photo's section,
 * report_chart.c the maps in it, report_pieces.c what they are made of. */
#ifndef GVM_CLI_REPORT_H
#define GVM_CLI_REPORT_H

#include <glib.h>
#include <stdio.h>

#include "cli/locate.h"
#include "map/draw.h"
#include "map/map.h"

enum { REPORT_ANSWERS = 5 /* shown of a photo */ };

struct report {
    FILE *out; /* the part of the page that is being written */
    const struct answers *answers;
    size_t shown; /* photos that have a section of their own */
    gvm_session *session;
    const gvm_model *model;
    const gvm_map *map;
    struct drawing *drawing;        /* the map's imagery */
    GPtrArray *problems;            /* sentences, each once, of what could not be shown */
    guint missing;                  /* of them, imagery that is gone, which the page says at its top */
    unsigned char *street, *aerial; /* at the network's sizes */
    float *street_feature, *aerial_feature, *heat;
};

/* What is to be said of an answer. Without a truth it is neither right nor wrong. */
enum outcome { RIGHT, WRONG, SURE, UNSURE, ONLY, REFUSED };
enum outcome report_outcome(const struct answers *a, size_t photo);

/* The name of a photo's file, without its folder. */
const char *report_name(const struct answers *a, size_t photo);

/* Write into the page: text as HTML takes it; a picture as a JPEG in it, what its `alt` says in front of what `of`
 * names. */
void report_text(FILE *out, const char *text);
void report_picture(struct report *r, const unsigned char *rgb, int width, int height, const char *alt, const char *of);

/* Keep a sentence about what could not be shown, unless it is kept already. */
void report_problem(struct report *r, const char *sentence);

void report_photo(struct report *r, size_t photo); /* its section */
void report_overview(struct report *r);            /* a map of all photos */
void report_chart(struct report *r, size_t photo); /* a map of one photo's answers */

extern const char report_style[], report_script[];

#endif
