/* tiles.c - see tiles.h */
#include "imagery/tiles.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"

/* ------------------------------------------------------------------ names */

enum { BLOCK = 1 << 16 };

struct name_block {
    struct name_block *next;
    size_t used, size;
    char text[];
};

const char *names_add(struct names *names, const char *text)
{
    if (names->last != NULL && strcmp(names->last, text) == 0) return names->last;
    size_t length = strlen(text) + 1;
    struct name_block *block = names->blocks;
    if (block == NULL || block->size - block->used < length) {
        size_t size = length > BLOCK ? length : BLOCK;
        block = malloc(sizeof *block + size);
        if (block == NULL) return NULL;
        *block = (struct name_block){names->blocks, 0, size};
        names->blocks = block;
    }
    char *copy = block->text + block->used;
    block->used += length;
    return names->last = memcpy(copy, text, length);
}

void names_free(struct names *names)
{
    for (struct name_block *block = names->blocks, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    *names = (struct names){0};
}

/* ------------------------------------------------------------------ a list */

enum column { IMAGE, LAT, LON, METRES, COLUMNS };

static const char *const names[COLUMNS] = {"image", "lat", "lon", "metres"};

static gvm_status read_fields(struct tile *tile, struct names *kept, const struct csv *csv, const int *order,
                              gvm_error *err)
{
    const char *image = NULL;
    double values[COLUMNS] = {0};
    static const double most[COLUMNS] = {[LAT] = 90, [LON] = 180, [METRES] = 100000};
    for (int i = 0; i < csv->count; i++) {
        const char *text = csv->fields[i];
        enum column c = (enum column)order[i];
        if (c == COLUMNS) continue;
        if (c == IMAGE) {
            image = text;
            if (*text == '\0') return CSV_FAIL(csv, err, "the image's name is empty");
            continue;
        }
        if (c == METRES && *text == '\0') continue;
        if (!csv_value(&values[c], csv, text))
            return CSV_FAIL(csv, err, "%s \"%.60s\" is not a number", names[c], text);
        if (fabs(values[c]) > most[c] || (c == METRES && values[c] < TILE_LEAST))
            return CSV_FAIL(csv, err, "%s %.60s is out of range; expected %g to %g", names[c], text,
                            c == METRES ? TILE_LEAST : -most[c], most[c]);
    }
    assert(image != NULL); /* the header has its column, and a row as many fields */
    *tile = (struct tile){names_add(kept, image), values[LAT], values[LON], values[METRES], 0};
    if (tile->image == NULL) return fail(err, GVM_MEMORY, "%s: cannot read it: out of memory", csv->where);
    return GVM_OK;
}

static gvm_status read_tiles(struct tiles *tiles, struct csv *csv, gvm_error *err)
{
    int order[CSV_FIELDS];
    gvm_status status = csv_header(order, csv, names, COLUMNS, METRES, true, err);
    while (status == GVM_OK && csv_next(csv, &status, err)) {
        struct tile *items = array_room(tiles->items, tiles->count, sizeof *items);
        if (items == NULL) return fail(err, GVM_MEMORY, "%s: cannot read it: out of memory", csv->where);
        tiles->items = items;
        status = read_fields(&tiles->items[tiles->count], &tiles->names, csv, order, err);
        if (status == GVM_OK) tiles->count++;
    }
    if (status == GVM_OK && tiles->count == 0)
        return fail(err, GVM_FORMAT, "%s: the list has no tiles, only a header", csv->where);
    return status;
}

gvm_status tiles_parse(struct tiles *tiles, const char *text, size_t size, const char *where, gvm_error *err)
{
    struct csv csv;
    *tiles = (struct tiles){0};
    csv_start(&csv, text, size, ',', CSV_FIELDS, where);
    gvm_status status = read_tiles(tiles, &csv, err);
    csv_free(&csv);
    if (status != GVM_OK) tiles_free(tiles);
    return status;
}

gvm_status tiles_read(struct tiles *tiles, const char *path, gvm_error *err)
{
    *tiles = (struct tiles){0};
    struct file_map file;
    gvm_status status = file_map(&file, path, err);
    if (status != GVM_OK) return status;
    status = tiles_parse(tiles, (const char *)file.data, file.size, path_tail(path), err);
    file_unmap(&file);
    return status;
}

char *tiles_path(const char *list, const char *image)
{
    const char *slash = strrchr(list, '/');
    size_t folder = image[0] == '/' || slash == NULL ? 0 : (size_t)(slash - list) + 1, length = strlen(image);
    char *path = malloc(folder + length + 1);
    if (path == NULL) return NULL;
    memcpy(path, list, folder);
    memcpy(path + folder, image, length + 1);
    bool windows = strchr(image, '\\') != NULL && access(path, F_OK) != 0; /* a list written on Windows */
    for (char *p = path + folder; windows && *p != '\0'; p++)
        if (*p == '\\') *p = '/';
    return path;
}

void tiles_free(struct tiles *tiles)
{
    free(tiles->items);
    names_free(&tiles->names);
    *tiles = (struct tiles){0};
}
