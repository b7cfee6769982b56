/* distance.c - see distance.h */
#include "geo/distance.h"

#include <math.h>

double metres_between(double lat1, double lon1, double lat2, double lon2)
{
    const double degree = 3.14159265358979323846 / 180, radius = 6371008.8;
    double a = sin((lat2 - lat1) * degree / 2), b = sin((lon2 - lon1) * degree / 2);
    double h = a * a + cos(lat1 * degree) * cos(lat2 * degree) * b * b;
    return 2 * radius * asin(fmin(1, sqrt(h)));
}
