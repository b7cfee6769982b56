/* cmd_check.c - finds the faults of a data set before training. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "cli/cli.h"
#include "data/check.h"

enum { EXAMPLES = 3 /* of each finding in the summary */ };

static const char *const titles[FAULTS] = {"missing",       "unreadable",   "mis-sized",         "doubled",
                                           "in two splits", "out of range", "positions disagree"};

/* ------------------------------------------------------------------ the list */

#define LIST_HEADER "finding,split,id,file,detail"

static gvm_status write_list(struct file_writer *w, const struct findings *findings, gvm_error *err)
{
    FILE *out = w->stream;
    fputs(LIST_HEADER "\n", out);
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *f = &findings->items[i];
        const char *const row[] = {fault_names[f->fault], f->split, f->id, f->path, f->detail};
        for (int k = 0; k < 5; k++) {
            if (k > 0) fputc(',', out);
            csv_write(out, row[k]);
        }
        fputc('\n', out);
    }
    return file_writer_commit(w, err);
}

/* ------------------------------------------------------------------ the summary */

static json_t *json_split(const struct split *split)
{
    return json_pack("{si,si}", "pairs", split->query_count, "tiles", split->tile_count);
}

static int print_json(const struct dataset *d, const struct findings *findings)
{
    json_t *of = json_object();
    for (int i = 0; i < FAULTS; i++) json_put(&of, fault_names[i], json_integer((json_int_t)findings->of[i]));
    json_t *json = json_pack("{so,ss,sf,s[f,f],ss,so,so,sb,sI,so,sI,sI}", "data", json_text(d->root), "format",
                             d->format, "ground_m", d->ground_m, "elevation", d->elevation[0], d->elevation[1],
                             "test_split", d->test_name, "train", json_split(&d->train), "test", json_split(&d->test),
                             "undivided", d->undivided, "pictures", (json_int_t)findings->pictures, "findings", of,
                             "found", (json_int_t)findings->count, "harmless", (json_int_t)findings->harmless);
    if (d->note[0] != '\0') json_put(&json, "note", json_text(d->note));
    if (d->rasters) json_put(&json, "rasters", json_integer((json_int_t)g_strv_length(d->rasters)));
    return json_print(json);
}

static void print_split(const char *name, const struct split *split)
{
    printf("  %-20s %d pairs, %d tiles\n", name, split->query_count, split->tile_count);
}

static void print_examples(const struct findings *findings, enum fault fault)
{
    int shown = 0;
    for (size_t i = 0; i < findings->count && shown < EXAMPLES; i++) {
        const struct finding *f = &findings->items[i];
        if (f->fault != fault) continue;
        print_line("    %s: %s", f->path, f->detail);
        shown++;
    }
    if (findings->of[fault] > EXAMPLES) printf("    ... and %zu more\n", findings->of[fault] - EXAMPLES);
}

static void print_summary(const struct dataset *d, const struct findings *findings)
{
    char test[40];
    if (d->rasters)
        print_line("%s: %s, cells of %g m, %u raster%s", d->root, d->format, d->ground_m, g_strv_length(d->rasters),
                   d->rasters[1] ? "s" : "");
    else
        print_line("%s: %s, %g m of ground, elevations %.4g to %.4g degrees", d->root, d->format, d->ground_m,
                   d->elevation[0], d->elevation[1]);
    snprintf(test, sizeof test, "test (%s)", d->test_name);
    if (d->undivided) {
        print_split("all", &d->train);
    } else {
        print_split("train", &d->train);
        print_split(test, &d->test);
    }
    if (d->note[0] != '\0') printf("  note                 %s\n", d->note);
    printf("  pictures             %zu\n", findings->pictures);
    for (int i = 0; i < FAULTS; i++) {
        printf("  %-20s %zu\n", titles[i], findings->of[i]);
        print_examples(findings, (enum fault)i);
        if (i == FAULT_MISSING && findings->harmless > 0)
            printf("    not an error: %s's labels list pictures that were not published; their pairs are left out\n",
                   d->format);
    }
}

/* ------------------------------------------------------------------ the command */

static void show_progress(void *user, size_t done, size_t total)
{
    progress_show(user, "check", "pictures", done, total);
}

struct arguments {
    struct common common;
    struct dataset_options wanted;
    const char *data, *list;
    bool json, force;
};

