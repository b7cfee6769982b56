/* sensors.h - facts about cameras, by the maker and model in their EXIF. Case, spaces and punctuation do not count, nor
 * does a maker or series that is repeated in the model. */
#ifndef GVM_IMAGE_SENSORS_H
#define GVM_IMAGE_SENSORS_H

#include <stdbool.h>

/* Width of the camera's sensor in mm; 0 if it is not in the table. */
double sensor_width_of(const char *maker, const char *model);

/* An action camera's lens as measured, of whole pictures. */
struct calibration {
    const char *maker, *model; /* model NULL: all of the maker's, or */
    int focal_35mm;            /* unless 0 those with this 35 mm equivalent focal length */
    double focal;              /* over the longer side */
    double k1, k2;             /* as in struct camera */
    bool fisheye;
};

/* NULL if there is none. focal_35mm: as in EXIF; 0: none */
const struct calibration *calibration_of(const char *maker, const char *model, double focal_35mm);

#endif
