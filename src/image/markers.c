/* markers.c - see markers.h */
#include "image/markers.h"

#include <string.h>

enum { BUFFER = 1 << 12, TEM = 0x01, RESTART = 0xd0, END = 0xd9 };

/* Whether it is a marker with a segment, or the end of the image. The others are skipped like data: start of image, and
 * restarts, which entropy-coded data may have every few bytes. */
static bool is_marker(const uint8_t *p)
{
    return p[0] == 0xff && p[1] != 0 && p[1] != 0xff && p[1] != TEM && (p[1] < RESTART || p[1] >= END);
}

/* The first marker at or after m->next, which is moved past it; 0 if there is none. */
static int find(struct markers *m)
{
    uint8_t buffer[BUFFER];
    if (bytes_have(buffer, m->bytes, m->next, 2) && is_marker(buffer)) {
        m->next += 2; /* segments are adjacent */
        return buffer[1];
    }
    while (m->stop == NULL || !m->stop(m->user)) {
        size_t n = bytes_read(buffer, m->bytes, m->next, sizeof buffer);
        const uint8_t *p = buffer, *end = buffer + n;
        while ((p = memchr(p, 0xff, (size_t)(end - p))) != NULL && p + 1 < end) {
            if (is_marker(p)) {
                m->next += (uint64_t)(p + 2 - buffer);
                return p[1];
            }
            p++;
        }
        if (n < sizeof buffer) return 0;
        m->next += p != NULL ? n - 1 : n; /* a final 0xff may start a marker in the next part */
    }
    return 0;
}

int markers_next(struct markers *m)
{
    uint8_t length[2];
    int marker = find(m);
    if (marker == 0 || marker == END) return 0;
    if (!bytes_have(length, m->bytes, m->next, sizeof length)) return 0;
    uint32_t n = big16(length);
    m->content = m->next + 2;
    m->size = n > 2 ? n - 2 : 0;
    m->next = m->content + m->size;
    return marker;
}
