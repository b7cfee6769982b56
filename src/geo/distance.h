/* distance.h - metres on the ground. */
#ifndef GVM_BASE_DISTANCE_H
#define GVM_BASE_DISTANCE_H

/* Metres between two places, degrees, on the WGS84 mean sphere (haversine). */
double metres_between(double lat1, double lon1, double lat2, double lon2);

#endif
