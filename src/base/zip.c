/* zip.c - see zip.h. A zip file is read from its end: the end record, perhaps preceded by a zip64 end record and its
 * locator, points to the directory. A directory entry points to its member's local header, which precedes the data. All
 * numbers are little-endian. */
#include "base/zip.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum {
    END = 22, /* sizes of the records in bytes, without names */
    LOCATOR = 20,
    END64 = 56,
    ENTRY = 46,
    HEADER = 30,
    MAX_COMMENT = 0xffff,
    MAX_MEMBERS = 1 << 20
};

enum { ENCRYPTED = 1, EXTRA64 = 1 };

struct reader {
    const unsigned char *data;
    size_t size;
    const char *where;
    gvm_error *err;
};

static gvm_status broken(const struct reader *r, const char *what)
{
    return fail(r->err, GVM_FORMAT, "%s: %s; it is truncated, or not a zip file", r->where, what);
}

static uint64_t number(const unsigned char *p, int bytes)
{
    uint64_t n = 0;
    while (bytes-- > 0) n = n << 8 | p[bytes];
    return n;
}

static bool is_record(const struct reader *r, uint64_t at, size_t bytes, uint32_t signature)
{
    return at <= r->size && r->size - at >= bytes && number(r->data + at, 4) == signature;
}

struct directory {
    uint64_t count, bytes, at;
};

/* The end record is at the end of the file, followed only by an optional comment. */
static gvm_status find_directory(struct directory *d, const struct reader *r)
{
    size_t at = r->size;
    bool found = false;
    for (size_t comment = 0; !found && comment <= MAX_COMMENT && comment + END <= r->size; comment++) {
        at = r->size - END - comment;
        found = is_record(r, at, END, 0x06054b50) && number(r->data + at + 20, 2) == comment;
    }
    if (!found) return broken(r, "missing central directory");
    const unsigned char *end = r->data + at;
    *d = (struct directory){number(end + 10, 2), number(end + 12, 4), number(end + 16, 4)};
    if (at < LOCATOR || !is_record(r, at - LOCATOR, LOCATOR, 0x07064b50)) return GVM_OK;
    uint64_t at64 = number(end - LOCATOR + 8, 8);
    if (!is_record(r, at64, END64, 0x06064b50)) return broken(r, "missing central directory");
    const unsigned char *end64 = r->data + at64;
    *d = (struct directory){number(end64 + 32, 8), number(end64 + 40, 8), number(end64 + 48, 8)};
    return GVM_OK;
}

/* Values that do not fit into the entry's 4 bytes are in the zip64 extra field, in this order. */
static bool read_extra(uint64_t *const numbers[3], const unsigned char *extra, size_t length)
{
    bool needed = false;
    for (int i = 0; i < 3; i++) needed |= *numbers[i] == 0xffffffff;
    while (needed && length >= 4) {
        size_t bytes = number(extra + 2, 2);
        if (bytes > length - 4) return false;
        if (number(extra, 2) == EXTRA64) {
            const unsigned char *p = extra + 4;
            for (int i = 0; i < 3; i++) {
                if (*numbers[i] != 0xffffffff) continue;
                if (bytes < 8) return false;
                *numbers[i] = number(p, 8);
                p += 8;
                bytes -= 8;
            }
            return true;
        }
        extra += 4 + bytes;
        length -= 4 + bytes;
    }
    return !needed;
}

