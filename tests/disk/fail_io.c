/* fail_io.c - a library to preload: the Kth call of a kind that the program, or a library that it uses, makes on a file
 * below a folder fails.
 *
 *     FAIL_IO=KIND:K     which call; K:all also fails each call after it; K = 0 only counts
 *     FAIL_IO_UNDER=DIR  an absolute path; calls on other files do not count
 *     FAIL_IO_LOG=FILE   gets "failed K CALL PATH" for each that failed, and "points N" at the end (of
 *                          space: bytes)
 *
 * With FAIL_IO_STDOUT and FAIL_IO_STDERR the program waits before its main and forks for each line that file 198
 * gets: a fault, or nothing. The child has these two files for its streams; its status goes to file 199.
 *
 * KIND is open, stat, read, write, sync, close, map, name, unlink, folder or lock; short (a read or a write does half
 * of what was asked); interrupt (a call returns EINTR and does nothing); or space, of which K are the bytes that the
 * disk has left.
 *
 * A filter of system calls (seccomp) stops those that the C library makes, so that what stdio, SQLite, GDAL and libvips
 * do inside counts too; the handler of SIGSYS makes the call itself, or reports failure. Sanitizers make their own
 * calls. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the registers of a system call are those of x86-64"
#endif

enum kind {
    OPEN,
    STAT,
    READ,
    WRITE,
    SYNC,
    CLOSE,
    MAP,
    NAME,
    UNLINK,
    FOLDER,
    LOCK,
    KINDS,
    SHORT = KINDS,
    INTERRUPT,
    SPACE
};

/* By the order of enum kind. */
static const char *const kind_names[] = {"open", "stat",   "read",   "write", "sync",  "close",     "map",
                                         "name", "unlink", "folder", "lock",  "short", "interrupt", "space"};
static const int kind_errors[KINDS] = {EIO, EIO, EIO, ENOSPC, EIO, EIO, ENOMEM, EIO, EIO, ENOSPC, ENOLCK};

/* `at`: which argument is the file, an open one's number or a path; for a path behind a folder's number that too. */
static const struct call {
    const char *name;
    int number;
    enum kind kind;
    enum { BY_FILE, BY_PATH } by;
    int at;
} calls[] = {
    {"open", SYS_open, OPEN, BY_PATH, 0},
    {"openat", SYS_openat, OPEN, BY_PATH, 1},
    {"creat", SYS_creat, OPEN, BY_PATH, 0},
    {"stat", SYS_stat, STAT, BY_PATH, 0},
    {"lstat", SYS_lstat, STAT, BY_PATH, 0},
    {"fstat", SYS_fstat, STAT, BY_FILE, 0},
    {"newfstatat", SYS_newfstatat, STAT, BY_PATH, 1},
    {"statx", SYS_statx, STAT, BY_PATH, 1},
    {"access", SYS_access, STAT, BY_PATH, 0},
    {"faccessat", SYS_faccessat, STAT, BY_PATH, 1},
    {"faccessat2", SYS_faccessat2, STAT, BY_PATH, 1},
    {"read", SYS_read, READ, BY_FILE, 0},
    {"pread", SYS_pread64, READ, BY_FILE, 0},
    {"readv", SYS_readv, READ, BY_FILE, 0},
    {"preadv", SYS_preadv, READ, BY_FILE, 0},
    {"getdents", SYS_getdents64, READ, BY_FILE, 0},
    {"write", SYS_write, WRITE, BY_FILE, 0},
    {"pwrite", SYS_pwrite64, WRITE, BY_FILE, 0},
    {"writev", SYS_writev, WRITE, BY_FILE, 0},
    {"pwritev", SYS_pwritev, WRITE, BY_FILE, 0},
    {"truncate", SYS_truncate, WRITE, BY_PATH, 0},
    {"ftruncate", SYS_ftruncate, WRITE, BY_FILE, 0},
    {"fallocate", SYS_fallocate, WRITE, BY_FILE, 0},
    {"fsync", SYS_fsync, SYNC, BY_FILE, 0},
    {"fdatasync", SYS_fdatasync, SYNC, BY_FILE, 0},
    {"syncfs", SYS_syncfs, SYNC, BY_FILE, 0},
    {"close", SYS_close, CLOSE, BY_FILE, 0},
    {"mmap", SYS_mmap, MAP, BY_FILE, 4},
    {"rename", SYS_rename, NAME, BY_PATH, 0},
    {"renameat", SYS_renameat, NAME, BY_PATH, 1},
    {"renameat2", SYS_renameat2, NAME, BY_PATH, 1},
    {"link", SYS_link, NAME, BY_PATH, 0},
    {"linkat", SYS_linkat, NAME, BY_PATH, 1},
    {"unlink", SYS_unlink, UNLINK, BY_PATH, 0},
    {"unlinkat", SYS_unlinkat, UNLINK, BY_PATH, 1},
    {"rmdir", SYS_rmdir, UNLINK, BY_PATH, 0},
    {"mkdir", SYS_mkdir, FOLDER, BY_PATH, 0},
    {"mkdirat", SYS_mkdirat, FOLDER, BY_PATH, 1},
    {"flock", SYS_flock, LOCK, BY_FILE, 0},
    {"fcntl", SYS_fcntl, LOCK, BY_FILE, 0},
};
enum { CALLS = sizeof calls / sizeof *calls, SERVER_IN = 198, SERVER_OUT = 199 };

