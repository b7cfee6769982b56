/* zip.h - lists the stored (uncompressed) members of a zip file in memory, including zip64 for files beyond 4 GB */
#ifndef GVM_BASE_ZIP_H
#define GVM_BASE_ZIP_H

#include <stddef.h>

#include "geoviewmatch.h"

struct zip_member {
    const char *name; /* in the file's bytes, not NUL-terminated */
    size_t name_length;
    const unsigned char *data;
    size_t size;
};

struct zip {
    struct zip_member *members; /* (count) sorted by name */
    size_t count;
};

/* List the members of a file, whose bytes must outlive the result. Returns GVM_FORMAT if it is not a zip file, is
 * truncated, or has a member that is compressed, encrypted, duplicate or overlaps another; GVM_MEMORY. *out is zero
 * then. */
gvm_status zip_open(struct zip *out, const unsigned char *data, size_t size, const char *where, gvm_error *err);

void zip_close(struct zip *zip); /* may be called on a zero struct */

/* Returns NULL if there is no member of that name. */
const struct zip_member *zip_find(const struct zip *zip, const char *name);

#endif
