/* cost.c - see cost.h
 *
 * JPEG: the walk goes from marker to marker as libjpeg does, over segments by their lengths and over entropy-coded data
 * byte by byte, up to the first end of image: thumbnails lie in segments, and further pictures (MPF) behind the end. */
#include "image/cost.h"

#include <string.h>

enum { BUFFER = 1 << 16, ARITHMETIC = 16 /* times as slow as Huffman's, about */ };

/* Progressive files have about ten scans. libjpeg takes some 0.1 ns a pixel for a scan in which nothing is, so this is
 * a second. The number counts too: each scan has tables of its own, whatever the picture's size. */
static const uint64_t MOST_SCANS = 100, MOST_WORK = 8ull * 1000 * 1000 * 1000;
static const uint64_t MOST_SEGMENTS[] = {[JPEG] = 100000, [WEBP] = 10000, [TIFF] = 4096, [PNG] = UINT64_MAX};

enum picture_kind picture_kind(const uint8_t *magic, size_t size)
{
    if (size >= 3 && memcmp(magic, "\xff\xd8\xff", 3) == 0) return JPEG;
    if (size >= 8 && memcmp(magic, "\x89PNG\r\n\x1a\n", 8) == 0) return PNG;
    if (size >= 12 && memcmp(magic, "RIFF", 4) == 0 && memcmp(magic + 8, "WEBP", 4) == 0) return WEBP;
    if (size >= 4 && (memcmp(magic, "II*\0", 4) == 0 || memcmp(magic, "MM\0*", 4) == 0)) return TIFF;
    if (size >= 4 && (memcmp(magic, "II+\0", 4) == 0 || memcmp(magic, "MM\0+", 4) == 0)) return TIFF; /* BigTIFF */
    return NO_PICTURE;
}

struct walk {
    const struct bytes *bytes;
    struct cost *cost;
    bool (*stop)(const void *user);
    const void *user;
};

static bool goes_on(const struct walk *w, enum picture_kind kind)
{
    const struct cost *cost = w->cost;
    if (w->stop != NULL && w->stop(w->user)) w->cost->ended = true;
    return !cost->ended && cost_excess(cost, kind) == NULL;
}

/* The first marker at `at` or behind it, with `at` moved behind it; 0 where there is none. */
static int next_marker(uint64_t *at, const struct walk *w)
{
    uint8_t buffer[BUFFER];
    if (bytes_have(buffer, w->bytes, *at, 2) && buffer[0] == 0xff && buffer[1] != 0 && buffer[1] != 0xff) {
        *at += 2; /* segments follow each other */
        return goes_on(w, JPEG) ? buffer[1] : 0;
    }
    while (goes_on(w, JPEG)) {
        size_t n = bytes_read(buffer, w->bytes, *at, sizeof buffer);
        const uint8_t *p = buffer, *end = buffer + n;
        while ((p = memchr(p, 0xff, (size_t)(end - p))) != NULL && p + 1 < end) {
            if (p[1] != 0 && p[1] != 0xff) {
                *at += (uint64_t)(p + 2 - buffer);
                return p[1];
            }
            p++;
        }
        if (n < sizeof buffer) return 0;
        *at += p != NULL ? n - 1 : n; /* a last 0xff begins the next part */
    }
    return 0;
}

static bool is_frame(int marker) /* SOF0..SOF15 without DHT, JPG and DAC, which lie between */
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

static void walk_jpeg(const struct walk *w, bool header_only)
{
    uint64_t at = 2, weight = 1;
    uint8_t head[7]; /* length, and of a frame: precision, height, width */
    for (int marker; (marker = next_marker(&at, w)) != 0;) {
        if (marker == 0xd9) return;                                         /* end of image */
        if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue; /* no segment: restart, start of image */
        w->cost->segments++;
        size_t n = bytes_read(head, w->bytes, at, sizeof head);
        if (n < 2) return;
        if (is_frame(marker) && n == sizeof head) {
            w->cost->pixels = (uint64_t)big16(head + 3) * big16(head + 5);
            weight = marker >= 0xc9 ? ARITHMETIC : 1;
        }
        if (marker == 0xda) w->cost->scans += weight;
        if (marker == 0xda && header_only) return;
        uint32_t length = big16(head);
        at += length > 2 ? length : 2;
    }
}

/* ------------------------------------------------------------------ WebP and TIFF */

static void walk_webp(const struct walk *w)
{
    uint8_t head[8];
    for (uint64_t at = 12; bytes_have(head, w->bytes, at, sizeof head) && goes_on(w, WEBP);) {
        if (memcmp(head, "ANMF", 4) == 0) w->cost->segments++;
        uint64_t size = little32(head + 4);
        at += 8 + size + size % 2;
    }
}

static uint64_t number(const uint8_t *p, int size, bool big)
{
    uint64_t n = 0;
    for (int i = 0; i < size; i++) n = n << 8 | p[big ? i : size - 1 - i];
    return n;
}

/* The chain of directories, which a loader follows to its end for the number of pages. */
static void walk_tiff(const struct walk *w)
{
    uint8_t head[16];
    size_t n = bytes_read(head, w->bytes, 0, sizeof head);
    if (n < 8) return;
    bool big = head[0] == 'M', wide = number(head + 2, 2, big) == 43;
    int offset = wide ? 8 : 4, count = wide ? 8 : 2, entry = wide ? 20 : 12;
    if (wide && n < 16) return;
    for (uint64_t at = number(head + (wide ? 8 : 4), offset, big); at != 0 && goes_on(w, TIFF);) {
        w->cost->segments++;
        if (!bytes_have(head, w->bytes, at, (size_t)count)) return;
        uint64_t entries = number(head, count, big);
        if (entries > 0xffff) return;
        at += (uint64_t)count + entries * (uint64_t)entry;
        if (!bytes_have(head, w->bytes, at, (size_t)offset)) return;
        at = number(head, offset, big);
    }
}

void cost_of(struct cost *cost, const struct bytes *bytes, enum picture_kind kind, bool header_only,
             bool (*stop)(const void *user), const void *user)
{
    *cost = (struct cost){0};
    struct walk w = {bytes, cost, stop, user};
    if (kind == JPEG) walk_jpeg(&w, header_only);
    if (kind == WEBP) walk_webp(&w);
    if (kind == TIFF) walk_tiff(&w);
}

const char *cost_excess(const struct cost *cost, enum picture_kind kind)
{
    if (cost->scans > MOST_SCANS || cost->scans * cost->pixels > MOST_WORK) return "scans for its size";
    if (kind == NO_PICTURE || cost->segments <= MOST_SEGMENTS[kind]) return NULL;
    return kind == WEBP ? "frames" : kind == TIFF ? "directories" : "segments";
}
