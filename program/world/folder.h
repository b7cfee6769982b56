/* folder.h - the folder that a town is written to: pictures first, then the lists that make them count. */
#ifndef GVM_WORLD_FOLDER_H
#define GVM_WORLD_FOLDER_H

#include <glib.h>
#include <stdbool.h>

#include "geoviewmatch.h"
#include "terminal/progress.h"
#include "world/world.h"

/* A folder's pictures: how and where each is taken. */
struct pictures {
    const char *folder;
    const struct world_options *options;
    const struct place *places; /* (options->pairs) */
};

/* Make the folder and the folders `kinds` (ends in NULL) in it. It must be new or empty, unless force is set: then
 * every list of an earlier run goes, as its pictures are about to be written over. GVM_OK or GVM_FILE. */
gvm_status folder_prepare(const char *folder, const char *const *kinds, bool force, gvm_error *err);

/* "FOLDER/KIND/000001.jpg" for number 0; to be freed with g_free. */
char *folder_picture(const char *folder, const char *kind, int number);

/* Call make, which gets `pictures` and `room` bytes, for each place on all threads, as batch.h tells, and see to it
 * that the pictures are on the disk before a list names them. Returns as make, or GVM_FILE. */
gvm_status folder_fill(const struct pictures *pictures,
                       gvm_status (*make)(const void *pictures, unsigned char *room, int number, gvm_error *err),
                       size_t room, const char *unit, struct progress *progress, gvm_error *err);

/* Write a list; it appears when it is complete. GVM_OK or GVM_FILE. */
gvm_status folder_list(const char *folder, const char *name, const GString *text, gvm_error *err);

#endif
