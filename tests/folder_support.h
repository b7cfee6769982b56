/* folder_support.h - a test's files: an empty folder of the run's own, gone at its end. */
#ifndef GVM_TESTS_FOLDER_SUPPORT_H
#define GVM_TESTS_FOLDER_SUPPORT_H

#include <stddef.h>

/* For cmocka: make_folder and remove_folder around a group of tests, empty_folder after one. */
int make_folder(void **state);
int remove_folder(void **state);
int empty_folder(void **state);

/* The path of a name in it; good until the fourth call from here. "" is the folder's own, with a slash behind. */
const char *in_folder(const char *name);

/* How many files it holds. */
int count_files(void);

void put_bytes(const char *name, const void *bytes, size_t size);
void put_text(const char *name, const char *text);

#endif
