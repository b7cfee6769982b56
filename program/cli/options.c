/* options.c - what every subcommand's options have in common. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/similar.h"

static const struct option *known; /* of the command that runs, for refuse */

int next_option(int argc, char **argv, const struct option *options)
{
    opterr = 0; /* the sentence is ours: common_option */
    known = options;
    return getopt_long(argc, argv, ":", options, NULL);
}

enum { MOST_VALUES = 12 };

struct values {
    char words[MOST_VALUES][32];
    size_t count;
};

static const char *value_at(const void *names, size_t i)
{
    return ((const struct values *)names)->words[i];
}

/* "--view takes street or aerial, not 'areial'": which of the words was meant, if the sentence is of that kind. */
static const char *meant_value(struct values *v, const char *sentence)
{
    const char *takes = strstr(sentence, " takes "), *not = takes ? strstr(takes, ", not '") : NULL;
    char typed[32];
    *v = (struct values){.count = 0};
    if (not == NULL || sscanf(not, ", not '%31[^']'", typed) != 1) return NULL;
    for (const char *p = takes + strlen(" takes "); p < not &&v->count < MOST_VALUES;) {
        size_t n = strcspn(p, " ,");
        if (n >= sizeof v->words[0] || p + n > not ) return NULL;
        memcpy(v->words[v->count++], p, n);
        p += n;
        if (strncmp(p, " or ", 4) == 0)
            p += 4;
        else if (strncmp(p, ", ", 2) == 0)
            p += 2;
        else
            break;
        if (p - 2 == not ) break;
    }
    return v->count > 1 ? similar(typed, value_at, v, v->count) : NULL;
}

int usage_error(const char *name, const char *format, ...)
{
    char sentence[400];
    struct values values;
    gvm_error err;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    const char *meant = meant_value(&values, sentence);
    fail(&err, GVM_ARGUMENT, "%s%s%s%s", sentence, meant ? " (did you mean '" : "", meant ? meant : "",
         meant ? "'?)" : ""); /* no control characters */
    fflush(stdout);
    bool asks = err.text[0] != '\0' && err.text[strlen(err.text) - 1] == '?';
    fprintf(stderr, "geoviewmatch%s%s: %s%s `geoviewmatch %s%s--help`\n", name ? " " : "", name ? name : "", err.text,
            asks ? " See" : "; see", name ? name : "", name ? " " : "");
    return USAGE;
}

int failed(const gvm_error *err)
{
    fprintf(stderr, "geoviewmatch: %s\n", err->text);
    return FAILED;
}

static const char *option_at(const void *names, size_t i)
{
    return ((const struct option *)names)[i].name;
}

/* "--s" of --seed and --steps is short for neither; else there may be one that was meant. */
static int refuse_unknown(const struct common *common, const char *typed)
{
    char word[32] = "", both[2][32] = {"", ""};
    size_t count = 0, begin = 0;
    snprintf(word, sizeof word, "%.*s", (int)strcspn(typed, "="), typed);
    for (; known[count].name != NULL; count++)
        if (word[0] == '-' && word[1] == '-' && word[2] != '\0' &&
            strncmp(known[count].name, word + 2, strlen(word + 2)) == 0 && begin++ < 2)
            snprintf(both[begin - 1], sizeof both[0], "%s", known[count].name);
    if (begin > 1)
        return usage_error(common->name, "option '%s' is short for more than one: --%s, --%s%s", word, both[0], both[1],
                           begin > 2 ? " and others" : "");
    const char *meant = word[0] == '-' && word[1] == '-' ? similar(word + 2, option_at, known, count) : NULL;
    if (meant) return usage_error(common->name, "there is no option '%s' (did you mean '--%s'?)", typed, meant);
    return usage_error(common->name, "there is no option '%s'", typed);
}

/* The option that getopt_long has just refused, as it was typed. */
static int refuse(const struct common *common, int option, char **argv)
{
    const char *typed = argv[optind - 1];
    if (option == ':') return usage_error(common->name, "option '%s' needs a value", typed);
    if (optopt >= OPTION_THREADS || (optopt != 0 && strncmp(typed, "--", 2) == 0))
        return usage_error(common->name, "option '%s' takes no value", typed);
    if (optopt != 0) return usage_error(common->name, "there is no option '-%c'", optopt);
    return refuse_unknown(common, typed);
}

static int choose_device(const struct common *common)
{
    gvm_error err;
    return gvm_set_device(common->cuda ? GVM_CUDA : GVM_CPU, common->precision, &err) == GVM_OK ? GO_ON : failed(&err);
}

/* The two options may come in either order. */
static int read_precision(struct common *common, const char *text)
{
    static const char *const names[] = {[GVM_BF16] = "bf16", [GVM_TF32] = "tf32", [GVM_FP32] = "fp32"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        common->precision = (gvm_precision)i;
        return choose_device(common);
    }
    return usage_error(common->name, "--precision takes bf16, tf32 or fp32, not '%s'", text);
}

int common_option(struct common *common, int option, char **argv)
{
    long threads;
    gvm_error err;
    switch (option) {
    case OPTION_THREADS:
        if (!read_long(&threads, optarg, 1, 1024))
            return usage_error(common->name, "--threads takes a number from 1 to 1024, not '%s'", optarg);
        return gvm_set_threads((int)threads, &err) == GVM_OK ? GO_ON : failed(&err);
    case OPTION_DEVICE:
        common->cuda = strcmp(optarg, "cuda") == 0;
        if (!common->cuda && strcmp(optarg, "cpu") != 0)
            return usage_error(common->name, "--device takes cpu or cuda, not '%s'", optarg);
        return choose_device(common);
    case OPTION_PRECISION: return read_precision(common, optarg);
    case OPTION_QUIET: common->quiet = true; return GO_ON;
    case OPTION_HELP: printf("%s\nFor example:\n%s", common->help, examples_of(common->name)); return DONE;
    default: return refuse(common, option, argv);
    }
}

void print_text(const char *text)
{
    for (; *text != '\0'; text++) putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

/* A training run's best network, else its last; kept until the program ends. */
static const char *network_of_run(const char *run)
{
    static const char *const names[] = {"best", "last"};
    static char path[4096];
    for (int i = 0; i < 2; i++) {
        int n = snprintf(path, sizeof path, "%s/%s.safetensors", run, names[i]);
        if (n >= (int)sizeof path || access(path, R_OK) != 0) continue;
        gvm_error line;
        fail(&line, GVM_OK, "%s: it is a training run, whose %s.safetensors is taken", path_tail(run), names[i]);
        fprintf(stderr, "geoviewmatch: %s\n", line.text);
        return path;
    }
    return run;
}

const char *weights_path(const char *name)
{
    struct stat st;
    if (name == NULL || strcmp(name, "nano") == 0) return NULL;
    return stat(name, &st) == 0 && S_ISDIR(st.st_mode) ? network_of_run(name) : name;
}
