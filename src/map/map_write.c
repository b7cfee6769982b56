/* map_write.c - changes a map: appends features, commits tiles with the job's progress, removes tiles. */
#include <cpl_error.h>
#include <math.h>
#include <ogr_api.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "base/json_put.h"
#include "geo/polygons.h"
#include "imagery/cells.h"
#include "map/map_parts.h"
#include "raster/gdal.h"

/* Run SQL and free it; NULL means that it could not be allocated. */
static bool run(GDALDatasetH data, char *sql)
{
    CPLErrorReset();
    if (sql == NULL) return false;
    OGRLayerH result = GDALDatasetExecuteSQL(data, sql, NULL, NULL);
    if (result != NULL) GDALDatasetReleaseResultSet(data, result);
    sqlite3_free(sql);
    return CPLGetLastErrorType() < CE_Failure;
}

static bool put_fact(GDALDatasetH data, const char *key, const char *value)
{
    return run(data, sqlite3_mprintf("UPDATE geoviewmatch SET value = %Q WHERE key = %Q", value, key));
}

/* On a full disk SQLite rolls a transaction back by itself, and each statement that GDAL runs after that would be
 * committed alone. So commits are refused but for that of end_transaction, and after a failure all are. */
static int refuses(void *file)
{
    const struct map_file *f = file;
    return f->refuse;
}

static bool begin_transaction(struct map_file *f)
{
    sqlite3 *base = GDALGetInternalHandle(f->data, "SQLITE_HANDLE");
    if (base != NULL) sqlite3_commit_hook(base, refuses, f);
    f->refuse = true;
    return GDALDatasetStartTransaction(f->data, false) == OGRERR_NONE;
}

/* Commit or roll back. smaller: tiles were removed, for which GDAL does not shrink the layer's extent. */
static bool end_transaction(struct map_file *f, const struct gdal_words *words, bool done, bool smaller)
{
    static const char extent[] = "UPDATE gpkg_contents SET (min_x, min_y, max_x, max_y) = (SELECT min(minx), "
                                 "min(miny), max(maxx), max(maxy) FROM rtree_tiles_geom) WHERE table_name = 'tiles'";
    done = done && OGR_L_SyncToDisk(f->tiles) == OGRERR_NONE; /* the layer's extent */
    if (smaller) done = done && run(f->data, sqlite3_mprintf("%s", extent));
    done = done && !words->failed; /* GDAL does not return all of it */
    f->refuse = !done;
    done = done && GDALDatasetCommitTransaction(f->data) == OGRERR_NONE;
    f->refuse = !done;
    if (!done) GDALDatasetRollbackTransaction(f->data);
    return done;
}

/* Write the facts that change with each commit. */
static bool put_progress(GDALDatasetH data, size_t rows, const json_t *jobs)
{
    char number[32], *text = json_write(jobs, JSON_COMPACT);
    snprintf(number, sizeof number, "%zu", rows);
    if (text == NULL) CPLError(CE_Failure, CPLE_OutOfMemory, "out of memory");
    bool done = text != NULL && put_fact(data, "rows", number) && put_fact(data, "jobs", text);
    free(text);
    return done;
}

/* ------------------------------------------------------------------ add tiles */

gvm_status map_file_append(struct map_file *f, const float *features, size_t n, gvm_error *err)
{
    size_t D = (size_t)f->id.width, size = n * D * sizeof(uint16_t);
    uint16_t *halves = malloc(size);
    if (halves == NULL) return fail(err, GVM_MEMORY, "%s: cannot write it: out of memory", f->features_where);
    for (size_t i = 0; i < n * D; i++) halves[i] = f16_from_float(features[i]);
    uint64_t at = FEATURES_START + f->end * D * sizeof(uint16_t);
    gvm_status status = GVM_OK;
    if (!file_write_at(f->features, halves, size, at)) status = fail_errno(err, "write", f->features_where);
    free(halves);
    if (status == GVM_OK) f->end += n;
    return status;
}