static int kind = -1;
static long wanted;
static bool all; /* after the first too */
static char under[PATH_MAX];
static int log_file = -1;
static atomic_long points;
static atomic_long taken; /* bytes of SPACE */

/* ------------------------------------------------------------------ calls past the filter */

static long direct(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void say(const char *text)
{
    direct(SYS_write, log_file, (long)text, (long)strlen(text), 0, 0, 0);
}

/* ------------------------------------------------------------------ which file */

static void path_of(char path[PATH_MAX], const struct call *call, const long *arguments)
{
    char link[64];
    const char *given = (const char *)arguments[call->at];
    path[0] = '\0';
    if (call->by == BY_PATH && given != NULL && given[0] == '/') {
        snprintf(path, PATH_MAX, "%s", given);
        return;
    }
    bool of_folder = call->by == BY_PATH && call->at == 1 && (int)arguments[0] != AT_FDCWD;
    if (call->by == BY_FILE || of_folder)
        snprintf(link, sizeof link, "/proc/self/fd/%d", (int)arguments[call->by == BY_FILE ? call->at : 0]);
    else
        strcpy(link, "/proc/self/cwd");
    long n = direct(SYS_readlinkat, AT_FDCWD, (long)link, (long)path, PATH_MAX - 1, 0, 0);
    if (n < 0) n = 0;
    path[n] = '\0';
    if (call->by == BY_PATH && given != NULL && given[0] != '\0') {
        size_t length = (size_t)n;
        snprintf(path + length, PATH_MAX - length, "/%s", given);
    }
}

static bool is_under(const char *path)
{
    size_t n = strlen(under);
    return strncmp(path, under, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* ------------------------------------------------------------------ failing */

static bool is_of_kind(const struct call *call, const long *arguments)
{
    if (call->number == SYS_fcntl && arguments[1] != F_SETLK && arguments[1] != F_SETLKW &&
        arguments[1] != F_OFD_SETLK && arguments[1] != F_OFD_SETLKW)
        return false;
    switch (kind) {
    case SHORT:
        return (call->kind == READ || call->number == SYS_write || call->number == SYS_pwrite64) &&
               call->number != SYS_getdents64 && call->number != SYS_readv && call->number != SYS_preadv &&
               arguments[2] > 1;
    case INTERRUPT: return call->kind == OPEN || call->kind == READ || call->kind == WRITE || call->number == SYS_flock;
    case SPACE: return call->kind == WRITE;
    default: return (int)call->kind == kind;
    }
}

/* What the disk still takes of a write; -1 for a call that takes nothing. */
static long room_for(const struct call *call, const long *arguments)
{
    long n = call->number == SYS_fallocate                               ? arguments[3]
             : call->number == SYS_write || call->number == SYS_pwrite64 ? arguments[2]
                                                                         : -1;
    if (n < 0) return -1;
    long before = atomic_fetch_add(&taken, n), left = wanted - before;
    return left <= 0 ? 0 : left < n ? left : n;
}

static long fail_call(const struct call *call, const long *a, const char *path, long number, int error)
{
    char line[PATH_MAX + 64];
    snprintf(line, sizeof line, "failed %ld %s %s\n", number, call->name, path);
    say(line);
    if (call->number == SYS_close) direct(SYS_close, a[0], 0, 0, 0, 0, 0); /* as Linux does, also on failure */
    return -error;
}

static long answer(const struct call *call, long *a)
{
    char path[PATH_MAX];
    path_of(path, call, a);
    if (is_under(path) && is_of_kind(call, a)) {
        long number = atomic_fetch_add(&points, 1) + 1;
        bool now = wanted > 0 && (number == wanted || (all && number > wanted));
        if (kind == SPACE) {
            long room = room_for(call, a);
            bool part = call->number != SYS_fallocate && room > 0;
            if (room == 0 || (room > 0 && room < a[call->number == SYS_fallocate ? 3 : 2] && !part))
                return fail_call(call, a, path, number, ENOSPC);
            if (part) a[2] = room;
        } else if (now && kind == SHORT) {
            a[2] /= 2;
            fail_call(&(struct call){.name = call->name, .number = -1}, a, path, number, 0);
        } else if (now) {
            return fail_call(call, a, path, number, kind == INTERRUPT ? EINTR : kind_errors[call->kind]);
        }
    }
    return direct(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void handle(int number, siginfo_t *info, void *context)
{
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    long a[6] = {r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9]};
    (void)number;
    for (int i = 0; i < CALLS; i++)
        if (calls[i].number == info->si_syscall) {
            r[REG_RAX] = answer(&calls[i], a);
            return;
        }
    abort();
}

/* ------------------------------------------------------------------ the filter */

struct range {
    uintptr_t start, end;
};

static int find_libc(struct dl_phdr_info *info, size_t size, void *user)
{
    struct range *text = user;
    (void)size;
    if (strstr(info->dlpi_name, "/libc.so") == NULL) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X) != 0) {
            text->start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            text->end = text->start + info->dlpi_phdr[i].p_memsz;
        }
    return 1;
}

static bool concerns(const struct call *call)
{
    switch (kind) {
    case SHORT: return call->kind == READ || call->kind == WRITE;
    case INTERRUPT: return call->kind == OPEN || call->kind == READ || call->kind == WRITE || call->kind == LOCK;
    case SPACE: return call->kind == WRITE;
    default: return (int)call->kind == kind;
    }
}

/* Addresses are compared by their halves. */
static void filter_calls(const struct range *text)
{
    struct sock_filter code[4 * CALLS + 20];
    unsigned short n = 0;
    const unsigned low = offsetof(struct seccomp_data, instruction_pointer), high = low + 4;
    const unsigned start[2] = {(unsigned)text->start, (unsigned)(text->start >> 32)};
    const unsigned end[2] = {(unsigned)text->end, (unsigned)(text->end >> 32)};
    enum { ALLOW = SECCOMP_RET_ALLOW };
#define PUT(...) code[n++] = (struct sock_filter)__VA_ARGS__
    PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, high)); /* 0: below its start? */
    PUT(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, start[1], 5, 0));
    PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, start[1], 1, 0));
    PUT(BPF_STMT(BPF_RET | BPF_K, ALLOW));
    PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low));
    PUT(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, start[0], 1, 0));
    PUT(BPF_STMT(BPF_RET | BPF_K, ALLOW));
    PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, high)); /* 7: behind its end? */
    PUT(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, end[1], 0, 5));
    PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, end[1], 1, 0));
    PUT(BPF_STMT(BPF_RET | BPF_K, ALLOW));
    PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low));
    PUT(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, end[0], 0, 1));
    PUT(BPF_STMT(BPF_RET | BPF_K, ALLOW));
    for (int i = 0; i < CALLS; i++) {
        if (!concerns(&calls[i])) continue;
        PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
        PUT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0, 1));
        PUT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
    }
    PUT(BPF_STMT(BPF_RET | BPF_K, ALLOW));
    struct sock_fprog program = {n, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        perror("fail_io: this system filters no system calls");
        _exit(77);
    }
}

