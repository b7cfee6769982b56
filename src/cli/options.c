/* options.c - what every subcommand's options have in common. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/cli.h"

int next_option(int argc, char **argv, const struct option *options)
{
    opterr = 0; /* the sentence is ours: common_option */
    return getopt_long(argc, argv, ":", options, NULL);
}

int usage_error(const char *name, const char *format, ...)
{
    char sentence[400];
    gvm_error err;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    fail(&err, GVM_ARGUMENT, "%s", sentence); /* no control characters */
    fflush(stdout);
    fprintf(stderr, "geoviewmatch%s%s: %s; see `geoviewmatch %s%s--help`\n", name ? " " : "", name ? name : "",
            err.text, name ? name : "", name ? " " : "");
    return USAGE;
}

int failed(const gvm_error *err)
{
    fprintf(stderr, "geoviewmatch: %s\n", err->text);
    return FAILED;
}

/* The option that getopt_long has just refused, as it was typed. */
static int refuse(const struct common *common, int option, char **argv)
{
    const char *typed = argv[optind - 1];
    if (option == ':') return usage_error(common->name, "option '%s' needs a value", typed);
    if (optopt >= OPTION_THREADS || (optopt != 0 && strncmp(typed, "--", 2) == 0))
        return usage_error(common->name, "option '%s' takes no value", typed);
    if (optopt != 0) return usage_error(common->name, "there is no option '-%c'", optopt);
    return usage_error(common->name, "there is no option '%s'", typed);
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
        if (strcmp(optarg, "cpu") == 0) return GO_ON;
        if (strcmp(optarg, "cuda") != 0)
            return usage_error(common->name, "--device takes cpu or cuda, not '%s'", optarg);
        fprintf(stderr,
                "geoviewmatch: this program was built without CUDA; leave out --device cuda to compute on the CPU\n");
        return FAILED;
    case OPTION_QUIET: common->quiet = true; return GO_ON;
    case OPTION_HELP: fputs(common->help, stdout); return DONE;
    default: return refuse(common, option, argv);
    }
}

void print_text(const char *text)
{
    for (; *text != '\0'; text++) putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

const char *weights_path(const char *name)
{
    return name == NULL || strcmp(name, "nano") == 0 ? NULL : name;
}
