/* info_files.c - files that the program keeps beside others: a cache of pictures, a map's features. */
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/info.h"
#include "data/cache_file.h"
#include "map/features_file.h"

static int cache(const char *path, const unsigned char *start, size_t size, bool json)
{
    struct header header;
    gvm_error err;
    if (size < sizeof header) {
        fail(&err, GVM_FORMAT, "%s: it is a picture cache that was cut short", path_tail(path));
        return failed(&err);
    }
    memcpy(&header, start, sizeof header);
    if (json)
        return json_print(json_pack("{so,ss,sb,sI,sI}", "file", json_text(path), "kind", "cache", "complete",
                                    header.complete == 1, "bytes", (json_int_t)header.bytes, "version",
                                    (json_int_t)header.version));
    print_text(path);
    printf(": a cache of decoded pictures (--cache), %s, %.1f MB\n",
           header.complete == 1 ? "complete" : "begun and not yet complete", 1e-6 * (double)header.bytes);
    return DONE;
}

static int map_features(const char *path, const unsigned char *start, bool json)
{
    struct stat st;
    uint32_t facts[2]; /* version, width: features_file.c */
    memcpy(facts, start + 8, sizeof facts);
    double bytes = stat(path, &st) == 0 ? (double)st.st_size - FEATURES_START : 0;
    long long rows = bytes > 0 && facts[1] > 0 ? (long long)(bytes / (2.0 * facts[1])) : 0;
    if (json)
        return json_print(json_pack("{so,ss,sI,sI}", "file", json_text(path), "kind", "map features", "rows",
                                    (json_int_t)rows, "features", (json_int_t)facts[1]));
    print_text(path);
    printf(": the features of a map, %lld rows of %u numbers; `info` of the MAP.gpkg beside it says more\n", rows,
           facts[1]);
    return DONE;
}

int info_own(const char *path, const unsigned char start[INFO_START + 1], size_t size, bool json)
{
    if (size >= strlen(CACHE_MAGIC) && memcmp(start, CACHE_MAGIC, strlen(CACHE_MAGIC)) == 0)
        return cache(path, start, size, json);
    return size >= 16 && features_start(start, size) ? map_features(path, start, json) : GO_ON;
}
