/* output.c - see output.h */
#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/safetensors.h"

/* A training run's state has a configuration too, and is worth more. */
static bool is_weights(const char *path, const char *start)
{
    (void)start;
    struct safetensors *st;
    if (safetensors_open(&st, path, NULL) != GVM_OK) return false;
    const char *config = safetensors_metadata(st, "config");
    bool known = config != NULL && strstr(config, "\"geoviewmatch\"") != NULL; /* before 0.2 there was no `program` */
    bool ours = config != NULL && (known || safetensors_metadata(st, "program") != NULL) &&
                safetensors_metadata(st, "run") == NULL;
    safetensors_close(st);
    return ours;
}

static bool is_features(const char *path, const char *start)
{
    (void)start;
    struct safetensors *st;
    if (safetensors_open(&st, path, NULL) != GVM_OK) return false;
    bool ours = safetensors_metadata(st, "names") != NULL && safetensors_metadata(st, "view") != NULL &&
                safetensors_metadata(st, "fingerprint") != NULL;
    safetensors_close(st);
    return ours;
}

const struct output_kind output_weights = {"a file of weights", .is_ours = is_weights};
const struct output_kind output_features = {"a features file", .is_ours = is_features};
const struct output_kind output_picture = {"a picture", .start = "\x89PNG\r\n\x1a\n",
                                           .holds = "tEXtSoftware\n" OUTPUT_SOFTWARE};
const struct output_kind output_page = {"a page", .holds = OUTPUT_GENERATOR};

/* The start of the file as text, with zero bytes replaced by line breaks: a PNG has zeros between its texts. */
static gvm_status read_start(char text[OUTPUT_LOOKED_AT + 1], const char *path, gvm_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return fail_errno(err, "open", path_tail(path));
    ssize_t size = file_read_at(fd, text, OUTPUT_LOOKED_AT, 0);
    gvm_status status = size < 0 ? fail_errno(err, "read", path_tail(path)) : GVM_OK;
    close(fd);
    if (size < 0) size = 0;
    for (ssize_t i = 0; i < size; i++)
        if (text[i] == '\0') text[i] = '\n';
    text[size] = '\0';
    return status;
}

static gvm_status look(bool *ours, const struct output_kind *kind, const char *path, gvm_error *err)
{
    char text[OUTPUT_LOOKED_AT + 1];
    gvm_status status = read_start(text, path, err);
    if (status != GVM_OK) return status;
    *ours = (kind->start == NULL || strncmp(text, kind->start, strlen(kind->start)) == 0) &&
            (kind->holds == NULL || strstr(text, kind->holds) != NULL) &&
            (kind->is_ours == NULL || kind->is_ours(path, text));
    return GVM_OK;
}

static bool is_same(const char *path, const char *input)
{
    struct stat out, in;
    return stat(path, &out) == 0 && stat(input, &in) == 0 && out.st_dev == in.st_dev && out.st_ino == in.st_ino;
}

/* Whether the file is in the folder, at any depth. */
static bool is_within(const char *path, const char *folder)
{
    char *file = realpath(path, NULL), *top = realpath(folder, NULL);
    size_t n = top != NULL ? strlen(top) : 0;
    bool within = file != NULL && n > 0 && strncmp(file, top, n) == 0 && (file[n] == '/' || top[n - 1] == '/');
    free(file);
    free(top);
    return within;
}

static gvm_status check_inputs(const char *path, bool ours, const char *const *inputs, int count, gvm_error *err)
{
    for (int i = 0; i < count; i++) {
        if (inputs[i] == NULL) continue;
        if (is_same(path, inputs[i]))
            return fail(err, GVM_ARGUMENT, "%s: this command reads it and would replace it; name another file to write",
                        path_tail(path));
        if (!ours && is_within(path, inputs[i]))
            return fail(err, GVM_ARGUMENT,
                        "%s: it lies in a folder that this command reads; name another file to write", path_tail(path));
    }
    return GVM_OK;
}

gvm_status output_check(const char *path, const struct output_kind *kind, bool force, const char *const *inputs,
                        int count, gvm_error *err)
{
    struct stat st, link;
    bool ours, linked = lstat(path, &link) == 0 && S_ISLNK(link.st_mode);
    if (stat(path, &st) != 0) {
        if (errno == ENOENT && linked)
            return fail(err, GVM_ARGUMENT, "%s: it is a symbolic link to a file that is not there; name that file",
                        path_tail(path));
        return GVM_OK; /* there is nothing, or file_writer_open says why not */
    }
    if (!S_ISREG(st.st_mode)) return GVM_OK;
    gvm_status status = look(&ours, kind, path, err);
    if (st.st_size == 0) ours = true; /* as mktemp makes it */
    if (status == GVM_OK) status = check_inputs(path, ours, inputs, count, err);
    if (status != GVM_OK || ours || (force && !linked)) return status;
    if (linked)
        return fail(err, GVM_ARGUMENT,
                    "%s: it is a symbolic link to something else than %s that GeoViewMatch wrote; name another file",
                    path_tail(path), kind->name);
    return fail(err, GVM_ARGUMENT, "%s: it exists and is not %s that GeoViewMatch wrote; name another file%s",
                path_tail(path), kind->name, kind->kept ? "" : ", or replace it with --force");
}