static int check(void *arguments)
{
    struct arguments *a = arguments;
    static const struct output_kind findings_kind = {"a list of findings", .start = LIST_HEADER};
    struct dataset *dataset = NULL;
    struct findings findings = {0};
    struct file_writer writer = {0};
    struct progress progress = {.quiet = a->common.quiet};
    FILE *list;
    gvm_error err;
    int end = DONE;
    a->wanted.as_listed = true;
    gvm_status status = a->list != NULL ? output_check(a->list, &findings_kind, a->force, &a->data, 1, &err) : GVM_OK;
    if (status == GVM_OK) status = dataset_open(&dataset, a->data, &a->wanted, &err);
    if (status == GVM_OK && a->list != NULL)
        status = file_writer_stream(&list, &writer, a->list, &err); /* before the work */
    if (status == GVM_OK) status = dataset_check(&findings, dataset, show_progress, &progress, &err);
    progress_end(&progress);
    if (status == GVM_OK && a->list != NULL) status = write_list(&writer, &findings, &err);
    if (status != GVM_OK)
        end = failed(&err);
    else if (a->json)
        end = print_json(dataset, &findings);
    else
        print_summary(dataset, &findings);
    if (findings.count > findings.harmless) end = FAILED;
    file_writer_abort(&writer);
    findings_free(&findings);
    dataset_free(dataset);
    return end;
}

static const struct option_row rows[] = {
    {"data", OPTION_TEXT, AT(data), "FOLDER", .needed = true, .help = "the data set"},
    {"format", OPTION_TEXT, AT(wanted.format), "NAME",
     .help = "CVUSA, CVACT, VIGOR, pairs or photos (default: detected from the folder's contents)"},
    {"test", OPTION_TEXT, AT(wanted.test), "NAME",
     .help = "test split: val; CVACT, pairs, photos: val or test; VIGOR: same-area or cross-area"},
    {"imagery", OPTION_TEXT, AT(wanted.imagery), "PATH",
     .help = "photos: a raster, or a folder of rasters (default: imagery/ in FOLDER, else FOLDER itself)"},
    {"ground", OPTION_DOUBLE, AT(wanted.ground_m), "M", 1, 1e5, .takes = "metres",
     .help = "ground size of an aerial picture, metres, by default the format's (pairs: 64, photos: a cell of 30)"},
    {"list", OPTION_TEXT, AT(list), "FILE.csv",
     .help = "write all findings to this file: finding, split, id, file, detail"},
    {"force", OPTION_FLAG, AT(force), .help = "overwrite an existing file"},
    {"json", OPTION_FLAG, AT(json), .help = "print the summary as JSON"},
    {0},
};

const struct command check_command = {
    .name = "check",
    .summary = "find the faults of a data set before training",
    .usage = "--data FOLDER [--list FILE.csv] [options]",
    .about =
        "Reads a data set's labels and every picture they list, and reports what would harm training or evaluation. "
        "CVUSA, CVACT and VIGOR are read in their original layout. Your own pairs need a pairs.csv with the header "
        "id,street,aerial,lat,lon[,heading][,split][,aerial_lat,aerial_lon]. Photos, for weights that take cells of "
        "several zooms, need a photos.csv with the header image,lat,lon[,heading][,split][,id], and rasters in "
        "imagery/ that each photo's cell is cut from. The exit status is 1 if there are findings. Missing pictures of "
        "CVACT count only if they are more than 5% of all, because its labels list some that were never published.\n"
        "\n"
        "missing\tfiles that do not exist; their pairs are left out\n"
        "unreadable\tpictures that cannot be decoded, street pictures that are not full panoramas\n"
        "mis-sized\tpictures whose size or shape differs from the others\n"
        "doubled\tthe same content, or the same file, at two places\n"
        "in two splits\tstreet pictures and ids in both the training and the test split\n"
        "out of range\tinvalid latitudes and longitudes\n"
        "positions disagree\tstreet pictures taken outside their aerial picture, photos taken outside all rasters",
    .rows = rows,
    .examples = "  geoviewmatch check --data CVUSA\n"
                "  geoviewmatch check --data mine --list found.csv    mine/pairs.csv: id,street,aerial,lat,lon\n",
    .size = sizeof(struct arguments),
    .run = check,
};
