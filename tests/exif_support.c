/* exif_support.c - see exif_support.h */
#include "exif_support.h"

#include <string.h>

struct writer {
    uint8_t *block;
    size_t end;
    bool big;
};

static void number(const struct writer *w, size_t at, uint64_t n, int size)
{
    for (int i = 0; i < size; i++) w->block[at + (size_t)(w->big ? size - 1 - i : i)] = (uint8_t)(n >> 8 * i);
}

static int size_of(int type)
{
    return type == TEXT ? 1 : type == SHORT ? 2 : type == LONG || type == FLOAT ? 4 : 8;
}

static void values(const struct writer *w, size_t at, const struct said *s)
{
    for (int i = 0; i < s->count; i++) {
        uint64_t bits;
        float single = (float)s->real[i % 3];
        uint32_t half;
        memcpy(&bits, &s->real[i % 3], sizeof bits);
        memcpy(&half, &single, sizeof half);
        switch (s->type) {
        case TEXT: w->block[at + (size_t)i] = (uint8_t)s->text[i]; break;
        case SHORT: number(w, at + 2 * (size_t)i, (uint64_t)s->numbers[i], 2); break;
        case LONG: number(w, at + 4 * (size_t)i, (uint64_t)s->numbers[i], 4); break;
        case FLOAT: number(w, at + 4 * (size_t)i, half, 4); break;
        case DOUBLE: number(w, at + 8 * (size_t)i, bits, 8); break;
        default:
            number(w, at + 8 * (size_t)i, (uint64_t)s->numbers[2 * i], 4);
            number(w, at + 8 * (size_t)i + 4, (uint64_t)s->numbers[2 * i + 1], 4);
        }
    }
}

static int count(const struct said *list)
{
    int n = 0;
    while (list != NULL && list[n].count != 0) n++;
    return n;
}

/* extra: entries that the caller appends. Returns their offset. */
static size_t directory(struct writer *w, const struct said *list, int extra)
{
    size_t at = w->end;
    int n = count(list);
    number(w, at, (uint64_t)(n + extra), 2);
    w->end += 2 + 12 * (size_t)(n + extra) + 4;
    for (int i = 0; i < n; i++) {
        size_t entry = at + 2 + 12 * (size_t)i, size = (size_t)list[i].count * (size_t)size_of(list[i].type);
        number(w, entry, (uint64_t)list[i].tag, 2);
        number(w, entry + 2, (uint64_t)list[i].type, 2);
        number(w, entry + 4, (uint64_t)list[i].count, 4);
        if (size > 4) number(w, entry + 8, w->end, 4);
        values(w, size > 4 ? w->end : entry + 8, &list[i]);
        if (size > 4) w->end += size;
    }
    return at + 2 + 12 * (size_t)n;
}

static void pointer(struct writer *w, size_t *entry, int tag, const struct said *list)
{
    if (list == NULL) return;
    number(w, *entry, (uint64_t)tag, 2);
    number(w, *entry + 2, LONG, 2);
    number(w, *entry + 4, 1, 4);
    number(w, *entry + 8, w->end, 4);
    *entry += 12;
    directory(w, list, 0);
}

size_t exif_block(uint8_t *block, bool big, const struct said *picture, const struct said *exif, const struct said *gps)
{
    struct writer w = {block, 8, big};
    memset(block, 0, 4096);
    memcpy(block, big ? "MM\0*" : "II*\0", 4);
    number(&w, 4, 8, 4);
    size_t entry = directory(&w, picture, (exif != NULL) + (gps != NULL));
    pointer(&w, &entry, 0x8769, exif);
    pointer(&w, &entry, 0x8825, gps);
    return w.end;
}
