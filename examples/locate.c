/* locate.c - where were these street pictures taken? With the library alone:
 *
 *     cc -o locate examples/locate.c $(pkg-config --cflags --libs geoviewmatch)
 *     ./locate nano map.gpkg photo.jpg...
 *
 * Weights: a file, or nano for those that are built in. The map: what `geoviewmatch index` made, or a list of tiles. */
#include <stdio.h>
#include <string.h>

#include <geoviewmatch.h>

enum { TOP = 3 };

/* With a smaller margin another place is almost as similar. Chosen on drawn towns: see gvm_found in the header. */
static const double LEAST_MARGIN = 0.05;

/* Called for each tile. A tile that cannot be used is left out of the map. */
static void tile_done(void *user, size_t index, size_t count, gvm_status status, const gvm_error *err)
{
    (void)user;
    if (status != GVM_OK) fprintf(stderr, "tile %zu of %zu: %s\n", index + 1, count, err->text);
}

/* 1 if the photo could not be located. */
static int locate(gvm_session *session, const gvm_map *map, const char *photo)
{
    gvm_hit hits[TOP];
    gvm_error err;
    int count;
    if (gvm_locate(session, map, photo, NULL, hits, TOP, &count, &err) != GVM_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    int weak = count > 1 && hits[0].score - hits[1].score < LEAST_MARGIN;
    printf("%s%s\n", photo, weak ? "  weak: another place is almost as similar" : "");
    for (int i = 0; i < count; i++) {
        printf("  %11.7f %12.7f  score %.4f", hits[i].lat, hits[i].lon, hits[i].score);
        if (hits[i].heading == hits[i].heading)
            printf("  heading %5.1f", hits[i].heading); /* NaN with weights for photos */
        printf("  %s\n", hits[i].tile);
    }
    return 0;
}

static gvm_status open_map(gvm_map **map, gvm_session *session, const gvm_model *model, const char *path,
                           gvm_error *err)
{
    size_t length = strlen(path);
    if (length > 4 && strcmp(path + length - 4, ".csv") == 0)
        return gvm_map_from_tiles(map, session, path, tile_done, NULL, err);
    return gvm_map_open(map, path, model, 0, err);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s WEIGHTS|nano MAP.gpkg|TILES.csv PHOTO...\n", argv[0]);
        return 2;
    }
    const char *weights = strcmp(argv[1], "nano") == 0 ? NULL : argv[1];
    gvm_model *model = NULL;
    gvm_session *session = NULL;
    gvm_map *map = NULL;
    gvm_error err;
    int status = 0;
    if (gvm_model_open(&model, weights, &err) != GVM_OK || gvm_session_open(&session, model, 16, &err) != GVM_OK ||
        open_map(&map, session, model, argv[2], &err) != GVM_OK) {
        fprintf(stderr, "%s\n", err.text);
        status = 1;
    }
    for (int i = 3; i < argc && map != NULL; i++)
        if (locate(session, map, argv[i]) != 0) status = 1;
    gvm_map_free(map);
    gvm_session_free(session);
    gvm_model_free(model);
    return status;
}
