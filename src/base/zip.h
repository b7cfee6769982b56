/* zip.h - the members of a zip file in memory that are stored as they are, not compressed. Also of zip64, for files
 * beyond 4 GB. */
#ifndef GVM_BASE_ZIP_H
#define GVM_BASE_ZIP_H

#include <stddef.h>

#include "geoviewmatch.h"

struct zip_member {
    const char *name; /* in the file's bytes, without a NUL behind it */
    size_t name_length;
    const unsigned char *data;
    size_t size;
};

struct zip {
    struct zip_member *members; /* (count) by name */
    size_t count;
};

/* List the members of a file, whose bytes must outlive it. GVM_FORMAT if it is no zip file, cut short, or has a member
 * that is compressed, encrypted, there twice, or shares bytes with another; GVM_MEMORY. *out is zero then. */
gvm_status zip_open(struct zip *out, const unsigned char *data, size_t size, const char *where, gvm_error *err);

void zip_close(struct zip *zip); /* fine on a zero one */

/* The member of that name, or NULL. */
const struct zip_member *zip_find(const struct zip *zip, const char *name);

#endif
