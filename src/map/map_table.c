/* map_table.c - the GeoPackage of a map: the layer `tiles` and the table of facts `geoviewmatch`.
 *
 *   tiles         geom (polygon, EPSG:4326, with GDAL's R-tree), row (of the features), source, lat, lon, metres; in a
 *                 map of cells also cell: row and column of the lattice (imagery/cells.h), as "157183,-194839", with a
 *                 leading "s" if the lattice is the one for shared pictures
 *   geoviewmatch  key, value: version, id, fingerprint, width, ground_m, rows, jobs (JSON), and calibration (JSON:
 *                 temperature, elsewhere) if the scores were calibrated */
#include "map/map_parts.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <ctype.h>
#include <glib.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json_put.h"
#include "raster/gdal.h"

enum { VERSION = 1, BUSY_MS = 5000 /* SQLite's busy timeout, the same as GDAL's */ };

static const struct {
    const char *name;
    OGRFieldType type;
} fields[FIELDS] = {
    {"row", OFTInteger64}, {"source", OFTString}, {"lat", OFTReal}, {"lon", OFTReal}, {"metres", OFTReal}};

/* ------------------------------------------------------------------ create */

static bool make_field(OGRLayerH layer, const char *name, OGRFieldType type)
{
    OGRFieldDefnH field = OGR_Fld_Create(name, type);
    bool done = OGR_L_CreateField(layer, field, true) == OGRERR_NONE;
    OGR_Fld_Destroy(field);
    return done;
}

/* Returns true if the first job is of cells. Then all jobs are, since a map has one set of weights. */
static bool is_of_cells(const struct map_file *f)
{
    const json_t *imagery = json_object_get(json_array_get(f->jobs, 0), "imagery");
    const char *kind = json_string_value(json_object_get(imagery, "kind"));
    return kind != NULL && strcmp(kind, "cells") == 0;
}

static bool make_tiles(GDALDatasetH data, const struct map_file *f)
{
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(srs, 4326);
    OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    char **options = CSLSetNameValue(NULL, "SPATIAL_INDEX", "YES");
    OGRLayerH layer = GDALDatasetCreateLayer(data, "tiles", srs, wkbPolygon, options);
    CSLDestroy(options);
    OSRDestroySpatialReference(srs);
    bool done = layer != NULL;
    for (int i = 0; i < FIELDS && done; i++) done = make_field(layer, fields[i].name, fields[i].type);
    if (done && is_of_cells(f)) done = make_field(layer, CELL_FIELD, OFTString);
    return done;
}

static bool make_facts(GDALDatasetH data, const struct map_file *f)
{
    OGRLayerH layer = GDALDatasetCreateLayer(data, "geoviewmatch", NULL, wkbNone, NULL);
    bool done = layer != NULL && make_field(layer, "key", OFTString) && make_field(layer, "value", OFTString);
    char version[16], width[16], ground[32], *jobs = json_write(f->jobs, JSON_COMPACT);
    if (jobs == NULL) CPLError(CE_Failure, CPLE_OutOfMemory, "out of memory");
    snprintf(version, sizeof version, "%d", VERSION);
    snprintf(width, sizeof width, "%d", f->id.width);
    snprintf(ground, sizeof ground, "%.17g", f->ground_m);
    const char *const pairs[][2] = {{"version", version}, {"id", f->id.id},     {"fingerprint", f->fingerprint},
                                    {"width", width},     {"ground_m", ground}, {"rows", "0"},
                                    {"jobs", jobs}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && done; i++) {
        OGRFeatureH pair = OGR_F_Create(OGR_L_GetLayerDefn(layer));
        OGR_F_SetFieldString(pair, 0, pairs[i][0]);
        OGR_F_SetFieldString(pair, 1, pairs[i][1]);
        done = jobs != NULL && OGR_L_CreateFeature(layer, pair) == OGRERR_NONE;
        OGR_F_Destroy(pair);
    }
    free(jobs);
    return done;
}

