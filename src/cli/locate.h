/* locate.h - what the files of `locate` share. */
#ifndef GVM_CLI_LOCATE_H
#define GVM_CLI_LOCATE_H

#include "cli/cli.h"
#include "map/locate_json.h"

/* What is known of a photo beforehand; NaN where nothing is. */
struct known {
    double lat, lon, heading;
    double exif_lat, exif_lon; /* what its EXIF says, rightly or not */
};

/* The photos and what was found. */
struct answers {
    struct picture_files photos;
    struct known *known;  /* (photos) */
    gvm_status *statuses; /* (photos) */
    gvm_error *errors;    /* (photos) */
    gvm_hit *hits;        /* (photos, top) */
    gvm_found *found;     /* (photos) */
    int top;
    double min_margin; /* an answer with a smaller margin is weak */
};

/* Fill in what a list says of the photos: a CSV file with the columns image or street, and lat, lon, perhaps heading. A
 * line belongs to the photo that it names from the list's folder, else to those whose path ends as it says; *found: for
 * how many there was one. Also each photo's own GPS position, from EXIF. */
gvm_status known_read(struct known *known, size_t *found, const struct picture_files *photos, const char *list,
                      gvm_error *err);

/* What was found of a photo; its hits are best first. */
struct located located_photo(const struct answers *a, size_t photo);

void locate_print_table(const struct answers *a);
int locate_print_json(const struct answers *a);
json_t *locate_geojson(const struct answers *a); /* a FeatureCollection; NULL without memory */
void locate_print_csv(const struct answers *a);
void locate_print_lines(const struct answers *a); /* a line a photo */

/* Make the folder of a report. */
gvm_status locate_report_folder(const char *folder, gvm_error *err);

/* Write FOLDER/index.html, which holds its pictures itself, and FOLDER/answers.geojson. */
gvm_status locate_report(const char *folder, const struct answers *answers, gvm_session *session,
                         const gvm_model *model, const gvm_map *map, gvm_error *err);

#endif
