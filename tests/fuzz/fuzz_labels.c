/* fuzz_labels.c - any bytes as one of a data set's label files; the first byte says which. What is accepted must have
 * its tiles in range and its paths in the folder. */
#define _GNU_SOURCE /* mkdtemp */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const files[] = {"pairs/pairs.csv",
                                    "cvusa/splits/val-19zl.csv",
                                    "cvusa/all.csv",
                                    "vigor/splits/Chicago/satellite_list.txt",
                                    "vigor/splits/Chicago/same_area_balanced_test.txt",
                                    "photo/photos.csv"};

static const char good_pair[] = "i,1,2,.jpg satellite_1.0_2.0.png 1 2 satellite_1.1_2.0.png 1 2 "
                                "satellite_1.0_2.0.png 1 2 satellite_1.0_2.0.png 1 2\n";

static const char *const good[] = {
    "id,street,aerial,lat,lon\n1,s,a,1,2\n",          "a/1.jpg,s/1.jpg\n", "1,2,1,2,0\n",
    "satellite_1.0_2.0.png\nsatellite_1.1_2.0.png\n", good_pair,           "image,lat,lon\np,1,2\n"};

enum { FILES = 6 };

static char folder[64];

static void put(int which, const void *data, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, files[which]);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) abort();
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0) fputs("the folder stays\n", stderr);
}

static void start(void)
{
    static const char *const folders[] = {
        "pairs", "cvusa", "cvusa/splits", "vigor", "vigor/splits", "vigor/splits/Chicago", "photo", "photo/imagery"};
    snprintf(folder, sizeof folder, "%s/geoviewmatch-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(folder) == NULL) abort();
    atexit(remove_folder);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
        mkdir(path, 0777);
    }
    for (int i = 0; i < FILES; i++) put(i, good[i], strlen(good[i]));
    static const char *const others[] = {"vigor/splits/Chicago/same_area_balanced_train.txt", "photo/imagery/a.tif"};
    for (int i = 0; i < 2; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, others[i]);
        FILE *file = fopen(path, "wb");
        if (file == NULL || fputs(good_pair, file) < 0 || fclose(file) != 0) abort();
    }
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
    struct dataset *dataset;
    gvm_error err = {""};
    char root[128];
    if (folder[0] == '\0') start();
    if (size < 2 || data[0] < '0' || data[0] >= '0' + FILES) return -1;
    int which = data[0] - '0';
    snprintf(root, sizeof root, "%s/%.5s", folder, files[which]);
    put(which, data + 1, size - 1);
    if (dataset_open(&dataset, root, &(struct dataset_options){.as_listed = true}, &err) == GVM_OK) {
        check(&dataset->train, root, dataset->rasters != NULL);
        check(&dataset->test, root, dataset->rasters != NULL);
    } else if (dataset != NULL || err.text[0] == '\0') {
        abort();
    }
    dataset_free(dataset);
    put(which, good[which], strlen(good[which]));
    return 0;
}
