/* raster_about.c - where a raster lies, for whoever is to make a map of it. */
#include <stdlib.h>

#include "base/sized.h"
#include "raster/raster.h"

gvm_status gvm_raster_about(const char *path, gvm_raster_info *info, gvm_error *err)
{
    struct raster *raster;
    struct raster_facts facts = {.parts = NULL};
    if (err != NULL) err->text[0] = '\0';
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
