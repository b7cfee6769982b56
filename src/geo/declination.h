/* declination.h - where magnetic north is */
#ifndef GVM_GEO_DECLINATION_H
#define GVM_GEO_DECLINATION_H

#include <stdbool.h>

/* Angle from true north to magnetic north, positive to the east, degrees: what is added to a magnetic heading to get a
 * true one. At sea level; near the magnetic poles, where compasses fail, it has no use.
 *
 *   degrees   out: -180..180
 *   lat, lon  WGS84 degrees, -90 <= lat <= 90
 *   year      with a fraction: 2026.5 is the middle of 2026
 *
 * Returns whether there is a model for that year (2010 to 2030). Outside, the nearest model is continued for at most 5
 * years. */
bool declination(double *degrees, double lat, double lon, double year);

#endif
