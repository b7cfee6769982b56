/* fuzz_vrt.c - any bytes as a VRT, and as the .aux.xml beside a raster, that name further files: a device among them is
 * found, and the search ends. */
#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "raster/gdal.h"
#include "raster/raster_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((visibility("default"))) const char *__asan_default_options(void);

/* So that GDAL's name is in the stacks of its own leaks (tests/suppressions.txt). */
const char *__asan_default_options(void)
{
    return "fast_unwind_on_malloc=0";
}

static struct file_map input;
static int looked;  /* at a device */
static bool inside; /* else it is libFuzzer that asks */

int __wrap_stat(const char *path, struct stat *st);
int __real_stat(const char *path, struct stat *st);
DIR *__wrap_opendir(const char *path);
DIR *__real_opendir(const char *path);
gvm_status __wrap_file_map(struct file_map *map, const char *path, gvm_error *err);
void __wrap_file_unmap(struct file_map *map);

/* A path with "pipe" in it is one, these two are files, and nothing else is there. */
int __wrap_stat(const char *path, struct stat *st)
{
    bool pipe = strstr(path, "pipe") != NULL;
    if (!inside) return __real_stat(path, st);
    if (!pipe && strcmp(path, "folder/file") != 0 && strcmp(path, "/file") != 0) return -1;
    looked += pipe;
    st->st_mode = pipe ? S_IFIFO : S_IFREG;
    return 0;
}

DIR *__wrap_opendir(const char *path)
{
    return inside ? NULL : __real_opendir(path);
}

gvm_status __wrap_file_map(struct file_map *map, const char *path, gvm_error *err)
{
    (void)path, (void)err;
    *map = input;
    return GVM_OK;
}

void __wrap_file_unmap(struct file_map *map)
{
    *map = (struct file_map){0};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gdal_words words;
    gvm_error err = {""};
    if (size == 0) return -1;
    input = (struct file_map){data, size};
    looked = 0;
    inside = true;
    gdal_listen(&words);
    gvm_status status = raster_check_files("folder/file.vrt", "input", &err);
    gdal_ignore();
    inside = false;
    if ((status == GVM_OK) != (looked == 0) || (status == GVM_OK) != (err.text[0] == '\0')) abort();
    return 0;
}
