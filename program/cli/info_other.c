/* info_other.c - other kinds of files: those this program writes or reads, and a guess at the rest. */
#define _GNU_SOURCE /* memmem */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "cli/info.h"
#include "image/kind.h"

/* ------------------------------------------------------------------ the program's other files */

static int info_page(const char *path, bool json)
{
    struct facts f;
    facts_open(&f, json, path, "report", "a report of `locate --report`, for a browser");
    return facts_close(&f);
}

static int info_scores(const char *path, bool json)
{
    struct facts f;
    facts_open(&f, json, path, "scores", "the scores of a map's tiles, from `locate --heat`: a georeferenced GeoTIFF");
    return facts_close(&f);
}

static int info_list(const char *path, const char *what, const char *command, bool json)
{
    char line[4096];
    long lines = -1;
    struct facts f;
    gvm_error err;
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) lines += strchr(line, '\n') != NULL;
    bool bad = file == NULL || ferror(file);
    if (bad) fail_errno(&err, "read", path_tail(path));
    if (file != NULL) (void)fclose(file);
    if (bad) return failed(&err);
    facts_open(&f, json, path, what, "%s of `%s`, %ld lines", what, command, lines);
    fact_json(&f, "lines", json_integer(lines));
    return facts_close(&f);
}

/* ------------------------------------------------------------------ unknown files */

static const struct stranger {
    const char *start;
    int at, size;
    const char *name, *hint;
} strangers[] = {
    {"\x80\2", 0, 2, "a Python pickle", "; only those written by torch.save are read"},
    {"\x89HDF\r\n\x1a\n", 0, 8, "HDF5", "; `check --data FOLDER` reads a whole data set"},
    {"MATLAB 5.0", 0, 10, "a MATLAB file", "; `check --data FOLDER` reads a whole data set"},
    {"%PDF", 0, 4, "a PDF", ""},
    {"\x1f\x8b", 0, 2, "a gzip archive", "; unpack it first"},
    {"BZh", 0, 3, "a bzip2 archive", "; unpack it first"},
    {"\xfd"
     "7zXZ",
     0, 5, "an xz archive", "; unpack it first"},
    {"7z\xbc\xaf", 0, 4, "a 7z archive", "; unpack it first"},
    {"ustar", 257, 5, "a tar archive", "; unpack it first"},
    {"ftypmif1", 4, 8, "a HEIF picture", "; convert it to JPEG first"},
    {"ftyp", 4, 4, "a film", "; extract single pictures from it"},
    {"GIF8", 0, 4, "a GIF picture", "; convert it to PNG first"},
    {"BM", 0, 2, "a BMP picture", "; convert it to PNG first"},
    {"\x7f"
     "ELF",
     0, 4, "a program", ""},
    {"<?xml", 0, 5, "XML", ""},
    {"<!doctype html", 0, 14, "a web page", ""},
    {"<!DOCTYPE html", 0, 14, "a web page", ""},
};

static bool is_plain_text(const unsigned char *start, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (start[i] == '\0' || (start[i] < 0x20 && strchr("\t\n\r\f", start[i]) == NULL)) return false;
    return size > 0;
}

static int refuse(const char *path, const char *looks_like, const char *hint)
{
    gvm_error err;
    fail(&err, GVM_FORMAT, "%s: it is not a file that GeoViewMatch writes; it looks like %s%s", path_tail(path),
         looks_like, hint);
    return failed(&err);
}

static bool begins(const unsigned char *start, size_t size, const char *text)
{
    return size >= strlen(text) && memcmp(start, text, strlen(text)) == 0;
}

int info_other(bool *known, const char *path, const unsigned char start[INFO_START + 1], size_t size,
               const gvm_camera_options *camera, bool json)
{
    const char *text = (const char *)start;
    *known = true;
    enum picture_kind kind = picture_kind(start, size);
    if (kind != NO_PICTURE && memmem(start, size, OUTPUT_SCORES, strlen(OUTPUT_SCORES)) != NULL)
        return info_scores(path, json);
    if (kind != NO_PICTURE) return info_picture(path, picture_kind_name(kind), camera, json);
    int end = info_own(path, start, size, json);
    if (end != GO_ON) return end;
    if (begins(start, size, "{\"step\": ")) return info_log(path, json);
    if (begins(start, size, "query,rank,tile1,")) return info_list(path, "a list of matches", "eval --matches", json);
    if (begins(start, size, "finding,split,id,")) return info_list(path, "a list of findings", "check --list", json);
    if (strstr(text, "name=\"generator\" content=\"GeoViewMatch") != NULL) return info_page(path, json);
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        const struct stranger *s = &strangers[i];
        if (size >= (size_t)s->at + (size_t)s->size && memcmp(start + s->at, s->start, (size_t)s->size) == 0)
            return refuse(path, s->name, s->hint);
    }
    if (strstr(text, "FeatureCollection") != NULL) return refuse(path, "GeoJSON", ", which QGIS opens");
    if (begins(start, size, "{") || begins(start, size, "[")) return refuse(path, "JSON", "");
    if (is_plain_text(start, size))
        return refuse(path, strchr(text, ',') != NULL ? "a list (CSV) or text" : "text", "");
    *known = false;
    return FAILED;
}

int info_folder(const char *path)
{
    static const char *const labels[] = {"pairs.csv", "photos.csv", "splits", "splits__corrected", "ACT_data.mat"};
    gvm_error err;
    const char *hint = "";
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        g_autofree gchar *file = g_build_filename(path, labels[i], NULL);
        if (access(file, F_OK) == 0) hint = "; it looks like a data set, which `check --data` describes";
    }
    fail(&err, GVM_FILE, "%s: it is a folder, but not one of a training run%s", path_tail(path), hint);
    return failed(&err);
}
