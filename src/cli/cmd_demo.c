/* cmd_demo.c - the whole job on the built-in weights: a town that they never saw, a map of it, where panoramas in it
 * were taken. It runs the commands that a user would type, and shows them. */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cli.h"
#include "map/map_file.h"

static const char help[] =
    "usage: geoviewmatch demo [options]\n"
    "\n"
    "Draws a town that the built-in weights never saw, as an orthophoto and 30 street panoramas; makes a map of the\n"
    "orthophoto; locates the panoramas in it, with the errors in metres; and writes a report with pictures. Takes\n"
    "about a minute on two cores.\n"
    "\n"
    "  --out DIR             folder for all of it, new or empty (default: geoviewmatch-demo)\n"
    "  --seed S              another town (default: 2024)\n"
    "  --force               write over what the folder holds\n" COMMON_HELP;

enum { WORDS = 24 };

struct arguments {
    struct common common;
    const char *out, *seed;
    bool force;
};

/* Run a command as if it had been typed: its words, ended by NULL. */
static int type(int (*command)(int argc, char **argv), const struct arguments *a, char **words)
{
    int count = 0;
    printf("$ geoviewmatch");
    for (; words[count] != NULL; count++) {
        putchar(' ');
        print_text(words[count]);
    }
    putchar('\n');
    fflush(stdout);
    if (a->common.quiet) words[count++] = "--quiet";
    words[count] = NULL;
    optind = 0; /* getopt begins anew */
    int status = command(count, words);
    putchar('\n');
    fflush(stdout);
    return status;
}

static int run(const struct arguments *a, char *ortho, char *map, char *photos, char *street, char *report)
{
    char *world[WORDS] = {"world",
                          "--ortho",
                          "--out",
                          (char *)a->out,
                          "--pairs",
                          "30",
                          "--metres",
                          "800",
                          "--turn",
                          "yes",
                          "--seed",
                          (char *)a->seed,
                          a->force ? "--force" : NULL};
    char *index[WORDS] = {"index", "--raster", ortho, "--out", map};
    char *locate[WORDS] = {"locate",   "--index", map,        "--known", photos,
                           "--format", "lines",   "--report", report,    street};
    int status = type(cmd_world, a, world);
    if (status == DONE) status = type(cmd_index, a, index);
    if (status == DONE) status = type(cmd_locate, a, locate);
    if (status != DONE) return status;
    print_text(report);
    printf("/index.html shows each panorama with its best tiles; answers.geojson opens in QGIS, as ");
    print_text(map);
    printf(
        " does.\n"
        "With your own orthophoto and panoramas:\n\n"
        "  geoviewmatch index --raster ORTHOPHOTO.tif --out MAP.gpkg\n"
        "  geoviewmatch locate --index MAP.gpkg PANORAMA.jpg\n\n"
        "The built-in weights learned on drawn towns and are small: on real pictures expect little of them, and train\n"
        "your own (`geoviewmatch train --help`).\n");
    return DONE;
}

static int demo(const struct arguments *a)
{
    gchar *ortho = g_strdup_printf("%s/ortho.tif", a->out), *map = g_strdup_printf("%s/map.gpkg", a->out);
    gchar *features = g_strdup_printf("%s/map.features", a->out), *street = g_strdup_printf("%s/street", a->out);
    gchar *report = g_strdup_printf("%s/report", a->out), *photos = g_strdup_printf("%s/photos.csv", a->out);
    int status = DONE;
    gvm_error err;
    if (a->force && map_file_unlink(map, &err) != GVM_OK) status = failed(&err);
    if (a->force && status == DONE && unlink(features) != 0 && errno != ENOENT) {
        fail_errno(&err, "replace", features);
        status = failed(&err);
    }
    if (status == DONE) status = run(a, ortho, map, photos, street, report);
    g_free(ortho);
    g_free(map);
    g_free(features);
    g_free(street);
    g_free(report);
    g_free(photos);
    return status;
}

int cmd_demo(int argc, char **argv)
{
    static const struct option options[] = {{"out", required_argument, NULL, 'o'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"force", no_argument, NULL, 'f'},
                                            COMMON_OPTIONS};
    struct arguments a = {.common = {.name = "demo", .help = help}, .out = "geoviewmatch-demo", .seed = "2024"};
    int status;
    for (int c; (c = next_option(argc, argv, options)) != -1;) switch (c) {
        case 'o': a.out = optarg; break;
        case 's': a.seed = optarg; break;
        case 'f': a.force = true; break;
        default:
            if ((status = common_option(&a.common, c, argv)) != GO_ON) return status;
        }
    if (optind < argc) return usage_error("demo", "'%s' is one argument too many", argv[optind]);
    return demo(&a);
}
