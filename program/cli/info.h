/* info.h - describe each kind of file for `info`; each returns the exit status. */
#ifndef GVM_CLI_INFO_H
#define GVM_CLI_INFO_H

#include "cli/cli.h"

/* A training run: its folder, its state, its log. */
int info_run(const char *folder, bool json);
int info_state(const char *path, bool json);
int info_log(const char *path, bool json);

/* A network's weights; file NULL: the built-in ones. */
int info_weights(const char *file, bool json);

/* Whether a folder is a training run's. */
bool info_is_run(const char *folder);

/* A folder that is not a run. */
int info_folder(const char *path);

enum { INFO_START = 512 };

/* A cache of pictures or a map's features, by its first bytes; GO_ON if it is neither. */
int info_own(const char *path, const unsigned char start[INFO_START + 1], size_t size, bool json);

/* A picture of this format; options describe its camera. */
int info_picture(const char *path, const char *format, const gvm_camera_options *options, bool json);

/* Any other file, by its first bytes, which are zero-terminated. *known: false if its kind is unknown; nothing is
 * printed then. */
int info_other(bool *known, const char *path, const unsigned char start[INFO_START + 1], size_t size,
               const gvm_camera_options *camera, bool json);

#endif
