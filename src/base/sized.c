/* sized.c - see sized.h */
#include "base/sized.h"

#include <string.h>

#include "base/error.h"

enum { MOST = 4096 /* bytes: no struct grows to this size; a larger value is uninitialised memory */ };

static gvm_status read_size(size_t *size, const void *given, gvm_error *err)
{
    memcpy(size, given, sizeof *size);
    if (*size > sizeof *size && *size <= MOST) return GVM_OK;
    return fail(err, GVM_ARGUMENT, "a struct's size is %zu; set it to its sizeof", *size);
}

gvm_status sized_read(void *own, size_t known, const void *given, gvm_error *err)
{
    size_t size;
    gvm_status status = read_size(&size, given, err);
    if (status != GVM_OK) return status;
    memset(own, 0, known);
    memcpy(own, given, size < known ? size : known);
    memcpy(own, &known, sizeof known);
    for (size_t i = known; i < size; i++)
        if (((const unsigned char *)given)[i] != 0)
            return fail(err, GVM_ARGUMENT,
                        "a struct of %zu bytes sets an option unknown to this version (" GVM_VERSION ")", size);
    return GVM_OK;
}

gvm_status sized_write(void *given, const void *own, size_t known, gvm_error *err)
{
    size_t size;
    gvm_status status = read_size(&size, given, err);
    if (status != GVM_OK) return status;
    memset(given, 0, size);
    memcpy(given, own, size < known ? size : known);
    memcpy(given, &size, sizeof size);
    return GVM_OK;
}
