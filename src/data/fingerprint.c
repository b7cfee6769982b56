/* fingerprint.c - whether a data set is the one that it was (dataset.h). */
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "data/cache_file.h"
#include "data/dataset.h"

static uint64_t hash_picture(uint64_t h, const char *path, const char *root)
{
    struct stat st;
    size_t n = strlen(root);
    int64_t size = stat(path, &st) == 0 ? st.st_size : -1;
    if (strncmp(path, root, n) == 0) path += n;
    while (*path == '/') path++; /* the root may have been given with one behind it */
    h = hash_bytes(h, path, strlen(path));
    return hash_bytes(h, &size, sizeof size);
}

/* Not a number has many bit patterns. */
static uint64_t hash_number(uint64_t h, double number)
{
    if (isnan(number)) number = (double)NAN;
    return hash_bytes(h, &number, sizeof number);
}

static uint64_t hash_split(uint64_t h, const struct split *split, const char *root)
{
    for (int i = 0; i < split->tile_count; i++) {
        const struct tile *t = &split->tiles[i];
        h = hash_number(hash_number(hash_picture(h, t->path, root), t->lat), t->lon);
    }
    for (int i = 0; i < split->query_count; i++) {
        const struct query *q = &split->queries[i];
        h = hash_number(hash_number(hash_picture(h, q->path, root), q->lat), q->lon);
        h = hash_number(h, q->heading);
        h = hash_bytes(h, &q->tile, sizeof q->tile);
        h = hash_bytes(h, q->near, (size_t)q->near_count * sizeof q->near[0]);
    }
    return hash_bytes(h, (int[]){split->tile_count, split->query_count}, 2 * sizeof(int));
}

uint64_t dataset_fingerprint(const struct dataset *dataset)
{
    uint64_t h = hash_split(1, &dataset->train, dataset->root);
    h = hash_split(h, &dataset->test, dataset->root);
    return h != 0 ? h : 1;
}
