/* cmd_init.c - weights to begin with: the official initial values, perhaps with a backbone trained elsewhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "cli/cli.h"
#include "network/checkpoint.h"
#include "network/config_file.h"
#include "network/import.h"

static const char help[] =
    "usage: geoviewmatch init --preset nano|paper --out W.safetensors [options]\n"
    "       geoviewmatch init --config FILE.json --out W.safetensors [options]\n"
    "       geoviewmatch init --from W.safetensors|nano --out W.safetensors [--float16]\n"
    "\n"
    "Writes a network with fresh weights. They have learned nothing: what `locate` answers with them has no\n"
    "meaning, but everything runs as it will with trained ones. With --from it writes those of another file again.\n"
    "\n"
    "  --preset nano|paper   a small network (street 64 x 320, aerial 128 x 128), or the paper's (128 x 640, 256 x "
    "256)\n"
    "  --config FILE.json    any other: the JSON that `info --json` shows as `config`\n"
    "  --stages LIST         stages whose maps make the feature, as 4,3\n"
    "  --seed S              which weights are drawn, 0 or more (default: 1)\n"
    "  --backbone FILE       Swin V2 weights for both views, safetensors with the official names or timm's\n"
    "  --from FILE           the weights of this checkpoint, or the built-in ones (nano)\n"
    "  --float16             numbers of 16 bits: half the room, a thousandth of precision\n"
    "  --out W.safetensors   the file to write, whole or not at all\n"
    "  --force               write over another file\n" PLAIN_HELP;

struct arguments {
    struct common common;
    const char *preset, *config, *stages, *backbone, *from, *out;
    bool f16, force;
    long seed;
};

static int read_arguments(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {
        {"preset", required_argument, NULL, 'p'},   {"config", required_argument, NULL, 'c'},
        {"stages", required_argument, NULL, 's'},   {"seed", required_argument, NULL, 'n'},
        {"backbone", required_argument, NULL, 'b'}, {"from", required_argument, NULL, 'f'},
        {"float16", no_argument, NULL, 'h'},        {"force", no_argument, NULL, 'r'},
        {"out", required_argument, NULL, 'o'},      PLAIN_OPTIONS};
    const char *name = a->common.name;
    int status;
    for (int c; (c = next_option(argc, argv, options)) != -1;) {
        switch (c) {
        case 'p': a->preset = optarg; break;
        case 'c': a->config = optarg; break;
        case 's': a->stages = optarg; break;
        case 'b': a->backbone = optarg; break;
        case 'f': a->from = optarg; break;
        case 'h': a->f16 = true; break;
        case 'r': a->force = true; break;
        case 'o': a->out = optarg; break;
        case 'n':
            if (!read_long(&a->seed, optarg, 0, INT64_MAX))
                return usage_error(name, "--seed takes a whole number of 0 or more, not '%s'", optarg);
            break;
        default:
            if ((status = common_option(&a->common, c, argv)) != GO_ON) return status;
        }
    }
    if (optind < argc) return usage_error(name, "'%s' is one argument too many", argv[optind]);
    if ((a->preset != NULL) + (a->config != NULL) + (a->from != NULL) != 1)
        return usage_error(name, "one of --preset, --config and --from is needed");
    if (a->from != NULL && (a->stages != NULL || a->backbone != NULL))
        return usage_error(name, "--from is a whole network: --stages and --backbone do not go with it");
    if (a->out == NULL) return usage_error(name, "--out is missing");
    return GO_ON;
}

static gvm_status read_config(struct config *config, const char *path, gvm_error *err)
{
    struct file_map file;
    gvm_status status = file_map(&file, path, err);
    if (status != GVM_OK) return status;
    status = config_parse(config, (const char *)file.data, file.size, path_tail(path), err);
    file_unmap(&file);
    return status;
}

static int init(const struct arguments *a, const struct config *config)
{
    struct network *network;
    gvm_error err;
    gvm_status status = a->from != NULL ? checkpoint_load(&network, weights_path(a->from), false, &err)
                                        : network_open(&network, config, false, &err);
    if (status == GVM_OK && a->from == NULL) {
        network_fresh(network, (uint64_t)a->seed);
        if (a->backbone != NULL) status = backbone_load(network, a->backbone, &err);
    }
    if (status == GVM_OK) status = checkpoint_save(network, a->out, a->f16, &err);
    if (status == GVM_OK) {
        char fingerprint[17], warning[200];
        network_fingerprint(fingerprint, network);
        print_text(a->out);
        printf(": %zu parameters, fingerprint %s%s\n", network_parameters(network), fingerprint,
               a->from != NULL ? "" : "; these weights have learned nothing yet");
        if (network_warning(warning, sizeof warning, network)) fprintf(stderr, "geoviewmatch: warning: %s\n", warning);
    }
    network_free(network);
    return status == GVM_OK ? DONE : failed(&err);
}

int cmd_init(int argc, char **argv)
{
    struct arguments a = {.common = {.name = "init", .help = help}, .seed = 1};
    int end = read_arguments(&a, argc, argv);
    if (end != GO_ON) return end;
    struct config config;
    gvm_error err;
    const char *inputs[] = {a.from, a.config, a.backbone};
    if (output_check(a.out, &output_weights, a.force, inputs, 3, &err) != GVM_OK) return failed(&err);
    if (a.from != NULL) return init(&a, NULL);
    if (a.config != NULL) {
        if (read_config(&config, a.config, &err) != GVM_OK) return failed(&err);
    } else if (config_preset(&config, a.preset, &err) != GVM_OK) {
        return usage_error("init", "--preset: %s", err.text);
    }
    if (a.stages != NULL && config_set_stages(&config, "stages", a.stages, &err) != GVM_OK)
        return usage_error("init", "--stages '%s': %s", a.stages, err.text);
    if (a.stages != NULL && config_check(&config, "--stages", &err) != GVM_OK) return failed(&err);
    return init(&a, &config);
}