/* Set a cell's field, if the layer has it. */
static void put_cell(OGRFeatureH feature, const struct place *place, bool shared)
{
    int field = OGR_F_GetFieldIndex(feature, CELL_FIELD);
    char name[32];
    if (field < 0) return;
    struct cell cell = (shared ? shared_cell_of : cell_of)(place->lat, place->lon, place->metres);
    snprintf(name, sizeof name, "%s%d,%d", shared ? "s" : "", cell.row, cell.col);
    OGR_F_SetFieldString(feature, field, name);
}

static bool put_tile(OGRLayerH layer, const struct place *place, size_t row, bool shared)
{
    OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(layer));
    OGR_F_SetFID(feature, (GIntBig)row + 1);
    OGR_F_SetFieldInteger64(feature, ROW, (GIntBig)row);
    OGR_F_SetFieldString(feature, SOURCE, place->source);
    OGR_F_SetFieldDouble(feature, LAT, place->lat);
    OGR_F_SetFieldDouble(feature, LON, place->lon);
    OGR_F_SetFieldDouble(feature, METRES, place->metres);
    put_cell(feature, place, shared);
    OGR_F_SetGeometryDirectly(feature, box_polygon(place->box));
    bool done = OGR_L_CreateFeature(layer, feature) == OGRERR_NONE;
    OGR_F_Destroy(feature);
    return done;
}

gvm_status map_file_replace(struct map_file *f, size_t from, size_t end, gvm_error *err)
{
    struct row_range *more = array_room(f->replaced, f->replaced_count, sizeof *more);
    if (more == NULL) return fail(err, GVM_MEMORY, "%s: cannot write it: out of memory", f->where);
    f->replaced = more;
    f->replaced[f->replaced_count++] = (struct row_range){from, end};
    return GVM_OK;
}

gvm_status map_file_count(size_t *count, const struct map_file *f, size_t from, size_t end, gvm_error *err)
{
    struct gdal_words words;
    char filter[80];
    snprintf(filter, sizeof filter, "fid > %zu AND fid <= %zu", from, end);
    gdal_listen(&words);
    bool chosen = OGR_L_SetAttributeFilter(f->tiles, filter) == OGRERR_NONE;
    GIntBig n = chosen ? OGR_L_GetFeatureCount(f->tiles, true) : -1;
    if (n < 0) map_table_failed(f, &words);
    OGR_L_SetAttributeFilter(f->tiles, NULL);
    gdal_ignore();
    *count = n > 0 ? (size_t)n : 0;
    return n >= 0 ? GVM_OK : gdal_fail(err, GVM_FILE, f->where, "it cannot be read", &words);
}

static bool delete_replaced(struct map_file *f)
{
    bool done = true;
    for (size_t i = 0; i < f->replaced_count; i++)
        for (size_t row = f->replaced[i].from; row < f->replaced[i].end && done; row++) {
            OGRErr gone = OGR_L_DeleteFeature(f->tiles, (GIntBig)row + 1);
            done = gone == OGRERR_NONE || gone == OGRERR_NON_EXISTING_FEATURE;
        }
    return done;
}

gvm_status map_file_commit(struct map_file *f, const struct place *places, size_t n, gvm_error *err)
{
    struct gdal_words words;
    const json_t *job = json_array_get(f->jobs, json_array_size(f->jobs) - 1);
    bool shared = json_is_true(json_object_get(json_object_get(job, "imagery"), "share"));
    if (n > 0 && fdatasync(f->features) != 0) return fail_errno(err, "write", f->features_where);
    gdal_listen(&words);
    bool done = begin_transaction(f);
    for (size_t i = 0; i < n && done; i++) done = put_tile(f->tiles, &places[i], f->rows + i, shared) && !words.failed;
    done = done && delete_replaced(f) && put_progress(f->data, f->rows + n, f->jobs);
    done = end_transaction(f, &words, done, f->replaced_count > 0);
    gdal_ignore();
    if (!done) return gdal_fail(err, GVM_FILE, f->where, "it cannot be written", &words);
    f->rows += n;
    f->replaced_count = 0;
    return GVM_OK;
}

