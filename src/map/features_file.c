/* features_file.c - see features_file.h. The header: "GVMFEAT\n", the version (uint32), the width (uint32), the id. */
#include "map/features_file.h"

#include <string.h>

#include "base/error.h"

static const char magic[8] = {'G', 'V', 'M', 'F', 'E', 'A', 'T', '\n'};

enum { VERSION = 1, AT_VERSION = 8, AT_WIDTH = 12, AT_ID = 16 };

void features_header(uint8_t header[FEATURES_START], const struct features_facts *facts)
{
    uint32_t version = VERSION, width = (uint32_t)facts->width;
    memset(header, 0, FEATURES_START);
    memcpy(header, magic, sizeof magic);
    memcpy(header + AT_VERSION, &version, sizeof version);
    memcpy(header + AT_WIDTH, &width, sizeof width);
    memcpy(header + AT_ID, facts->id, MAP_ID);
}

bool features_start(const uint8_t *bytes, size_t size)
{
    return size >= sizeof magic && memcmp(bytes, magic, sizeof magic) == 0;
}

gvm_status features_check_version(uint32_t version, const char *where, gvm_error *err)
{
    if (version == VERSION) return GVM_OK;
    return fail(err, GVM_FORMAT, "%s: unsupported version %u of a map's features; this program reads version %d", where,
                version, VERSION);
}

gvm_status features_check(const uint8_t *bytes, size_t size, const struct features_facts *facts, size_t rows,
                          const char *where, gvm_error *err)
{
    uint32_t version, width;
    if (size < FEATURES_START || !features_start(bytes, size))
        return fail(err, GVM_FORMAT, "%s: it is not a map's features file", where);
    memcpy(&version, bytes + AT_VERSION, sizeof version);
    memcpy(&width, bytes + AT_WIDTH, sizeof width);
    gvm_status status = features_check_version(version, where, err);
    if (status != GVM_OK) return status;
    if (memcmp(bytes + AT_ID, facts->id, MAP_ID) != 0)
        return fail(err, GVM_MISMATCH, "%s: it does not belong to the .gpkg beside it; copy both files together",
                    where);
    if (width != (uint32_t)facts->width)
        return fail(err, GVM_FORMAT, "%s: its rows have %u numbers, expected %d as in the .gpkg beside it", where,
                    width, facts->width);
    if ((size - FEATURES_START) / (width * sizeof(uint16_t)) < rows)
        return fail(err, GVM_FORMAT, "%s: it is truncated: it has %zu of %zu rows", where,
                    (size - FEATURES_START) / (width * sizeof(uint16_t)), rows);
    return GVM_OK;
}
