/* listen.c - the service's socket, certificate, limits and printed addresses. */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "server/handle.h"
#include "server/service.h"

enum {
    STACK = 1 << 20,
    WAITING = 511,    /* backlog of connections */
    OTHER_FILES = 48, /* files besides connections: rasters, the log, those of libraries */
    FEWEST = 8        /* fewest useful connections */
};

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* ------------------------------------------------------------------ the socket */

static gvm_status read_address(union address *address, const struct serve_options *o, gvm_error *err)
{
    const char *bind = strcmp(o->bind, "localhost") == 0 ? "127.0.0.1" : o->bind;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, bind, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons((uint16_t)o->port);
    } else if (inet_pton(AF_INET6, bind, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons((uint16_t)o->port);
    } else {
        return fail(err, GVM_ARGUMENT, "%.60s is not an IPv4 or IPv6 address", o->bind);
    }
    return GVM_OK;
}

static gvm_status fail_listening(const struct serve_options *o, gvm_error *err)
{
    if (errno == EADDRINUSE)
        return fail(err, GVM_FILE,
                    "port %d of %.60s is in use, perhaps by another `serve`; stop it, or choose another port with "
                    "--port (0: any free one)",
                    o->port, o->bind);
    if (errno == EACCES)
        return fail(err, GVM_FILE, "no permission to use port %d of %.60s; choose one above 1023 with --port", o->port,
                    o->bind);
    if (errno == EADDRNOTAVAIL)
        return fail(err, GVM_ARGUMENT, "%.60s is not an address of this machine; give one of its addresses with --bind",
                    o->bind);
    return fail(err, GVM_FILE, "cannot listen on %.60s, port %d: %s", o->bind, o->port, strerror(errno));
}

/* With SO_REUSEADDR, so that connections left by a service that has just stopped do not block the next one. Not
 * SO_REUSEPORT, with which two services would share the requests. The port obtained is stored in the address. */
static gvm_status open_socket(int *fd, union address *address, const struct serve_options *o, gvm_error *err)
{
    int on = 1;
    bool v6 = address->any.sa_family == AF_INET6;
    socklen_t size = v6 ? sizeof address->v6 : sizeof address->v4;
    *fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd >= 0 && setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (!v6 || setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
        bind(*fd, &address->any, size) == 0 && listen(*fd, WAITING) == 0 && getsockname(*fd, &address->any, &size) == 0)
        return GVM_OK;
    gvm_status status = fail_listening(o, err);
    if (*fd >= 0) close(*fd);
    return status;
}

/* ------------------------------------------------------------------ limits */

/* At most as many connections as open files allow: without a descriptor for the next connection, libmicrohttpd would
 * retry in a busy loop. */
static gvm_status fit_connections(unsigned *connections, const struct service *s, gvm_error *err)
{
    struct rlimit files;
    *connections = (unsigned)s->options->connections;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return GVM_OK;
    if (files.rlim_cur < files.rlim_max) {
        struct rlimit most = {files.rlim_max, files.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &most) == 0) files = most;
    }
    if (files.rlim_cur == RLIM_INFINITY || files.rlim_cur >= (rlim_t)*connections + OTHER_FILES) return GVM_OK;
    if (files.rlim_cur < OTHER_FILES + FEWEST)
        return fail(err, GVM_ARGUMENT, "the limit of %llu open files is too low to serve; raise it with ulimit -n",
                    (unsigned long long)files.rlim_cur);
    *connections = (unsigned)files.rlim_cur - OTHER_FILES;
    tell(s, "warning: the limit of %llu open files allows %u connections instead of %d; raise it with ulimit -n",
         (unsigned long long)files.rlim_cur, *connections, s->options->connections);
    return GVM_OK;
}

/* ------------------------------------------------------------------ starting */

