/* folder_support.h - a test's files: a temporary folder, removed at the end */
#ifndef GVM_TESTS_FOLDER_SUPPORT_H
#define GVM_TESTS_FOLDER_SUPPORT_H

#include <stddef.h>

/* cmocka fixtures: make_folder and remove_folder for a group of tests, empty_folder after each test. */
int make_folder(void **state);
int remove_folder(void **state);
int empty_folder(void **state);

/* Path of a name in the folder, valid until the fourth following call. "" gives the folder itself, with a final slash.
 */
const char *in_folder(const char *name);

/* Number of files in it. */
int count_files(void);

void put_bytes(const char *name, const void *bytes, size_t size);
void put_text(const char *name, const char *text);

#endif
