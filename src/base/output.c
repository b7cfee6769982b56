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

/* A training run's state also has a configuration, but is more valuable. */
static gvm_status is_weights(bool *ours, const char *path, const char *start, gvm_error *err)
{
    (void)start;
    struct safetensors *st;
    gvm_status status = safetensors_open(&st, path, err);
    *ours = false;
    if (status != GVM_OK) return status == GVM_FORMAT ? GVM_OK : status;
    const char *config = safetensors_metadata(st, "config");
    bool known = config != NULL && strstr(config, "\"geoviewmatch\"") != NULL; /* before 0.2 there was no `program` */
    *ours = config != NULL && (known || safetensors_metadata(st, "program") != NULL) &&
            safetensors_metadata(st, "run") == NULL;
    safetensors_close(st);
    return GVM_OK;
}

static gvm_status is_features(bool *ours, const char *path, const char *start, gvm_error *err)
{
    (void)start;
    struct safetensors *st;
    gvm_status status = safetensors_open(&st, path, err);
    *ours = false;
    if (status != GVM_OK) return status == GVM_FORMAT ? GVM_OK : status;
    *ours = safetensors_metadata(st, "names") != NULL && safetensors_metadata(st, "view") != NULL &&
            safetensors_metadata(st, "fingerprint") != NULL;
    safetensors_close(st);
    return GVM_OK;
}

const struct output_kind output_weights = {"a weights file", .is_ours = is_weights};
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
            (kind->holds == NULL || strstr(text, kind->holds) != NULL);
    return *ours && kind->is_ours != NULL ? kind->is_ours(ours, path, text, err) : GVM_OK;
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
            return fail(err, GVM_ARGUMENT,
                        "%s: this command reads it and would overwrite it; choose another output file",
                        path_tail(path));
        if (!ours && is_within(path, inputs[i]))
            return fail(err, GVM_ARGUMENT, "%s: it is in a folder that this command reads; choose another output file",
                        path_tail(path));
    }
    return GVM_OK;
}

gvm_status output_check(const char *path, const struct output_kind *kind, bool force, const char *const *inputs,
                        int count, gvm_error *err)
{
    struct stat st, link;
    bool ours, there = lstat(path, &link) == 0, linked = there && S_ISLNK(link.st_mode);
    if (!there || stat(path, &st) != 0) {
        if (errno == ENOENT && linked)
            return fail(err, GVM_ARGUMENT, "%s: it is a dangling symbolic link; name its target instead",
                        path_tail(path));
        bool nothing = errno == ENOENT || errno == ENOTDIR; /* of a file in place of a folder file_writer_open speaks */
        return nothing ? GVM_OK : fail_errno(err, "write", path_tail(path));
    }
    if (!S_ISREG(st.st_mode)) return GVM_OK;
    gvm_status status = look(&ours, kind, path, err);
    if (st.st_size == 0) ours = true; /* as mktemp makes it */
    if (status == GVM_OK) status = check_inputs(path, ours, inputs, count, err);
    if (status != GVM_OK || ours || (force && !linked)) return status;
    if (linked)
        return fail(
            err, GVM_ARGUMENT,
            "%s: it is a symbolic link to a file that is not %s written by GeoViewMatch; choose another output file",
            path_tail(path), kind->name);
    return fail(err, GVM_ARGUMENT, "%s: it exists and is not %s written by GeoViewMatch; choose another output file%s",
                path_tail(path), kind->name, kind->kept ? "" : ", or overwrite it with --force");
}
