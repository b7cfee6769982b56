/* turn_support.h - rotations, for tests that turn a camera's axes step by step */
#ifndef GVM_TESTS_TURN_SUPPORT_H
#define GVM_TESTS_TURN_SUPPORT_H

#include <math.h>

/* Rotate a and b by an angle in degrees, a towards b. */
static inline void turn(double a[3], double b[3], double degrees)
{
    double c = cos(degrees * M_PI / 180), s = sin(degrees * M_PI / 180);
    for (int k = 0; k < 3; k++) {
        double was = a[k];
        a[k] = c * was + s * b[k];
        b[k] = c * b[k] - s * was;
    }
}

#endif