/* ------------------------------------------------------------------ remove tiles */

/* Longitudes may be up to 360 degrees; W > E crosses 180. */
static bool read_box(double box[4], const char *area)
{
    char rest;
    return sscanf(area, "%lf,%lf,%lf,%lf%c", &box[0], &box[1], &box[2], &box[3], &rest) == 4 && fabs(box[0]) <= 360 &&
           fabs(box[2]) <= 360 && box[1] >= -90 && box[1] < box[3] && box[3] <= 90 && box[0] != box[2];
}

static OGRGeometryH read_polygon(const char *area)
{
    OGRGeometryH geometry = NULL;
    char *text = (char *)area;
    if (OGR_G_CreateFromWkt(&text, NULL, &geometry) != OGRERR_NONE) return NULL;
    OGRwkbGeometryType type = geometry != NULL ? wkbFlatten(OGR_G_GetGeometryType(geometry)) : wkbUnknown;
    if ((type == wkbPolygon || type == wkbMultiPolygon) && !OGR_G_IsEmpty(geometry) && OGR_G_IsValid(geometry))
        return geometry;
    OGR_G_DestroyGeometry(geometry);
    return NULL;
}

/* Returns true if an area contains a position. Longitudes are tried at +-360 degrees, since an area across 180 degrees
 * extends beyond it. */
static bool holds(const double *box, OGRGeometryH polygon, double lat, double lon)
{
    if (polygon == NULL) {
        double east = box[2] > box[0] ? box[2] : box[2] + 360;
        return lat >= box[1] && lat <= box[3] && lon - 360 * floor((lon - box[0]) / 360) <= east;
    }
    bool inside = false;
    for (int turn = -1; turn <= 1 && !inside; turn++) {
        OGRGeometryH point = OGR_G_CreateGeometry(wkbPoint);
        OGR_G_SetPoint_2D(point, 0, lon + 360 * turn, lat);
        inside = OGR_G_Intersects(polygon, point);
        OGR_G_DestroyGeometry(point);
    }
    return inside;
}

static bool remove_tiles(struct map_file *f, size_t *removed, const double *box, OGRGeometryH polygon,
                         const struct tiles *tiles, const struct gdal_words *words)
{
    bool done = begin_transaction(f);
    for (size_t i = 0; i < tiles->count && done; i++) {
        if (!holds(box, polygon, tiles->items[i].lat, tiles->items[i].lon)) continue;
        done = OGR_L_DeleteFeature(f->tiles, (GIntBig)tiles->items[i].row + 1) == OGRERR_NONE;
        ++*removed;
    }
    return end_transaction(f, words, done, true);
}

gvm_status map_file_remove(struct map_file *f, size_t *removed, const char *area, gvm_error *err)
{
    struct gdal_words words;
    struct tiles tiles;
    double box[4];
    *removed = 0;
    gdal_listen(&words);
    OGRGeometryH polygon = read_box(box, area) ? NULL : read_polygon(area);
    bool good = polygon != NULL || read_box(box, area);
    gvm_status status = good ? map_file_tiles(&tiles, f, err)
                             : fail(err, GVM_ARGUMENT,
                                    "invalid area \"%.100s\"; expected W,S,E,N in degrees, or a polygon in WKT", area);
    if (status == GVM_OK) {
        if (!remove_tiles(f, removed, box, polygon, &tiles, &words))
            status = gdal_fail(err, GVM_FILE, f->where, "it cannot be written", &words);
        tiles_free(&tiles);
    }
    if (polygon != NULL) OGR_G_DestroyGeometry(polygon);
    gdal_ignore();
    return status;
}
