/* tms.c - reads the metadata of a folder of web-map tiles: tilemapresource.xml, written by gdal2tiles and specified by
 * the Tile Map Service (TMS), or TileJSON in metadata.json or tiles.json. */
#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <cpl_string.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"
#include "imagery/imagery_parts.h"
#include "raster/gdal.h"

enum { BYTES_MOST = 1 << 20 };

/* Web Mercator by its many names. */
static bool is_mercator(const char *srs)
{
    static const char *const names[] = {"3857", "900913", "3785", "41001", "54004", "102100", "102113", "Mercator"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strstr(srs, names[i]) != NULL) return true;
    return false;
}

static gvm_status read_resource(bool *tms, const CPLXMLNode *map, const char *where, gvm_error *err)
{
    const char *srs = CPLGetXMLValue(map, "SRS", ""), *profile = CPLGetXMLValue(map, "TileSets.profile", "");
    if (strcasecmp(profile, "raster") == 0 || strstr(profile, "geodetic") != NULL ||
        (*srs != '\0' && !is_mercator(srs) && strstr(profile, "mercator") == NULL))
        return fail(
            err, GVM_FORMAT,
            "%s: its tiles (%.60s, profile %.60s) are not in Web Mercator; index the raster they were made from", where,
            srs, profile);
    *tms = true;
    return GVM_OK;
}

/* *there: the file exists. */
static gvm_status read_xml(bool *there, bool *tms, const char *path, gvm_error *err)
{
    struct file_map file;
    struct gdal_words words;
    gvm_status status = file_exists(there, path, err);
    if (status == GVM_OK && *there) status = file_map(&file, path, err);
    if (status != GVM_OK || !*there) return status;
    char *text = file.size <= BYTES_MOST ? strndup((const char *)file.data, file.size) : NULL;
    file_unmap(&file);
    gdal_listen(&words);
    CPLXMLNode *root = text != NULL ? CPLParseXMLString(text) : NULL;
    gdal_ignore();
    const CPLXMLNode *map = root != NULL ? CPLGetXMLNode(root, "=TileMap") : NULL;
    status = map != NULL ? read_resource(tms, map, path_tail(path), err)
                         : fail(err, GVM_FORMAT, "%s: it is not a TMS tile map description", path_tail(path));
    CPLDestroyXMLNode(root);
    free(text);
    return status;
}

/* Rows count from the north unless the scheme is "tms"; invalid JSON is ignored. */
static gvm_status read_json(bool *tms, const char *path, gvm_error *err)
{
    struct file_map file;
    json_error_t error;
    bool there;
    gvm_status status = file_exists(&there, path, err);
    if (status == GVM_OK && there) status = file_map(&file, path, err);
    if (status == GVM_FORMAT) return GVM_OK; /* empty */
    if (status != GVM_OK || !there) return status;
    bool large = file.size > BYTES_MOST;
    json_t *json = large ? NULL : json_loadb((const char *)file.data, file.size, 0, &error);
    if (!large && json == NULL && !json_is_short(&error)) /* jansson may report a lack of memory as invalid JSON */
        json = json_loadb((const char *)file.data, file.size, 0, &error);
    if (!large && json == NULL && json_is_short(&error))
        status = fail(err, GVM_MEMORY, "%s: out of memory", path_tail(path));
    const char *scheme = json_string_value(json_object_get(json, "scheme"));
    *tms = scheme != NULL && strcasecmp(scheme, "tms") == 0;
    json_decref(json);
    file_unmap(&file);
    return status;
}

gvm_status tms_find(bool *tms, const char *folder, gvm_error *err)
{
    static const char *const names[] = {"tilemapresource.xml", "metadata.json", "tiles.json", "tile.json",
                                        "tilejson.json"};
    bool there = false;
    gvm_status status = GVM_OK;
    *tms = false;
    for (size_t i = 0; i < sizeof names / sizeof *names && status == GVM_OK && !there && !*tms; i++) {
        char *path = path_join(folder, names[i]);
        if (path == NULL)
            status = fail(err, GVM_MEMORY, "%s: out of memory for its tiles", path_tail(folder));
        else if (i == 0)
            status = read_xml(&there, tms, path, err);
        else
            status = read_json(tms, path, err);
        free(path);
    }
    return status;
}
