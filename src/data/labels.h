/* labels.h - shared by the readers of the formats: filling a split from label files. Only for src/data. */
#ifndef GVM_DATA_LABELS_H
#define GVM_DATA_LABELS_H

#include <glib.h>

#include "base/csv.h"
#include "data/dataset.h"

/* The readers. The caller fills in the dataset's root, test_name and the format's constants; all else is zero. */
gvm_status cvusa_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err);
gvm_status cvact_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err);
gvm_status vigor_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err);
gvm_status pairs_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err);
gvm_status photos_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err);

/* The folder of VIGOR's labels under root, or NULL; *status as in is_there. */
const char *vigor_labels(const char *root, gvm_status *status, gvm_error *err);

/* Returns true if root/name exists. If that cannot be found out, it returns false and sets *status; it does nothing if
 * *status is an error already. */
bool is_there(const char *root, const char *name, gvm_status *status, gvm_error *err);

/* Call `read` for each line of the label file root/name; a status other than GVM_OK ends it. */
typedef gvm_status line_reader(void *context, const struct csv *csv, gvm_error *err);
gvm_status read_lines(const char *root, const char *name, char separator, int most, line_reader *read, void *context,
                      gvm_error *err);

/* A location in the labels for error messages: "FILE, UNIT NUMBER". */
struct source {
    const char *file, *unit;
    size_t number;
};

/* A split under construction. */
struct filler {
    struct dataset *dataset;
    struct split split;
    bool as_listed;
    GHashTable *tiles; /* path in the labels > index + 1, or 0 for a missing tile */
    int left_out;
};

void split_free(struct split *split);

void filler_start(struct filler *f, struct dataset *dataset, const struct dataset_options *options);

/* If the status is GVM_OK, move the result into split and the counts into the data set; otherwise, or if split is NULL,
 * free it. Returns the status. */
gvm_status filler_end(struct filler *f, struct split *split, gvm_status status);

enum { NOT_THERE = -1, NOT_LISTED = -2 };

/* Add a tile once; the first call sets its position. path is relative to the root or, if the data set has rasters, the
 * name of a cell. *index is NOT_THERE if the picture is missing. */
gvm_status filler_tile(int *index, struct filler *f, const char *path, double lat, double lon,
                       const struct source *source, gvm_error *err);

/* The index of the tile with this path, NOT_THERE or NOT_LISTED. */
int filler_find(const struct filler *f, const char *path);

/* Add a street picture; query->path is relative to the root. Strings are copied. It is left out if the picture is
 * missing or query->tile is NOT_THERE. */
gvm_status filler_query(struct filler *f, const struct query *query, const struct source *source, gvm_error *err);

/* Add a pair; it is left out if one of its pictures is missing. */
gvm_status filler_pair(struct filler *f, const struct query *query, const char *tile, double lat, double lon,
                       const struct source *source, gvm_error *err);

/* The lines of a pairs.csv or a photos.csv; the files that they name are not opened. */
enum part { PART_TRAIN, PART_VAL, PART_TEST, PARTS };

struct pair_row {
    struct query query; /* paths and id as written, not empty; valid during the call */
    struct tile tile;   /* unset for a photo */
    enum part part;     /* PART_TRAIN if the list has no such column */
    size_t line;
};

typedef gvm_status pair_reader(void *context, const struct pair_row *row, gvm_error *err);

/* Call `read` for each row of a list; a status other than GVM_OK ends it. `where` is the file's name in error messages.
 * Positions are finite (for pairs: or both NaN) but may not be on Earth; headings are in -360..360 or NaN. */
typedef gvm_status list_parser(bool *has_parts, const char *text, size_t size, const char *where, pair_reader *read,
                               void *context, gvm_error *err);
list_parser pairs_parse, photos_parse;

/* Parse the part; unchanged if the list has no such column. */
gvm_status part_read(enum part *part, const char *text, const struct csv *csv, gvm_error *err);

/* Read a data set with the single list `name`: each row is added to its part, and two of the parts become the splits.
 */
typedef gvm_status row_filler(struct filler *f, const struct pair_row *row, const struct source *source,
                              gvm_error *err);
gvm_status list_read(struct dataset *dataset, const struct dataset_options *options, const char *name,
                     list_parser *parse, row_filler *add, gvm_error *err);

#endif
