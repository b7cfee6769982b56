/* examples.c - what stands at the end of each command's --help. */
#include <string.h>

#include "cli/cli.h"

static const struct examples {
    const char *name, *text;
} all[] = {
    {"demo", "  geoviewmatch demo                                  all of it, in the folder geoviewmatch-demo\n"
             "  geoviewmatch demo --out /tmp/town --seed 5         another town, elsewhere\n"},
    {"locate", "  geoviewmatch locate --index town.gpkg --report report photos/\n"
               "  geoviewmatch locate --index town.gpkg --near exif --within 200 --format csv photos/ > places.csv\n"
               "  geoviewmatch locate --index town.gpkg --known places.csv --heading find --format lines photos/\n"},
    {"serve", "  geoviewmatch serve --index town.gpkg               a page at http://127.0.0.1:8080/\n"
              "  geoviewmatch serve --index town.gpkg --bind 0.0.0.0 --host robot.local --token token.txt\n"},
    {"index", "  geoviewmatch index --raster orthophoto.tif --out town.gpkg\n"
              "  geoviewmatch index --raster sheets/*.tif --crs EPSG:25832 --out county.gpkg\n"
              "  geoviewmatch index --xyz tiles/ --out county.gpkg --add\n"},
    {"embed", "  geoviewmatch embed --view street --out street.safetensors photos/\n"
              "  geoviewmatch embed --view aerial --weights run --out tiles.safetensors tiles/\n"},
    {"heatmap", "  geoviewmatch heatmap --view street --out heat.png photo.jpg\n"
                "  geoviewmatch heatmap --side-by-side tile.png --out pair.png photo.jpg\n"},
    {"train", "  geoviewmatch train --data CVUSA --preset nano --batch 16 --out run      the small network, on a CPU\n"
              "  geoviewmatch train --data CVUSA --backbone swin.safetensors --device cuda --out run\n"
              "  geoviewmatch train --resume run                                         after Ctrl-C\n"},
    {"eval", "  geoviewmatch eval --data CVUSA --weights run       its best network\n"
             "  geoviewmatch eval --data VIGOR --test cross-area --weights run --gallery-picture best.png\n"},
    {"check", "  geoviewmatch check --data CVUSA\n"
              "  geoviewmatch check --data mine --list found.csv    mine/pairs.csv: id,street,aerial,lat,lon\n"},
    {"init", "  geoviewmatch init --preset nano --out fresh.safetensors\n"
             "  geoviewmatch init --from run/best.safetensors --float16 --out small.safetensors\n"},
    {"info", "  geoviewmatch info town.gpkg\n"
             "  geoviewmatch info run                              how far a training is\n"
             "  geoviewmatch info --json nano\n"},
    {"world", "  geoviewmatch world --out town --pairs 200          pairs to train with\n"
              "  geoviewmatch world --out town --ortho --pairs 30   an orthophoto and panoramas to locate in it\n"},
    {"bench", "  geoviewmatch bench --preset nano\n"
              "  geoviewmatch bench --learning --preset paper --batch 8\n"},
};

const char *examples_of(const char *command)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, command) == 0) return all[i].text;
    return "";
}
