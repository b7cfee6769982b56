/* camera.h - the options by which a user describes a photo's camera */
#ifndef GVM_CLI_CAMERA_H
#define GVM_CLI_CAMERA_H

#include "base/csv.h"
#include "cli/command.h"

struct camera_arguments {
    double fov, focal35, heading, pitch, roll;
    double distortion[2];
    bool fisheye, bent; /* --lens fisheye; --lens K1,K2 */
    int projection;     /* -1: not given */
};

/* For a command's `more`, in whose arguments a struct camera_arguments lies at more_at. A --heading is the command's.
 */
extern const struct option_row camera_rows[];

/* Their names, ending with NULL. */
extern const char *const camera_names[];

/* The library's options, without a heading. They point into *a. Returns GO_ON, or USAGE if two contradict each other,
 * which is reported. */
int camera_options(gvm_camera_options *options, const struct camera_arguments *a, const struct common *common);

/* Fails with GVM_ARGUMENT if one of them was given, but the weights take no cameras. */
gvm_status camera_allowed(const gvm_model *model, const struct common *common, gvm_error *err);

/* ------------------------------------------------------------------ lists */

/* The columns of a list: fov, focal35, pitch, roll, lens. */
enum { CAMERA_COLUMNS = 5 };
extern const char *const camera_columns[CAMERA_COLUMNS];

/* A photo's line. */
struct camera_line {
    double numbers[CAMERA_COLUMNS - 1]; /* NaN: not given */
    double distortion[2];               /* the same */
    gvm_lens lens;
};

extern const struct camera_line camera_unknown;

/* Read a field of the line; GVM_FORMAT. */
gvm_status camera_cell(struct camera_line *line, int column, const struct csv *csv, const char *text, gvm_error *err);

bool camera_differs(const struct camera_line *a, const struct camera_line *b);

/* A photo's options: those of the command line, else those of its line. Points into both. */
void camera_merge(gvm_camera_options *out, const gvm_camera_options *options, const struct camera_line *line);

#endif
