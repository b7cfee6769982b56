/* number.h - parses numbers from the command line. Each function returns false if the text is not a number in the
 * range. */
#ifndef GVM_BASE_NUMBER_H
#define GVM_BASE_NUMBER_H

#include <stdbool.h>

bool read_long(long *number, const char *text, long low, long high);
bool read_double(double *number, const char *text, double low, double high);

/* Parse "LAT,LON" in degrees, latitude within +-most_lat, longitude within +-180. */
bool read_place(double *lat, double *lon, const char *text, double most_lat);

#endif
