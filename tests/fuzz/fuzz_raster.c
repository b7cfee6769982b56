/* fuzz_raster.c - numbers as where a raster lies, how large it is and what its samples mean, whatever they are: what
 * opens lies on the Earth, and so do the tiles that it is cut into. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "imagery/grid.h"
#include "raster/raster_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
gvm_status __wrap_file_map(struct file_map *map, const char *path, gvm_error *err);
void __wrap_file_unmap(struct file_map *map);
gvm_status __wrap_raster_check_files(const char *path, const char *where, gvm_error *err);
__attribute__((visibility("default"))) const char *__asan_default_options(void);

/* So that GDAL's name is in the stacks of its own leaks (tests/suppressions.txt). */
const char *__asan_default_options(void)
{
    return "fast_unwind_on_malloc=0";
}

/* The raster's path is the VRT itself. */
gvm_status __wrap_file_map(struct file_map *map, const char *path, gvm_error *err)
{
    *map = (struct file_map){0};
    return path[0] == '<' && path[strlen(path) - 1] == '>' ? GVM_OK : fail(err, GVM_FILE, "nothing else is there");
}

void __wrap_file_unmap(struct file_map *map)
{
    *map = (struct file_map){0};
}

gvm_status __wrap_raster_check_files(const char *path, const char *where, gvm_error *err)
{
    (void)path, (void)where, (void)err;
    return GVM_OK;
}

struct input {
    uint8_t crs, bands, type, colours;
    int32_t width, height;
    double place[6], nodata;
} __attribute__((packed));

static void put_vrt(char *text, size_t size, const struct input *in)
{
    static const char *const systems[] = {"", "EPSG:4326", "EPSG:3857", "EPSG:32633", "EPSG:3413", "LOCAL_CS[\"a\"]"};
    static const char *const types[] = {"Byte", "UInt16", "Int16", "Float32"};
    static const char *const colours[] = {"Gray", "Red", "Green", "Blue", "Alpha", "Palette", "Undefined", "YCbCr_Y"};
    double p[6];
    memcpy(p, in->place, sizeof p);
    int n = snprintf(text, size,
                     "<VRTDataset rasterXSize=\"%d\" rasterYSize=\"%d\"><SRS>%s</SRS><GeoTransform>%.17g,%.17g,%.17g,"
                     "%.17g,%.17g,%.17g</GeoTransform>",
                     in->width, in->height, systems[in->crs % 6], p[0], p[1], p[2], p[3], p[4], p[5]);
    for (int i = 0; i < in->bands % 6; i++) {
        char nodata[80] = "";
        if (in->type & 64) snprintf(nodata, sizeof nodata, "<NoDataValue>%.17g</NoDataValue>", in->nodata);
        n += snprintf(text + n, size - (size_t)n,
                      "<VRTRasterBand dataType=\"%s\" band=\"%d\"><ColorInterp>%s</ColorInterp>%s</VRTRasterBand>",
                      types[in->type % 4], i + 1, colours[(in->colours >> i) % 8], nodata);
    }
    snprintf(text + n, size - (size_t)n, "</VRTDataset>");
}

/* A box on the Earth, and tiles within half a turn of it. */
static void check_facts(const struct raster_facts *f)
{
    struct grid grid = {.bands = NULL};
    struct grid_place places[GRID_MOST];
    gvm_error err = {""};
    const double *b = f->box;
    if (!(b[0] > -540 && b[0] < b[2] && b[2] < 540 && b[1] >= -90 && b[1] < b[3] && b[3] <= 90)) abort();
    if (!(f->pixel_m > 0) || !isfinite(f->pixel_m)) abort();
    const struct grid_parts parts = {(const double(*)[4])f->parts, f->part_count};
    if ((b[3] - b[1]) * (b[2] - b[0]) > 1 || grid_cover(&grid, b, &parts, 500, 250, "input", &err) != GVM_OK) return;
    size_t before;
    for (size_t i = 0; i < grid.blocks && i < 4; i++) {
        int n = grid_block(places, &before, &grid, i);
        for (int k = 0; k < n; k++)
            if (!(fabs(places[k].lat) <= 90 && fabs(places[k].lon) < 720)) abort();
    }
    grid_free(&grid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in;
    struct raster *raster;
    struct raster_facts facts = {.parts = NULL};
    gvm_error err = {""};
    char text[4096];
    uint8_t pixels[8 * 8 * 4];
    if (size < sizeof in) return -1;
    memcpy(&in, data, sizeof in);
    put_vrt(text, sizeof text, &in);
    gvm_status status = raster_open(&raster, text, NULL, 1 + in.colours % 3, &err);
    if (status == GVM_OK) status = raster_describe(&facts, raster, &err);
    if (status == GVM_OK) {
        const double *b = facts.box, view[4] = {b[0], b[3], (b[2] - b[0]) / 8, (b[3] - b[1]) / 8};
        check_facts(&facts);
        raster_read(pixels, 8, 8, raster, view, &err);
    } else if (err.text[0] == '\0') {
        abort();
    }
    free(facts.parts);
    raster_free(raster);
    return 0;
}
