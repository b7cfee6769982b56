/* camera.h - the options by which a user describes a photo's camera */
#ifndef GVM_CLI_CAMERA_H
#define GVM_CLI_CAMERA_H

#include "cli/command.h"

struct camera_arguments {
    double fov, focal35, heading, pitch, roll;
    double distortion[2];
    bool fisheye, bent; /* --lens fisheye; --lens K1,K2 */
    int projection;     /* -1: not given */
};

/* For a command's `more`, in whose arguments a struct camera_arguments lies at more_at; it has a --heading of its own.
 */
extern const struct option_row camera_rows[];

/* Their names and "heading", ending with NULL. */
extern const char *const camera_names[];

/* The library's options. They point into *a. Returns GO_ON, or USAGE if two contradict each other, which is reported.
 */
int camera_options(gvm_camera_options *options, const struct camera_arguments *a, const struct common *common);

#endif
