/* test_memory.c - available memory, computed from files like those of the kernel */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/memory.h"

static char root[200];

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "%s/geoviewmatch-test-XXXXXX", getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    return mkdtemp(root) == NULL;
}

static void shell(const char *command)
{
    char line[600];
    snprintf(line, sizeof line, "cd '%s' && %s", root, command);
    assert_int_equal(system(line), 0);
}

static int remove_root(void **state)
{
    (void)state;
    char line[300];
    snprintf(line, sizeof line, "rm -rf '%s'", root);
    return system(line);
}

/* No file, as in a sandbox; then a machine without groups. */
static void test_machine(void **state)
{
    (void)state;
    assert_true(memory_available_under(root) > 1e17);
    shell("mkdir -p proc/self sys/fs/cgroup/memory");
    shell("printf 'MemTotal: 9000 kB\\nMemFree: 10 kB\\nMemAvailable:    4000 kB\\n' > proc/meminfo");
    assert_true(memory_available_under(root) == 4000 * 1024);
}

/* Version 2: the group's own limit, then a lower one of an ancestor, minus the pages that can be reclaimed. */
static void test_groups(void **state)
{
    (void)state;
    shell("echo '0::/a/b' > proc/self/cgroup && mkdir -p sys/fs/cgroup/a/b");
    assert_true(memory_available_under(root) == 4000 * 1024);
    shell("echo max > sys/fs/cgroup/a/b/memory.max && echo 5000 > sys/fs/cgroup/a/b/memory.current");
    assert_true(memory_available_under(root) == 4000 * 1024);
    shell("echo 1000000 > sys/fs/cgroup/a/b/memory.max && echo 400000 > sys/fs/cgroup/a/b/memory.current");
    assert_true(memory_available_under(root) == 600000);
    shell("printf 'anon 1\\nactive_file 7\\ninactive_file 300000\\n' > sys/fs/cgroup/a/b/memory.stat");
    assert_true(memory_available_under(root) == 900000);
    shell("echo 500000 > sys/fs/cgroup/a/memory.max && echo 450000 > sys/fs/cgroup/a/memory.current");
    assert_true(memory_available_under(root) == 50000);
    shell("echo 600000 > sys/fs/cgroup/a/memory.current");
    assert_true(memory_available_under(root) == 0);
}

/* A container's path is not visible, but its limit is at the top. Version 1 means "none" by a huge number. */
static void test_containers(void **state)
{
    (void)state;
    shell("rm -r sys/fs/cgroup/a && echo 70000 > sys/fs/cgroup/memory.max");
    assert_true(memory_available_under(root) == 70000);
    shell("rm sys/fs/cgroup/memory.max && printf '5:cpu,memory:/c\\n3:memoryless:/\\n0::/\\n' > proc/self/cgroup");
    shell("mkdir sys/fs/cgroup/memory/c && echo 9223372036854771712 > sys/fs/cgroup/memory/c/memory.limit_in_bytes");
    assert_true(memory_available_under(root) == 4000 * 1024);
    shell("cd sys/fs/cgroup/memory && echo 90000 > memory.limit_in_bytes && echo 50000 > memory.usage_in_bytes");
    assert_true(memory_available_under(root) == 40000);
    shell("echo 'total_inactive_file 20000' > sys/fs/cgroup/memory/memory.stat");
    assert_true(memory_available_under(root) == 60000);
}

static void test_here(void **state)
{
    (void)state;
    double here = memory_available();
    assert_true(here > 1e6);
    /* One GB more than is in use, which under AddressSanitizer is terabytes. */
    struct rlimit before, low;
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu", &pages), 1);
    fclose(file);
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    low = before;
    low.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)1 << 30);
    if (before.rlim_max != RLIM_INFINITY && low.rlim_cur > before.rlim_max) return;
    assert_int_equal(setrlimit(RLIMIT_AS, &low), 0);
    double none = memory_available();
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_true(none <= 1 << 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_machine), cmocka_unit_test(test_groups),
                                       cmocka_unit_test(test_containers), cmocka_unit_test(test_here)};
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
