/* cost.c - see cost.h */
#include "image/cost.h"

#include <string.h>

#include "image/markers.h"

/* Relative cost in libjpeg of scans without data, per pixel and component; 1 is a first scan of a progressive file. A
 * refining scan visits all coefficients decoded so far. */
enum { REFINING = 4, SEQUENTIAL = 2, ARITHMETIC = 16 };

/* Progressive files have about ten scans. The unit of work takes libjpeg about 0.1 ns per pixel and component, so
 * MOST_WORK is about a second. The number of scans is limited too, because each has its own tables whatever the
 * picture's size. */
static const uint64_t MOST_SCANS = 100, MOST_WORK = 8ull * 1000 * 1000 * 1000;
static const uint64_t MOST_SEGMENTS[] = {[JPEG] = 100000, [WEBP] = 10000, [TIFF] = 4096};

struct walk {
    const struct bytes *bytes;
    enum picture_kind kind;
    struct cost *cost;
    bool (*stop)(void *user);
    void *user;
};

static bool ends(void *user)
{
    const struct walk *w = user;
    if (w->stop != NULL && w->stop(w->user)) w->cost->ended = true;
    return w->cost->ended || cost_excess(w->cost, w->kind) != NULL;
}

static bool is_frame(int marker) /* SOF0..SOF15, except DHT, JPG and DAC in between */
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/* Cost of a scan per pixel. Its header: the number of components, two bytes for each, the first and the last
 * coefficient, and the bit positions (high nibble: of the previous scan). */
static uint64_t scan_weight(const struct walk *w, const struct markers *scan, int frame)
{
    uint8_t count = 1, rest[3] = {0};
    bytes_have(&count, w->bytes, scan->content, 1);
    bytes_have(rest, w->bytes, scan->content + 1 + 2 * (uint64_t)count, sizeof rest);
    bool progressive = frame % 4 == 2, refines = rest[0] > 0 && rest[2] >> 4 > 0;
    return count * (uint64_t)(frame > 0xc8 ? ARITHMETIC : !progressive ? SEQUENTIAL : refines ? REFINING : 1);
}

/* Stops at the first end-of-image marker: further pictures (MPF) follow it. Frames after the first are ignored; a
 * decoder fails when it reaches one. */
static void walk_jpeg(struct walk *w, bool header_only)
{
    struct markers markers = {w->bytes, ends, w, 2, 0, 0};
    int frame = 0;
    for (int marker; !ends(w) && (marker = markers_next(&markers)) != 0;) {
        uint8_t size[5]; /* precision, height, width */
        w->cost->segments++;
        if (frame == 0 && is_frame(marker) && bytes_have(size, w->bytes, markers.content, sizeof size)) {
            w->cost->pixels = (uint64_t)big16(size + 1) * big16(size + 3);
            frame = marker;
        }
        if (marker != SCAN) continue;
        w->cost->scans++;
        w->cost->work += scan_weight(w, &markers, frame) * w->cost->pixels;
        if (header_only) return;
    }
}

/* ------------------------------------------------------------------ WebP and TIFF */

static void walk_webp(struct walk *w)
{
    uint8_t head[8];
    for (uint64_t at = 12; bytes_have(head, w->bytes, at, sizeof head) && !ends(w);) {
        if (memcmp(head, "ANMF", 4) == 0) w->cost->segments++;
        uint64_t size = little32(head + 4);
        at += 8 + size + size % 2;
    }
}

/* Follow the chain of directories, as a loader does to count pages. */
static void walk_tiff(struct walk *w)
{
    uint8_t head[16];
    size_t n = bytes_read(head, w->bytes, 0, sizeof head);
    if (n < 8) return;
    bool big = head[0] == 'M', wide = bytes_number(head + 2, 2, big) == 43;
    int offset = wide ? 8 : 4, count = wide ? 8 : 2, entry = wide ? 20 : 12;
    if (wide && n < 16) return;
    for (uint64_t at = bytes_number(head + (wide ? 8 : 4), offset, big); at != 0 && !ends(w);) {
        w->cost->segments++;
        if (!bytes_have(head, w->bytes, at, (size_t)count)) return;
        uint64_t entries = bytes_number(head, count, big);
        if (entries > 0xffff) return;
        at += (uint64_t)count + entries * (uint64_t)entry;
        if (!bytes_have(head, w->bytes, at, (size_t)offset)) return;
        at = bytes_number(head, offset, big);
    }
}

void cost_of(struct cost *cost, const struct bytes *bytes, enum picture_kind kind, bool header_only,
             bool (*stop)(void *user), void *user)
{
    *cost = (struct cost){0};
    struct walk w = {bytes, kind, cost, stop, user};
    if (kind == JPEG) walk_jpeg(&w, header_only);
    if (kind == WEBP) walk_webp(&w);
    if (kind == TIFF) walk_tiff(&w);
}

const char *cost_excess(const struct cost *cost, enum picture_kind kind)
{
    if (cost->scans > MOST_SCANS || cost->work > MOST_WORK) return "scans for its size";
    if (cost->segments == 0 || cost->segments <= MOST_SEGMENTS[kind]) return NULL;
    return kind == WEBP ? "frames" : kind == TIFF ? "directories" : "segments";
}
