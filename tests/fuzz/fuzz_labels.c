/* fuzz_labels.c - any bytes as one of a data set's label files, chosen by the first byte; a lower-case letter means
 * that some pictures are missing. Accepted labels must have tiles in range and paths inside the folder. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/dataset.h"
#include "data/labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The files that there are, in memory: path, and what lies there as long as nothing else does. */
enum { FILES = 6, OTHERS = 1 };

static const char good_pair[] = "i,1,2,.jpg satellite_1.0_2.0.png 1 2 satellite_1.1_2.0.png 1 2 "
                                "satellite_1.0_2.0.png 1 2 satellite_1.0_2.0.png 1 2\n";

static struct entry {
    const char *path, *good;
    const uint8_t *data;
    size_t size;
} files[FILES + OTHERS] = {
    {"pairs/pairs.csv", "id,street,aerial,lat,lon\n1,s,a,1,2\n", NULL, 0},
    {"cvusa/splits/val-19zl.csv", "a/1.jpg,s/1.jpg\n", NULL, 0},
    {"cvusa/all.csv", "1,2,1,2,0\n", NULL, 0},
    {"vigor/splits/Chicago/satellite_list.txt", "satellite_1.0_2.0.png\nsatellite_1.1_2.0.png\n", NULL, 0},
    {"vigor/splits/Chicago/same_area_balanced_test.txt", good_pair, NULL, 0},
    {"photo/photos.csv", "image,lat,lon\np,1,2\n", NULL, 0},
    {"vigor/splits/Chicago/same_area_balanced_train.txt", good_pair, NULL, 0}};

gvm_status __wrap_file_map(struct file_map *map, const char *path, gvm_error *err);
void __wrap_file_unmap(struct file_map *map);
bool __wrap_is_there(const char *root, const char *name);
int __wrap_access(const char *path, int mode);

gvm_status __wrap_file_map(struct file_map *map, const char *path, gvm_error *err)
{
    (void)err;
    for (int i = 0; i < FILES + OTHERS; i++) {
        const struct entry *f = &files[i];
        if (strcmp(f->path, path) != 0) continue;
        map->data = f->data != NULL ? f->data : (const uint8_t *)f->good;
        map->size = f->data != NULL ? f->size : strlen(f->good);
        return GVM_OK;
    }
    abort();
}

void __wrap_file_unmap(struct file_map *map)
{
    *map = (struct file_map){0};
}

bool __wrap_is_there(const char *root, const char *name)
{
    size_t n = strlen(root), length = strlen(name);
    for (int i = 0; i < FILES + OTHERS; i++) {
        const char *path = files[i].path;
        if (strncmp(path, root, n) != 0 || path[n] != '/' || strncmp(path + n + 1, name, length) != 0) continue;
        if (path[n + 1 + length] == '/' || path[n + 1 + length] == '\0') return true;
    }
    return false;
}

/* Of pictures. */
int __wrap_access(const char *path, int mode)
{
    (void)mode;
    return strchr(path, 'x') != NULL ? -1 : 0;
}

static void check(const struct split *split, const char *root, bool cells)
{
    for (int i = 0; i < split->query_count; i++) {
        const struct query *q = &split->queries[i];
        if (q->tile < 0 || q->tile >= split->tile_count || q->near_count < 0 || q->near_count > MAX_NEAR) abort();
        for (int k = 0; k < q->near_count; k++)
            if (q->near[k] < 0 || q->near[k] >= split->tile_count) abort();
        if (strncmp(q->path, root, strlen(root)) != 0 || strstr(q->path, "/../") != NULL) abort();
        if (isnan(q->lat) != isnan(q->lon) || isinf(q->lat) || isinf(q->lon) || fabs(q->heading) > 360) abort();
    }
    for (int i = 0; i < split->tile_count; i++)
        if (strncmp(split->tiles[i].path, cells ? "cell " : root, cells ? 5 : strlen(root)) != 0 &&
            strcmp(split->tiles[i].path, "no cell") != 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char names[] = "012345abcdef";
    struct dataset *dataset;
    gvm_error err = {""};
    char root[6];
    const char *letter = size < 2 || data[0] == '\0' ? NULL : strchr(names, data[0]);
    if (letter == NULL) return -1;
    struct entry *file = &files[(letter - names) % FILES];
    memcpy(root, file->path, 5);
    root[5] = '\0';
    file->data = data + 1;
    file->size = size - 1;
    const struct dataset_options options = {.as_listed = letter - names < FILES,
                                            .imagery =
                                                file->path[0] == 'p' && file->path[1] == 'h' ? "/dev/null" : NULL};
    if (dataset_open(&dataset, root, &options, &err) == GVM_OK) {
        check(&dataset->train, root, dataset->rasters != NULL);
        check(&dataset->test, root, dataset->rasters != NULL);
    } else if (dataset != NULL || err.text[0] == '\0') {
        abort();
    }
    dataset_free(dataset);
    file->data = NULL;
    return 0;
}
