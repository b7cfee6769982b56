/* info.h - what `info` says of each kind of file; each returns the exit status. */
#ifndef GVM_CLI_INFO_H
#define GVM_CLI_INFO_H

#include "cli/cli.h"

/* A training run: its folder, its state, its log. */
int info_run(const char *folder, bool json);
int info_state(const char *path, bool json);
int info_log(const char *path, bool json);

/* A folder that is no run. */
int info_folder(const char *path);

enum { INFO_START = 512 };

/* Any other file, by its first bytes, a zero behind them: *known is false where it is none that has a name here, and
 * nothing is said then. */
int info_other(bool *known, const char *path, const unsigned char start[INFO_START + 1], size_t size, bool json);

#endif
