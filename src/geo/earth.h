/* earth.h - the WGS84 ellipsoid: what a degree is in metres, and how far two places lie apart.
 *
 * A tile is the rectangle of latitude and longitude around its centre whose sides have the wanted length there. The
 * corner of a square laid on the ground is half^2 tan(lat) / R away: at 60 degrees 0.3 mm for 64 m, 7 cm for 1 km. */
#ifndef GVM_MAP_EARTH_H
#define GVM_MAP_EARTH_H

#include <math.h>

#define EARTH_A 6378137.0                   /* the semi-major axis, metres */
#define EARTH_E2 6.69437999014131e-3        /* the first eccentricity, squared: f (2 - f), f = 1 / 298.257223563 */
#define EARTH_DEGREE 0.01745329251994329577 /* in radians */

/* M = a (1 - e^2) / (1 - e^2 sin^2 lat)^(3/2), the radius of the meridian; a degree of latitude in metres */
static inline double metres_per_lat(double lat)
{
    double s = sin(lat * EARTH_DEGREE), w = 1 - EARTH_E2 * s * s;
    return EARTH_DEGREE * EARTH_A * (1 - EARTH_E2) / (w * sqrt(w));
}

/* N cos lat, N = a / sqrt(1 - e^2 sin^2 lat), the radius of the parallel; a degree of longitude in metres */
static inline double metres_per_lon(double lat)
{
    double s = sin(lat * EARTH_DEGREE);
    return EARTH_DEGREE * EARTH_A * cos(lat * EARTH_DEGREE) / sqrt(1 - EARTH_E2 * s * s);
}

/* The latitude so many metres north along the meridian, by its radius half-way. */
static inline double lat_north(double lat, double metres)
{
    double half = lat + metres / 2 / metres_per_lat(lat);
    return lat + metres / metres_per_lat(half);
}

/* A longitude moved by whole turns to within half a turn of another. */
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

/* West, south, east, north of the tile around a centre; the longitudes may pass 180 degrees. Around a pole it is all of
 * them. */
static inline void tile_box(double box[4], double lat, double lon, double metres)
{
    double half_lat = metres / 2 / metres_per_lat(lat), half_lon = fmin(180, metres / 2 / metres_per_lon(lat));
    box[0] = lon - half_lon;
    box[1] = fmax(-90, lat - half_lat);
    box[2] = lon + half_lon;
    box[3] = fmin(90, lat + half_lat);
}

/* A place in space, metres from the earth's centre. */
static inline void earth_point(double point[3], double lat, double lon)
{
    double s = sin(lat * EARTH_DEGREE), c = cos(lat * EARTH_DEGREE), N = EARTH_A / sqrt(1 - EARTH_E2 * s * s);
    point[0] = N * c * cos(lon * EARTH_DEGREE);
    point[1] = N * c * sin(lon * EARTH_DEGREE);
    point[2] = N * (1 - EARTH_E2) * s;
}

/* The way over the ground between two places: the arc over their chord on a sphere of 6,371 km, which up to 100 km
 * errs by centimetres. */
static inline double earth_distance(const double a[3], const double b[3])
{
    double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2], R = 6371000;
    return 2 * R * asin(fmin(1, sqrt(x * x + y * y + z * z) / (2 * R)));
}

#endif
