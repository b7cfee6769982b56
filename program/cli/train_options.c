/* train_options.c - see train.h. Options saved in a run are in run_option_rows. */
#include "cli/train.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "network/config_file.h"
#include "network/registry.h"

const struct option_row train_rows[] = {
    {.type = OPTION_TITLE, .help = "The run:"},
    {"out", OPTION_TEXT, AT(out), "RUN",
     .help = "folder of the run; created, or an existing one without a run's files"},
    {"resume", OPTION_TEXT, AT(resume), "RUN",
     .help = "continue a run with its own options; if its data set or cache has moved, --data and --cache give the new "
             "location"},
    {"steps", OPTION_LONG, AT(steps), "K", 1, 1e12, "0", .or_zero = true,
     .help = "stop after K steps in all and save; 0: after all epochs"},
    {"save-minutes", OPTION_DOUBLE, AT(save_minutes), "M", 0, 1e5, "10", .help = "most minutes between two saves"},
    {"force", OPTION_FLAG, AT(force), .help = "start even if memory is insufficient"},
    {.type = OPTION_TITLE, .help = "The network:"},
    {"preset", OPTION_TEXT, AT(preset), "NAME", .words = preset_name, .standard = "paper", .help = "the network"},
    {"stages", OPTION_TEXT, AT(stages), "LIST", .help = "stages that the feature is computed from (default: 4,3)"},
    {"init", OPTION_TEXT, AT(init), "W",
     .help = "start from a checkpoint instead, or from the built-in one (nano); imported weights keep their picture "
             "format, and train at a tenth of the rates unless rates are given"},
    {"backbone", OPTION_TEXT, AT(backbone), "FILE",
     .help = "start from a pretrained backbone: Swin V2 with the official names or timm's, ConvNeXt with timm's or "
             "Facebook's"},
    {.type = OPTION_TITLE, .help = "Parts of the recipe:"},
    {"augment", OPTION_CHOICE, AT(augment), "paper|none", .standard = "paper",
     .help = "augment the pictures by the amounts below, or use them unchanged"},
    {"contrast", OPTION_YES, AT(contrast), "yes|no", .standard = "yes",
     .help = "loss between the two variants of an aerial picture"},
    {0},
};

static const float TUNING = 0.1f; /* of a method's rates, for fine-tuning */

static int choose_network(struct arguments *a)
{
    gvm_error err;
    gvm_status status = config_preset(&a->config, a->preset, &err);
    if (status == GVM_OK && a->stages && config_set_stages(&a->config, "stages", a->stages, &err) != GVM_OK)
        return usage_error(a->common.name, "--%s", err.text);
    if (status == GVM_OK) status = config_check(&a->config, "--stages", &err);
    if (status == GVM_MEMORY) return failed(&err);
    return status == GVM_OK ? GO_ON : usage_error(a->common.name, "%s", err.text);
}

static bool recommends(const struct method *method, const char *name)
{
    for (const struct setting *s = method->recipe; s->name; s++)
        if (strcmp(s->name, name) == 0) return true;
    return false;
}

