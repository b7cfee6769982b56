/* raster_extent.c - finds the covered parts of a raster without reading pixels: a VRT's sources, the blocks of a sparse
 * GeoTIFF, the tiles in the tables of MBTiles and GeoPackages. */
#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <cpl_string.h>
#include <limits.h>
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/number.h"
#include "geo/earth.h"
#include "raster/gdal.h"
#include "raster/raster_parts.h"

enum {
    NESTED = 4,            /* depth to which VRTs in a VRT are followed */
    TILES_MOST = 50000000, /* of a table; guards against endless SQL views */
};

static double number(const CPLXMLNode *node, const char *name)
{
    const char *text = CPLGetXMLValue(node, name, NULL);
    return text != NULL ? CPLAtof(text) : NAN;
}

/* 0: it names no band. */
static int band_number(const char *text)
{
    long band;
    return read_long(&band, text, 1, INT_MAX) ? (int)band : 0;
}

/* ------------------------------------------------------------------ VRT */

static bool vrt_extent(struct rects *out, GDALDatasetH file, int band, int depth);

/* The covered parts of a source that is itself a VRT, in the outer VRT's pixels. Returns false if it is all covered. */
static bool nested_extent(struct rects *out, GDALDatasetH file, const CPLXMLNode *source, const CPLXMLNode *to,
                          int depth)
{
    const char *name = CPLGetXMLValue(source, "SourceFilename", "");
    size_t length = strlen(name);
    if (depth >= NESTED || length < 5 || strcasecmp(name + length - 4, ".vrt") != 0) return false;
    const char *relative = CPLGetXMLValue(source, "SourceFilename.relativeToVRT", "0");
    char *folder = CPLStrdup(CPLGetPath(GDALGetDescription(file)));
    const char *path = strcmp(relative, "1") == 0 ? CPLProjectRelativeFilename(folder, name) : name;
    GDALDatasetH inner = GDALOpenEx(path, GDAL_OF_RASTER, gdal_raster_drivers, NULL, NULL);
    CPLFree(folder);
    if (inner == NULL) return false;
    struct rects parts = {.width = GDALGetRasterXSize(inner), .height = GDALGetRasterYSize(inner)};
    const CPLXMLNode *from = CPLGetXMLNode((CPLXMLNode *)source, "SrcRect");
    double x = 0, y = 0, w = parts.width, h = parts.height;
    if (from != NULL)
        x = number(from, "xOff"), y = number(from, "yOff"), w = number(from, "xSize"), h = number(from, "ySize");
    double kx = number(to, "xSize") / w, ky = number(to, "ySize") / h, x0 = number(to, "xOff"), y0 = number(to, "yOff");
    bool found = vrt_extent(&parts, inner, band_number(CPLGetXMLValue(source, "SourceBand", "1")), depth + 1);
    for (size_t i = 0; i < parts.count && found; i++) {
        const struct rect *p = &parts.items[i];
        rects_add(out, x0 + kx * (fmax(x, p->x0) - x), y0 + ky * (fmax(y, p->y0) - y),
                  x0 + kx * (fmin(x + w, p->x1) - x), y0 + ky * (fmin(y + h, p->y1) - y));
    }
    rects_free(&parts);
    GDALClose(inner);
    return found;
}

/* Returns false if the extent of the sources is unknown, so that all of the band may be covered. */
static bool add_sources(struct rects *out, GDALDatasetH file, const CPLXMLNode *band, int depth)
{
    for (const CPLXMLNode *source = band->psChild; source != NULL; source = source->psNext) {
        size_t length = strlen(source->pszValue);
        if (source->eType != CXT_Element || length < 6 || strcmp(source->pszValue + length - 6, "Source") != 0)
            continue;
        const CPLXMLNode *to = CPLGetXMLNode((CPLXMLNode *)source, "DstRect");
        if (to == NULL) return false;
        if (nested_extent(out, file, source, to, depth)) continue;
        double x = number(to, "xOff"), y = number(to, "yOff");
        rects_add(out, x, y, x + number(to, "xSize"), y + number(to, "ySize"));
    }
    return true;
}

