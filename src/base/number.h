/* number.h - numbers that a person typed. False where the text is none in the range. */
#ifndef GVM_BASE_NUMBER_H
#define GVM_BASE_NUMBER_H

#include <stdbool.h>

bool read_long(long *number, const char *text, long low, long high);
bool read_double(double *number, const char *text, double low, double high);

/* "LAT,LON" in degrees, the latitude within so many of the equator. */
bool read_place(double *lat, double *lon, const char *text, double most_lat);

#endif
