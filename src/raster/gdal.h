/* gdal.h - GDAL made fit for a library that never prints, and for files that lie. */
#ifndef GVM_RASTER_GDAL_H
#define GVM_RASTER_GDAL_H

#include "geoviewmatch.h"

/* What GDAL says between gdal_listen and gdal_ignore on the calling thread goes here instead of stderr. */
struct gdal_words {
    char text[256]; /* the first failure's, else the last warning's; empty for none */
    int failed;
};

/* Listening starts GDAL for the process when it is first called: of its drivers only those are registered that read
 * pictures from local files (and GeoPackages), and its network file systems open nothing any more. What is opened with
 * SQLite between the two must not run more of its own SQL than it needs: functions and virtual tables that could reach
 * beyond the file are not for its views and triggers. */
void gdal_listen(struct gdal_words *words);
void gdal_ignore(void);

/* "WHERE: SENTENCE (what GDAL said)"; the status is `status`, or GVM_MEMORY where that is what GDAL lacked. */
gvm_status gdal_fail(gvm_error *err, gvm_status status, const char *where, const char *sentence,
                     const struct gdal_words *words);

/* The drivers that may open a raster. */
extern const char *const gdal_raster_drivers[];

#endif
