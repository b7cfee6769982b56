/* cmd_train.c - a network from pairs of street and aerial pictures, by the paper's recipe. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/network_facts.h"
#include "data/dataset.h"
#include "model/checkpoint.h"
#include "train/train.h"

static const char help[] =
    "usage: geoviewmatch train --data D --out RUN [options]\n"
    "       geoviewmatch train --resume RUN [--steps K]\n"
    "\n"
    "Trains by the paper's recipe: street, strongly and weakly varied aerial picture of each pair; soft-margin "
    "triplet\n"
    "losses; AdamW with adaptive sharpness-aware minimisation; a cosine schedule. RUN gets log.jsonl,\n"
    "last.safetensors, best.safetensors (highest R@1 on the test split) and state.safetensors. Ctrl-C finishes the\n"
    "step and saves; --resume goes on, after a kill too, to the same bits.\n"
    "\n"
    "  --data D              a data set: CVUSA, CVACT, VIGOR, or a folder with pairs.csv\n"
    "  --format NAME         which one it is (default: told by what lies in it)\n"
    "  --test NAME           test split, by the format's own name (default: its first)\n"
    "  --elevation LOW,HIGH  band of the panoramas that is used, degrees (default: the format's)\n"
    "  --ground-metres M     side of the aerial pictures on the ground (default: the format's)\n"
    "  --out RUN             folder of the run; made, or empty\n"
    "  --resume RUN          go on with a run as it was begun\n"
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
    "  --cluster M           batches of neighbourhoods of M metres, which are harder to tell apart (default: 0, none)\n"
    "  --steps K             stop after K updates in all and save (default: all epochs)\n"
    "  --eval-every N        epochs between evaluations, 0 for never (default: 10)\n"
    "  --save-minutes M      most minutes between saves (default: 10)\n"
    "  --cache FILE          keep all pictures decoded in this file\n"
    "  --on-bad stop|skip    what to do about a picture that cannot be read (default: stop)\n" COMMON_HELP;

struct arguments {
    struct common common;
    struct run_options run;
    const char *out, *resume, *preset, *stages, *init, *backbone;
    long steps;
    double save_minutes;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
    signal(SIGINT, SIG_DFL); /* the second Ctrl-C ends at once */
}

/* ------------------------------------------------------------------ options */

enum { O_REAL = 2000, O_CHOICE = 2200 };

/* Options that are a number in a range. */
struct number {
    const char *name;
    double low, high;
    double value;
    bool given;
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
    SEED,
    STEPS,
    EVERY,
    NUMBERS
};

static struct number numbers[NUMBERS] = {
    [RATE] = {"rate", 0, 10, 1e-4, false},
    [RATE_NEW] = {"rate-new", 0, 10, 2e-4, false},
    [DECAY] = {"decay", 0, 10, 0.03, false},
    [RHO] = {"rho", 0, 100, 2.5, false},
    [DROP_PATH] = {"drop-path", 0, 0.9, 0.2, false},
    [JITTER] = {"jitter", 0, 1, 0.3, false},
    [GREY] = {"grey", 0, 1, 0.2, false},
    [BLUR] = {"blur", 0, 1, 0.5, false},
    [MIRROR] = {"mirror", 0, 1, 0, false},
    [STREET_JITTER] = {"street-jitter", 0, 1, 0, false},
    [GROUND] = {"ground-metres", 1e-3, 1e5, 0, false},
    [CLUSTER] = {"cluster", 0, 1e6, 0, false},
    [MINUTES] = {"save-minutes", 0, 1e5, 10, false},
    [EPOCHS] = {"epochs", 1, 1e6, 200, false},
    [BATCH] = {"batch", 2, 4096, 32, false},
    [SEED] = {"seed", 0, 9e15, 1, false},
    [STEPS] = {"steps", 1, 1e12, 0, false},
    [EVERY] = {"eval-every", 0, 1e6, 10, false},
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
    if (which >= EPOCHS) n->value = (double)whole;
    n->given = true;
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

static void take_numbers(struct arguments *a, bool augment)
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
    r->seed = (uint64_t)numbers[SEED].value;
    r->eval_every = (int)numbers[EVERY].value;
    a->steps = (long)numbers[STEPS].value;
    a->save_minutes = numbers[MINUTES].value;
}

