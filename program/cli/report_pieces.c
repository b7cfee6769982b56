/* report_pieces.c - see report.h: what all parts of the report are made of. */
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"
#include "image/encode.h"

enum outcome report_outcome(const struct answers *a, size_t photo)
{
    struct located l = located_photo(a, photo);
    if (l.status != GVM_OK || l.found->count == 0) return REFUSED;
    if (!isnan(l.lat)) return located_error(&l, l.hits) <= NEAR_M ? RIGHT : WRONG;
    switch (located_weakness(l.found, l.min_margin)) {
    case CLEAR: return SURE;
    case WEAK: return UNSURE;
    default: return ONLY;
    }
}

const char *report_name(const struct answers *a, size_t photo)
{
    const char *path = a->photos.paths[photo], *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

void report_text(FILE *out, const char *text)
{
    gchar *valid = g_utf8_make_valid(text, -1), *escaped = g_markup_escape_text(valid, -1);
    fputs(escaped, out);
    g_free(escaped);
    g_free(valid);
}

void report_picture(struct report *r, const unsigned char *rgb, int width, int height, const char *alt, const char *of)
{
    size_t size;
    void *jpeg = image_encode(&size, JPEG, rgb, 3, width, height);
    if (jpeg == NULL) {
        report_problem(r, "there is not enough memory to encode a picture");
        return;
    }
    gchar *text = g_base64_encode(jpeg, size);
    fputs("<img alt=\"", r->out);
    report_text(r->out, alt);
    report_text(r->out, of);
    fprintf(r->out, "\" width=\"%d\" height=\"%d\" src=\"data:image/jpeg;base64,%s\">", width, height, text);
    g_free(text);
    g_free(jpeg);
}

void report_problem(struct report *r, const char *sentence)
{
    if (!g_ptr_array_find_with_equal_func(r->problems, sentence, g_str_equal, NULL))
        g_ptr_array_add(r->problems, g_strdup(sentence));
}