gvm_status train_arguments_fit(const struct arguments *a, const struct config *c, gvm_error *err)
{
    static const char *const elevation[] = {"elevation", NULL}, *const around[] = {"around", NULL},
                             *const smoothing[] = {"smoothing", NULL}, *const contrast[] = {"contrast", NULL};
    static const char *const spin[] = {"spin", NULL};
    static const char *const of_pairs[] = {"ground-metres", "turn",          "jitter", "grey",  "blur",
                                           "mirror",        "street-jitter", "spin",   "inner", NULL};
    static const char *const of_views[] = {"panorama-weight", "view-weight", "agreement-weight",
                                           "contrast-weight", "tolerance",   NULL};
    const struct method *m = c->method;
    const bool cells = c->views[GVM_AERIAL].zoom_count > 0;
    const struct {
        const char *const *options;
        bool used;
        const char *why;
    } rules[] = {
        {elevation, c->views[GVM_STREET].projection == PROJECTION_PANORAMA,
         "takes photos, which have no elevation band"},
        {spin, c->views[GVM_STREET].projection == PROJECTION_PANORAMA, "takes pictures that are not full panoramas"},
        {of_pairs, !cells, "takes several pictures of a place, cut as for its maps and augmented alike"},
        {around, cells, "takes the aerial pictures listed in the pairs"},
        {smoothing, recommends(m, "smoothing"), "has a loss without label smoothing"},
        {of_views, c->views[GVM_STREET].visible && m->view_terms, "takes whole panoramas, without \"visible\""},
        {contrast, m->terms[0] && strcmp(m->terms[0], "loss_con") == 0,
         "has no loss between two variants of an aerial picture"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const char *name = rules[i].used ? NULL : options_given(&a->common, rules[i].options);
        if (name) return fail(err, GVM_ARGUMENT, "--%s does not apply: %s %s", name, m->title, rules[i].why);
    }
    return GVM_OK;
}

/* The options that order batches, which exclude each other. */
static const char *const choices[] = {"hard", "neighbours", "clusters", NULL};

static int *chosen(struct arguments *a, const char *name)
{
    return (int *)((char *)&a->run + option_find(run_option_rows, name)->at);
}

static bool has_other_order(const struct run_options *o)
{
    return o->cluster_m > 0 || !o->shuffle;
}

/* A given option overrides the recommended ones. */
static void forget_recommended(struct arguments *a)
{
    bool asked = has_other_order(&a->run) || options_given(&a->common, choices) != NULL;
    for (int i = 0; choices[i] && asked; i++)
        if (!option_given(&a->common, choices[i])) *chosen(a, choices[i]) = 0;
}

static int check_choices(struct arguments *a)
{
    const char *first = NULL;
    int count = has_other_order(&a->run);
    for (int i = 0; choices[i]; i++)
        if (*chosen(a, choices[i]) > 0 && ++count > 0 && first == NULL) first = choices[i];
    if (first == NULL || count == 1) return GO_ON;
    return usage_error(a->common.name,
                       "--%s: only one of --hard, --neighbours, --clusters, --cluster and --shuffle no can be used",
                       first);
}

void train_arguments_complete(struct arguments *a, const struct config *config)
{
    const struct method *method = config->method;
    for (const struct setting *s = method->recipe; s->name; s++) {
        const struct option_row *row = option_find(run_option_rows, s->name);
        if (strcmp(s->name, "spin") == 0 && config->views[GVM_STREET].projection != PROJECTION_PANORAMA) continue;
        if (row->saved || !option_given(&a->common, s->name)) option_read(row, &a->run, s->value);
    }
    forget_recommended(a);
    if (config->views[GVM_AERIAL].zoom_count > 0) { /* they do not apply there */
        struct augmentation *amounts = &a->run.amounts;
        amounts->turn = false;
        amounts->jitter = amounts->grey = amounts->blur = amounts->mirror = amounts->street = amounts->spin = 0;
        a->run.ground_m = config->cell_m;
    }
    if (a->augment == 1) a->run.amounts = augmentation_none;
    if (!a->contrast) a->run.losses.contrast = a->run.losses.variants = 0;
}

/* Unless options are given, fine-tuning published weights uses lower rates and keeps their picture format.
 */
void train_arguments_tune(struct arguments *a, const struct network *network)
{
    const struct config *c = &network->config;
    if (network->origin.source[0] == '\0') return;
    a->tuned = true;
    if (!option_given(&a->common, "rate")) a->run.rates.backbone *= TUNING;
    if (!option_given(&a->common, "rate-new")) a->run.rates.other *= TUNING;
    if (!option_given(&a->common, "elevation")) memcpy(a->run.elevation, c->elevation, sizeof a->run.elevation);
}

void train_ground_tune(struct arguments *a, struct dataset *data, const struct network *network)
{
    if (!a->tuned || a->run.ground_m > 0 || strcmp(data->format, "pairs") != 0) return;
    a->run.ground_m = data->ground_m = network->config.ground_m;
}

/* Make the path of a file, which may not exist yet, absolute, so that a run can be resumed from any folder. Unchanged
 * if its folder does not exist. Returns false if out of memory. */
static bool make_whole(char **path)
{
    char *given = *path, *whole = given ? realpath(given, NULL) : NULL;
    if (given == NULL) return true;
    if (whole == NULL && errno != ENOMEM) {
        g_autofree gchar *name = g_path_get_basename(given), *in = g_path_get_dirname(given);
        g_autofree char *folder = realpath(in, NULL);
        if (folder != NULL || errno != ENOMEM) whole = folder ? g_build_filename(folder, name, NULL) : g_strdup(given);
    }
    if (whole == NULL) return false;
    free(given);
    *path = whole;
    return true;
}

int train_arguments_check(struct arguments *a)
{
    static const char *const while_it_goes_on[] = {"resume", "steps", "save-minutes", "data", "cache", "force", NULL};
    static const char *const of_network[] = {"preset", "stages", "backbone", NULL};
    const char *name = a->common.name, *fixed = options_given_but(&a->common, while_it_goes_on);
    if (a->resume && fixed)
        return usage_error(name,
                           "--resume continues a run with its own options: it accepts --steps, --save-minutes, --data, "
                           "--cache and --force, not --%s",
                           fixed);
    gvm_error err;
    if (!make_whole(&a->run.data) || !make_whole(&a->run.cache)) {
        fail(&err, GVM_MEMORY, "out of memory for the paths of --data and --cache");
        return failed(&err);
    }
    if (a->resume) return GO_ON;
    if (a->run.data == NULL || a->out == NULL)
        return usage_error(name, "either --data and --out, or --resume is required");
    int status = check_choices(a);
    if (status != GO_ON) return status;
    if (a->init && options_given(&a->common, of_network))
        return usage_error(name,
                           "--init takes a whole network and cannot be combined with --preset, --stages or --backbone");
    return choose_network(a);
}