/* Parse a directory entry, of *used bytes, into the member. */
static gvm_status read_entry(struct zip_member *member, size_t *used, const struct reader *r, uint64_t at)
{
    if (!is_record(r, at, ENTRY, 0x02014b50)) return broken(r, "corrupt central directory");
    const unsigned char *e = r->data + at;
    size_t name = number(e + 28, 2), extra = number(e + 30, 2), comment = number(e + 32, 2);
    *used = ENTRY + name + extra + comment;
    if (r->size - at < *used) return broken(r, "corrupt central directory");
    uint64_t packed = number(e + 20, 4), size = number(e + 24, 4), header = number(e + 42, 4);
    if (!read_extra((uint64_t *const[]){&size, &packed, &header}, e + ENTRY + name, extra))
        return broken(r, "corrupt central directory");
    *member = (struct zip_member){.name = (const char *)e + ENTRY, .name_length = name, .size = size};
    int shown = (int)(name < 100 ? name : 100);
    if (number(e + 8, 2) & ENCRYPTED || number(e + 10, 2) != 0 || packed != size)
        return fail(r->err, GVM_FORMAT, "%s: its member %.*s is compressed or encrypted, expected it to be stored",
                    r->where, shown, member->name);
    if (!is_record(r, header, HEADER, 0x04034b50)) return broken(r, "missing member");
    uint64_t begin = header + HEADER + number(r->data + header + 26, 2) + number(r->data + header + 28, 2);
    if (begin > r->size || size > r->size - begin)
        return fail(r->err, GVM_FORMAT, "%s: its member %.*s goes beyond the file's end; it is truncated", r->where,
                    shown, member->name);
    member->data = r->data + begin;
    return GVM_OK;
}

static int compare_places(const void *a, const void *b)
{
    const struct zip_member *x = a, *y = b;
    if (x->data != y->data) return x->data < y->data ? -1 : 1;
    return (x->size > y->size) - (x->size < y->size);
}

static int compare_text(const char *a, size_t m, const char *b, size_t n)
{
    int order = memcmp(a, b, m < n ? m : n);
    return order ? order : (m > n) - (m < n);
}

static int compare_names(const void *a, const void *b)
{
    const struct zip_member *x = a, *y = b;
    return compare_text(x->name, x->name_length, y->name, y->name_length);
}

/* Sort the members by name and check that they are unique and do not overlap. */
static gvm_status check_members(struct zip *zip, const struct reader *r)
{
    struct zip_member *m = zip->members;
    qsort(m, zip->count, sizeof *m, compare_places);
    for (size_t i = 1; i < zip->count; i++)
        if (m[i - 1].data + m[i - 1].size > m[i].data)
            return fail(r->err, GVM_FORMAT, "%s: two of its members overlap", r->where);
    qsort(m, zip->count, sizeof *m, compare_names);
    for (size_t i = 1; i < zip->count; i++)
        if (compare_names(&m[i - 1], &m[i]) == 0)
            return fail(r->err, GVM_FORMAT, "%s: its member %.*s occurs twice", r->where,
                        (int)(m[i].name_length < 100 ? m[i].name_length : 100), m[i].name);
    return GVM_OK;
}

static gvm_status read_members(struct zip *zip, const struct reader *r, const struct directory *d)
{
    uint64_t at = d->at;
    gvm_status status = GVM_OK;
    if (d->at > r->size || d->bytes > r->size - d->at || d->count > d->bytes / ENTRY)
        return broken(r, "corrupt central directory");
    if (d->count > MAX_MEMBERS)
        return fail(r->err, GVM_FORMAT, "%s: it has more than %d members", r->where, MAX_MEMBERS);
    zip->members = calloc(d->count + 1, sizeof *zip->members);
    if (zip->members == NULL) return fail(r->err, GVM_MEMORY, "%s: cannot open it: out of memory", r->where);
    for (; zip->count < d->count && status == GVM_OK; zip->count++) {
        size_t used = 0;
        status = read_entry(&zip->members[zip->count], &used, r, at);
        at += used;
    }
    if (status == GVM_OK && at != d->at + d->bytes) status = broken(r, "corrupt central directory");
    return status == GVM_OK ? check_members(zip, r) : status;
}

gvm_status zip_open(struct zip *out, const unsigned char *data, size_t size, const char *where, gvm_error *err)
{
    struct reader r = {data, size, where, err};
    struct directory d = {0};
    *out = (struct zip){0};
    gvm_status status = find_directory(&d, &r);
    if (status == GVM_OK) status = read_members(out, &r, &d);
    if (status != GVM_OK) zip_close(out);
    return status;
}

void zip_close(struct zip *zip)
{
    free(zip->members);
    *zip = (struct zip){0};
}

const struct zip_member *zip_find(const struct zip *zip, const char *name)
{
    size_t length = strlen(name), low = 0, high = zip->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct zip_member *m = &zip->members[middle];
        int order = compare_text(name, length, m->name, m->name_length);
        if (order == 0) return m;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
