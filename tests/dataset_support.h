/* dataset_support.h - folders of a data set, made by a test and read. */
#ifndef GVM_TESTS_DATASET_SUPPORT_H
#define GVM_TESTS_DATASET_SUPPORT_H

#include "data/dataset.h"
#include "folder_support.h"

/* A file in a folder of its own, which is made. */
void put_deep(const char *name, const char *text);

/* An empty file: readers look only whether a picture is there. */
void put_picture(const char *name);

/* For cmocka, after a test: all files and folders go. */
int clear_folder(void **state);

/* The data set in the test's folder, which must be good; and one that must not: its status, and words of its sentence.
 */
struct dataset *open_folder(const struct dataset_options *options);
void expect_refused(gvm_status want, const struct dataset_options *options, const char *words);

/* A path that ends in a name of the test's folder. */
void expect_path(const char *path, const char *name);

#endif