/* A call in a thread that blocks all signals would otherwise end the process. */
__attribute__((visibility("default"))) int pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
    static int (*next)(int, const sigset_t *, sigset_t *);
    sigset_t own;
    if (next == NULL) next = (int (*)(int, const sigset_t *, sigset_t *))dlsym(RTLD_NEXT, "pthread_sigmask");
    if (set != NULL && how != SIG_UNBLOCK) {
        own = *set;
        sigdelset(&own, SIGSYS);
        set = &own;
    }
    return next(how, set, before);
}

static void read_fault(const char *fault)
{
    for (int i = 0; i <= SPACE; i++) {
        size_t n = strlen(kind_names[i]);
        if (strncmp(fault, kind_names[i], n) == 0 && fault[n] == ':') {
            kind = i;
            wanted = strtol(fault + n + 1, NULL, 10);
            all = strstr(fault, ":all") != NULL;
        }
    }
}

static void open_log(void)
{
    const char *file = getenv("FAIL_IO_LOG");
    int fd = file != NULL ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    log_file = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 700) : -1; /* out of the program's way */
    if (fd >= 0) close(fd);
}

static void start(const char *fault)
{
    const char *folder = getenv("FAIL_IO_UNDER");
    struct range text = {0};
    kind = -1;
    read_fault(fault);
    if (folder != NULL) snprintf(under, sizeof under, "%s", folder);
    open_log();
    dl_iterate_phdr(find_libc, &text);
    if (kind < 0 || folder == NULL || log_file < 0 || text.start == 0) {
        fprintf(stderr, "fail_io: '%s' is not understood, or FAIL_IO_UNDER or FAIL_IO_LOG is missing\n", fault);
        _exit(99);
    }
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
    sigfillset(&action.sa_mask);
    sigaction(SIGSYS, &action, NULL);
    filter_calls(&text);
}

