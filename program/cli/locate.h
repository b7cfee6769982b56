/* locate.h - shared by the files of `locate`. */
#ifndef GVM_CLI_LOCATE_H
#define GVM_CLI_LOCATE_H

#include "cli/camera.h"
#include "cli/cli.h"
#include "terminal/located.h"

/* The true values of a photo; NaN if unknown. */
struct known {
    double lat, lon, heading;
    struct camera_line camera;
};

/* The photos and their answers. */
struct answers {
    struct picture_files photos;
    gvm_question *questions;    /* (photos) */
    struct known *known;        /* (photos) */
    gvm_status *statuses;       /* (photos) */
    gvm_error *errors;          /* (photos) */
    gvm_hit *hits;              /* (photos, top) */
    gvm_found *found;           /* (photos) */
    double *p;                  /* (photos, top) */
    gvm_chance *chances;        /* (photos) */
    int *views;                 /* (photos) views of each */
    gvm_camera_options *wishes; /* (photos) what is known of its camera */
    gvm_camera *cameras;        /* (photos) that were used */
    int top;
    double min_margin; /* an answer with a smaller margin is weak */
};

/* Fill in the true values from a list: a CSV file with the columns image or street, and lat, lon, optionally heading
 * and the camera's (camera_columns). A line belongs to the photo that it names, relative to the list's folder or the
 * current one; if there is no such file, to the one photo whose path ends with the name. Warns about photos that are
 * not listed.
 *
 *   list  NULL: nothing is known */
gvm_status known_read(struct known *known, const struct picture_files *photos, const char *list, gvm_error *err);

/* The answers for a photo, best first. */
struct located located_photo(const struct answers *a, size_t photo);

enum { NEAR_M = 25 /* metres: right if nearer */, AMONG = 5 /* first answers, one of which must be that near */ };

struct summary {
    size_t photos, located, weak;
    size_t known; /* located photos of known place; the members below count these */
    size_t near, among, weak_known;
    size_t other_near; /* not weak, and near */
    double median_m;   /* NaN if none is known */
};

struct summary locate_summary(const struct answers *a);

static inline double percent(size_t part, size_t whole)
{
    return 100.0 * (double)part / (double)whole;
}

/* Print it as text, for two or more photos. */
void locate_print_summary(const struct answers *a);

void locate_print_table(const struct answers *a);
int locate_print_json(const struct answers *a);
json_t *locate_geojson(const struct answers *a); /* a FeatureCollection; NULL if out of memory */
void locate_print_csv(const struct answers *a);
void locate_print_lines(const struct answers *a); /* one line per photo */

/* The files of --heat: all scores of each photo. */
struct heat_files;

/* Name the files and check that they may be written: PATH itself if it ends in .tif and there is one photo, else
 * PATH/PHOTO.tif for each, making the folder. Free with heat_free. */
gvm_status heat_open(struct heat_files **heat, const char *path, const struct picture_files *photos, const char *index,
                     bool force, gvm_error *err);
void heat_free(struct heat_files *heat); /* accepts NULL */

/* Write a photo's file. */
gvm_status heat_write(const struct heat_files *heat, size_t photo, const gvm_located *located, const gvm_map *map,
                      const gvm_model *model, gvm_error *err);

struct report_options {
    const char *folder;
    size_t photos; /* shown with pictures; all are in its table */
    bool force;    /* overwrite files that are not a report */
};

#endif
