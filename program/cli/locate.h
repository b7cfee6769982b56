/* locate.h - what the files of `locate` share. */
#ifndef GVM_CLI_LOCATE_H
#define GVM_CLI_LOCATE_H

#include "cli/cli.h"
#include "terminal/located.h"

/* What is known of a photo beforehand; NaN where nothing is. */
struct known {
    double lat, lon, heading;
};

/* The photos and what was found. */
struct answers {
    struct picture_files photos;
    gvm_question *questions; /* (photos) */
    struct known *known;     /* (photos) */
    gvm_status *statuses;    /* (photos) */
    gvm_error *errors;       /* (photos) */
    gvm_hit *hits;           /* (photos, top) */
    gvm_found *found;        /* (photos) */
    double *p;               /* (photos, top) */
    gvm_chance *chances;     /* (photos) */
    int *views;              /* (photos) that each was seen as */
    int top;
    double min_margin; /* an answer with a smaller margin is weak */
};

/* Fill in what a list says of the photos: a CSV file with the columns image or street, and lat, lon, perhaps heading. A
 * line belongs to the photo that it names, from the list's folder or from where the program runs; if there is no such
 * file, to the one photo whose path ends as it says. Warns of photos that it does not name.
 *
 *   list  NULL: nothing is known */
gvm_status known_read(struct known *known, const struct picture_files *photos, const char *list, gvm_error *err);

/* What was found of a photo; its hits are best first. */
struct located located_photo(const struct answers *a, size_t photo);

enum { NEAR_M = 25 /* metres: what counts as found */, AMONG = 5 /* answers that one of may be so near */ };

struct summary {
    size_t photos, located, weak;
    size_t known; /* of those located, whose place is known; the rest is of them */
    size_t near, among, weak_known;
    size_t other_near; /* not weak, and near */
    double median_m;   /* NaN if none is known */
};

struct summary locate_summary(const struct answers *a);

static inline double percent(size_t part, size_t whole)
{
    return 100.0 * (double)part / (double)whole;
}

/* In words, for two photos or more. */
void locate_print_summary(const struct answers *a);

void locate_print_table(const struct answers *a);
int locate_print_json(const struct answers *a);
json_t *locate_geojson(const struct answers *a); /* a FeatureCollection; NULL without memory */
void locate_print_csv(const struct answers *a);
void locate_print_lines(const struct answers *a); /* a line a photo */

/* Files of all scores of each photo, as --heat asks for. */
struct heat_files;

/* Name the files, and see that they may be written: PATH itself if it ends in .tif and there is one photo, else
 * PATH/PHOTO.tif for each, the folder being made. To be freed. */
gvm_status heat_open(struct heat_files **heat, const char *path, const struct picture_files *photos, const char *index,
                     bool force, gvm_error *err);
void heat_free(struct heat_files *heat); /* NULL is fine */

/* Write a photo's file, of a map and its weights. */
gvm_status heat_write(const struct heat_files *heat, size_t photo, const gvm_located *located, const gvm_map *map,
                      const gvm_model *model, gvm_error *err);

struct report_options {
    const char *folder;
    size_t photos; /* that are shown with pictures; all are in its table */
    bool force;    /* write over files that are no report */
};

#endif