static int read_arguments(struct arguments *a, int argc, char **argv)
{
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
        ON_BAD
    };
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
                                          COMMON_OPTIONS};
    enum { WORDS = sizeof words / sizeof *words };
    struct option options[NUMBERS + WORDS];
    for (int i = 0; i < NUMBERS; i++)
        options[i] = (struct option){numbers[i].name, required_argument, NULL, O_REAL + i};
    memcpy(options + NUMBERS, words, sizeof words);

    const char *name = a->common.name;
    bool none = false, ordered = false, no_contrast = false;
    char *data = NULL, *format = NULL, *test = NULL, *cache = NULL;
    int status = GO_ON;
    for (int c; status == GO_ON && (c = next_option(argc, argv, options)) != -1;) {
        switch (c) {
        case DATA: data = optarg; break;
        case FORMAT: format = optarg; break;
        case TEST: test = optarg; break;
        case CACHE: cache = optarg; break;
        case OUT: a->out = optarg; break;
        case RESUME: a->resume = optarg; break;
        case PRESET: a->preset = optarg; break;
        case STAGE_LIST: a->stages = optarg; break;
        case INIT: a->init = optarg; break;
        case BACKBONE: a->backbone = optarg; break;
        case ELEVATION: status = read_elevation(&a->run, name, optarg); break;
        case AUGMENT: status = read_choice(&none, name, "augment", optarg, "paper", "none"); break;
        case SHUFFLE: status = read_choice(&ordered, name, "shuffle", optarg, "yes", "no"); break;
        case CONTRAST: status = read_choice(&no_contrast, name, "contrast", optarg, "yes", "no"); break;
        case ON_BAD: status = read_choice(&a->run.skip_bad, name, "on-bad", optarg, "stop", "skip"); break;
        default:
            status = c >= O_REAL && c < O_REAL + NUMBERS ? read_number(c - O_REAL, name, optarg)
                                                         : common_option(&a->common, c, argv);
        }
    }
    if (status != GO_ON) return status;
    if (optind < argc) return usage_error(name, "'%s' is one argument too many", argv[optind]);
    take_numbers(a, !none);
    a->run.shuffle = !ordered;
    a->run.losses = loss_weights_paper;
    if (no_contrast) a->run.losses.contrast = 0;
    if (a->resume) {
        if (a->out || data || a->init || a->preset || a->stages || a->backbone || a->run.has_elevation)
            return usage_error(name, "--resume goes on with a run as it was begun: only --steps goes with it");
        return GO_ON;
    }
    if (data == NULL || a->out == NULL) return usage_error(name, "--data and --out are needed, or --resume");
    if (a->init && (a->preset || a->stages || a->backbone))
        return usage_error(name, "--init is a whole network: --preset, --stages and --backbone do not go with it");
    if (a->preset && strcmp(a->preset, "paper") != 0 && strcmp(a->preset, "nano") != 0)
        return usage_error(name, "--preset takes paper or nano, not '%s'", a->preset);
    a->run.data = realpath(data, NULL); /* a run goes on from any folder */
    if (a->run.data == NULL) a->run.data = strdup(data);
    a->run.format = format ? strdup(format) : NULL;
    a->run.test = test ? strdup(test) : NULL;
    a->run.cache = cache ? strdup(cache) : NULL;
    return GO_ON;
}

/* ------------------------------------------------------------------ what it shows */

struct show {
    struct progress training, other;
    bool training_on, other_on, quiet;
    char what[96];
};

static void end_other(struct show *s)
{
    if (s->other_on) progress_end(&s->other);
    s->other_on = false;
}

static void show_step(void *user, long step, long steps, const struct losses *losses, float rate, double waited)
{
    struct show *s = user;
    (void)waited;
    end_other(s);
    snprintf(s->what, sizeof s->what, "loss %.4f (con %.3f, ret %.3f %.3f) rate %.1e", (double)losses->total,
             (double)losses->contrast, (double)losses->strong, (double)losses->weak, (double)rate);
    if (!s->training_on) progress_start(&s->training, s->what, "steps", (size_t)steps);
    s->training_on = true;
    progress_step(&s->training, (size_t)step);
}

static void show_other(struct show *s, const char *what, size_t done, size_t total)
{
    if (s->training_on) progress_clear(&s->training);
    if (!s->other_on) progress_start(&s->other, what, "pictures", total);
    s->other_on = true;
    progress_step(&s->other, done);
}

static void show_evaluating(void *user, size_t done, size_t total)
{
    show_other(user, "evaluating", done, total);
}

static void show_caching(void *user, size_t done, size_t total)
{
    show_other(user, "caching", done, total);
}

