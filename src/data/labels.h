/* labels.h - what the readers of the formats share: how a split is filled from label files. For src/data alone. */
#ifndef GVM_DATA_LABELS_H
#define GVM_DATA_LABELS_H

#include <glib.h>

#include "base/csv.h"
#include "data/dataset.h"

/* The readers: dataset has its root, its test split's name and what its format says of itself; all else is zero. */
gvm_status cvusa_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err);
gvm_status cvact_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err);
gvm_status vigor_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err);
gvm_status pairs_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err);
gvm_status photos_read(struct dataset *dataset, const struct dataset_options *options, gvm_error *err);

/* The folder of VIGOR's labels under root, or NULL. */
const char *vigor_labels(const char *root);

/* Whether root/name is there. */
bool is_there(const char *root, const char *name);

/* Give each line of the label file root/name to `read`, which may end it with a status. */
typedef gvm_status line_reader(void *context, const struct csv *csv, gvm_error *err);
gvm_status read_lines(const char *root, const char *name, char separator, int most, line_reader *read, void *context,
                      gvm_error *err);

/* What a sentence calls the place in the labels: "FILE, UNIT NUMBER". */
struct source {
    const char *file, *unit;
    size_t number;
};

/* A split that is being filled. */
struct filler {
    struct dataset *dataset;
    struct split split;
    bool as_listed;
    GHashTable *tiles; /* path as labelled > index + 1, or 0 for a tile that is not there */
    int left_out;
};

void split_free(struct split *split);

void filler_start(struct filler *f, struct dataset *dataset, const struct dataset_options *options);

/* If the status is GVM_OK, hand the split over, and what was left out; else, or if split is NULL, drop it. Returns the
 * status. */
gvm_status filler_end(struct filler *f, struct split *split, gvm_status status);

enum { NOT_THERE = -1, NOT_LISTED = -2 };

/* Add a tile, once, where the first that knows it says it is. path is relative to the root, or, of a data set with
 * rasters, the name of a cell. *index is NOT_THERE where the picture is not there. */
gvm_status filler_tile(int *index, struct filler *f, const char *path, double lat, double lon,
                       const struct source *source, gvm_error *err);

/* The tile that was added under this path, NOT_THERE or NOT_LISTED. */
int filler_find(const struct filler *f, const char *path);

/* Add a street picture; query->path is relative to the root, what it points to is copied. Left out where the picture
 * is not there, or where query->tile is NOT_THERE. */
gvm_status filler_query(struct filler *f, const struct query *query, const struct source *source, gvm_error *err);

/* A pair: neither is added where one is not there. */
gvm_status filler_pair(struct filler *f, const struct query *query, const char *tile, double lat, double lon,
                       const struct source *source, gvm_error *err);

/* The lines of a pairs.csv or a photos.csv, apart from the files that they name. */
enum part { PART_TRAIN, PART_VAL, PART_TEST, PARTS };

struct pair_row {
    struct query query; /* paths and id as they are written, not empty; good while the row is read */
    struct tile tile;   /* of a photo none */
    enum part part;     /* PART_TRAIN where the list has no such column */
    size_t line;
};

typedef gvm_status pair_reader(void *context, const struct pair_row *row, gvm_error *err);

/* Give each row of a list to `read`, which may end it with a status. `where` names the file in sentences. Places are
 * finite or, of pairs, NaN, both of one or neither, and perhaps not on Earth; headings within -360 to 360, or NaN. */
typedef gvm_status list_parser(bool *has_parts, const char *text, size_t size, const char *where, pair_reader *read,
                               void *context, gvm_error *err);
list_parser pairs_parse, photos_parse;

/* The part that a field names; as it was where the list has none. */
gvm_status part_read(enum part *part, const char *text, const struct csv *csv, gvm_error *err);

/* Read a data set that is one list, `name`: each row is added to its part, of which two become the splits. */
typedef gvm_status row_filler(struct filler *f, const struct pair_row *row, const struct source *source,
                              gvm_error *err);
gvm_status list_read(struct dataset *dataset, const struct dataset_options *options, const char *name,
                     list_parser *parse, row_filler *add, gvm_error *err);

#endif