static bool vrt_extent(struct rects *out, GDALDatasetH file, int band, int depth)
{
    char **text = GDALGetMetadata(file, "xml:VRT");
    CPLXMLNode *root = text != NULL && *text != NULL ? CPLParseXMLString(*text) : NULL;
    const CPLXMLNode *all = root != NULL ? CPLGetXMLNode(root, "=VRTDataset") : NULL;
    bool found = false;
    for (const CPLXMLNode *b = all != NULL && band > 0 ? all->psChild : NULL; b != NULL && !found; b = b->psNext)
        if (b->eType == CXT_Element && strcmp(b->pszValue, "VRTRasterBand") == 0 &&
            band_number(CPLGetXMLValue(b, "band", "")) == band)
            found = CPLGetXMLValue(b, "subClass", NULL) == NULL && add_sources(out, file, b, depth);
    CPLDestroyXMLNode(root);
    return found;
}

/* ------------------------------------------------------------------ GeoTIFF */

/* Bisect a row of blocks until each part is either present or missing. */
static void add_blocks(struct rects *out, GDALRasterBandH band, int x0, int y0, int x1, int y1, int block)
{
    int status = GDALGetDataCoverageStatus(band, x0, y0, x1 - x0, y1 - y0, 0, NULL);
    if (!(status & GDAL_DATA_COVERAGE_STATUS_DATA)) return;
    if (!(status & GDAL_DATA_COVERAGE_STATUS_EMPTY) || x1 - x0 <= block) {
        rects_add(out, x0, y0, x1, y1);
        return;
    }
    int middle = x0 + ((x1 - x0) / block + 1) / 2 * block;
    add_blocks(out, band, x0, y0, middle, y1, block);
    add_blocks(out, band, middle, y0, x1, y1, block);
}

static bool tiff_extent(struct rects *out, GDALRasterBandH band)
{
    int W = out->width, H = out->height, w, h;
    int status = GDALGetDataCoverageStatus(band, 0, 0, W, H, GDAL_DATA_COVERAGE_STATUS_EMPTY, NULL);
    if (!(status & GDAL_DATA_COVERAGE_STATUS_EMPTY)) return false;
    GDALGetBlockSize(band, &w, &h);
    for (int y = 0; y < H; y += h) add_blocks(out, band, 0, y, W, y < H - h ? y + h : H, w);
    return true;
}

/* ------------------------------------------------------------------ tables of tiles */

/* The tiling of a table: rows are counted from the south or from the top. */
struct tiling {
    double west, top, side_x, side_y; /* of the grid and of a tile, in the raster's coordinates; side_y < 0: rows go
                                         north from `top` */
    int zoom;
    char *table; /* by sqlite3_mprintf */
};

/* MBTiles are Web Mercator; columns begin at -180 degrees, rows in the south. */
static bool mbtiles_tiling(struct tiling *t, double pixel, int block)
{
    double world = 2 * M_PI * EARTH_A, zoom = round(log2(world / (pixel * block)));
    if (!(zoom >= 0 && zoom <= 30)) return false;
    double side = world / exp2(zoom);
    *t = (struct tiling){-world / 2, -world / 2, side, -side, (int)zoom, sqlite3_mprintf("tiles")};
    return t->table != NULL;
}

