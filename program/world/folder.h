/* folder.h - writes a town's folder: pictures first, then the lists that make it valid. */
#ifndef GVM_WORLD_FOLDER_H
#define GVM_WORLD_FOLDER_H

#include <glib.h>
#include <stdbool.h>

#include "geoviewmatch.h"
#include "terminal/progress.h"
#include "world/world.h"

/* A folder's pictures. */
struct pictures {
    const char *folder;
    const struct world_options *options;
    const struct place *places; /* (options->pairs) */
};

/* Make the folder and the subfolders `kinds` (ends with NULL). It must be new or empty, unless force is set: then the
 * lists of an earlier run are deleted, because its pictures will be overwritten. GVM_OK or GVM_FILE. */
gvm_status folder_prepare(const char *folder, const char *const *kinds, bool force, gvm_error *err);

/* "FOLDER/KIND/000001.jpg" for number 0; free it with g_free. */
char *folder_picture(const char *folder, const char *kind, int number);

/* Call make with `pictures` and `room` bytes for each place on all threads, as in batch.h, and sync the pictures to the
 * disk before a list names them. Returns as make, or GVM_FILE. */
gvm_status folder_fill(const struct pictures *pictures,
                       gvm_status (*make)(const void *pictures, unsigned char *room, int number, gvm_error *err),
                       size_t room, const char *unit, struct progress *progress, gvm_error *err);

/* Write a list atomically. GVM_OK or GVM_FILE. */
gvm_status folder_list(const char *folder, const char *name, const GString *text, gvm_error *err);

#endif
