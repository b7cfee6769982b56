/* output.h - whether a file that a command was asked to write may be written: where nothing is, or over a file that
 * this program wrote as the same kind before. Any other file is somebody's, and stays.
 *
 *     static const struct output_kind matches = {"a list of matches", .start = "query,rank,tile1,"};
 *     status = output_check(path, &matches, force, (const char *[]){weights, data}, 2, err);   before the work
 *
 * A kind is known by its content, so a file keeps its protection whatever its name. */
#ifndef GVM_BASE_OUTPUT_H
#define GVM_BASE_OUTPUT_H

#include <stdbool.h>

#include "geoviewmatch.h"

enum { OUTPUT_LOOKED_AT = 4096 /* bytes from a file's start, in which `start` and `holds` are looked for */ };

/* What a file of one kind has in it: all that is not NULL. */
struct output_kind {
    const char *name;  /* with its article, for sentences: "a features file" */
    const char *start; /* text that it begins with */
    const char *holds; /* text near its start */
    /* Anything else; start is the file's first bytes, a line break for each zero. */
    bool (*is_ours)(const char *path, const char *start);
    bool kept; /* there is no --force for it */
};

extern const struct output_kind output_weights;  /* what `init` and `train` write */
extern const struct output_kind output_features; /* what `embed` writes */
extern const struct output_kind output_picture;  /* a PNG by image_write_png */
extern const struct output_kind output_page;     /* HTML with OUTPUT_GENERATOR near its start */

/* What names this program in a picture, in a GeoTIFF of scores and in a page. */
#define OUTPUT_SOFTWARE "GeoViewMatch"
#define OUTPUT_SCORES OUTPUT_SOFTWARE " scores"
#define OUTPUT_GENERATOR "<meta name=\"generator\" content=\"" OUTPUT_SOFTWARE

/* GVM_OK if there is nothing or an empty file, or a file of the kind, or with `force` any regular file; what is not
 * regular is file_writer_open's business. Through a symbolic link only to a file of the kind, also with `force`. Never
 * over one of the `count` inputs, files or folders that the command reads (NULL: none), by whatever name; in such a
 * folder only over a file of the kind. GVM_ARGUMENT for another file, GVM_FILE where it cannot be read. */
gvm_status output_check(const char *path, const struct output_kind *kind, bool force, const char *const *inputs,
                        int count, gvm_error *err);

#endif
