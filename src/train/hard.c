/* hard.c - see hard.h. */
#include "train/hard.h"

#include <stdlib.h>

#include "base/error.h"
#include "data/sampler.h"
#include "train/evaluate.h"

enum { NONE = -1 };

/* Queries that share a tile, as lists: first[t], then next[q]. */
static void list_tiles(int *first, int *next, const struct split *split)
{
    for (int t = 0; t < split->tile_count; t++) first[t] = NONE;
    for (int q = split->query_count - 1; q >= 0; q--) {
        next[q] = first[split->queries[q].tile];
        first[split->queries[q].tile] = q;
    }
}

gvm_status hard_groups(int *sequence, int group, const int *nearest, int most, const struct split *split, uint64_t seed,
                       uint64_t epoch, gvm_error *err)
{
    int N = split->query_count, T = split->tile_count, count = 0;
    int *memory = malloc((3 * (size_t)N + (size_t)T + 1) * sizeof *memory);
    if (memory == NULL) return fail(err, GVM_MEMORY, "there is not enough memory to order %d queries", N);
    int *shuffled = memory, *next = shuffled + N, *placed = next + N, *first = placed + N;
    list_tiles(first, next, split);
    for (int q = 0; q < N; q++) {
        shuffled[q] = q;
        placed[q] = 0;
    }
    sampler_shuffle(shuffled, N, seed, epoch);
    for (int i = 0; i < N; i++) {
        int leader = shuffled[i], end = count + group;
        if (placed[leader]) continue;
        sequence[count++] = leader;
        placed[leader] = 1;
        for (int k = 0; k < most && count < end; k++)
            for (int q = first[nearest[(size_t)leader * most + k]]; q != NONE && count < end; q = next[q]) {
                if (placed[q]) continue;
                sequence[count++] = q;
                placed[q] = 1;
            }
    }
    free(memory);
    return GVM_OK;
}

gvm_status hard_sequence(int *sequence, bool *stopped, int group, const struct network *network,
                         const struct pictures *pictures, const struct split *split, uint64_t seed, uint64_t epoch,
                         features_progress *progress, void *user, gvm_error *err)
{
    int most = HARD_LOOKS * group < split->tile_count ? HARD_LOOKS * group : split->tile_count;
    struct features f;
    gvm_status status = features_embed(&f, stopped, network, pictures, split, progress, user, err);
    int *nearest = NULL;
    if (status == GVM_OK && !*stopped) {
        nearest = malloc((size_t)split->query_count * most * sizeof *nearest);
        struct retrieval task = {
            .queries = f.street, .gallery = f.aerial, .Q = split->query_count, .T = split->tile_count, .D = f.D};
        status = nearest ? find_nearest(nearest, most, &task, err)
                         : fail(err, GVM_MEMORY, "there is not enough memory to compare %d queries", task.Q);
        if (status == GVM_OK) status = hard_groups(sequence, group, nearest, most, split, seed, epoch, err);
    }
    free(nearest);
    features_free(&f);
    return status;
}
