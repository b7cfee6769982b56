/* framing.c - checks the framing and the host of a request (RFC 9112). A proxy in front of the service must not read a
 * request differently, or requests could be smuggled. So ambiguous requests are refused and their connection is closed:
 * libmicrohttpd uses the first of two lengths and, before 1.0, also accepts lines that end with LF alone, folded lines
 * and white space before a colon. It also accepts chunk lines with LF alone, which cannot be checked here, so no
 * request is accepted after a chunked body. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/service.h"

/* The headers, in the order received. */
struct headers {
    int hosts, lengths, encodings;
    const char *host;
    bool chunked;       /* the only transfer encoding accepted */
    bool strange;       /* a name that is not a token, or a value with control characters */
    bool in_buffer;     /* names and values are in libmicrohttpd's buffer as received */
    const char *behind; /* if so: the end of the previous line */
};

static bool is_token(const char *name, size_t size)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || strchr(others, c) == NULL)) return false;
    }
    return size > 0;
}

static bool has_control(const char *value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)value[i];
        if ((c < ' ' && c != '\t') || c == 127) return true;
    }
    return false;
}

/* Before 1.0, libmicrohttpd terminates names, values and lines in its buffer with zeros, one for each byte of a line
 * end, and moves folded lines elsewhere. So a line that does not start two bytes after the previous one was not ended
 * by CR LF. */
static bool is_next_line(const struct headers *h, const char *name, size_t name_size, const char *value)
{
    uintptr_t behind = (uintptr_t)h->behind, start = (uintptr_t)name, text = (uintptr_t)value;
    if (start != behind + 2 || h->behind[1] != '\0' || text <= start + name_size) return false;
    const char *between = name + name_size + 1;
    return strspn(between, " \t") >= text - (uintptr_t)between;
}

/* Likewise: the last line and the empty line after it end with CR LF. */
static bool is_last_line(const char *behind)
{
    return behind[1] == '\0' && behind[2] == '\0' && behind[3] == '\0';
}

static enum MHD_Result read_header(void *user, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                   const char *value, size_t size)
{
    struct headers *h = user;
    (void)kind;
    if (value == NULL) value = "";
    if (!is_token(name, name_size) || has_control(value, size)) h->strange = true;
    if (h->in_buffer && !h->strange) {
        if (!is_next_line(h, name, name_size, value)) h->strange = true;
        h->behind = value + strlen(value);
    }
    if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
        h->hosts++;
        h->host = value;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        h->lengths++;
        if (size == 0 || strspn(value, "0123456789") != size) h->strange = true;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        h->encodings++;
        h->chunked = strcasecmp(value, "chunked") == 0;
    }
    return MHD_YES;
}

/* The host of an absolute target such as http://maps.example:8080/v1/map overrides the Host field (section 3.2.2).
 * False if it is invalid. */
static bool read_target(struct request *r, const char *url)
{
    r->path = url;
    size_t scheme = strncasecmp(url, "http://", 7) == 0 ? 7 : strncasecmp(url, "https://", 8) == 0 ? 8 : 0;
    if (scheme == 0) return true;
    size_t length = strcspn(url + scheme, "/");
    if (length == 0 || length >= sizeof r->host) return false;
    memcpy(r->host, url + scheme, length);
    r->host[length] = '\0';
    r->path = url[scheme + length] != '\0' ? url + scheme + length : "/";
    return strpbrk(r->host, "@ ") == NULL;
}

static void refuse_framing(struct request *r, const char *sentence)
{
    r->ends = true;
    refuse(r, 400, "%s", sentence);
}

bool framing_is_ours(void)
{
    return strncmp(MHD_get_version(), "0.", 2) == 0;
}

void framing_check(struct request *r, const char *url, const char *version)
{
    bool old = framing_is_ours();
    struct headers h = {.in_buffer = old, .behind = version + strlen(version)};
    const char *first = h.behind;
    MHD_get_connection_values_n(r->connection, MHD_HEADER_KIND, read_header, &h);
    if (old && !h.strange && h.behind != first && !is_last_line(h.behind)) h.strange = true;
    bool good = read_target(r, url);
    if (r->host[0] == '\0' && h.host != NULL) {
        good = good && strlen(h.host) < sizeof r->host;
        snprintf(r->host, sizeof r->host, "%s", h.host);
        for (size_t n = strlen(r->host); n > 0 && strchr(" \t", r->host[n - 1]) != NULL; n--) r->host[n - 1] = '\0';
    }
    r->last = old && h.encodings > 0;
    r->has_host = h.host != NULL || r->host[0] != '\0';
    if (h.strange)
        refuse_framing(r, "A header is malformed, folded, or does not end with CR LF.");
    else if (h.hosts > 1 || !good)
        refuse_framing(r, "The request must have exactly one host.");
    else if (h.hosts == 0 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0)
        refuse_framing(r, "The request has no Host header.");
    else if (h.lengths > 1 || h.lengths + h.encodings > 1)
        refuse_framing(r, "The request gives the length of its body twice.");
    else if (h.encodings > 0 && (!h.chunked || strcmp(version, MHD_HTTP_VERSION_1_0) == 0))
        refuse_framing(r, "Unsupported transfer encoding; only chunked, with HTTP/1.1, is accepted.");
}

/* As MHD's, except that %00 is kept: MHD would end the path or the value there. */
size_t framing_unescape(void *user, struct MHD_Connection *connection, char *text)
{
    char *to = text;
    (void)user, (void)connection;
    for (const char *from = text; *from != '\0'; from++) {
        char digits[3] = {0};
        if (*from == '%' && from[1] != '\0') memcpy(digits, from + 1, 2);
        bool hex = digits[0] != '\0' && strspn(digits, "0123456789abcdefABCDEF") == 2 && strcmp(digits, "00") != 0;
        *to++ = (char)(hex ? strtol(digits, NULL, 16) : *from);
        if (hex) from += 2;
    }
    *to = '\0';
    return (size_t)(to - text);
}
