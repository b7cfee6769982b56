/* train_options.c - see train_options.h. */
#include "cli/train_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/config_file.h"
#include "network/methods/geoviewmatch.h"

const char train_help[] =
    "usage: geoviewmatch train --data D --out RUN [options]\n"
    "       geoviewmatch train --resume RUN [--data D] [--cache FILE] [--steps K] [--save-minutes M]\n"
    "\n"
    "Trains by the paper's recipe: street, strongly and weakly varied aerial picture of each pair; soft-margin\n"
    "triplet losses; AdamW with adaptive sharpness-aware minimisation; a cosine schedule. It first says what it will\n"
    "do, and what that takes; it does not begin what does not fit this machine's memory.\n"
    "\n"
    "RUN gets log.jsonl, last.safetensors, best.safetensors (highest R@1 on the test split, from the first evaluation\n"
    "on) and state.safetensors. Ctrl-C finishes the step, or leaves an evaluation or a cache where it is, and saves;\n"
    "--resume goes on to the same bits. After a kill or a power cut it goes on from the last save: what came after\n"
    "that, at most --save-minutes of work, is done again.\n"
    "\n"
    "  --data D              a data set: CVUSA, CVACT, VIGOR, or a folder with pairs.csv\n"
    "  --format NAME         which one it is (default: told by what lies in it)\n"
    "  --test NAME           test split, by the format's own name (default: its first)\n"
    "  --elevation LOW,HIGH  band of the panoramas that is used, degrees (default: the format's)\n"
    "  --ground-metres M     side of the aerial pictures on the ground (default: the format's)\n"
    "  --out RUN             folder of the run; made, or one without a run's files\n"
    "  --resume RUN          go on with a run as it was begun; where its data set or its cache has moved, --data and\n"
    "                        --cache say where they are now\n"
    "\n"
    "  --preset paper|nano   which network (default: paper)\n"
    "  --stages LIST         stages whose maps make the feature (default: 4,3)\n"
    "  --init W              start from a checkpoint instead, or from the built-in one (nano)\n"
    "  --backbone FILE       start from Swin V2 weights, official names or timm's\n"
    "\n"
    "  --epochs N (200)      --batch N (32)         --seed S (1)\n"
    "  --rate R (1e-4)       --rate-new R (2e-4)    --decay D (0.03)   --rho R (2.5; 0: AdamW alone)\n"
    "  --drop-path P (0.2)   --contrast yes|no      --augment paper|none\n"
    "  --jitter A (0.3)      --grey P (0.2)         --blur P (0.5)     --shuffle yes|no\n"
    "  --mirror P (0)        how likely east and west change places in both pictures of a pair\n"
    "  --street-jitter A (0) colours of the street pictures varied, as --jitter does those of the aerial ones\n"
    "  --cluster M           batches of neighbourhoods of M metres, 1 or more: harder to tell apart (default: 0, "
    "none)\n"
    "  --hard G              batches of groups of G pairs that the network, as an epoch begins, takes for each other\n"
    "                        (default: 0, none)\n"
    "  --steps K             stop after K updates in all and save (default: all epochs)\n"
    "  --eval-every N        epochs between evaluations, 0 for never (default: 10)\n"
    "  --save-minutes M      most minutes between saves (default: 10)\n"
    "  --cache FILE          keep all pictures decoded in this file\n"
    "  --on-bad stop|skip    what to do about a picture that cannot be read (default: stop)\n"
    "  --force               begin also where the memory will not do\n" COMMON_HELP;

enum { O_REAL = 2000, O_CHOICE = 2200 };

/* Options that are a number in a range. */
struct number {
    const char *name;
    double low, high;
    double value;
};

enum {
    RATE,
    RATE_NEW,
    DECAY,
    RHO,
    DROP_PATH,
    JITTER,
    GREY,
    BLUR,
    MIRROR,
    STREET_JITTER,
    GROUND,
    CLUSTER,
    MINUTES,
    EPOCHS,
    BATCH,
    HARD,
    SEED,
    STEPS,
    EVERY,
    NUMBERS
};

static struct number numbers[NUMBERS] = {
    [RATE] = {"rate", 0, 10, 1e-4},
    [RATE_NEW] = {"rate-new", 0, 10, 2e-4},
    [DECAY] = {"decay", 0, 10, 0.03},
    [RHO] = {"rho", 0, 100, 2.5},
    [DROP_PATH] = {"drop-path", 0, 0.9, 0.2},
    [JITTER] = {"jitter", 0, 1, 0.3},
    [GREY] = {"grey", 0, 1, 0.2},
    [BLUR] = {"blur", 0, 1, 0.5},
    [MIRROR] = {"mirror", 0, 1, 0},
    [STREET_JITTER] = {"street-jitter", 0, 1, 0},
    [GROUND] = {"ground-metres", 1e-3, 1e5, 0},
    [CLUSTER] = {"cluster", 0, 1e6, 0},
    [MINUTES] = {"save-minutes", 0, 1e5, 10},
    [EPOCHS] = {"epochs", 1, 1e6, 200},
    [BATCH] = {"batch", 2, 4096, 32},
    [HARD] = {"hard", 0, 4096, 0},
    [SEED] = {"seed", 0, 9e15, 1},
    [STEPS] = {"steps", 1, 1e12, 0},
    [EVERY] = {"eval-every", 0, 1e6, 10},
};

