/* folder_support.c - see folder_support.h */
#include "folder_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[PATH_MAX - 300];

const char *in_folder(const char *name)
{
    static char paths[4][PATH_MAX];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

int make_folder(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    snprintf(folder, sizeof folder, "%s/geoviewmatch-test-XXXXXX", parent);
    return mkdtemp(folder) == NULL;
}

int empty_folder(void **state)
{
    (void)state;
    DIR *dir = opendir(folder);
    if (dir == NULL) return 1;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) remove(in_folder(e->d_name));
    return closedir(dir);
}

int remove_folder(void **state)
{
    empty_folder(state);
    return rmdir(folder);
}

int count_files(void)
{
    DIR *dir = opendir(folder);
    int n = -2; /* . and .. */
    assert_non_null(dir);
    while (readdir(dir) != NULL) n++;
    closedir(dir);
    return n;
}

void put_bytes(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void put_text(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}