static void show_evaluated(void *user, int epoch, const struct evaluation *e)
{
    struct show *s = user;
    end_other(s);
    if (s->training_on) progress_clear(&s->training);
    printf("epoch %d: R@1 %.2f  R@5 %.2f  R@10 %.2f  R@1%% %.2f\n", epoch, e->recall[0], e->recall[1], e->recall[2],
           e->recall[3]);
    fflush(stdout);
}

static void show_bad(void *user, const gvm_error *err)
{
    struct show *s = user;
    if (s->training_on) progress_clear(&s->training);
    fprintf(stderr, "geoviewmatch: left out: %s\n", err->text);
}

static bool asked_to_stop(void *user)
{
    (void)user;
    return interrupted;
}

/* ------------------------------------------------------------------ the run */

static gvm_status make_folder(const char *path, gvm_error *err)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST) return fail_errno(err, "make", path);
    char *state = run_path(path, "state.safetensors");
    if (state == NULL) return fail(err, GVM_MEMORY, "%s: there is not enough memory to begin", path);
    bool taken = access(state, F_OK) == 0;
    free(state);
    if (taken)
        return fail(err, GVM_ARGUMENT, "%s: it holds a run already; go on with --resume, or name another folder", path);
    return GVM_OK;
}

static gvm_status begin(struct arguments *a, struct network **network, struct optimizer **optimizer, gvm_error *err)
{
    gvm_status status = make_folder(a->out, err);
    if (status != GVM_OK) return status;
    if (a->init) {
        status = checkpoint_load(network, weights_path(a->init), true, err);
    } else {
        struct config config = a->preset && strcmp(a->preset, "nano") == 0 ? config_nano : config_paper;
        if (a->stages && !stages_read(config.stages, a->stages))
            return fail(err, GVM_ARGUMENT, "--stages takes numbers from 1 to 4, as 4,3, not '%s'", a->stages);
        status = config_check(&config, "--stages", err);
        if (status == GVM_OK) status = network_open(network, &config, true, err);
        if (status == GVM_OK) network_fresh(*network, a->run.seed);
        if (status == GVM_OK && a->backbone) status = backbone_load(*network, a->backbone, err);
    }
    if (status != GVM_OK) return status;
    char warning[200];
    if (mask_warning(warning, sizeof warning, *network)) fprintf(stderr, "geoviewmatch: warning: %s\n", warning);
    const struct network *n = *network;
    return optimizer_open(optimizer, n->params, n->param_count, n->weights, n->grads, n->floats, &a->run.rates, err);
}

static int report(const char *run, const struct train_result *r, const struct run_options *o)
{
    long steps = r->position.step;
    if (r->position.best >= 0) printf("best R@1 so far: %.2f\n", r->position.best);
    printf("%s: %ld steps; %.1f%% of the time spent waiting for pictures\n", run, steps,
           r->seconds > 0 ? 100 * r->waited / r->seconds : 0);
    if (r->position.epoch < o->epochs) printf("to go on: geoviewmatch train --resume %s\n", run);
    return r->stopped ? FAILED : DONE;
}

int cmd_train(int argc, char **argv)
{
    struct arguments a = {.common = {.name = "train", .help = help}};
    int end = read_arguments(&a, argc, argv);
    if (end != GO_ON) return end;
    struct network *network = NULL;
    struct optimizer *optimizer = NULL;
    struct run_position position = {.best = -1};
    struct show show = {.training = {.quiet = a.common.quiet}, .other = {.quiet = a.common.quiet}};
    struct train_events events = {&show,        show_step, show_evaluating, show_evaluated,
                                  show_caching, show_bad,  asked_to_stop};
    struct train_result result;
    gvm_error err;
    const char *run = a.resume ? a.resume : a.out;
    gvm_status status =
        a.resume ? run_load(run, &a.run, &position, &network, &optimizer, &err) : begin(&a, &network, &optimizer, &err);
    if (status == GVM_OK) {
        signal(SIGINT, interrupt);
        signal(SIGTERM, interrupt);
        status = train(&result, run, &a.run, position, network, optimizer, a.steps, a.save_minutes, &events, &err);
        end_other(&show);
        if (show.training_on) progress_end(&show.training);
    }
    end = status == GVM_OK ? report(run, &result, &a.run) : failed(&err);
    optimizer_free(optimizer);
    network_free(network);
    run_options_free(&a.run);
    return end;
}