static int read_number(int which, const char *name, const char *text)
{
    struct number *n = &numbers[which];
    long whole;
    bool fine = which >= EPOCHS ? read_long(&whole, text, (long)n->low, (long)n->high)
                                : read_double(&n->value, text, n->low, n->high);
    if (!fine)
        return usage_error(name, "--%s takes a %snumber from %g to %g, not '%s'", n->name,
                           which >= EPOCHS ? "whole " : "", n->low, n->high, text);
    if (which == CLUSTER && n->value > 0 && n->value < 1)
        return usage_error(name, "--cluster takes 0 or metres from 1 to %g, not '%s'", n->high, text);
    if (which >= EPOCHS) n->value = (double)whole;
    return GO_ON;
}

/* One of two words; *second is set to whether it was the second. */
static int read_choice(bool *second, const char *name, const char *option, const char *text, const char *first,
                       const char *other)
{
    *second = strcmp(text, other) == 0;
    if (*second || strcmp(text, first) == 0) return GO_ON;
    return usage_error(name, "--%s takes %s or %s, not '%s'", option, first, other, text);
}

static int read_elevation(struct run_options *run, const char *name, const char *text)
{
    char end;
    if (sscanf(text, "%lf,%lf%c", &run->elevation[0], &run->elevation[1], &end) != 2 || !(run->elevation[0] >= -90) ||
        !(run->elevation[0] < run->elevation[1]) || !(run->elevation[1] <= 90))
        return usage_error(name, "--elevation takes two rising degrees from -90 to 90, as -45,45, not '%s'", text);
    run->has_elevation = true;
    return GO_ON;
}

static void take_numbers(struct train_arguments *a, bool augment)
{
    struct run_options *r = &a->run;
    r->amounts = augmentation_none;
    if (augment) {
        r->amounts = augmentation_paper;
        r->amounts.jitter = (float)numbers[JITTER].value;
        r->amounts.grey = (float)numbers[GREY].value;
        r->amounts.blur = (float)numbers[BLUR].value;
        r->amounts.mirror = (float)numbers[MIRROR].value;
        r->amounts.street = (float)numbers[STREET_JITTER].value;
    }
    r->rates = rates_paper;
    r->rates.backbone = (float)numbers[RATE].value;
    r->rates.other = (float)numbers[RATE_NEW].value;
    r->rates.decay = (float)numbers[DECAY].value;
    r->rho = (float)numbers[RHO].value;
    r->drop_path = (float)numbers[DROP_PATH].value;
    r->ground_m = numbers[GROUND].value;
    r->cluster_m = numbers[CLUSTER].value;
    r->epochs = (int)numbers[EPOCHS].value;
    r->batch = (int)numbers[BATCH].value;
    r->hard = (int)numbers[HARD].value;
    r->seed = (uint64_t)numbers[SEED].value;
    r->eval_every = (int)numbers[EVERY].value;
    a->steps = (long)numbers[STEPS].value;
    a->save_minutes = numbers[MINUTES].value;
}

enum {
    DATA = O_CHOICE,
    FORMAT,
    TEST,
    CACHE,
    OUT,
    RESUME,
    PRESET,
    STAGE_LIST,
    INIT,
    BACKBONE,
    ELEVATION,
    AUGMENT,
    SHUFFLE,
    CONTRAST,
    ON_BAD,
    FORCE
};

/* In the order of their numbers. */
static const struct option words[] = {{"data", 1, NULL, DATA},
                                      {"format", 1, NULL, FORMAT},
                                      {"test", 1, NULL, TEST},
                                      {"cache", 1, NULL, CACHE},
                                      {"out", 1, NULL, OUT},
                                      {"resume", 1, NULL, RESUME},
                                      {"preset", 1, NULL, PRESET},
                                      {"stages", 1, NULL, STAGE_LIST},
                                      {"init", 1, NULL, INIT},
                                      {"backbone", 1, NULL, BACKBONE},
                                      {"elevation", 1, NULL, ELEVATION},
                                      {"augment", 1, NULL, AUGMENT},
                                      {"shuffle", 1, NULL, SHUFFLE},
                                      {"contrast", 1, NULL, CONTRAST},
                                      {"on-bad", 1, NULL, ON_BAD},
                                      {"force", 0, NULL, FORCE},
                                      COMMON_OPTIONS};
enum { WORDS = sizeof words / sizeof *words };

/* As they were given; strings are argv's. */
struct given {
    const char *data, *format, *test, *cache, *preset, *stages;
    bool no_augment, no_shuffle, no_contrast;
    const char *fixed; /* an option that --resume takes from the run; NULL: none */
};

