/* raster.c - opens, closes and describes a raster. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <gdal_alg.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/sized.h"
#include "raster/gdal.h"
#include "raster/raster_parts.h"

/* ------------------------------------------------------------------ views */

static gvm_status take_together(struct raster *r, int pixels, gvm_error *err)
{
    char width[16], height[16];
    GDALDatasetH view;
    snprintf(width, sizeof width, "%d", (int)(((int64_t)r->width + pixels / 2) / pixels));
    snprintf(height, sizeof height, "%d", (int)(((int64_t)r->height + pixels / 2) / pixels));
    if (r->width < pixels || r->height < pixels) return GVM_OK;
    const char *const options[] = {"-of", "VRT", "-r", "average", "-outsize", width, height, NULL};
    gvm_status status = raster_make_view(&view, r, options, "it cannot be read at a lower resolution", err);
    if (status == GVM_OK) raster_take_view(r, view);
    return status;
}

/* ------------------------------------------------------------------ open */

static gvm_status open_file(struct raster *r, const char *path, gvm_error *err)
{
    struct gdal_words words;
    if (strncmp(path, "/vsi", 4) == 0) return fail(err, GVM_FILE, "%s: only local files are read", r->where);
    struct file_map file; /* for the sentence of a file that is none */
    gvm_status status = file_map(&file, path, err);
    if (status != GVM_OK) return status;
    file_unmap(&file);
    status = raster_check_files(path, r->where, err);
    if (status != GVM_OK) return status;
    gdal_listen(&words);
    GDALDriverH driver = GDALIdentifyDriverEx(path, GDAL_OF_RASTER, gdal_raster_drivers, NULL);
    const char *const four[] = {"BAND_COUNT=4", NULL}; /* a tile that is missing is transparent then */
    GDALDatasetH data = GDALOpenEx(path, GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, gdal_raster_drivers,
                                   raster_is_table(driver) ? four : NULL, NULL);
    gdal_ignore();
    if (data == NULL) return gdal_fail(err, GVM_FORMAT, r->where, "unsupported or corrupt raster", &words);
    raster_take_view(r, data);
    if (GDALGetRasterCount(data) == 0)
        return fail(err, GVM_FORMAT, "%s: expected one raster, got none or several; select one with a VRT", r->where);
    return GVM_OK;
}

gvm_status raster_open(struct raster **raster, const char *path, const struct raster_hints *hints, int reduce,
                       gvm_error *err)
{
    struct gdal_words words; /* what no sentence takes up */
    *raster = NULL;
    struct raster *r = calloc(1, sizeof *r);
    if (r == NULL || (r->name = strdup(path)) == NULL) {
        free(r);
        return fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", path_tail(path));
    }
    r->where = path_tail(r->name);
    r->hints = hints != NULL ? *hints : (struct raster_hints){NULL, LOOK, LOOK};
    gdal_listen(&words);
    gvm_status status = open_file(r, path, err);
    if (status == GVM_OK) status = raster_choose_bands(r, err);
    if (status == GVM_OK && reduce > 1) status = take_together(r, reduce, err);
    if (status == GVM_OK) status = raster_find_place(r, r->hints.crs, err);
    gdal_ignore();
    if (status == GVM_OK)
        *raster = r;
    else
        raster_free(r);
    return status;
}

struct raster_hints raster_found(int *no_alpha, const struct raster *r)
{
    *no_alpha = r->hints.alpha == NO ? r->alpha : 0;
    return r->hints;
}

char **raster_files(const struct raster *r)
{
    char **all = GDALGetFileList(r->views[0]), **files = NULL;
    for (char **file = all; file != NULL && *file != NULL; file++)
        if (!g_regex_match_simple(".(aux\\.xml|ovr|msk)$", *file, G_REGEX_CASELESS | G_REGEX_RAW, 0))
            files = CSLAddString(files, *file);
    CSLDestroy(all);
    return files;
}

bool raster_has_overviews(const struct raster *r)
{
    return GDALGetOverviewCount(GDALGetRasterBand(r->views[0], 1)) > 0;
}

void raster_free(struct raster *r)
{
    if (r == NULL) return;
    if (r->locator.inner != NULL) GDALDestroyGenImgProjTransformer(r->locator.inner);
    while (r->view_count > 0) GDALClose(r->views[--r->view_count]);
    CPLFree(r->crs);
    free(r->name);
    free(r);
}

gvm_status gvm_raster_about(const char *path, gvm_raster_info *info, gvm_error *err)
{
    struct raster *raster;
    struct raster_facts facts = {.parts = NULL};
    clear_error(err);
    gvm_status status = raster_open(&raster, path, NULL, 1, err);
    if (status == GVM_OK) status = raster_describe(&facts, raster, err);
    raster_free(raster);
    free(facts.parts);
    const gvm_raster_info own = {.size = sizeof own,
                                 .west = facts.box[0],
                                 .south = facts.box[1],
                                 .east = facts.box[2],
                                 .north = facts.box[3],
                                 .pixel_m = facts.pixel_m,
                                 .height = facts.height,
                                 .width = facts.width};
    return status == GVM_OK ? sized_write(info, &own, sizeof own, err) : status;
}
