/* dataset_support.h - folders of a data set, made by a test */
#ifndef GVM_TESTS_DATASET_SUPPORT_H
#define GVM_TESTS_DATASET_SUPPORT_H

#include "data/dataset.h"
#include "folder_support.h"

/* Write a file and create its folder. */
void put_deep(const char *name, const char *text);

/* Create an empty file: readers only check whether a picture exists. */
void put_picture(const char *name);

/* cmocka teardown: removes all files and folders. */
int clear_folder(void **state);

/* Open the data set in the test's folder, which must be valid; or expect a failure with this status and these words. */
struct dataset *open_folder(const struct dataset_options *options);
void expect_refused(gvm_status want, const struct dataset_options *options, const char *words);

/* Expects a path that ends in a name of the test's folder. */
void expect_path(const char *path, const char *name);

#endif