static int take_option(struct train_arguments *a, struct given *g, int c, char **argv)
{
    const char *name = a->common.name;
    switch (c) {
    case DATA: g->data = optarg; return GO_ON;
    case FORMAT: g->format = optarg; return GO_ON;
    case TEST: g->test = optarg; return GO_ON;
    case CACHE: g->cache = optarg; return GO_ON;
    case OUT: a->out = optarg; return GO_ON;
    case RESUME: a->resume = optarg; return GO_ON;
    case PRESET: g->preset = optarg; return GO_ON;
    case STAGE_LIST: g->stages = optarg; return GO_ON;
    case INIT: a->init = optarg; return GO_ON;
    case BACKBONE: a->backbone = optarg; return GO_ON;
    case ELEVATION: return read_elevation(&a->run, name, optarg);
    case AUGMENT: return read_choice(&g->no_augment, name, "augment", optarg, "paper", "none");
    case SHUFFLE: return read_choice(&g->no_shuffle, name, "shuffle", optarg, "yes", "no");
    case CONTRAST: return read_choice(&g->no_contrast, name, "contrast", optarg, "yes", "no");
    case ON_BAD: return read_choice(&a->run.skip_bad, name, "on-bad", optarg, "stop", "skip");
    case FORCE: a->force = true; return GO_ON;
    default:
        return c >= O_REAL && c < O_REAL + NUMBERS ? read_number(c - O_REAL, name, optarg)
                                                   : common_option(&a->common, c, argv);
    }
}

static bool is_fixed(int c)
{
    return (c >= O_REAL && c < O_REAL + NUMBERS && c != O_REAL + STEPS && c != O_REAL + MINUTES) ||
           (c >= DATA && c <= ON_BAD && c != RESUME && c != DATA && c != CACHE);
}

static int take_options(struct train_arguments *a, struct given *g, int argc, char **argv)
{
    struct option options[NUMBERS + WORDS];
    for (int i = 0; i < NUMBERS; i++)
        options[i] = (struct option){numbers[i].name, required_argument, NULL, O_REAL + i};
    memcpy(options + NUMBERS, words, sizeof words);
    int status = GO_ON;
    for (int c; status == GO_ON && (c = next_option(argc, argv, options)) != -1;) {
        status = take_option(a, g, c, argv);
        if (is_fixed(c)) g->fixed = c >= DATA ? words[c - DATA].name : numbers[c - O_REAL].name;
    }
    if (status != GO_ON) return status;
    return optind < argc ? usage_error(a->common.name, "'%s' is one argument too many", argv[optind]) : GO_ON;
}

static int choose_network(struct config *config, const char *name, const char *preset, const char *stages)
{
    gvm_error err;
    if (config_preset(config, preset ? preset : "paper", &err) != GVM_OK)
        return usage_error(name, "--preset: %s", err.text);
    if (stages && config_set_stages(config, "stages", stages, &err) != GVM_OK)
        return usage_error(name, "--stages '%s': %s", stages, err.text);
    return config_check(config, "--stages", &err) == GVM_OK ? GO_ON : usage_error(name, "%s", err.text);
}

/* The path from the root of a file that may not be there yet, so that a run goes on from any folder. As it is where its
 * folder is not there either. */
static char *from_root(const char *path)
{
    char *whole = realpath(path, NULL);
    if (whole) return whole;
    const char *slash = strrchr(path, '/'), *tail = slash ? slash + 1 : path;
    char *named = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("."), *folder = NULL;
    if (named) folder = realpath(named, NULL);
    size_t size = folder ? strlen(folder) + strlen(tail) + 2 : 0;
    if (folder) whole = malloc(size);
    if (whole) snprintf(whole, size, "%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", tail);
    free(named);
    free(folder);
    return whole ? whole : strdup(path);
}

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

int train_arguments_read(struct train_arguments *a, int argc, char **argv)
{
    const char *name = a->common.name;
    struct given g = {0};
    int status = take_options(a, &g, argc, argv);
    if (status != GO_ON) return status;
    if (a->resume && g.fixed)
        return usage_error(name,
                           "--resume goes on with a run as it was begun: --steps, --save-minutes, --data, --cache and "
                           "--force go with it, --%s does not",
                           g.fixed);
    take_numbers(a, !g.no_augment);
    if (a->resume) {
        a->data = g.data ? from_root(g.data) : NULL;
        a->cache = g.cache ? from_root(g.cache) : NULL;
        return GO_ON;
    }
    a->run.shuffle = !g.no_shuffle;
    a->run.losses = loss_options_paper;
    if (g.no_contrast) a->run.losses.contrast = 0;
    if (g.data == NULL || a->out == NULL) return usage_error(name, "--data and --out are needed, or --resume");
    if (a->run.hard > 0 && (a->run.cluster_m > 0 || g.no_shuffle))
        return usage_error(name, "--hard chooses what comes together: --cluster and --shuffle no do not go with it");
    if (a->init && (g.preset || g.stages || a->backbone))
        return usage_error(name, "--init is a whole network: --preset, --stages and --backbone do not go with it");
    status = choose_network(&a->config, name, g.preset, g.stages);
    if (status != GO_ON) return status;
    a->run.data = from_root(g.data);
    a->run.format = copy(g.format);
    a->run.test = copy(g.test);
    a->run.cache = g.cache ? from_root(g.cache) : NULL;
    return GO_ON;
}