gvm_status map_table_create(const struct map_file *f, const char *path, gvm_error *err)
{
    struct gdal_words words;
    gdal_listen(&words);
    GDALDatasetH data = GDALCreate(GDALGetDriverByName("GPKG"), path, 0, 0, 0, GDT_Unknown, NULL);
    bool done = data != NULL && make_tiles(data, f) && make_facts(data, f);
    if (data != NULL) GDALClose(data); /* writes the R-tree */
    gdal_ignore();
    if (done && !words.failed) return GVM_OK;
    return gdal_fail(err, GVM_FILE, f->where, "it cannot be written", &words);
}

/* ------------------------------------------------------------------ open */

static bool read_number(double *number, const char *text, double low, double high)
{
    char *rest;
    *number = text != NULL ? CPLStrtod(text, &rest) : NAN;
    return text != NULL && rest != text && *rest == '\0' && *number >= low && *number <= high;
}

/* {"temperature": T, "elsewhere": b or null} */
static bool read_calibration(struct map_file *f, const char *value, bool *enough)
{
    json_error_t error;
    json_t *json = json_loads(value, 0, &error), *elsewhere = json_object_get(json, "elsewhere");
    f->temperature = json_number_value(json_object_get(json, "temperature"));
    f->elsewhere = json_is_number(elsewhere) ? json_number_value(elsewhere) : NAN;
    *enough = json != NULL || !json_is_short(&error);
    json_decref(json);
    return f->temperature >= 1e-3 && f->temperature <= 1e6 && !(fabs(f->elsewhere) > 1e6);
}

/* Store one key and value; returns false if the value is invalid, or with *enough false if out of memory. */
static bool take_fact(struct map_file *f, const char *key, const char *value, double *version, bool *enough)
{
    double number;
    json_error_t error;
    if (strcmp(key, "version") == 0) return read_number(version, value, 0, 1e6);
    if (strcmp(key, "id") == 0) {
        if (strlen(value) != MAP_ID) return false;
        memcpy(f->id.id, value, MAP_ID + 1);
    } else if (strcmp(key, "fingerprint") == 0) {
        if (strlen(value) != sizeof f->fingerprint - 1) return false;
        memcpy(f->fingerprint, value, sizeof f->fingerprint);
    } else if (strcmp(key, "width") == 0) {
        if (!read_number(&number, value, 1, 1e7) || number != floor(number)) return false;
        f->id.width = (int)number;
    } else if (strcmp(key, "ground_m") == 0) {
        return read_number(&f->ground_m, value, 1e-3, 1e6);
    } else if (strcmp(key, "calibration") == 0) {
        return read_calibration(f, value, enough);
    } else if (strcmp(key, "rows") == 0) {
        if (!read_number(&number, value, 0, 1e12) || number != floor(number)) return false;
        f->rows = (size_t)number;
    } else if (strcmp(key, "jobs") == 0) {
        json_decref(f->jobs);
        f->jobs = json_loads(value, 0, &error);
        *enough = f->jobs != NULL || !json_is_short(&error);
        return json_is_array(f->jobs);
    }
    return true;
}

bool map_table_failed(const struct map_file *f, struct gdal_words *words)
{
    sqlite3 *base = f->data != NULL ? GDALGetInternalHandle(f->data, "SQLITE_HANDLE") : NULL;
    int code = base != NULL ? sqlite3_errcode(base) & 0xff : SQLITE_OK;
    bool failed = code == SQLITE_IOERR || code == SQLITE_FULL || code == SQLITE_NOMEM || code == SQLITE_CANTOPEN;
    if (failed && words->text[0] == '\0') snprintf(words->text, sizeof words->text, "%s", sqlite3_errmsg(base));
    return failed || words->failed;
}

