/* output.h - checks whether a command may write its output file: if the path is free, or holds a file of the same kind
 * written by this program. Any other file belongs to the user and is not overwritten.
 *
 *     static const struct output_kind matches = {"a list of matches", .start = "query,rank,tile1,"};
 *     status = output_check(path, &matches, force, (const char *[]){weights, data}, 2, err);   before the work
 *
 * The kind is determined from the content, not the name. */
#ifndef GVM_BASE_OUTPUT_H
#define GVM_BASE_OUTPUT_H

#include <stdbool.h>

#include "geoviewmatch.h"

enum { OUTPUT_LOOKED_AT = 4096 /* bytes at the start of a file that `start` and `holds` are searched in */ };

/* Properties of a file of one kind; all that are not NULL must hold. */
struct output_kind {
    const char *name;  /* with its article, for error messages: "a features file" */
    const char *start; /* prefix of the file */
    const char *holds; /* text near its start */
    /* A further check; `start` has the file's first bytes, with zero bytes replaced by line breaks. Fails if the file
     * cannot be read. */
    gvm_status (*is_ours)(bool *ours, const char *path, const char *start, gvm_error *err);
    bool kept; /* --force is not offered for it */
};

extern const struct output_kind output_weights;  /* what `init` and `train` write */
extern const struct output_kind output_features; /* what `embed` writes */
extern const struct output_kind output_picture;  /* a PNG written by image_write_png */
extern const struct output_kind output_page;     /* HTML with OUTPUT_GENERATOR near its start */

/* Identifies this program in a picture, in a GeoTIFF of scores and in an HTML page. */
#define OUTPUT_SOFTWARE "GeoViewMatch"
#define OUTPUT_SCORES OUTPUT_SOFTWARE " scores"
#define OUTPUT_GENERATOR "<meta name=\"generator\" content=\"" OUTPUT_SOFTWARE

/* Returns GVM_OK if the path is free, an empty file or a file of the kind, or with `force` any regular file.
 * Non-regular files are left to file_writer_open. A symbolic link must lead to a file of the kind, even with `force`.
 *
 * The `count` inputs are files and folders that the command reads, or NULL. None of them is overwritten, whatever name
 * refers to it, and in such a folder only a file of the kind is. Returns GVM_ARGUMENT for any other file, GVM_FILE if
 * it cannot be read. */
gvm_status output_check(const char *path, const struct output_kind *kind, bool force, const char *const *inputs,
                        int count, gvm_error *err);

#endif
