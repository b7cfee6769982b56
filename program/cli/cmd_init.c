/* cmd_init.c - writes initial weights: the official initial values, optionally with a pretrained backbone. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "cli/cli.h"
#include "network/checkpoint.h"
#include "network/config_file.h"
#include "network/import.h"
#include "network/registry.h"

struct arguments {
    struct common common;
    const char *preset, *config, *stages, *backbone, *from, *out;
    bool f16, force;
    long seed;
};

static const struct option_row rows[] = {
    {"preset", OPTION_TEXT, AT(preset), "NAME", .words = preset_name,
     .help =
         "paper: the paper's network (street 128 x 640, aerial 256 x 256); nano: a small one (64 x 320, 128 x 128); "
         "nano-photo: nano for photos of any field of view"},
    {"config", OPTION_TEXT, AT(config), "FILE.json",
     .help = "another network: the JSON that `info --json` shows as `config`"},
    {"stages", OPTION_TEXT, AT(stages), "LIST", .help = "stages that the feature is computed from, for example 4,3"},
    {"seed", OPTION_LONG, AT(seed), "S", 0, INFINITY, "1", .help = "seed of the random weights"},
    {"backbone", OPTION_TEXT, AT(backbone), "FILE",
     .help = "pretrained backbone for both views, safetensors or PyTorch's .pth: Swin V2 with the official names or "
             "timm's, ConvNeXt with timm's or Facebook's"},
    {"from", OPTION_TEXT, AT(from), "FILE",
     .help = "copy the weights of this checkpoint, or the built-in ones (nano); with --preset or --config into that "
             "network, which may have more than the checkpoint's"},
    {"float16", OPTION_FLAG, AT(f16), .help = "write float16: half the size, 3 significant digits"},
    {"out", OPTION_TEXT, AT(out), "W.safetensors", .needed = true,
     .help = "output file, written completely or not at all"},
    {"force", OPTION_FLAG, AT(force), .help = "overwrite an existing file"},
    {0},
};

static gvm_status read_config(struct config *config, const char *path, gvm_error *err)
{
    struct file_map file;
    gvm_status status = file_map(&file, path, err);
    if (status != GVM_OK) return status;
    status = config_parse(config, (const char *)file.data, file.size, path_tail(path), err);
    file_unmap(&file);
    return status;
}

static int write_weights(const struct arguments *a, const struct config *config)
{
    struct network *network;
    gvm_error err;
    gvm_status status = a->from == NULL  ? network_open(&network, config, false, &err)
                        : config == NULL ? checkpoint_load(&network, weights_path(a->from), false, &err)
                                         : checkpoint_adapt(&network, config, weights_path(a->from), &err);
    if (status == GVM_OK && a->from == NULL) {
        network_fresh(network, (uint64_t)a->seed);
        if (a->backbone != NULL) status = backbone_load(network, a->backbone, &err);
    }
    char fingerprint[17], warning[200];
    if (status == GVM_OK && !network_fingerprint(fingerprint, network))
        status = fail(&err, GVM_MEMORY, "%s: out of memory for its fingerprint", a->out);
    if (status == GVM_OK) status = checkpoint_save(network, a->out, a->f16, &err);
    if (status == GVM_OK) {
        print_line("%s: %zu parameters, fingerprint %s%s", a->out, network_parameters(network), fingerprint,
                   a->from != NULL ? "" : "; these weights are untrained");
        struct fact facts[MAX_FACTS];
        for (int i = 0, count = network_facts(facts, network); i < count; i++)
            printf("  %-14s %s\n", facts[i].label, facts[i].text);
        if (network_warning(warning, sizeof warning, network)) fprintf(stderr, "geoviewmatch: warning: %s\n", warning);
    }
    network_free(network);
    return status == GVM_OK ? DONE : failed(&err);
}

static int init(void *arguments)
{
    const struct arguments *a = arguments;
    if (a->preset != NULL && a->config != NULL) return usage_error("init", "--preset and --config cannot be combined");
    if (a->preset == NULL && a->config == NULL && a->from == NULL)
        return usage_error("init", "--preset, --config or --from is required");
    if (a->from != NULL && (a->stages != NULL || a->backbone != NULL))
        return usage_error("init", "--from copies a whole network and cannot be combined with --stages or --backbone");
    struct config config;
    gvm_error err;
    const char *inputs[] = {a->from, a->config, a->backbone};
    if (output_check(a->out, &output_weights, a->force, inputs, 3, &err) != GVM_OK) return failed(&err);
    if (a->preset == NULL && a->config == NULL) return write_weights(a, NULL);
    gvm_status status = a->config ? read_config(&config, a->config, &err) : config_preset(&config, a->preset, &err);
    if (status != GVM_OK) return failed(&err);
    if (a->stages != NULL && config_set_stages(&config, "stages", a->stages, &err) != GVM_OK)
        return usage_error("init", "--%s", err.text);
    if (a->stages != NULL && config_check(&config, "--stages", &err) != GVM_OK) return failed(&err);
    return write_weights(a, &config);
}

const struct command init_command = {
    .name = "init",
    .summary = "write untrained weights, for experiments",
    .usage = "--preset NAME --out W.safetensors [options]\n"
             "--config FILE.json --out W.safetensors [options]\n"
             "--from W.safetensors|nano --out W.safetensors [--preset NAME|--config FILE.json] [--float16]",
    .about = "Writes a network with random, untrained weights. Answers of `locate` with them are meaningless, but "
             "everything runs as with trained ones. With --from it copies the weights of another file, also into a "
             "network that extends the file's: with --preset nano-photo for example those of nano, to be trained "
             "further on photos.",
    .rows = rows,
    .examples = "  geoviewmatch init --preset nano --out fresh.safetensors\n"
                "  geoviewmatch init --from run/best.safetensors --float16 --out small.safetensors\n"
                "  geoviewmatch init --from nano --preset nano-photo --out begin.safetensors\n",
    .size = sizeof(struct arguments),
    .run = init,
};
