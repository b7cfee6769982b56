/* pairs.h - the lines of a pairs.csv, apart from the files that they name. */
#ifndef GVM_DATA_FORMATS_PAIRS_H
#define GVM_DATA_FORMATS_PAIRS_H

#include "data/labels.h"

enum part { PART_TRAIN, PART_VAL, PART_TEST, PARTS };

struct pair_row {
    struct query query; /* paths and id as they are written, not empty; good while the row is read */
    struct tile tile;
    enum part part; /* PART_TRAIN where the list has no such column */
    size_t line;
};

typedef gvm_status pair_reader(void *context, const struct pair_row *row, gvm_error *err);

/* Give each row of the list to `read`, which may end it with a status. `where` names the file in sentences. Places are
 * finite or NaN, both of one or neither, and perhaps not on Earth; headings within -360 to 360, or NaN. */
gvm_status pairs_parse(bool *has_parts, const char *text, size_t size, const char *where, pair_reader *read,
                       void *context, gvm_error *err);

#endif
