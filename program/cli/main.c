/* main.c - runs the subcommand and checks that its output was written. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/similar.h"
#include "cli/cli.h"

static const struct command *const commands[] = {
    &demo_command,    &locate_command, &serve_command, &index_command, &embed_command,
    &heatmap_command, &train_command,  &eval_command,  &check_command, &init_command,
    &import_command,  &info_command,   &world_command, &bench_command, NULL,
};

enum { COMMANDS = sizeof commands / sizeof *commands - 1 };

static int overview(void)
{
    printf("GeoViewMatch geolocates street-level pictures by matching them against georeferenced overhead imagery.\n\n"
           "usage: geoviewmatch COMMAND [options]\n\n");
    for (int i = 0; i < COMMANDS; i++) printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
    printf("\n`geoviewmatch COMMAND --help` lists a command's options, with examples; `geoviewmatch demo` runs a "
           "complete example.\n"
           "General options: --help, --version.\n"
           "Exit status: 0 on success, 1 if some or all inputs failed, 2 on a usage error.\n");
    return DONE;
}

static int refuse(const char *name)
{
    static const char *const general[] = {"--help", "--version"};
    const char *names[COMMANDS];
    for (int i = 0; i < COMMANDS; i++) names[i] = commands[i]->name;
    bool option = name[0] == '-';
    const char *what = option ? "option" : "command";
    const char *meant = option ? similar(name, general, 2) : similar(name, names, COMMANDS);
    if (meant) return usage_error(NULL, "unknown %s '%s' (did you mean '%s'?)", what, name, meant);
    return usage_error(NULL, "unknown %s '%s'", what, name);
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        overview();
        return usage_error(NULL, "no command given");
    }
    const char *name = argv[1];
    bool help = strcmp(name, "help") == 0;
    if (help && argc > 2 && strcmp(argv[2], "--man") == 0) { /* `make man` */
        print_manual(commands);
        return DONE;
    }
    if (help && argc > 2) { /* `help train` is `train --help` */
        name = argv[1] = argv[2];
        argv[2] = "--help";
    } else if (help || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        return overview();
    }
    if (strcmp(name, "--version") == 0) {
        printf("geoviewmatch %s\n", gvm_version());
        return DONE;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i]->name) == 0) return command_run(commands[i], argc - 1, argv + 1);
    return refuse(name);
}

/* Keep files from getting the descriptor of a closed standard stream; writing to that stream then still fails. */
static void occupy_standard_streams(void)
{
    int fd;
    do fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) close(fd);
}

/* Ends the process as the signal would have, after removing temporary files. */
static void end(int number)
{
    file_writers_drop(); /* NOLINT(bugprone-signal-handler) atomics and unlink alone */
    signal(number, SIG_DFL);
    raise(number);
}

/* Commands that stop in an orderly way (train, serve) handle these themselves. */
static void hear_signals(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (signal(ends[i], end) == SIG_IGN) signal(ends[i], SIG_IGN); /* nohup */
}

int main(int argc, char **argv)
{
    occupy_standard_streams();
    hear_signals();
    signal(SIGPIPE, SIG_IGN); /* a closed pipe makes a write fail */
    signal(SIGXFSZ, SIG_IGN); /* and so does the file size limit */
    int status = run(argc, argv);
    int error = print_flush();
    bool lost = error != 0 || ferror(stdout) != 0;
    if (fclose(stdout) != 0 && !lost) error = errno;
    if (!lost && error == 0) return status;
    fprintf(stderr, "geoviewmatch: cannot write to standard output%s%s\n", error ? ": " : "",
            error ? strerror(error) : "");
    return status == DONE ? FAILED : status;
}
