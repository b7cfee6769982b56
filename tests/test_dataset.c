/* test_dataset.c - each format's reader on a folder that the test writes, on labels that lie, and, where they lie
 * beside the repository, on the published label files. */
#define _GNU_SOURCE /* nftw */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <math.h>
#include <matio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "data/dataset.h"
#include "folder_support.h"

/* ------------------------------------------------------------------ folders */

/* A file in a folder of its own, which is made. */
static void put(const char *name, const char *text)
{
    char folder[300];
    for (const char *slash = name; (slash = strchr(slash, '/')) != NULL; slash++) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name);
        mkdir(in_folder(folder), 0777);
    }
    put_text(name, text);
}

static void put_picture(const char *name)
{
    put(name, "a picture, for all that a reader of labels knows");
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type;
    return at->level > 0 ? remove(path) : 0;
}

static int clear_folder(void **state)
{
    (void)state;
    return nftw(in_folder(""), remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct dataset *open_folder(const struct dataset_options *options)
{
    struct dataset *d;
    gvm_error err;
    if (dataset_open(&d, in_folder(""), options, &err) != GVM_OK) fail_msg("%s", err.text);
    return d;
}

static void expect_refused(gvm_status want, const struct dataset_options *options, const char *words)
{
    struct dataset *d = (struct dataset *)&d;
    gvm_error err = {""};
    gvm_status status = dataset_open(&d, in_folder(""), options, &err);
    if (status != want || strstr(err.text, words) == NULL)
        fail_msg("status %d, %s (wanted: %d, %s)", status, err.text, want, words);
    assert_null(d);
}

static void expect_path(const char *path, const char *name)
{
    if (strcmp(path, in_folder(name)) != 0 && strstr(path, name) == NULL) fail_msg("%s is not %s", path, name);
    assert_string_equal(path + strlen(path) - strlen(name), name);
}

/* ------------------------------------------------------------------ pairs */

static void put_pairs_pictures(void)
{
    static const char *const names[] = {"street/1.png", "street/2.png", "street/3, \"x\".png", "aerial/1.png",
                                        "aerial/2.png"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) put_picture(names[i]);
}

static void test_pairs(void **state)
{
    (void)state;
    put_pairs_pictures();
    put("pairs.csv", "\xef\xbb\xbfid,street,aerial,lat,lon,heading\r\n"
                     "1,street/1.png,aerial/1.png,51.5,-0.25,12.5\r\n"
                     "\r\n"
                     "\"two, 2\" , street/2.png,\"aerial/2.png\",-33,151,\r\n"
                     "3,\"street/3, \"\"x\"\".png\",aerial/1.png,,,-90\r\n"
                     "4,street/4.png,aerial/1.png,51.5,-0.25,0\r\n"
                     "5,street/1.png,aerial/5.png,51.5,-0.25,0");
    struct dataset *d = open_folder(NULL);
    assert_string_equal(d->format, "pairs");
    assert_true(d->undivided && d->left_out == 2 && d->hit_m == 0 && d->ground_m == 64);
    assert_true(d->elevation[0] == -45 && d->elevation[1] == 45);
    expect_path(d->missing, "street/4.png");
    const struct split *splits[] = {&d->train, &d->test};
    for (int s = 0; s < 2; s++) {
        const struct query *q = splits[s]->queries;
        const struct tile *t = splits[s]->tiles;
        assert_int_equal(splits[s]->query_count, 3);
        assert_int_equal(splits[s]->tile_count, 2);
        assert_string_equal(q[1].id, "two, 2");
        expect_path(q[0].path, "street/1.png");
        expect_path(q[2].path, "street/3, \"x\".png");
        expect_path(t[1].path, "aerial/2.png");
        assert_true(q[0].tile == 0 && q[1].tile == 1 && q[2].tile == 0 && q[0].near_count == 0);
        assert_true(q[0].lat == 51.5 && q[0].lon == -0.25 && t[0].lat == 51.5 && t[1].lon == 151);
        assert_true(isnan(q[2].lat) && isnan(q[2].lon));
        assert_true(q[0].heading == 12.5 && isnan(q[1].heading) && q[2].heading == -90);
    }
    dataset_free(d);
}

static void test_pairs_splits(void **state)
{
    (void)state;
    put_pairs_pictures();
    put("pairs.csv", "split,lon,lat,aerial,street,id,aerial_lat,aerial_lon\n"
                     "train,2,1,aerial/1.png,street/1.png,a,1.001,2.001\n"
                     "test,4,3,aerial/2.png,street/2.png,b,,\n"
                     "val,6,5,aerial/1.png,street/2.png,c,,\n");
    const char *const tests[] = {NULL, "val", "test"};
    for (int i = 0; i < 3; i++) {
        struct dataset *d = open_folder(&(struct dataset_options){.test = tests[i], .ground_m = 100});
        assert_true(!d->undivided && d->ground_m == 100);
        assert_string_equal(d->test_name, i == 2 ? "test" : "val");
        assert_true(d->train.query_count == 1 && d->test.query_count == 1);
        assert_true(d->train.tiles[0].lat == 1.001 && d->train.queries[0].lat == 1);
        assert_true(isnan(d->train.queries[0].heading));
        assert_string_equal(d->test.queries[0].id, i == 2 ? "b" : "c");
        assert_true(d->test.tiles[0].lat == (i == 2 ? 3 : 5));
        dataset_free(d);
    }
    put("pairs.csv", "id,street,aerial,lat,lon,split\n"
                     "a,street/1.png,aerial/1.png,,,test\nb,street/2.png,aerial/1.png,1,2,test\n");
    struct dataset *d = open_folder(NULL);
    assert_string_equal(d->test_name, "test");
    assert_true(d->train.query_count == 0 && d->test.query_count == 2 && d->test.tile_count == 1);
    assert_true(isnan(d->test.queries[0].lat) && d->test.tiles[0].lat == 1 && d->test.tiles[0].lon == 2);
    dataset_free(d);
}

static void test_pairs_that_lie(void **state)
{
    (void)state;
    put_pairs_pictures();
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"\n", "pairs.csv: the list is empty"},
        {"id,street,aerial,lat,lon\n", "its labels name no pair"},
        {"id,street,aerial,lat\na,b,c,1\n", "pairs.csv, line 1: the header lacks \"lon\""},
        {"id,street,aerial,lat,lon,headng\n", "line 1: the header's \"headng\" is none of id, street,"},
        {"id,street,aerial,lat,lon,aerial_lat\n", "line 1: aerial_lat and aerial_lon go together"},
        {"id,street,aerial,lat,lon\n1,s,a,1\n", "line 2: it has 4 fields where the header has 5"},
        {"id,street,aerial,lat,lon\n1,s,a,1,2,3\n", "line 2: it has 6 fields where the header has 5"},
        {"id,street,aerial,lat,lon\n,s,a,1,2\n", "line 2: its id is empty"},
        {"id,street,aerial,lat,lon\n1,,a,1,2\n", "line 2: its street is empty"},
        {"id,street,aerial,lat,lon\n1,s,a,1,\n", "line 2: a latitude and a longitude go together"},
        {"id,street,aerial,lat,lon\n1,s,a,north,2\n", "line 2: lat \"north\" is not a number"},
        {"id,street,aerial,lat,lon\n1,s,a,91,2\n", "line 2: latitude 91, longitude 2 is no place on Earth"},
        {"id,street,aerial,lat,lon\n1,s,a,1,-180.5\n", "line 2: latitude 1, longitude -180.5 is no place"},
        {"id,street,aerial,lat,lon,heading\n1,s,a,1,2,361\n", "line 2: heading 361 is not in the range"},
        {"id,street,aerial,lat,lon,split\n1,s,a,1,2,dev\n", "line 2: its split is \"dev\", not train, val or test"},
        {"id,street,aerial,lat,lon\n\n1,../s,a,1,2\n", "line 3: '../s' leads out of the data set's folder"},
        {"id,street,aerial,lat,lon\n1,street/../../s,a,1,2\n", "line 2: 'street/../../s' leads out"},
        {"id,street,aerial,lat,lon\n1,street/1.png,/etc/a,1,2\n", "line 2: '/etc/a' leads out"},
        {"id,street,aerial,lat,lon\n1,s,aerial/..,1,2\n", "line 2: 'aerial/..' leads out"},
        {"id,street,aerial,lat,lon\n1,\"s,a,1,2\n", "line 2: a quote is opened and not closed"},
        {"id,street,aerial,lat,lon\n1,s,a,1,2\n2,..s,..,1,2\n", "line 3: '..' leads out"},
        {"id,street,aerial,lat,lon\n1,s,..a,1,2\n",
         "of 1 pairs none has both pictures; the first that is not there is"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put("pairs.csv", cases[i].text);
        expect_refused(strstr(cases[i].words, "none has both") ? GVM_FILE : GVM_FORMAT, NULL, cases[i].words);
    }
    put("pairs.csv", "id,street,aerial,lat,lon\n1,street/1.png,aerial/9.png,91,2\n");
    struct dataset *d = open_folder(&(struct dataset_options){.as_listed = true}); /* all that can be said of it */
    assert_true(d->train.query_count == 1 && d->train.queries[0].lat == 91 && d->left_out == 0);
    dataset_free(d);
    put("pairs.csv", "id,street,aerial,lat,lon\n1,street/1.png,aerial/1.png,1,2\n");
    expect_refused(GVM_ARGUMENT, &(struct dataset_options){.test = "val"}, "has no column `split`");
    expect_refused(GVM_ARGUMENT, &(struct dataset_options){.test = "dev"}, "test split is val or test, not 'dev'");
    expect_refused(GVM_ARGUMENT, &(struct dataset_options){.format = "COCO"},
                   "CVUSA, CVACT, VIGOR or pairs, not 'COCO'");
    expect_refused(GVM_ARGUMENT, &(struct dataset_options){.ground_m = NAN}, "cannot cover");
    expect_refused(GVM_ARGUMENT, &(struct dataset_options){.elevation = (double[2]){45, -45}}, "not a band");
    expect_refused(GVM_FILE, &(struct dataset_options){.format = "cvact"}, "ACT_data.mat: cannot open it");
    expect_refused(GVM_FILE, &(struct dataset_options){.format = "CVUSA"}, "val-19zl.csv: cannot open it");
    expect_refused(GVM_FILE, &(struct dataset_options){.format = "VIGOR"}, "no city of VIGOR");
    put("ACT_data.mat", "");
    expect_refused(GVM_ARGUMENT, NULL, "it has the labels of CVACT and of pairs");
    clear_folder(NULL);
    expect_refused(GVM_FILE, NULL, "no data set lies there");
    struct dataset *none;
    gvm_error err;
    assert_int_equal(dataset_open(&none, in_folder("nowhere"), NULL, &err), GVM_FILE);
    assert_non_null(strstr(err.text, "nowhere: cannot open it"));
}

/* ------------------------------------------------------------------ CVUSA */

static void put_cvusa(const char *places)
{
    for (int i = 1; i <= 4; i++) {
        char name[60];
        snprintf(name, sizeof name, "bingmap/19/%07d.jpg", i);
        put_picture(name);
        snprintf(name, sizeof name, "streetview/panos/%07d.jpg", i);
        if (i != 3) put_picture(name);
    }
    put("splits/train-19zl.csv", "bingmap/19/0000002.jpg,streetview/panos/0000002.jpg\n"
                                 "bingmap/19/0000003.jpg,streetview/panos/0000003.jpg\n"
                                 "bingmap/19/0000001.jpg,streetview/panos/0000001.jpg\n");
    put("splits/val-19zl.csv",
        "bingmap/19/0000004.jpg,streetview/panos/0000004.jpg,streetview/annotations/0000004.png\r\n");
    if (places != NULL) put(places, "10,20,10.5,20.5,7\n11,21,11.5,21.5,7\n12,22,12.5,22.5,7\n13,23,13.5,23.5\n");
}

static void test_cvusa(void **state)
{
    static const char *const places[] = {"split_locations/all.csv", "all.csv", NULL};
    for (int i = 0; i < 3; i++) {
        put_cvusa(places[i]);
        struct dataset *d = open_folder(NULL);
        assert_string_equal(d->format, "CVUSA");
        assert_string_equal(d->test_name, "val");
        assert_true(d->train.query_count == 2 && d->train.tile_count == 2 && d->test.query_count == 1);
        assert_true(d->left_out == 1 && !d->undivided);
        expect_path(d->missing, "panos/0000003.jpg");
        const struct query *q = &d->train.queries[0];
        assert_string_equal(q->id, "0000002");
        expect_path(q->path, "streetview/panos/0000002.jpg");
        expect_path(d->train.tiles[q->tile].path, "bingmap/19/0000002.jpg");
        assert_true(q->heading == 0);
        if (places[i] == NULL) {
            assert_true(isnan(q->lat) && isnan(d->test.tiles[0].lon));
            assert_non_null(strstr(d->note, "places are not known"));
        } else {
            assert_true(q->lat == 11.5 && q->lon == 21.5 && d->train.tiles[q->tile].lat == 11);
            assert_true(d->test.queries[0].lon == 23.5 && d->test.tiles[0].lon == 23);
            assert_string_equal(d->note, "");
        }
        assert_true(fabs(d->elevation[1] - d->elevation[0] - 65.4545) < 1e-3 && d->elevation[0] == -d->elevation[1]);
        assert_true(d->ground_m > 150 && d->ground_m < 200);
        dataset_free(d);
        clear_folder(state);
    }
}

static void test_cvusa_that_lies(void **state)
{
    (void)state;
    put_cvusa("all.csv");
    static const struct {
        const char *name, *text, *words;
    } cases[] = {
        {"splits/val-19zl.csv", "bingmap/19/0000004.jpg\n", "splits/val-19zl.csv, line 1: it has one field"},
        {"splits/val-19zl.csv", "a,b,c,d\n", "splits/val-19zl.csv, line 1: it has more than the 3 fields"},
        {"splits/val-19zl.csv", "\n../a,b,c\n", "splits/val-19zl.csv, line 2: '../a' leads out of"},
        {"splits/val-19zl.csv", "a,0000005.jpg\n", "line 1: image 5 is beyond the 4 lines of all.csv"},
        {"splits/val-19zl.csv", "a,\n", "line 1: a picture's name is empty"},
        {"all.csv", "1,2,3\n", "all.csv, line 1: it has 3 of the four or five fields"},
        {"all.csv", "1,2,3,4\n\n1,2,3,4\n", "all.csv, line 2: it is empty"},
        {"all.csv", "1,2,3,north\n", "all.csv, line 1: \"north\" is not a number"},
        {"all.csv", "1,2,3,4\n1,2,3,181\n1,2,3,4\n1,2,3,4\n", "line 1: latitude 3, longitude 181 is no place on Earth"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_cvusa("all.csv");
        put(cases[i].name, cases[i].text);
        expect_refused(GVM_FORMAT, NULL, cases[i].words);
    }
    put_cvusa("all.csv");
    expect_refused(GVM_ARGUMENT, &(struct dataset_options){.test = "test"}, "a CVUSA data set's test split is val");
}

/* ------------------------------------------------------------------ CVACT */

enum { PICTURES = 5, ID_LENGTH = 22 };

static const char *const ids[PICTURES] = {"2-6Pro9zN1qOxbFSTigfAg", "EFcX7D8xMiXIrWwznx225Q", "cSsY4Js1I4eYNdAgcmKxzg",
                                          "________________-----4", "5555555555555555555555"};

static const double places[PICTURES][2] = {
    {-35.2809, 149.13}, {-35.4, 149.0}, {-35.15, 149.3}, {-35.281, 149.13}, {-35.3, 149.1}};

/* Forward, by Krueger's series to the fourth order in n (1912; as in Karney, J. Geodesy 85, 2011, eq. 7 to 11), which
 * is good to less than a micrometre here: the reader's way back is another's code. */
static void to_utm55(double *easting, double *northing, double lat, double lon)
{
    const double pi = 3.14159265358979323846, a = 6378137, f = 1 / 298.257223563, n = f / (2 - f);
    const double alpha[] = {n / 2 - 2 * n * n / 3 + 5 * n * n * n / 16 + 41 * pow(n, 4) / 180,
                            13 * n * n / 48 - 3 * n * n * n / 5 + 557 * pow(n, 4) / 1440,
                            61 * n * n * n / 240 - 103 * pow(n, 4) / 140, 49561 * pow(n, 4) / 161280};
    double A = a / (1 + n) * (1 + n * n / 4 + pow(n, 4) / 64), e = sqrt(f * (2 - f));
    double phi = lat * pi / 180, lambda = (lon - 147) * pi / 180;
    double tau = tan(phi), sigma = sinh(e * atanh(e * tau / sqrt(1 + tau * tau)));
    double t = tau * sqrt(1 + sigma * sigma) - sigma * sqrt(1 + tau * tau);
    double xi = atan2(t, cos(lambda)), eta = asinh(sin(lambda) / sqrt(t * t + cos(lambda) * cos(lambda)));
    double x = eta, y = xi;
    for (int j = 1; j <= 4; j++) {
        x += alpha[j - 1] * cos(2 * j * xi) * sinh(2 * j * eta);
        y += alpha[j - 1] * sin(2 * j * xi) * cosh(2 * j * eta);
    }
    *easting = 500000 + 0.9996 * A * x;
    *northing = 10000000 + 0.9996 * A * y;
}

struct mat {
    bool cells;        /* names in cells rather than in a matrix */
    bool hdf;          /* version 7.3 */
    bool packed;       /* by zlib */
    const char *odd;   /* in place of the second name */
    double odd_index;  /* in place of the first of valSetAll, if not 0 */
    size_t utm_rows;   /* 0: as many as pictures */
    const char *lacks; /* variable that is left out */
};

static void write_var(mat_t *mat, matvar_t *var, const struct mat *m)
{
    assert_non_null(var);
    if (m->lacks == NULL || strcmp(m->lacks, var->name) != 0)
        assert_int_equal(Mat_VarWrite(mat, var, m->packed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE), 0);
    Mat_VarFree(var);
}

static void write_names(mat_t *mat, const struct mat *m)
{
    char columns[PICTURES * ID_LENGTH];
    matvar_t *cells[PICTURES + 1] = {NULL};
    for (size_t i = 0; i < PICTURES; i++) {
        const char *id = i == 1 && m->odd != NULL ? m->odd : ids[i];
        for (size_t c = 0; c < ID_LENGTH; c++) columns[i + c * PICTURES] = c < strlen(id) ? id[c] : ' ';
        size_t size[2] = {1, strlen(id)};
        if (m->cells) cells[i] = Mat_VarCreate(NULL, MAT_C_CHAR, MAT_T_UINT8, 2, size, (void *)id, 0);
    }
    size_t matrix[2] = {PICTURES, ID_LENGTH}, list[2] = {PICTURES, 1};
    write_var(mat,
              m->cells ? Mat_VarCreate("panoIds", MAT_C_CELL, MAT_T_CELL, 2, list, cells, 0)
                       : Mat_VarCreate("panoIds", MAT_C_CHAR, MAT_T_UINT8, 2, matrix, columns, 0),
              m);
}

static void write_indices(mat_t *mat, const char *set, const char *field, const double *indices, size_t count,
                          const struct mat *m)
{
    size_t size[2] = {count, 1}, one[2] = {1, 1};
    matvar_t *fields[] = {Mat_VarCreate(field, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, size, (void *)indices, 0), NULL};
    write_var(mat, Mat_VarCreate(set, MAT_C_STRUCT, MAT_T_STRUCT, 2, one, fields, 0), m);
}

static void write_mat(const struct mat *m)
{
    remove(in_folder("ACT_data.mat"));
    mat_t *mat = Mat_CreateVer(in_folder("ACT_data.mat"), NULL, m->hdf ? MAT_FT_MAT73 : MAT_FT_MAT5);
    assert_non_null(mat);
    write_names(mat, m);
    double utm[2 * PICTURES];
    for (int i = 0; i < PICTURES; i++) to_utm55(&utm[i], &utm[i + PICTURES], places[i][0], places[i][1]);
    size_t size[2] = {m->utm_rows > 0 ? m->utm_rows : PICTURES, 2};
    write_var(mat, Mat_VarCreate("utm", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, size, utm, 0), m);
    write_indices(mat, "trainSet", "trainInd", (double[]){3, 1}, 2, m);
    write_indices(mat, "valSet", "valInd", (double[]){2, 5}, 2, m);
    write_indices(mat, "valSetAll", "valInd", (double[]){m->odd_index != 0 ? m->odd_index : 1, 2, 4, 5}, 4, m);
    Mat_Close(mat);
}

static void put_cvact(const char *folder, int from, int to)
{
    char name[200];
    for (int i = from; i < to; i++) {
        snprintf(name, sizeof name, "%sstreetview/%s_grdView.jpg", folder, ids[i]);
        put_picture(name);
        snprintf(name, sizeof name, "%ssatview_polish/%s_satView_polish.jpg", folder, ids[i]);
        put_picture(name);
    }
}

static void expect_cvact(const struct split *split, const int *pictures, int count)
{
    assert_int_equal(split->query_count, count);
    assert_int_equal(split->tile_count, count);
    for (int i = 0; i < count; i++) {
        const struct query *q = &split->queries[i];
        const struct tile *t = &split->tiles[q->tile];
        const double *at = places[pictures[i]];
        assert_string_equal(q->id, ids[pictures[i]]);
        assert_non_null(strstr(q->path, ids[pictures[i]]));
        assert_non_null(strstr(t->path, ids[pictures[i]]));
        assert_true(fabs(q->lat - at[0]) < 1e-9 && fabs(q->lon - at[1]) < 1e-9); /* a tenth of a millimetre */
        assert_true(t->lat == q->lat && t->lon == q->lon && q->heading == 0);
    }
}

static void test_cvact(void **state)
{
    static const struct mat kinds[] = {{.cells = false}, {.cells = true}, {.packed = true}, {.hdf = true}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        put_cvact("ANU_data_small/", 0, 4); /* not the fifth */
        put_cvact("ANU_data_test/", 0, 5);
        write_mat(&kinds[k]);
        struct dataset *d = open_folder(NULL);
        assert_string_equal(d->format, "CVACT");
        assert_string_equal(d->test_name, "val");
        expect_cvact(&d->train, (int[]){2, 0}, 2);
        expect_cvact(&d->test, (int[]){1}, 1);
        assert_true(d->left_out == 1 && d->hit_m == 0 && d->ground_m == 144);
        assert_true(d->elevation[0] == -45 && d->elevation[1] == 45);
        assert_non_null(strstr(d->test.queries[0].path, "ANU_data_small/streetview/"));
        dataset_free(d);
        d = open_folder(&(struct dataset_options){.test = "test"});
        expect_cvact(&d->test, (int[]){0, 1, 3, 4}, 4);
        assert_true(d->left_out == 0 && d->hit_m == 5);
        assert_non_null(strstr(d->test.tiles[0].path, "ANU_data_test/satview_polish/"));
        dataset_free(d);
        clear_folder(state);
    }
    put_cvact("", 0, 5); /* without the folders of the archives */
    write_mat(&kinds[0]);
    struct dataset *d = open_folder(NULL);
    expect_cvact(&d->test, (int[]){1, 4}, 2);
    dataset_free(d);
}

static void test_cvact_that_lies(void **state)
{
    (void)state;
    static const struct {
        struct mat mat;
        const char *words;
    } cases[] = {
        {{.lacks = "panoIds"}, "ACT_data.mat: it has no list of names `panoIds`"},
        {{.lacks = "utm"}, "`utm` is not an easting and a northing for each of the 5 panoIds"},
        {{.utm_rows = 4}, "`utm` is not an easting and a northing for each of the 5 panoIds"},
        {{.lacks = "trainSet"}, "it has no list of numbers `trainSet.trainInd`"},
        {{.lacks = "valSetAll"}, "it has no list of numbers `valSetAll.valInd`"},
        {{.odd_index = -1}, "ACT_data.mat, valSetAll.valInd, number 1: -1 is not one of the 5 panoIds"},
        {{.odd_index = 6}, "valSetAll.valInd, number 1: 6 is not one of the 5 panoIds"},
        {{.odd_index = 1.5}, "number 1: 1.5 is not one of"},
        {{.odd_index = NAN}, "number 1: nan is not one of"},
        {{.odd_index = 1e300}, "number 1: 1e+300 is not one of"},
        {{.odd = "../../etc"}, "ACT_data.mat, panoIds 2: it is not the name of a picture"},
        {{.odd = "../../etc", .cells = true}, "panoIds 2: it is not the name of a picture"},
        {{.odd = ""}, "panoIds 2: it is not the name of a picture"},
        {{.odd = "two words"}, "panoIds 2: it is not the name of a picture"},
        {{.odd = "tab\there"}, "panoIds 2: it is not the name of a picture"},
    };
    put_cvact("ANU_data_small/", 0, 5);
    put_cvact("ANU_data_test/", 0, 5);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_mat(&cases[i].mat);
        expect_refused(GVM_FORMAT, &(struct dataset_options){.test = "test"}, cases[i].words);
    }
    put("ACT_data.mat", "");
    expect_refused(GVM_FORMAT, NULL, "ACT_data.mat: the file is empty");
    char noise[4096];
    for (size_t i = 0; i < sizeof noise - 1; i++) noise[i] = (char)('a' + i * i % 23);
    noise[sizeof noise - 1] = '\0';
    put("ACT_data.mat", noise);
    expect_refused(GVM_FORMAT, NULL, "ACT_data.mat: it");
    for (int hdf = 0; hdf < 2; hdf++) { /* cut short: a sentence, or what was whole */
        struct stat info;
        write_mat(&(struct mat){.hdf = hdf});
        assert_int_equal(stat(in_folder("ACT_data.mat"), &info), 0);
        for (off_t size = info.st_size - 8; size > 0; size -= hdf ? 997 : 97) {
            struct dataset *d;
            gvm_error err = {""};
            assert_int_equal(truncate(in_folder("ACT_data.mat"), size), 0);
            if (dataset_open(&d, in_folder(""), NULL, &err) != GVM_OK) assert_true(err.text[0] != '\0');
            dataset_free(d);
        }
    }
}

/* ------------------------------------------------------------------ VIGOR */

static const char *const cities[] = {"NewYork", "Seattle", "SanFrancisco", "Chicago"};

static const char *const tiles[] = {"satellite_40.70_-73.99.png", "satellite_40.71_-73.99.png",
                                    "satellite_40.70_-73.98.png", "satellite_40.71_-73.98.png",
                                    "satellite_40.72_-73.97.png"};

static const char gallery[] = "satellite_40.70_-73.99.png\nsatellite_40.71_-73.99.png\r\nsatellite_40.70_-73.98.png\n"
                              "satellite_40.71_-73.98.png\nsatellite_40.72_-73.97.png\n";

/* Labels of one panorama with the tiles first, first + 1, ... of the gallery. */
static const char *vigor_line(const char *panorama, int first)
{
    static char line[600];
    int n = snprintf(line, sizeof line, "%s", panorama);
    for (int i = 0; i < 4; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, " %s %.1f -141.0", tiles[(first + i) % 5], -71.0 + i);
    snprintf(line + n, sizeof line - (size_t)n, "\r\n");
    return line;
}

static void put_vigor_city(const char *city, const char *folder, const char *suffix, bool by_view)
{
    char name[200];
    static const char *const lists[] = {"same_area_balanced_train", "same_area_balanced_test", "pano_label_balanced"};
    snprintf(name, sizeof name, "%s/%s/satellite_list.txt", folder, city);
    put(name, gallery);
    for (int i = 0; i < 3; i++) {
        char lines[1200], panorama[60];
        snprintf(panorama, sizeof panorama, "-x_%d,40.705,-73.985,.jpg", i);
        snprintf(lines, sizeof lines, "%s", vigor_line(panorama, i));
        snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%s", vigor_line("gone,40.705,-73.985,.jpg", 0));
        snprintf(name, sizeof name, "%s/%s/%s%s.txt", folder, city, lists[i], suffix);
        put(name, lines);
        snprintf(name, sizeof name, "%s/%s/%s", by_view ? "ground" : city, by_view ? city : "panorama", panorama);
        put_picture(name);
    }
    for (int i = 0; i < 4; i++) { /* not the fifth */
        snprintf(name, sizeof name, "%s/%s/%s", by_view ? "satellite" : city, by_view ? city : "satellite", tiles[i]);
        put_picture(name);
    }
}

static void expect_vigor_query(const struct split *split, int i, const char *id, int tile, int near_count)
{
    const struct query *q = &split->queries[i];
    assert_string_equal(q->id, id);
    assert_true(q->lat == 40.705 && q->lon == -73.985 && q->heading == 0);
    expect_path(split->tiles[q->tile].path, tiles[tile]);
    assert_int_equal(q->near_count, near_count);
    for (int k = 0, next = tile + 1; k < near_count; k++, next++) {
        if (next == 4) next++; /* is not there */
        expect_path(split->tiles[q->near[k]].path, tiles[next % 5]);
    }
}

static void test_vigor(void **state)
{
    for (int layout = 0; layout < 2; layout++) {
        for (int c = 0; c < 4; c++) put_vigor_city(cities[c], "splits", layout ? "" : "__corrected", layout);
        struct dataset *d = open_folder(NULL);
        assert_string_equal(d->format, "VIGOR");
        assert_string_equal(d->test_name, "same-area");
        assert_string_equal(d->note, "");
        assert_true(d->train.query_count == 4 && d->test.query_count == 4);
        assert_true(d->train.tile_count == 16 && d->test.tile_count == 16);
        assert_true(d->left_out == 8 && d->tiles_left_out == 8);
        for (int c = 0; c < 4; c++) {
            expect_vigor_query(&d->train, c, "-x_0", 0, 3);
            expect_vigor_query(&d->test, c, "-x_1", 1, 2); /* the last tile is not there */
            assert_non_null(strstr(d->test.queries[c].path, cities[c]));
            assert_int_equal(d->test.queries[c].tile, 4 * c + 1);
        }
        assert_true(d->train.tiles[1].lat == 40.71 && d->train.tiles[1].lon == -73.99);
        dataset_free(d);
        d = open_folder(&(struct dataset_options){.test = "cross-area"});
        assert_true(d->train.query_count == 2 && d->test.query_count == 2 && d->train.tile_count == 8);
        assert_non_null(strstr(d->train.queries[0].path, "NewYork"));
        assert_non_null(strstr(d->train.queries[1].path, "Seattle"));
        assert_non_null(strstr(d->test.queries[0].path, "SanFrancisco"));
        assert_non_null(strstr(d->test.tiles[7].path, "Chicago"));
        expect_vigor_query(&d->test, 1, "-x_2", 2, 2);
        dataset_free(d);
        clear_folder(state);
    }
}

/* The corrected labels come before the others, by their folder and by their name. */
static void test_vigor_corrected(void **state)
{
    (void)state;
    put_vigor_city("Chicago", "splits", "", false);
    put_vigor_city("Chicago", "splits", "__corrected", false);
    put("splits/Chicago/same_area_balanced_train.txt", "not looked at");
    struct dataset *d = open_folder(NULL);
    assert_true(d->train.query_count == 1 && d->train.tile_count == 4);
    assert_non_null(strstr(d->note, "has no labels of NewYork, Seattle, SanFrancisco"));
    dataset_free(d);
    put("splits__corrected/Chicago/satellite_list.txt", "satellite_40.70_-73.99.png");
    expect_refused(GVM_FILE, NULL, "splits__corrected/Chicago/same_area_balanced_train.txt: cannot open it");
}

static void test_vigor_that_lies(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *words;
    } cases[] = {
        {"satellite_list", "satellite_40.70_-73.99.png 3\n",
         "splits/Chicago/satellite_list.txt, line 1: it has 2 fields"},
        {"satellite_list", "\nsatellite_x_-73.99.png\n", "line 2: 'satellite_x_-73.99.png' does not tell its latitude"},
        {"satellite_list", "_.00\n", "line 1: '_.00' does not tell"},
        {"satellite_list", "satellite.png\n", "line 1: 'satellite.png' does not tell"},
        {"satellite_list", "../satellite_40.70_-73.99.png\n", "is not the name of a picture in Chicago/satellite"},
        {"satellite_list", "satellite_90.70_-73.99.png\n", "latitude 90.7, longitude -73.99 is no place on Earth"},
        {"same_area_balanced_test", "a,1,2,.jpg\n",
         "same_area_balanced_test.txt, line 1: it has 1 fields where there must be 13"},
        {"same_area_balanced_test", "a b c d e f g h i j k l m n\n", "line 1: it has more than the 13 fields"},
        {"same_area_balanced_test",
         "a,1,2,.jpg satellite_1_2.png 1 2 satellite_1_2.png 1 2 satellite_1_2.png 1 2 satellite_1_2.png 1 2\n",
         "line 1: the tile 'satellite_1_2.png' is not in the city's satellite_list.txt"},
        {"same_area_balanced_test",
         "a,1,.jpg satellite_1_2.png 1 2 satellite_1_2.png 1 2 satellite_1_2.png 1 2 satellite_1_2.png 1 2\n",
         "line 1: 'a,1,.jpg' does not tell its latitude"},
        {"same_area_balanced_test",
         "a,1,2,.jpg satellite_40.70_-73.99.png 1 2 satellite_40.70_-73.99.png x 2 t 1 2 t 1 2\n",
         "line 1: the offset \"x\" is not a number"},
        {"same_area_balanced_test", "../a,1,2,.jpg t 1 2 t 1 2 t 1 2 t 1 2\n",
         "line 1: '../a,1,2,.jpg' is not the name of a picture in Chicago/panorama"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[100];
        put_vigor_city("Chicago", "splits", "", false);
        snprintf(name, sizeof name, "splits/Chicago/%s.txt", cases[i].name);
        put(name, cases[i].text);
        expect_refused(GVM_FORMAT, NULL, cases[i].words);
    }
}

/* ------------------------------------------------------------------ long lists */

/* Reads a list of so many pairs twice; returns the seconds that the process computed for it. */
static double read_list(int lines)
{
    FILE *file = fopen(in_folder("pairs.csv"), "w");
    assert_non_null(file);
    fputs("id,street,aerial,lat,lon,split\n", file);
    for (int i = 0; i < lines; i++)
        fprintf(file, "%d,street/%d.png,aerial/%d.png,%.6f,%.6f,%s\n", i, i % 2 + 1, i, i * 1e-4, i * 1e-3,
                i % 10 == 0 ? "test" : "train");
    fclose(file);
    clock_t start = clock();
    struct dataset *d = open_folder(&(struct dataset_options){.as_listed = true});
    assert_int_equal(d->train.query_count, lines / 10 * 9);
    assert_int_equal(d->test.tile_count, lines / 10);
    dataset_free(d);
    d = open_folder(NULL); /* all but two are not there */
    assert_int_equal(d->left_out, lines - 2);
    dataset_free(d);
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* Time grows with the lines and not with their square: ten times the lines, ten times the time, or a hundred times. */
static void test_long_list(void **state)
{
    (void)state;
    put_pairs_pictures();
    double few = read_list(10000), many = read_list(100000);
    if (many > 40 * few) fail_msg("10,000 lines took %.2f s, 100,000 %.2f s", few, many);
}

/* ------------------------------------------------------------------ what was published */

static const char samples[] = "../shared/data";

static void link_sample(const char *name, const char *sample)
{
    char *target, path[200];
    snprintf(path, sizeof path, "%s/%s", samples, sample);
    target = realpath(path, NULL);
    if (target == NULL) skip();
    assert_int_equal(symlink(target, in_folder(name)), 0);
    free(target);
}

static struct dataset *open_sample(const char *name, const struct dataset_options *options)
{
    struct dataset *d;
    gvm_error err;
    char path[200];
    snprintf(path, sizeof path, "%s/%s", samples, name);
    if (access(path, R_OK) != 0) skip();
    if (dataset_open(&d, path, options, &err) != GVM_OK) fail_msg("%s", err.text);
    return d;
}

static void test_sample_pictures(void **state)
{
    (void)state;
    struct dataset *d = open_sample("cvusa", NULL);
    assert_true(d->test.query_count == 5 && d->test.tile_count == 5 && d->left_out == 0);
    expect_path(d->test.queries[4].path, "streetview/panos/0000005.jpg");
    expect_path(d->test.tiles[4].path, "bingmap/19/0000005.jpg");
    dataset_free(d);
    d = open_sample("london", NULL);
    assert_true(d->test.query_count == 10 && d->undivided && d->left_out == 0);
    assert_true(d->train.queries[0].lat == 51.5092003280479 && d->train.queries[0].heading == 12.11287879943848);
    dataset_free(d);
    link_sample("ANU_data_small", "cvact");
    write_mat(&(struct mat){.cells = false});
    d = open_folder(NULL);
    expect_cvact(&d->train, (int[]){2, 0}, 2);
    expect_cvact(&d->test, (int[]){1}, 1);
    dataset_free(d);
}

static void test_sample_labels(void **state)
{
    (void)state;
    const struct dataset_options as_listed = {.as_listed = true};
    mkdir(in_folder("splits"), 0777);
    link_sample("splits/val-19zl.csv", "labels/cvusa/val-19zl.csv");
    link_sample("all.csv", "labels/cvusa/all.csv");
    struct dataset *d = open_folder(&as_listed);
    assert_true(d->test.query_count == 8884 && d->test.tile_count == 8884);
    const struct query *q = &d->test.queries[0]; /* image 1227 is line 1227 of all.csv */
    assert_string_equal(q->id, "0001227");
    for (int i = 0; i < d->test.query_count; i++) {
        const struct query *each = &d->test.queries[i];
        const struct tile *t = &d->test.tiles[each->tile];
        assert_true(each->lat > 24 && each->lat < 65 && each->lon > -165 && each->lon < -66);
        assert_true(fabs(each->lat - t->lat) < 5e-4 && fabs(each->lon - t->lon) < 1e-3);
    }
    dataset_free(d);

    d = open_sample("vigor", &as_listed);
    assert_true(d->train.query_count == 2000 && d->test.query_count == 2000);
    assert_true(d->train.tile_count == 22308 && d->test.tile_count == 22308);
    q = &d->train.queries[0];
    assert_string_equal(q->id, "KcuqJn_PuuZq3GERzhqG5Q");
    assert_true(q->lat == 41.854423 && q->lon == -87.682638 && q->near_count == 3);
    expect_path(d->train.tiles[q->tile].path, "satellite_41.8543505796211_-87.68282621216503.png");
    expect_path(d->train.tiles[q->near[2]].path, "satellite_41.85467865207374_-87.68238562277327.png");
    for (int i = 0; i < 2000; i++) { /* the positive's middle half shows the place */
        const struct tile *t = &d->test.tiles[d->test.queries[i].tile];
        assert_true(fabs(d->test.queries[i].lat - t->lat) * 111195 < 19);
    }
    dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_pairs, clear_folder),
        cmocka_unit_test_teardown(test_pairs_splits, clear_folder),
        cmocka_unit_test_teardown(test_pairs_that_lie, clear_folder),
        cmocka_unit_test_teardown(test_cvusa, clear_folder),
        cmocka_unit_test_teardown(test_cvusa_that_lies, clear_folder),
        cmocka_unit_test_teardown(test_cvact, clear_folder),
        cmocka_unit_test_teardown(test_cvact_that_lies, clear_folder),
        cmocka_unit_test_teardown(test_vigor, clear_folder),
        cmocka_unit_test_teardown(test_vigor_corrected, clear_folder),
        cmocka_unit_test_teardown(test_vigor_that_lies, clear_folder),
        cmocka_unit_test_teardown(test_long_list, clear_folder),
        cmocka_unit_test_teardown(test_sample_pictures, clear_folder),
        cmocka_unit_test_teardown(test_sample_labels, clear_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
