/* gdal.h - starts GDAL for a library that never prints and for files that cannot be trusted. */
#ifndef GVM_RASTER_GDAL_H
#define GVM_RASTER_GDAL_H

#include "geoviewmatch.h"

/* GDAL's messages between gdal_listen and gdal_ignore on the calling thread; they do not go to stderr. */
struct gdal_words {
    char text[256]; /* the first failure's, else the last warning's; empty for none */
    int failed;
};

/* The first call starts GDAL for the process. It registers only the drivers that read pictures from local files (and
 * GeoPackages) and disables the network file systems. SQLite files opened between gdal_listen and gdal_ignore are
 * untrusted: their views and triggers cannot call functions or virtual tables that reach beyond the file. */
void gdal_listen(struct gdal_words *words);
void gdal_ignore(void);

/* Fails with "WHERE: SENTENCE (GDAL's message)" and returns `status`, or GVM_MEMORY if GDAL ran out of memory. */
gvm_status gdal_fail(gvm_error *err, gvm_status status, const char *where, const char *sentence,
                     const struct gdal_words *words);

/* The drivers that may open a raster. */
extern const char *const gdal_raster_drivers[];

#endif
