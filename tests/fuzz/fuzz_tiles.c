/* fuzz_tiles.c - any bytes as a list of tiles: an accepted one must be in range and survive a round trip through a
 * written list */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imagery/tiles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_list(FILE *out, const struct tiles *tiles)
{
    fputs("image,lat,lon,metres\n", out);
    for (size_t i = 0; i < tiles->count; i++) {
        const struct tile *t = &tiles->items[i];
        fputc('"', out);
        for (const char *c = t->image; *c != '\0'; c++) fprintf(out, *c == '"' ? "\"\"" : "%c", *c);
        fprintf(out, "\",%.17g,%.17g,", t->lat, t->lon);
        if (t->metres > 0) fprintf(out, "%.17g", t->metres);
        fputc('\n', out);
    }
}

static void check(const struct tile *t)
{
    if (t->image[0] == '\0' || !(fabs(t->lat) <= 90) || !(fabs(t->lon) <= 180)) abort();
    if (!(t->metres >= 0 && t->metres <= 100000)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tiles tiles, back;
    gvm_error err = {""};
    if (tiles_parse(&tiles, (const char *)data, size, "input", &err) != GVM_OK) {
        if (strncmp(err.text, "input", 5) != 0 || tiles.count != 0 || tiles.items != NULL) abort();
        return 0;
    }
    if (tiles.count == 0) abort();
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    write_list(out, &tiles);
    fclose(out);
    if (tiles_parse(&back, text, length, "back", &err) != GVM_OK || back.count != tiles.count) abort();
    for (size_t i = 0; i < tiles.count; i++) {
        const struct tile *a = &tiles.items[i], *b = &back.items[i];
        check(a);
        if (strcmp(a->image, b->image) != 0 || a->lat != b->lat || a->lon != b->lon || a->metres != b->metres) abort();
    }
    tiles_free(&back);
    tiles_free(&tiles);
    free(text);
    return 0;
}
