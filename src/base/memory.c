/* memory.c - see memory.h. */
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const double no_limit = 1e18;

/* The number after `name` at the start of a line, or the only number in the file if `name` is empty. Returns `missing`
 * if there is none; "max" counts as none. */
static double read_amount(const char *path, const char *name, double missing)
{
    char line[256], *end;
    size_t n = strlen(name);
    double found = missing;
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, n) != 0) continue;
        double value = strtod(line + n, &end);
        if (end > line + n) found = value;
        break;
    }
    if (file != NULL) (void)fclose(file);
    return found;
}

/* Bytes that one control group may still use. Its inactive file pages count as free, because the kernel reclaims them.
 */
static double group_leaves(const char *folder, const char *limit_file, const char *usage_file, const char *idle)
{
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", folder, limit_file);
    double limit = read_amount(path, "", no_limit);
    if (!(limit < no_limit)) return no_limit;
    snprintf(path, sizeof path, "%s/%s", folder, usage_file);
    double used = read_amount(path, "", 0);
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    used -= read_amount(path, idle, 0);
    return limit > used ? limit - used : 0;
}

/* The minimum over a group and its ancestors. In a container the top of the hierarchy is visible too. */
static double groups_leave(const char *top, const char *group, int version)
{
    char folder[1500];
    double least = no_limit;
    snprintf(folder, sizeof folder, "%s%s", top, strcmp(group, "/") == 0 ? "" : group);
    for (;;) {
        least = fmin(least, version == 2 ? group_leaves(folder, "memory.max", "memory.current", "inactive_file ")
                                         : group_leaves(folder, "memory.limit_in_bytes", "memory.usage_in_bytes",
                                                        "total_inactive_file "));
        char *slash = strrchr(folder, '/');
        if (strlen(folder) <= strlen(top) || slash == NULL) return least;
        *slash = '\0';
    }
}

/* Whether "memory" is in a list of controllers such as "cpu,memory". */
static int has_memory(const char *controllers)
{
    size_t n = strlen("memory");
    for (const char *p = controllers; *p != '\0' && *p != ':'; p += strcspn(p, ",:"), p += *p == ',')
        if (strncmp(p, "memory", n) == 0 && (p[n] == ',' || p[n] == ':')) return 1;
    return 0;
}

double memory_available_under(const char *root)
{
    char path[1024], line[1024];
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    double least = read_amount(path, "MemAvailable:", no_limit / 1024) * 1024;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) { /* "4:memory:/group", "0::/group" */
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (group == NULL || group[1] != '/') continue;
        int version = group == controllers + 1 ? 2 : has_memory(controllers + 1) ? 1 : 0;
        snprintf(path, sizeof path, "%s/sys/fs/cgroup%s", root, version == 1 ? "/memory" : "");
        if (version > 0) least = fmin(least, groups_leave(path, group + 1, version));
    }
    if (file != NULL) (void)fclose(file);
    return least;
}

double memory_available(void)
{
    struct rlimit space;
    double least = memory_available_under("");
    if (getrlimit(RLIMIT_AS, &space) != 0 || space.rlim_cur == RLIM_INFINITY) return least;
    double taken = read_amount("/proc/self/statm", "", 0) * (double)sysconf(_SC_PAGESIZE);
    return fmin(least, (double)space.rlim_cur > taken ? (double)space.rlim_cur - taken : 0);
}