/* The tile table of a GeoPackage, if there is exactly one, at the zoom with the raster's pixel size. */
static bool gpkg_tiling(struct tiling *t, sqlite3 *base, double pixel)
{
    static const char ask[] =
        "SELECT m.table_name, m.zoom_level, s.min_x, s.max_y, m.pixel_x_size * m.tile_width, m.pixel_y_size * "
        "m.tile_height FROM gpkg_tile_matrix m JOIN gpkg_tile_matrix_set s ON s.table_name = m.table_name WHERE "
        "(SELECT "
        "count(*) FROM gpkg_tile_matrix_set) = 1 ORDER BY abs(m.pixel_x_size - ?1) LIMIT 1";
    sqlite3_stmt *statement = NULL;
    bool found = sqlite3_prepare_v2(base, ask, -1, &statement, NULL) == SQLITE_OK &&
                 sqlite3_bind_double(statement, 1, pixel) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW;
    if (found)
        *t = (struct tiling){
            sqlite3_column_double(statement, 2), sqlite3_column_double(statement, 3),
            sqlite3_column_double(statement, 4), sqlite3_column_double(statement, 5),
            sqlite3_column_int(statement, 1),    sqlite3_mprintf("%s", sqlite3_column_text(statement, 0))};
    sqlite3_finalize(statement);
    return found && t->table != NULL && t->side_x > 0 && t->side_y > 0;
}

static bool add_tiles(struct rects *out, sqlite3 *base, const struct tiling *t, const double place[6])
{
    char *ask = sqlite3_mprintf("SELECT tile_column, tile_row FROM \"%w\" WHERE zoom_level = %d", t->table, t->zoom);
    sqlite3_stmt *statement = NULL;
    bool good = ask != NULL && sqlite3_prepare_v2(base, ask, -1, &statement, NULL) == SQLITE_OK;
    int step = SQLITE_ERROR, count = 0;
    while (good && count++ < TILES_MOST && !out->short_of_memory && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        double x = t->west + sqlite3_column_double(statement, 0) * t->side_x;
        double y = t->top - sqlite3_column_double(statement, 1) * t->side_y;
        double north = fmax(y, y - t->side_y), south = fmin(y, y - t->side_y);
        rects_add(out, (x - place[0]) / place[1], (north - place[3]) / place[5], (x + t->side_x - place[0]) / place[1],
                  (south - place[3]) / place[5]);
    }
    sqlite3_finalize(statement);
    sqlite3_free(ask);
    return step == SQLITE_DONE;
}

static bool tiles_extent(struct rects *out, GDALDatasetH file, const char *path, bool mbtiles)
{
    double place[6];
    int w, h;
    sqlite3 *base;
    struct tiling tiling = {.table = NULL};
    if (GDALGetGeoTransform(file, place) != CE_None || !(place[1] > 0) || !(place[5] < 0)) return false;
    GDALGetBlockSize(GDALGetRasterBand(file, 1), &w, &h);
    bool found = sqlite3_open_v2(path, &base, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK;
    if (found) sqlite3_db_config(base, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    found = found && (mbtiles ? mbtiles_tiling(&tiling, place[1], w) : gpkg_tiling(&tiling, base, place[1])) &&
            add_tiles(out, base, &tiling, place);
    sqlite3_free(tiling.table);
    sqlite3_close(base);
    return found;
}

/* ------------------------------------------------------------------ all */

gvm_status raster_extent(struct rects *out, bool *all, GDALDatasetH file, const char *path, int band, gvm_error *err)
{
    GDALDriverH driver = GDALGetDatasetDriver(file);
    const char *name = driver != NULL ? GDALGetDriverShortName(driver) : "";
    *out = (struct rects){.width = GDALGetRasterXSize(file), .height = GDALGetRasterYSize(file)};
    bool found = false;
    if (strcmp(name, "VRT") == 0)
        found = vrt_extent(out, file, band, 0);
    else if (strcmp(name, "GTiff") == 0)
        found = tiff_extent(out, GDALGetRasterBand(file, band));
    else if (raster_is_table(driver))
        found = tiles_extent(out, file, path, strcmp(name, "MBTiles") == 0);
    rects_join(out);
    if (out->short_of_memory) {
        rects_free(out);
        return fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", path);
    }
    *all = !found || rects_are_all(out);
    if (*all) rects_free(out);
    return GVM_OK;
}
