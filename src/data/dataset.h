/* dataset.h - a data set of any supported format: street pictures, aerial pictures, and which of them form pairs.
 *
 * The labels are read once into lists; pictures are read later, by path. Each format defines the ground size of its
 * aerial pictures and the elevation band of its panoramas.
 *
 *   CVUSA   splits/train-19zl.csv, splits/val-19zl.csv; positions from split_locations/all.csv or all.csv
 *   CVACT   ACT_data.mat; ANU_data_small, and ANU_data_test for the test set
 *   VIGOR   splits__corrected or splits, a folder a city
 *   pairs   pairs.csv: id,street,aerial,lat,lon[,heading][,split][,aerial_lat,aerial_lon]
 *   photos  photos.csv: image,lat,lon[,heading][,split]; the tiles are cells of a map of zooms (imagery/cells.h), cut
 * out of rasters when they are needed */
#ifndef GVM_DATA_DATASET_H
#define GVM_DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

enum { MAX_NEAR = 3 };

/* An aerial picture, or a cell if the data set has rasters. */
struct tile {
    char *path;      /* of a cell: its name, "cell ROW,COLUMN" */
    double lat, lon; /* WGS84 degrees of its centre; NaN if unknown */
};

/* A street picture. */
struct query {
    char *path;
    char *id;           /* its id in the data set */
    double lat, lon;    /* NaN if unknown */
    double heading;     /* degrees clockwise from north of its centre column; NaN: the picture's own, or else north */
    int tile;           /* its tile, an index into the split's tiles */
    int near[MAX_NEAR]; /* further tiles that show its position off centre (VIGOR's semi-positives) */
    int near_count;
};

/* Queries and their gallery. Several queries may share a tile; a tile may have no query. */
struct split {
    struct query *queries;
    int query_count;
    struct tile *tiles;
    int tile_count;
};

struct dataset {
    const char *format;    /* "CVUSA", "CVACT", "VIGOR", "pairs", "photos" */
    const char *test_name; /* the test split: "val", "test", "same-area", "cross-area", "all" */
    char *root;
    char **rasters;      /* rasters from which aerial pictures are cut, ends with NULL; NULL: they are files */
    double ground_m;     /* side of an aerial picture on the ground, metres; with rasters: of a cell */
    double elevation[2]; /* elevation band of its panoramas, degrees */
    double hit_m;        /* evaluation: any tile within this many metres is right; 0: only the true tile */
    int street_size[2];  /* width and height of its published pictures; 0: any */
    int aerial_size[2];
    struct split train, test;
    bool has_gaps;      /* its published labels name pictures that were not published */
    bool undivided;     /* its labels have no splits: train and test are the same pairs */
    int left_out;       /* pairs with a missing picture */
    int tiles_left_out; /* missing tiles of a separate list (VIGOR), in either split */
    char *missing;      /* the first missing picture; NULL: none is missing */
    char note[200];     /* a sentence on what is missing in the folder, such as a city; empty: nothing */
};

struct dataset_options {
    const char *format;      /* NULL: recognised by the folder's files */
    const char *test;        /* which test split, by the format's own name; NULL: its first.
                                CVUSA: val. CVACT: val, test. VIGOR: same-area, cross-area. pairs, photos: val, test */
    const double *elevation; /* a band other than the format's, or NULL */
    double ground_m;         /* a ground size other than the format's, or 0 */
    const char *imagery;     /* photos: a raster, or a folder of them; NULL: imagery/ in the data set, else itself */
    bool as_listed;          /* keep pairs with missing pictures, and positions that are not on Earth, for `check` */
};

/* Read the labels under `root`; options may be NULL. Pairs with a missing picture are left out and counted; a split may
 * be empty, but not both. The caller frees it with dataset_free.
 *
 * Fails with GVM_FILE (a file is missing, or the pictures of all pairs are), GVM_FORMAT (an invalid line, with its file
 * and number), GVM_ARGUMENT (an unknown format or split) or GVM_MEMORY; *dataset is then NULL. */
gvm_status dataset_open(struct dataset **dataset, const char *root, const struct dataset_options *options,
                        gvm_error *err);
void dataset_free(struct dataset *dataset);

/* A hash of its pairs: names and file sizes of the pictures, positions and headings, in order; independent of the
 * folder's path. Never 0. GVM_FILE if a file cannot be looked up; a missing one has no size. */
gvm_status dataset_fingerprint(uint64_t *fingerprint, const struct dataset *dataset, gvm_error *err);

#endif
