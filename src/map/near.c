/* near.c - the tiles around a place, by looking at each: a million take 5 to 50 ms. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "map/earth.h"
#include "map/map.h"

gvm_status map_near(size_t **items, size_t *count, const gvm_map *map, double lat, double lon, double metres,
                    gvm_error *err)
{
    size_t n = map->tiles.count;
    double centre[3], band = metres / 110000; /* a degree of latitude has 110.5 km at least */
    *count = 0;
    *items = malloc((n + 1) * sizeof **items);
    if (*items == NULL) return fail(err, GVM_MEMORY, "there is not enough memory to look through %zu tiles", n);
    earth_point(centre, lat, lon);
    for (size_t i = 0; i < n; i++) {
        const struct tile *tile = &map->tiles.items[i];
        double point[3];
        if (fabs(tile->lat - lat) > band) continue;
        earth_point(point, tile->lat, tile->lon);
        if (earth_distance(point, centre) <= metres) (*items)[(*count)++] = i;
    }
    return GVM_OK;
}