static bool is_loopback(const union address *a)
{
    if (a->any.sa_family == AF_INET) return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

/* Any address of this machine. */
static bool is_wildcard(const union address *a)
{
    if (a->any.sa_family == AF_INET) return a->v4.sin_addr.s_addr == htonl(INADDR_ANY);
    return IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
}

static int port_of(const union address *a)
{
    return ntohs(a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

/* MHD's messages about clients are not printed. */
static void ignore(void *user, const char *format, va_list arguments)
{
    (void)user, (void)format, (void)arguments;
}

/* A socket passed to MHD, which may have closed it on failure, is not closed here. */
static gvm_status start(struct service *s, int fd, unsigned connections, char *cert, char *key, gvm_error *err)
{
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC |
                     MHD_USE_ERROR_LOG | (cert != NULL ? MHD_USE_TLS : 0);
    char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
    struct MHD_OptionItem tls[] = {{cert != NULL ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, cert},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, key},
                                   {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
                                   {MHD_OPTION_END, 0, NULL}};
    /* no timeout of MHD's: it would charge the network's time to the client (guard.h) */
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle_request, s, MHD_OPTION_EXTERNAL_LOGGER, ignore, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_STRICT_FOR_CLIENT, framing_is_ours() ? 0 : 1, MHD_OPTION_UNESCAPE_CALLBACK, framing_unescape, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, handle_completed, s, MHD_OPTION_NOTIFY_CONNECTION, handle_connection, s,
        MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)s->options->each_client,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (s->daemon != NULL) return GVM_OK;
    if (cert != NULL)
        return fail(err, GVM_FORMAT, "%s, %s: TLS cannot use them; expected a certificate and its private key, in PEM",
                    path_tail(s->options->tls_cert), path_tail(s->options->tls_key));
    return fail(err, GVM_MEMORY, "cannot start the service: out of memory or threads");
}

gvm_status listen_start(struct service *s, gvm_error *err)
{
    const struct serve_options *o = s->options;
    union address address;
    char *cert = NULL, *key = NULL;
    unsigned connections = 0;
    int fd = -1;
    gvm_status status = read_address(&address, o, err);
    if (status == GVM_OK && o->tls_cert != NULL) status = read_small_file(&cert, o->tls_cert, err);
    if (status == GVM_OK && o->tls_key != NULL) status = read_small_file(&key, o->tls_key, err);
    if (status == GVM_OK) status = fit_connections(&connections, s, err);
    if (status == GVM_OK) status = open_socket(&fd, &address, o, err);
    if (status == GVM_OK) status = start(s, fd, connections, cert, key, err);
    if (status == GVM_OK && s->token == NULL && !is_loopback(&address))
        tell(s, "warning: anyone who can reach %s can use this service; restrict it with --token", o->bind);
    s->port = status == GVM_OK ? port_of(&address) : 0;
    free(cert);
    free(key);
    return status;
}

/* ------------------------------------------------------------------ printing addresses */

static void put_address(char *text, size_t size, const struct service *s, const char *host)
{
    bool v6 = strchr(host, ':') != NULL;
    snprintf(text, size, "%s://%s%s%s:%d/", s->options->tls_cert != NULL ? "https" : "http", v6 ? "[" : "", host,
             v6 ? "]" : "", s->port);
}

/* The addresses reachable from other machines. */
static void tell_others(const struct service *s, sa_family_t family)
{
    struct ifaddrs *list = NULL;
    char host[INET6_ADDRSTRLEN], text[120];
    if (getifaddrs(&list) != 0) return;
    for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
        union address a = {.any = {0}};
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != family || !(i->ifa_flags & IFF_UP)) continue;
        memcpy(&a, i->ifa_addr, family == AF_INET ? sizeof a.v4 : sizeof a.v6);
        if (is_loopback(&a) || (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a.v6.sin6_addr))) continue;
        const void *bytes = family == AF_INET ? (const void *)&a.v4.sin_addr : (const void *)&a.v6.sin6_addr;
        if (inet_ntop(family, bytes, host, sizeof host) == NULL) continue;
        put_address(text, sizeof text, s, host);
        tell(s, "reachable from other machines at %s", text);
    }
    freeifaddrs(list);
}

/* By host names, which are accepted only if given with --host. */
static void tell_names(const struct service *s)
{
    char name[256] = "", text[300];
    for (const char *const *host = s->options->hosts; *host != NULL; host++) {
        put_address(text, sizeof text, s, *host);
        tell(s, "and at %s", text);
    }
    if (s->options->hosts[0] != NULL || s->token != NULL || gethostname(name, sizeof name - 1) != 0) return;
    tell(s, "to allow requests by a host name, such as %s, give --host %s", name, name);
}

void listen_tell(const struct service *s)
{
    union address address;
    gvm_error err;
    char text[120];
    if (read_address(&address, s->options, &err) != GVM_OK) return;
    bool wildcard = is_wildcard(&address), v6 = address.any.sa_family == AF_INET6;
    put_address(text, sizeof text, s, !wildcard ? s->options->bind : v6 ? "::1" : "127.0.0.1");
    printf("%s\n", text);
    (void)fflush(stdout);
    tell(s, "serving %s, %zu tiles, at %s", path_tail(s->map_info.path), s->map_info.tiles, text);
    if (wildcard) tell_others(s, address.any.sa_family);
    if (!is_loopback(&address)) tell_names(s);
}
