/* sized.h - public structs that may grow: the first member of each is `size_t size`, its sizeof in the header version
 * that the caller was compiled with. */
#ifndef GVM_BASE_SIZED_H
#define GVM_BASE_SIZED_H

#include "geoviewmatch.h"

/* Copy a caller's struct into this version's. Members that the caller's version lacks become zero; own's size is set.
 *
 *   own   out: `known` bytes, the struct as of this version
 *
 * Returns GVM_ARGUMENT if the size is invalid, or if a member that this version lacks is not zero. */
gvm_status sized_read(void *own, size_t known, const void *given, gvm_error *err);

/* Copy this version's struct into the caller's: the members that fit. The caller's size is kept; members that this
 * version lacks become zero. Returns GVM_ARGUMENT if the size is invalid. */
gvm_status sized_write(void *given, const void *own, size_t known, gvm_error *err);

#endif
