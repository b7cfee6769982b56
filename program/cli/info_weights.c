/* info_weights.c - what a network is, for `info`. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/info.h"
#include "cli/network_facts.h"
#include "network/checkpoint.h"
#include "network/config_file.h"

struct facts {
    const struct network *network;
    char fingerprint[17];
    struct counts counts[2]; /* of a street and of an aerial picture */
    char warning[200];       /* empty: none */
};

static json_t *json_counts(const struct counts *c)
{
    return json_pack("{sI,sI,sI,sI,sI,sI}", "all", (json_int_t)counts_all(c), "paper", (json_int_t)counts_paper(c),
                     "linear", (json_int_t)c->linear, "position_bias", (json_int_t)c->bias, "qkv", (json_int_t)c->qkv,
                     "attention", (json_int_t)c->attention);
}

static int print_weights_json(const char *path, const struct facts *f)
{
    const struct counts *s = &f->counts[GVM_STREET], *a = &f->counts[GVM_AERIAL];
    char *config = config_json(&f->network->config);
    json_t *json = json_pack("{so,ss,ss,sI,si,so*,s{so,so,sI,sI}}", "file", json_text(path), "kind", "weights",
                             "fingerprint", f->fingerprint, "parameters", (json_int_t)network_parameters(f->network),
                             "features", f->network->views[GVM_STREET].features, "config",
                             config ? json_loads(config, 0, NULL) : NULL, "multiply_adds", "street", json_counts(s),
                             "aerial", json_counts(a), "pair", (json_int_t)(counts_all(s) + counts_all(a)),
                             "pair_paper", (json_int_t)(counts_paper(s) + counts_paper(a)));
    free(config);
    if (f->warning[0] != '\0') json_object_set_new(json, "warning", json_text(f->warning));
    return json_print(json);
}

static int print_weights(const char *path, const struct facts *f)
{
    const struct counts *s = &f->counts[GVM_STREET], *a = &f->counts[GVM_AERIAL];
    struct fact lines[MAX_FACTS];
    int count = network_facts(lines, f->network);
    print_text(path);
    printf(": GeoViewMatch weights\n  fingerprint    %s\n", f->fingerprint);
    for (int i = 0; i < count; i++) printf("  %-14s %s\n", lines[i].label, lines[i].text);
    printf("  multiply-adds  street %.3f G, aerial %.3f G, a pair %.3f G\n", 1e-9 * (double)counts_all(s),
           1e-9 * (double)counts_all(a), 1e-9 * (double)(counts_all(s) + counts_all(a)));
    printf("  paper's way    %.3f G a pair (without queries, keys, values and attention)\n",
           1e-9 * (double)(counts_paper(s) + counts_paper(a)));
    if (f->warning[0] != '\0') printf("  warning        %s\n", f->warning);
    return DONE;
}

int info_weights(const char *file, bool json)
{
    const char *path = file != NULL ? file : "nano";
    struct network *network;
    struct facts f = {0};
    gvm_error err;
    gvm_status status = checkpoint_load(&network, file, false, &err);
    if (status != GVM_OK) return failed(&err);
    f.network = network;
    network_fingerprint(f.fingerprint, network);
    network_warning(f.warning, sizeof f.warning, network);
    for (int v = 0; v < 2 && status == GVM_OK; v++) status = network_counts(&f.counts[v], network, v, &err);
    int end = status != GVM_OK ? failed(&err) : json ? print_weights_json(path, &f) : print_weights(path, &f);
    network_free(network);
    return end;
}
