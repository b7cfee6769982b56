/* dataset_support.c - see dataset_support.h */
#define _GNU_SOURCE /* nftw */
#include "dataset_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/dataset.h"
#include "folder_support.h"

void put_deep(const char *name, const char *text)
{
    char folder[300];
    for (const char *slash = name; (slash = strchr(slash, '/')) != NULL; slash++) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name);
        mkdir(in_folder(folder), 0777);
    }
    put_text(name, text);
}

void put_picture(const char *name)
{
    put_deep(name, "a picture, for all that a reader of labels knows");
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type;
    return at->level > 0 ? remove(path) : 0;
}

int clear_folder(void **state)
{
    (void)state;
    return nftw(in_folder(""), remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct dataset *open_folder(const struct dataset_options *options)
{
    struct dataset *d;
    gvm_error err;
    if (dataset_open(&d, in_folder(""), options, &err) != GVM_OK) fail_msg("%s", err.text);
    return d;
}

void expect_refused(gvm_status want, const struct dataset_options *options, const char *words)
{
    struct dataset *d = (struct dataset *)&d;
    gvm_error err = {""};
    gvm_status status = dataset_open(&d, in_folder(""), options, &err);
    if (status != want || strstr(err.text, words) == NULL)
        fail_msg("status %d, %s (wanted: %d, %s)", status, err.text, want, words);
    assert_null(d);
}

void expect_path(const char *path, const char *name)
{
    if (strcmp(path, in_folder(name)) != 0 && strstr(path, name) == NULL) fail_msg("%s is not %s", path, name);
    assert_string_equal(path + strlen(path) - strlen(name), name);
}
