/* earth.h - the Earth's size and distances. Tile sides and the grid use the WGS84 ellipsoid; distances between
 * positions use the sphere of the mean radius.
 *
 * A tile is the rectangle of latitude and longitude around its centre whose sides have the requested length there. It
 * differs from a square laid on the ground: at the corners by half^2 tan(lat) / R. At 60 degrees that is 0.3 mm for 64
 * m and 7 cm for 1 km. */
#ifndef GVM_GEO_EARTH_H
#define GVM_GEO_EARTH_H

#include <math.h>
#include <stdbool.h>

#define EARTH_A 6378137.0            /* semi-major axis, metres */
#define EARTH_E2 6.69437999014131e-3 /* first eccentricity squared: f (2 - f), f = 1 / 298.257223563 */
#define EARTH_RADIUS 6371008.8       /* of the sphere for distances, metres: mean of the semi-axes, (2 a + b) / 3 */
#define EARTH_DEGREE 0.01745329251994329577     /* in radians */
#define EARTH_ARC (EARTH_RADIUS * EARTH_DEGREE) /* metres per degree of a great circle: 111,195.08 */

/* Metres per degree of latitude: the meridian's radius M = a (1 - e^2) / (1 - e^2 sin^2 lat)^(3/2). */
static inline double metres_per_lat(double lat)
{
    double s = sin(lat * EARTH_DEGREE), w = 1 - EARTH_E2 * s * s;
    return EARTH_DEGREE * EARTH_A * (1 - EARTH_E2) / (w * sqrt(w));
}

/* Metres per degree of longitude: the parallel's radius N cos lat, N = a / sqrt(1 - e^2 sin^2 lat). */
static inline double metres_per_lon(double lat)
{
    double s = sin(lat * EARTH_DEGREE);
    return EARTH_DEGREE * EARTH_A * cos(lat * EARTH_DEGREE) / sqrt(1 - EARTH_E2 * s * s);
}

/* The latitude `metres` north along the meridian, with the radius at the midpoint. */
static inline double lat_north(double lat, double metres)
{
    double half = lat + metres / 2 / metres_per_lat(lat);
    return lat + metres / metres_per_lat(half);
}

/* The longitude plus or minus whole turns, within 180 degrees of `centre`. */
static inline double lon_near(double lon, double centre)
{
    return lon - 360 * round((lon - centre) / 360);
}

/* -180 <= lon < 180 */
static inline double lon_normal(double lon)
{
    lon -= 360 * floor((lon + 180) / 360);
    return lon < 180 ? lon : -180;
}

/* West, south, east, north of the tile around a centre, in degrees. Longitudes may be beyond +-180. A tile that
 * contains a pole spans all longitudes. */
static inline void tile_box(double box[4], double lat, double lon, double metres)
{
    double half_lat = metres / 2 / metres_per_lat(lat), half_lon = fmin(180, metres / 2 / metres_per_lon(lat));
    box[0] = lon - half_lon;
    box[1] = fmax(-90, lat - half_lat);
    box[2] = lon + half_lon;
    box[3] = fmin(90, lat + half_lat);
}

/* Enlarge a box (west, south, east, north) to contain another. Start with BOX_OF_NOTHING. */
#define BOX_OF_NOTHING                           \
    {                                            \
        INFINITY, INFINITY, -INFINITY, -INFINITY \
    }
static inline void box_take_in(double box[4], const double other[4])
{
    for (int k = 0; k < 4; k++) box[k] = k < 2 ? fmin(box[k], other[k]) : fmax(box[k], other[k]);
}

/* Whether two boxes touch, also if their longitudes differ by a turn. */
static inline bool boxes_touch(const double a[4], const double b[4])
{
    double turn = 360 * round(((a[0] + a[2]) - (b[0] + b[2])) / 720);
    return a[1] <= b[3] && a[3] >= b[1] && a[0] - turn <= b[2] && a[2] - turn >= b[0];
}

/* Great-circle distance in metres on the sphere of the mean radius (haversine formula). */
static inline double metres_between(double lat1, double lon1, double lat2, double lon2)
{
    double a = sin((lat2 - lat1) * EARTH_DEGREE / 2), b = sin((lon2 - lon1) * EARTH_DEGREE / 2);
    double h = a * a + cos(lat1 * EARTH_DEGREE) * cos(lat2 * EARTH_DEGREE) * b * b;
    return 2 * EARTH_RADIUS * asin(fmin(1, sqrt(h)));
}

#endif