static gvm_status read_facts(struct map_file *f, OGRLayerH layer, struct gdal_words *words, gvm_error *err)
{
    double version = 0;
    bool enough = true;
    int good = OGR_FD_GetFieldCount(OGR_L_GetLayerDefn(layer)) >= 2;
    OGR_L_ResetReading(layer);
    for (OGRFeatureH pair; good && (pair = OGR_L_GetNextFeature(layer)) != NULL; OGR_F_Destroy(pair))
        good = take_fact(f, OGR_F_GetFieldAsString(pair, 0), OGR_F_GetFieldAsString(pair, 1), &version, &enough);
    if (!enough) return fail(err, GVM_MEMORY, "%s: out of memory for its jobs", f->where);
    if (map_table_failed(f, words)) return gdal_fail(err, GVM_FILE, f->where, "cannot read it", words);
    if (version > 0 && version != VERSION)
        return fail(err, GVM_FORMAT, "%s: unsupported map version %g; this program reads version %d", f->where, version,
                    VERSION);
    if (!good || version == 0 || f->id.id[0] == '\0' || f->fingerprint[0] == '\0' || f->id.width == 0 ||
        f->ground_m == 0 || f->jobs == NULL)
        return fail(err, GVM_FORMAT, "%s: its table `geoviewmatch` is corrupt", f->where);
    return GVM_OK;
}

static gvm_status refuse_object(const char *where, const char *type, const char *name, gvm_error *err)
{
    return fail(err, GVM_FORMAT, "%s: unexpected %.20s \"%.60s\"; a map has none such, and it may be malicious", where,
                type, name);
}

/* Returns true if SQL contains a name that begins like GDAL's functions that reach beyond the file or load a library.
 */
static bool reaches_out(const char *sql)
{
    static const char start[] = "(?<![a-z0-9_])(ogr_|gdal_|load_extension)";
    return g_regex_match_simple(start, sql, G_REGEX_CASELESS | G_REGEX_RAW, 0);
}

/* The text after `start` and the name, or NULL if the SQL does not begin with these. */
static const char *behind_name(const char *sql, const char *start, const char *name)
{
    size_t n = strlen(start);
    if (strncmp(sql, start, n) != 0) return NULL;
    sql += n;
    char close = '\0';
    if (*sql == '[') close = ']';
    if (*sql == '"' || *sql == '\'' || *sql == '`') close = *sql;
    if (close == '\0') {
        for (n = 0; isalnum((unsigned char)sql[n]) || sql[n] == '_' || sql[n] == '$' || (sql[n] & 0x80) != 0;) n++;
        return n > 0 && n == strlen(name) && strncmp(sql, name, n) == 0 ? sql + n : NULL;
    }
    for (sql++; *sql != '\0' && (*sql != close || (close != ']' && sql[1] == close)); sql++, name++) {
        if (*sql == close) sql++; /* a doubled quote within quotes */
        if (*sql != *name) return NULL;
    }
    return *sql == close && *name == '\0' ? sql + 1 : NULL;
}

static bool is_rtree(const char *text)
{
    static const char all[] = "^ USING (rtree|\"rtree\")\\([a-z0-9_,\" \t\r\n]*\\)$";
    return g_regex_match_simple(all, text, G_REGEX_CASELESS | G_REGEX_RAW | G_REGEX_DOLLAR_ENDONLY, 0);
}

/* Returns true if the SQL of a schema entry begins as SQLite itself normalises it for this type and name. If not, the
 * schema was edited by hand: SQLite executes the SQL, whereas the checks look at type and name. */
static bool is_written_so(const char *sql, const char *type, const char *name, bool *virtual)
{
    static const char *const starts[][2] = {{"table", "CREATE TABLE "},
                                            {"index", "CREATE INDEX "},
                                            {"index", "CREATE UNIQUE INDEX "},
                                            {"trigger", "CREATE TRIGGER "},
                                            {"view", "CREATE VIEW "}};
    const char *rest = strcmp(type, "table") == 0 ? behind_name(sql, "CREATE VIRTUAL TABLE ", name) : NULL;
    *virtual = rest != NULL;
    if (rest != NULL) return is_rtree(rest);
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strcmp(type, starts[i][0]) == 0 && behind_name(sql, starts[i][1], name) != NULL) return true;
    return false;
}

/* Check the schema before GDAL opens the file: GDAL opens all tables, and a virtual table can be any file of this
 * machine. Reading the schema runs none of its SQL. */
