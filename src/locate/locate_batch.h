/* locate_batch.h - what gvm_locator_run and gvm_locate_files share. */
#ifndef GVM_LOCATE_LOCATE_BATCH_H
#define GVM_LOCATE_LOCATE_BATCH_H

#include <stdbool.h>

#include "geoviewmatch.h"

/* The heading to turn a picture by; *known: false, and 0, if it has to be found, be it near a magnetic one. */
double locate_heading(bool *known, const gvm_question *question, const gvm_photo_info *info);

#endif
