/* test_dataset_cvact.c - the reader of CVACT, and published label files of all formats, if they are beside the
 * repository */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <matio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/dataset.h"
#include "dataset_support.h"
#include "folder_support.h"

/* ------------------------------------------------------------------ CVACT */

enum { PICTURES = 5, ID_LENGTH = 22 };

static const char *const ids[PICTURES] = {"2-6Pro9zN1qOxbFSTigfAg", "EFcX7D8xMiXIrWwznx225Q", "cSsY4Js1I4eYNdAgcmKxzg",
                                          "________________-----4", "5555555555555555555555"};

static const double places[PICTURES][2] = {
    {-35.2809, 149.13}, {-35.4, 149.0}, {-35.15, 149.3}, {-35.281, 149.13}, {-35.3, 149.1}};

/* Krueger's series to the fourth order in n (1912; as in Karney, J. Geodesy 85, 2011, eq. 7 to 11), accurate to less
 * than a micrometre here. The reader's inverse is independent code. */
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
    bool cells;        /* names in cells instead of a matrix */
    bool hdf;          /* version 7.3 */
    bool packed;       /* by zlib */
    const char *odd;   /* instead of the second name */
    double odd_index;  /* instead of the first of valSetAll, if not 0 */
    size_t utm_rows;   /* 0: one for each picture */
    const char *lacks; /* name of a variable to leave out */
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
    put_cvact("", 0, 5); /* without the archives' folders */
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
        {{.lacks = "utm"}, "`utm` does not have an easting and a northing for each of the 5 panoIds"},
        {{.utm_rows = 4}, "`utm` does not have an easting and a northing for each of the 5 panoIds"},
        {{.lacks = "trainSet"}, "it has no list of numbers `trainSet.trainInd`"},
        {{.lacks = "valSetAll"}, "it has no list of numbers `valSetAll.valInd`"},
        {{.odd_index = -1}, "ACT_data.mat, valSetAll.valInd, number 1: -1 is out of range for 5 panoIds"},
        {{.odd_index = 6}, "valSetAll.valInd, number 1: 6 is out of range for 5 panoIds"},
        {{.odd_index = 1.5}, "number 1: 1.5 is out of range"},
        {{.odd_index = NAN}, "number 1: nan is out of range"},
        {{.odd_index = 1e300}, "number 1: 1e+300 is out of range"},
        {{.odd = "../../etc"}, "ACT_data.mat, panoIds 2: it is not a picture's name"},
        {{.odd = "../../etc", .cells = true}, "panoIds 2: it is not a picture's name"},
        {{.odd = ""}, "panoIds 2: it is not a picture's name"},
        {{.odd = "two words"}, "panoIds 2: it is not a picture's name"},
        {{.odd = "tab\there"}, "panoIds 2: it is not a picture's name"},
    };
    put_cvact("ANU_data_small/", 0, 5);
    put_cvact("ANU_data_test/", 0, 5);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_mat(&cases[i].mat);
        expect_refused(GVM_FORMAT, &(struct dataset_options){.test = "test"}, cases[i].words);
    }
    put_deep("ACT_data.mat", "");
    expect_refused(GVM_FORMAT, NULL, "ACT_data.mat: the file is empty");
    char noise[4096];
    for (size_t i = 0; i < sizeof noise - 1; i++) noise[i] = (char)('a' + i * i % 23);
    noise[sizeof noise - 1] = '\0';
    put_deep("ACT_data.mat", noise);
    expect_refused(GVM_FORMAT, NULL, "ACT_data.mat: it");
    for (int hdf = 0; hdf < 2; hdf++) { /* truncated: an error, or the complete part */
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

/* A word of the file changed here and there: an error, or valid labels. Not for version 7.3, because HDF5 itself, at
 * least up to 1.10, crashes on some. */
static void test_cvact_edited(void **state)
{
    (void)state;
    static const struct mat kinds[] = {{.cells = false}, {.cells = true}, {.packed = true}};
    static const uint32_t values[] = {0, 1, 6, 0xffffff, 0x8000000};
    static char bytes[1 << 16];
    put_cvact("ANU_data_small/", 0, 5);
    put_cvact("ANU_data_test/", 0, 5);
    for (int k = 0; k < 3; k++) {
        write_mat(&kinds[k]);
        FILE *file = fopen(in_folder("ACT_data.mat"), "rb");
        assert_non_null(file);
        size_t n = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        for (size_t at = 124, turn = 0; at + 4 <= n; at += 8, turn++) {
            struct dataset *d;
            gvm_error err = {""};
            file = fopen(in_folder("ACT_data.mat"), "wb");
            assert_non_null(file);
            assert_int_equal(fwrite(bytes, 1, at, file), at);
            assert_int_equal(fwrite(&values[(turn + 4 * (size_t)k) % 5], 1, 4, file), 4);
            assert_int_equal(fwrite(bytes + at + 4, 1, n - at - 4, file), n - at - 4);
            fclose(file);
            if (dataset_open(&d, in_folder(""), NULL, &err) != GVM_OK) assert_true(err.text[0] != '\0');
            dataset_free(d);
        }
    }
}

/* ------------------------------------------------------------------ published files */

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
    const struct query *q = &d->test.queries[0]; /* image 1227 is on line 1227 of all.csv */
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
    for (int i = 0; i < 2000; i++) { /* the middle half of a positive shows the position */
        const struct tile *t = &d->test.tiles[d->test.queries[i].tile];
        assert_true(fabs(d->test.queries[i].lat - t->lat) * 111195 < 19);
    }
    dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_cvact, clear_folder),
        cmocka_unit_test_teardown(test_cvact_that_lies, clear_folder),
        cmocka_unit_test_teardown(test_cvact_edited, clear_folder),
        cmocka_unit_test_teardown(test_sample_pictures, clear_folder),
        cmocka_unit_test_teardown(test_sample_labels, clear_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