static gvm_status check_schema(const struct map_file *f, sqlite3_stmt *objects, gvm_error *err)
{
    bool facts = false, virtual;
    int step;
    while ((step = sqlite3_step(objects)) == SQLITE_ROW) {
        const char *type = (const char *)sqlite3_column_text(objects, 0);
        const char *name = (const char *)sqlite3_column_text(objects, 1);
        const char *sql = (const char *)sqlite3_column_text(objects, 2);
        if (sql == NULL) continue; /* an automatic index */
        if (type == NULL || name == NULL) return refuse_object(f->where, "object", "", err);
        if (strcmp(type, "view") == 0 && (strcasecmp(name, "tiles") == 0 || strcasecmp(name, "geoviewmatch") == 0 ||
                                          strncasecmp(name, "gpkg_", 5) == 0 || strncasecmp(name, "rtree_", 6) == 0))
            return refuse_object(f->where, "view", name, err);
        if (!is_written_so(sql, type, name, &virtual))
            return refuse_object(f->where, virtual ? "virtual table" : type, name, err);
        if (reaches_out(sql)) return refuse_object(f->where, type, name, err);
        facts = facts || (strcmp(type, "table") == 0 && strcasecmp(name, "geoviewmatch") == 0);
    }
    if (step != SQLITE_DONE)
        return fail(err, GVM_FILE, "%s: it cannot be opened (%s)", f->where,
                    sqlite3_errmsg(sqlite3_db_handle(objects)));
    if (!facts)
        return fail(err, GVM_FORMAT, "%s: it is a GeoPackage, but not one made by `geoviewmatch index`", f->where);
    return GVM_OK;
}

/* Returns true if a killed process left a journal; rolling it back needs write permission. */
static bool has_journal(const char *path)
{
    char *name = path_with(path, "-journal");
    bool there = name != NULL && access(name, F_OK) == 0;
    free(name);
    return there;
}

