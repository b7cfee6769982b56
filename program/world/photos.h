/* photos.h - the generated town as a folder of ordinary photos with the imagery around them. */
#ifndef GVM_WORLD_PHOTOS_H
#define GVM_WORLD_PHOTOS_H

#include "world/ortho.h"
#include "world/photo.h"

enum { PHOTOS_MOST_PIXELS = 1600 /* a side */ };

struct photos_options {
    struct photo_range range;
    double margin; /* least metres of imagery around each photo */
    int magnetic;  /* record headings relative to magnetic north */
};

/* Write `folder`: imagery/ortho.tif (ortho_draw), photos/ with options->pairs photos from the roads, and, last,
 * photos.csv (image,lat,lon,heading,pitch,roll,fov,lens,split). Photos are as close as their number requires; options'
 * offset_m and scale, and ortho's turn are not used.
 *
 *   pixels  out: of the orthophoto's side
 *
 * Returns as ortho_write. The bytes do not depend on the number of threads. */
gvm_status photos_write(const char *folder, int *pixels, const struct world_options *options,
                        const struct ortho_options *ortho, const struct photos_options *photos, bool force,
                        struct progress *progress, gvm_error *err);

#endif
