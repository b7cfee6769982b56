/* sized.h - structs of the public header that may grow: the first member of each is `size_t size`, its sizeof in the
 * version of the header that the caller was compiled with. */
#ifndef GVM_BASE_SIZED_H
#define GVM_BASE_SIZED_H

#include "geoviewmatch.h"

/* Copy a caller's struct: members that the caller's version lacks become zero, and own's size is set.
 *
 *   own   out: (known) bytes, the struct as this version has it
 *
 * GVM_ARGUMENT for a size that is none, or if a member is not zero that this version lacks. */
gvm_status sized_read(void *own, size_t known, const void *given, gvm_error *err);

/* The other way: the members that fit into the caller's struct, whose size stays; what this version lacks becomes zero.
 * GVM_ARGUMENT for a size that is none. */
gvm_status sized_write(void *given, const void *own, size_t known, gvm_error *err);

#endif
