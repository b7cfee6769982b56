/* cmd_import.c - converts published weights. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "cli/cli.h"
#include "network/checkpoint.h"
#include "network/family.h"
#include "network/import.h"

enum { MAX_SAID = 200 /* bytes of --source and --licence */ };

struct arguments {
    struct common common;
    const char *as, *source, *licence, *out;
    bool f16, force;
};

static const struct option_row rows[] = {
    {"as", OPTION_TEXT, AT(as), "NAME", .words = family_preset,
     .help = "preset of the weights, if the tensors do not identify it: the data set they were trained on"},
    {"source", OPTION_TEXT, AT(source), "TEXT", .help = "origin of the file, shown by `info`"},
    {"licence", OPTION_TEXT, AT(licence), "TEXT", .standard = "not stated",
     .help = "licence stated by its authors, shown by `info`"},
    {"float16", OPTION_FLAG, AT(f16), .help = "write float16: half the size, 3 significant digits"},
    {"out", OPTION_TEXT, AT(out), "W.safetensors", .needed = true,
     .help = "output file, written completely or not at all"},
    {"force", OPTION_FLAG, AT(force), .help = "overwrite an existing file"},
    {0},
};

/* "weights_e40.pth (Sample4Geo), from TEXT" */
static void set_origin(struct origin *origin, const struct arguments *a, const char *family)
{
    g_autofree char *base = g_path_get_basename(a->common.operands[0]);
    g_autofree char *name = g_utf8_make_valid(base, -1);
    g_snprintf(origin->source, sizeof origin->source, "%.255s (%s)%s%s", name, family, a->source ? ", from " : "",
               a->source ? a->source : "");
    if (!g_utf8_validate(origin->source, -1, NULL)) /* a long name, truncated within a character */
        g_snprintf(origin->source, sizeof origin->source, "%s", family);
    g_snprintf(origin->licence, sizeof origin->licence, "%s", a->licence);
}

static bool is_said(const char *text)
{
    return text == NULL || (strlen(text) <= MAX_SAID && g_utf8_validate(text, -1, NULL));
}

static int import(void *arguments)
{
    const struct arguments *a = arguments;
    const char *path = a->common.operands[0];
    struct network *network = NULL;
    struct imported imported;
    char fingerprint[17];
    gvm_error err;
    if (!is_said(a->source) || !is_said(a->licence))
        return usage_error("import", "--source and --licence take UTF-8 of at most %d bytes", MAX_SAID);
    if (output_check(a->out, &output_weights, a->force, &path, 1, &err) != GVM_OK) return failed(&err);
    gvm_status status = network_import(&network, &imported, path, a->as, &err);
    if (status != GVM_OK) return failed(&err);
    set_origin(&network->origin, a, imported.family);
    if (!network_fingerprint(fingerprint, network))
        status = fail(&err, GVM_MEMORY, "%s: out of memory for its fingerprint", a->out);
    if (status == GVM_OK) status = checkpoint_save(network, a->out, a->f16, &err);
    if (status == GVM_OK) {
        print_line("%s: %s, as %s: %zu tensors, %llu numbers, all used", path, imported.family, imported.preset,
                   imported.tensors, (unsigned long long)imported.numbers);
        print_line("%s: %zu parameters, fingerprint %s", a->out, network_parameters(network), fingerprint);
        struct fact facts[MAX_FACTS];
        for (int i = 0, count = network_facts(facts, network); i < count; i++)
            printf("  %-14s %s\n", facts[i].label, facts[i].text);
        print_line("  %-14s %s", "source", network->origin.source);
        print_line("  %-14s %s", "licence", network->origin.licence);
    }
    network_free(network);
    return status == GVM_OK ? DONE : failed(&err);
}

const struct command import_command = {
    .name = "import",
    .summary = "convert published weights of statewide, Sample4Geo and FRGeo",
    .usage = "FILE --out W.safetensors [--as NAME] [options]",
    .about = "Converts published weights to GeoViewMatch's format. The authors' file, safetensors or PyTorch's .pth "
             "and .pth.tar, is recognised by the names and shapes of its tensors and written with the configuration "
             "that `locate`, `index` and `train --init` need. Missing and extra tensors are errors. A .pth file is a "
             "pickle, which can run code when PyTorch loads it. Here only its tensors are read, no code is run, and a "
             "file that calls anything else is refused.",
    .rows = rows,
    .operand = "file",
    .least = 1,
    .most = 1,
    .examples = "  geoviewmatch import last.safetensors --out statewide.safetensors\n"
                "  geoviewmatch import weights_e40_0.7786.pth --as sample4geo-vigor --out vigor.safetensors\n"
                "  geoviewmatch import model_best.pth.tar --as frgeo-cvact --licence 'none stated' --out "
                "frgeo.safetensors\n",
    .size = sizeof(struct arguments),
    .run = import,
};
