/* weights.c - what --weights names. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/cli.h"

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
        failed(&line);
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
