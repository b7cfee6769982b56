/* stamp.c - see stamp.h */
#include "imagery/stamp.h"

#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

void stamp_start(struct stamp *stamp)
{
    stamp->sum = g_checksum_new(G_CHECKSUM_SHA256);
}

void stamp_bytes(struct stamp *stamp, const void *bytes, size_t size)
{
    g_checksum_update(stamp->sum, bytes, (gssize)size);
}

long long stamp_file(struct stamp *stamp, const char *path)
{
    struct stat st;
    int64_t facts[3] = {-1};
    if (stat(path, &st) == 0) {
        facts[0] = st.st_size;
        facts[1] = st.st_mtim.tv_sec;
        facts[2] = st.st_mtim.tv_nsec;
    }
    stamp_bytes(stamp, facts, sizeof facts);
    return facts[0] > 0 ? facts[0] : 0;
}

void stamp_end(char text[STAMP + 1], struct stamp *stamp)
{
    snprintf(text, STAMP + 1, "%s", g_checksum_get_string(stamp->sum));
    g_checksum_free(stamp->sum);
}
