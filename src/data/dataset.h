/* dataset.h - street pictures, aerial pictures and which belong together, whatever format they lie in on disk.
 *
 * A data set is read once into lists; pictures are read later, by path. Each format knows what its aerial pictures
 * cover on the ground and which band of elevations its panoramas are used for.
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

/* An aerial picture; of a data set with rasters a cell. */
struct tile {
    char *path;      /* of a cell its name, "cell ROW,COLUMN" */
    double lat, lon; /* WGS84 degrees of its centre; NaN where not known */
};

/* A street picture. */
struct query {
    char *path;
    char *id;           /* what the data set calls it */
    double lat, lon;    /* NaN where not known */
    double heading;     /* degrees clockwise from north of its centre column; NaN: what the picture says, else north */
    int tile;           /* the tile it belongs to, an index into the split's tiles */
    int near[MAX_NEAR]; /* tiles that show its place too, off their centre (VIGOR's semi-positives) */
    int near_count;
};

/* Queries and the gallery that they are matched with. Several queries may share a tile; a tile may have none. */
struct split {
    struct query *queries;
    int query_count;
    struct tile *tiles;
    int tile_count;
};

struct dataset {
    const char *format;    /* "CVUSA", "CVACT", "VIGOR", "pairs", "photos" */
    const char *test_name; /* which test split this is: "val", "test", "same-area", "cross-area", "all" */
    char *root;
    char **rasters;      /* what aerial pictures are cut out of, ends with NULL; NULL: they are files */
    double ground_m;     /* side of an aerial picture on the ground, metres; of a cell, where there are rasters */
    double elevation[2]; /* band of a panorama's rows that is used, degrees */
    double hit_m;        /* evaluation: any tile within so many metres is right; 0: the true tile alone */
    int street_size[2];  /* width and height of its pictures as they are published; 0: any */
    int aerial_size[2];
    struct split train, test;
    bool has_gaps;      /* its labels as published name pictures that were not published */
    bool undivided;     /* its labels know no splits: train and test are the same pairs */
    int left_out;       /* pairs named by the labels of which a picture is not there */
    int tiles_left_out; /* tiles of a list of its own (VIGOR) that are not there, in either split */
    char *missing;      /* the first picture that is not there; NULL: all are */
    char note[200];     /* a sentence on what the folder lacks, such as a city; empty: nothing */
};

struct dataset_options {
    const char *format;      /* NULL: told by what lies in the folder */
    const char *test;        /* which test split, by the format's own name; NULL: its first.
                                CVUSA: val. CVACT: val, test. VIGOR: same-area, cross-area. pairs, photos: val, test */
    const double *elevation; /* a band other than the format's, or NULL */
    double ground_m;         /* other than the format's, or 0 */
    const char *imagery;     /* photos: a raster, or a folder of them; NULL: imagery/ in the data set, else itself */
    bool as_listed; /* also pairs whose pictures are not there and positions that are not on Earth, for `check` */
};

/* Read the labels under `root`; options may be NULL. A pair of which a picture is not there is left out and counted;
 * a split may be empty, but not both. GVM_FILE (a file is not there, or no pair's pictures are), GVM_FORMAT (a line
 * that is not what it must be, with its file and number), GVM_ARGUMENT (an unknown format or split), GVM_MEMORY.
 * *dataset is NULL on failure, else to be freed with dataset_free. */
gvm_status dataset_open(struct dataset **dataset, const char *root, const struct dataset_options *options,
                        gvm_error *err);
void dataset_free(struct dataset *dataset);

/* A number for its pairs: which pictures, their files' sizes, places and headings, in their order, wherever the folder
 * lies. Never 0. */
uint64_t dataset_fingerprint(const struct dataset *dataset);

#endif