/* ------------------------------------------------------------------ before main */

/* A child's standard stream. */
static void open_stream(int number, const char *variable)
{
    const char *path = getenv(variable);
    int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
    if (fd < 0 || dup2(fd, number) < 0) _exit(99);
    close(fd);
}

/* Fork for each line of SERVER_IN, a fault or an empty one, and write the child's status; only a child returns. */
static void serve(void)
{
    char fault[64];
    size_t n = 0;
    for (char c; read(SERVER_IN, &c, 1) == 1;) {
        if (c != '\n' && n < sizeof fault - 1) {
            fault[n++] = c;
            continue;
        }
        fault[n] = '\0';
        n = 0;
        pid_t child = fork();
        if (child == 0) {
            close(SERVER_IN);
            close(SERVER_OUT);
            open_stream(STDOUT_FILENO, "FAIL_IO_STDOUT");
            open_stream(STDERR_FILENO, "FAIL_IO_STDERR");
            if (chdir(getenv("FAIL_IO_UNDER")) != 0) _exit(99);
            if (fault[0] != '\0') start(fault);
            return;
        }
        int status = -1;
        while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {}
        if (write(SERVER_OUT, &status, sizeof status) != sizeof status) break;
    }
    _exit(0);
}

typedef int main_function(int argc, char **argv, char **environment);

typedef int start_function(main_function *main, int argc, char **argv, void (*begin)(void), void (*end)(void),
                           void (*loader)(void), void *stack);
__attribute__((visibility("default"))) start_function __libc_start_main;

/* All libraries are ready when this is called. */
int __libc_start_main(main_function *main, int argc, char **argv, void (*begin)(void), void (*end)(void),
                      void (*loader)(void), void *stack)
{
    start_function *next = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");
    const char *fault = getenv("FAIL_IO");
    if (getenv("FAIL_IO_STDOUT") != NULL)
        serve();
    else if (fault != NULL)
        start(fault);
    return next(main, argc, argv, begin, end, loader, stack);
}

__attribute__((destructor)) static void finish(void)
{
    char line[64];
    if (log_file < 0) return;
    snprintf(line, sizeof line, "points %ld\n", atomic_load(kind == SPACE ? &taken : &points));
    say(line);
}
