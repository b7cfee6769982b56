/* drawn_place.c - see drawn_place.h. */
#include "data/drawn_place.h"

#include <math.h>

#include "base/random.h"
#include "imagery/cells.h"

enum draw { BEARING, RIGHT, UP, DRAWS = 4 };

/* Move a number of metres along the great circle that starts at a bearing. */
static void go(struct drawn_place *p, double bearing, double metres)
{
    double b = bearing * EARTH_DEGREE, lat = p->lat * EARTH_DEGREE, d = metres / CELL_RADIUS;
    double there = asin(sin(lat) * cos(d) + cos(lat) * sin(d) * cos(b));
    p->lon += atan2(sin(b) * sin(d) * cos(lat), cos(d) - sin(lat) * sin(there)) / EARTH_DEGREE;
    p->lon = lon_normal(p->lon);
    p->lat = there / EARTH_DEGREE;
}

struct drawn_place draw_place(double lat, double lon, double side, uint64_t seed, uint64_t epoch, uint64_t index)
{
    const uint64_t stream = UINT64_C(0x706c63) << 40 | epoch; /* "plc": a stream of its own */
    double turn = 360 * (double)random_uniform(seed, stream, index * DRAWS + BEARING);
    double x = side * ((double)random_uniform(seed, stream, index * DRAWS + RIGHT) - 0.5);
    double y = side * ((double)random_uniform(seed, stream, index * DRAWS + UP) - 0.5);
    struct drawn_place place = {lat, lon, turn + 180};
    go(&place, turn + atan2(y, x) / EARTH_DEGREE, hypot(x, y));
    return place;
}

void places_allowed(uint8_t *allowed, const struct split *split, const int *queries, const struct drawn_place *places,
                    int B)
{
    for (int i = 0; i < B; i++) {
        const struct query *q = &split->queries[queries[i]];
        for (int j = 0; j < B; j++) {
            double metres = metres_between(q->lat, q->lon, places[j].lat, places[j].lon) * (CELL_RADIUS / EARTH_RADIUS);
            allowed[(size_t)i * (size_t)B + (size_t)j] = i == j || metres > APART_M;
        }
    }
}
