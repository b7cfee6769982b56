/* fork.c - many commands by one process, so that its libraries are loaded once. If GVM_FAULT_COMMANDS is set, each line
 * of stdin is a folder, what GVM_FAULT and GVM_FAULT_LOG would be, files for the command's stdout and stderr, and the
 * command's words, with tabs between them. A copy of the process runs it; its process number is printed as it begins,
 * its wait status as it ends. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults/fault.h"

enum { WORDS = 64 };

int __real_main(int argc, char **argv);
int __wrap_main(int argc, char **argv);

static void redirect(int standard, const char *path, int how)
{
    int file = open(path, how, 0600);
    if (file < 0 || dup2(file, standard) < 0) abort();
    close(file);
}

/* In the copy. */
static int run(char **words, int count)
{
    char *command[WORDS] = {"geoviewmatch"};
    redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
    redirect(STDOUT_FILENO, words[3], O_WRONLY | O_CREAT | O_TRUNC);
    redirect(STDERR_FILENO, words[4], O_WRONLY | O_CREAT | O_TRUNC);
    if (chdir(words[0]) != 0) abort();
    for (int i = 5; i < count; i++) command[i - 4] = words[i];
    fault_begin(words[2], words[1]);
    return __real_main(count - 4, command);
}

int __wrap_main(int argc, char **argv)
{
    char line[1 << 13], *words[WORDS], *rest;
    if (getenv("GVM_FAULT_COMMANDS") == NULL) return __real_main(argc, argv);
    while (fgets(line, sizeof line, stdin) != NULL) {
        int count = 0, status;
        line[strcspn(line, "\n")] = '\0';
        for (rest = line; rest != NULL && count < WORDS; count++) words[count] = strsep(&rest, "\t");
        pid_t pid = fork();
        if (pid == 0) return run(words, count);
        printf("%d\n", pid);
        fflush(stdout);
        if (pid < 0 || waitpid(pid, &status, 0) < 0) abort();
        printf("%d\n", status);
        fflush(stdout);
    }
    return 0;
}
