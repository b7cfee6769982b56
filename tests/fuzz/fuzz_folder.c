/* fuzz_folder.c - lines as what lies in a folder of web-map tiles and the folders in it, or, behind '<' or '{', any
 * bytes as what the folder says of itself. Places that are found are on the Earth, and their tiles of one zoom. */
#include <dirent.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "imagery/imagery_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((visibility("default"))) const char *__asan_default_options(void);

/* So that GDAL's name is in the stacks of its own leaks (tests/suppressions.txt). */
const char *__asan_default_options(void)
{
    return "fast_unwind_on_malloc=0";
}

/* The same lines in each folder that is opened, so far as there are any left. */
static const char *text;
static struct file_map description;
static int opened;
static bool inside; /* else it is libFuzzer that asks */

DIR *__wrap_opendir(const char *path);
DIR *__real_opendir(const char *path);
struct dirent *__wrap_readdir(DIR *dir);
struct dirent *__real_readdir(DIR *dir);
int __wrap_closedir(DIR *dir);
int __real_closedir(DIR *dir);
int __wrap_access(const char *path, int mode);
gvm_status __wrap_file_map(struct file_map *map, const char *path, gvm_error *err);
void __wrap_file_unmap(struct file_map *map);

DIR *__wrap_opendir(const char *path)
{
    if (!inside) return __real_opendir(path);
    const char **place = opened++ < 64 ? malloc(sizeof *place) : NULL;
    if (place != NULL) *place = text;
    return (DIR *)place;
}

struct dirent *__wrap_readdir(DIR *dir)
{
    static struct dirent entry;
    if (!inside) return __real_readdir(dir);
    const char **place = (const char **)dir;
    size_t length = strcspn(*place, "\n"), name = length < sizeof entry.d_name ? length : sizeof entry.d_name - 1;
    if (**place == '\0') return NULL;
    memcpy(entry.d_name, *place, name);
    entry.d_name[name] = '\0';
    *place += length + ((*place)[length] == '\n');
    return &entry;
}

int __wrap_closedir(DIR *dir)
{
    if (!inside) return __real_closedir(dir);
    free(dir);
    return 0;
}

int __wrap_access(const char *path, int mode)
{
    (void)path, (void)mode;
    return description.data[0] == '<' ? 0 : -1;
}

gvm_status __wrap_file_map(struct file_map *map, const char *path, gvm_error *err)
{
    (void)path, (void)err;
    *map = description;
    return GVM_OK;
}

void __wrap_file_unmap(struct file_map *map)
{
    *map = (struct file_map){0};
}

static void walk(bool tms)
{
    struct place *places;
    struct names names = {0};
    size_t count;
    gvm_error err = {""};
    if (xyz_list(&places, &count, &names, "folder", tms, 50, &err) == GVM_OK) {
        if (count == 0) abort();
        for (size_t i = 0; i < count; i++) {
            const struct place *p = &places[i];
            if (!(fabs(p->lat) < 90 && fabs(p->lon) <= 180 && p->metres > 0 && p->metres < 1e8)) abort();
            if (strncmp(p->source, "folder/", 7) != 0 || !(p->box[0] < p->box[2] && p->box[1] < p->box[3])) abort();
        }
    } else if (strncmp(err.text, "folder", 6) != 0) {
        abort();
    }
    free(places);
    names_free(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gvm_error err = {""};
    bool tms;
    if (size < 1) return -1;
    opened = 0;
    if (data[0] == '<' || data[0] == '{') {
        description = (struct file_map){data, size};
        gvm_status status = tms_find(&tms, "folder", &err);
        if (status == GVM_OK ? (data[0] == '<' && !tms) : strncmp(err.text, "folder", 6) != 0) abort();
        return 0;
    }
    char *lines = calloc(size, 1);
    if (lines == NULL) abort();
    memcpy(lines, data + 1, size - 1);
    text = lines;
    inside = true;
    walk(data[0] == 't');
    inside = false;
    free(lines);
    return 0;
}