static gvm_status check_package(const struct map_file *f, gvm_error *err)
{
    sqlite3 *base;
    sqlite3_stmt *objects = NULL;
    int flags = has_journal(f->path) ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    int opened = sqlite3_open_v2(f->path, &base, flags, NULL);
    if (opened == SQLITE_OK) {
        sqlite3_db_config(base, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_busy_timeout(base, BUSY_MS);
        opened = sqlite3_prepare_v2(base, "SELECT type, name, sql FROM sqlite_master", -1, &objects, NULL);
    }
    gvm_status status = opened == SQLITE_OK
                            ? check_schema(f, objects, err)
                            : fail(err, GVM_FILE, "%s: it cannot be opened (%s)", f->where, sqlite3_errmsg(base));
    sqlite3_finalize(objects);
    sqlite3_close(base);
    return status;
}

/* Older versions of GDAL do not mark the functions that the R-tree's triggers call as harmless; check_schema has
 * checked the triggers. */
static void trust_triggers(GDALDatasetH data)
{
    sqlite3 *base = GDALGetInternalHandle(data, "SQLITE_HANDLE");
    if (base != NULL) sqlite3_db_config(base, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, NULL);
}

gvm_status map_table_open(struct map_file *f, bool write, gvm_error *err)
{
    static const char *const drivers[] = {"GPKG", NULL};
    struct gdal_words words;
    unsigned flags = GDAL_OF_VECTOR | GDAL_OF_VERBOSE_ERROR;
    gvm_status status = check_package(f, err);
    if (status != GVM_OK) return status;
    if (write || has_journal(f->path)) flags |= GDAL_OF_UPDATE;
    gdal_listen(&words);
    f->data = GDALOpenEx(f->path, flags, drivers, NULL, NULL);
    if (f->data != NULL && write) trust_triggers(f->data);
    OGRLayerH facts = f->data != NULL ? GDALDatasetGetLayerByName(f->data, "geoviewmatch") : NULL;
    f->tiles = f->data != NULL ? GDALDatasetGetLayerByName(f->data, "tiles") : NULL;
    if (facts != NULL)
        status = read_facts(f, facts, &words, err);
    else if (f->data != NULL)
        status = fail(err, GVM_FILE, "%s: cannot read its table `geoviewmatch`", f->where); /* check_schema saw it */
    for (int i = 0; i < FIELDS && status == GVM_OK && f->data != NULL; i++)
        if (f->tiles == NULL || OGR_FD_GetFieldIndex(OGR_L_GetLayerDefn(f->tiles), fields[i].name) != i)
            status = fail(err, GVM_FORMAT, "%s: its layer `tiles` is corrupt", f->where);
    gdal_ignore();
    if (f->data == NULL) status = gdal_fail(err, GVM_FILE, f->where, "it cannot be opened", &words);
    if (status == GVM_FORMAT && map_table_failed(f, &words)) /* rather than damaged */
        status = gdal_fail(err, GVM_FILE, f->where, "it cannot be read", &words);
    return status;
}

void map_table_close(struct map_file *f)
{
    struct gdal_words words;
    if (f->data == NULL) return;
    gdal_listen(&words);
    GDALClose(f->data);
    gdal_ignore();
    f->data = NULL;
}

/* ------------------------------------------------------------------ read the tiles */

static bool take_tile(struct tile *tile, struct tiles *tiles, OGRFeatureH feature)
{
    tile->row = (size_t)OGR_F_GetFieldAsInteger64(feature, ROW);
    tile->lat = OGR_F_GetFieldAsDouble(feature, LAT);
    tile->lon = OGR_F_GetFieldAsDouble(feature, LON);
    tile->metres = OGR_F_GetFieldAsDouble(feature, METRES);
    tile->image = names_add(&tiles->names, OGR_F_GetFieldAsString(feature, SOURCE));
    return tile->image != NULL;
}

static bool is_sound(const struct tile *tile, const struct map_file *f)
{
    return tile->row < f->rows && fabs(tile->lat) <= 90 && fabs(tile->lon) <= 180 && tile->metres >= TILE_LEAST &&
           tile->metres < 1e6;
}

gvm_status map_file_tiles(struct tiles *tiles, const struct map_file *f, gvm_error *err)
{
    static const char *const ignored[] = {"OGR_GEOMETRY", NULL};
    struct gdal_words words;
    *tiles = (struct tiles){.count = 0};
    gdal_listen(&words);
    gvm_status status = GVM_OK;
    GIntBig count = OGR_L_GetFeatureCount(f->tiles, true);
    if (count < 0 && map_table_failed(f, &words))
        status = gdal_fail(err, GVM_FILE, f->where, "it cannot be read", &words);
    if (count < 0 || (size_t)count > f->rows) count = 0;
    tiles->items = malloc(((size_t)count + 1) * sizeof *tiles->items);
    OGR_L_SetIgnoredFields(f->tiles, (const char **)ignored);
    OGR_L_ResetReading(f->tiles);
    OGRFeatureH feature;
    for (; status == GVM_OK && (feature = OGR_L_GetNextFeature(f->tiles)) != NULL; OGR_F_Destroy(feature)) {
        struct tile *tile = tiles->items != NULL ? &tiles->items[tiles->count] : NULL;
        if (tiles->count == (size_t)count)
            status = fail(err, GVM_FORMAT, "%s: its layer `tiles` is corrupt", f->where);
        else if (tile == NULL || !take_tile(tile, tiles, feature))
            status = fail(err, GVM_MEMORY, "%s: out of memory for its tiles", f->where);
        else if (!is_sound(tile, f))
            status = fail(err, GVM_FORMAT, "%s: its tile %lld is corrupt", f->where, OGR_F_GetFID(feature));
        else
            tiles->count++;
    }
    OGR_L_SetIgnoredFields(f->tiles, NULL);
    gdal_ignore();
    if ((status == GVM_OK || status == GVM_FORMAT) && map_table_failed(f, &words))
        status = gdal_fail(err, GVM_FILE, f->where, "it cannot be read", &words);
    if (status != GVM_OK) tiles_free(tiles);
    return status;
}
