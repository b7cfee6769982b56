/* report_pieces.c - see report.h: common parts. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "cli/report.h"
#include "image/encode.h"

const char *const outcome_classes[] = {
    [RIGHT] = "right", [WRONG] = "wrong", [SURE] = "sure", [UNSURE] = "unsure", [ONLY] = "unsure", [REFUSED] = ""};

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

const char *report_name(const struct report *r, size_t photo)
{
    const char *path = r->paths[photo], *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

void put(FILE *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree gchar *text = g_markup_vprintf_escaped(format, arguments);
    va_end(arguments);
    fputs(text, out);
}

gchar *report_jpeg(const unsigned char *rgb, int width, int height)
{
    size_t size;
    g_autofree void *jpeg = image_encode(&size, JPEG, rgb, 3, width, height);
    return jpeg != NULL ? g_base64_encode(jpeg, size) : NULL;
}

void report_picture(struct report *r, const unsigned char *rgb, int width, int height, const char *alt, ...)
{
    va_list arguments;
    va_start(arguments, alt);
    g_autofree gchar *said = g_markup_vprintf_escaped(alt, arguments), *jpeg = report_jpeg(rgb, width, height);
    va_end(arguments);
    if (jpeg == NULL) {
        report_problem(r, "cannot encode a picture: out of memory");
        return;
    }
    fprintf(r->out, "<img alt=\"%s\" width=\"%d\" height=\"%d\" src=\"data:image/jpeg;base64,%s\">", said, width,
            height, jpeg);
}

void report_problem(struct report *r, const char *sentence)
{
    if (!g_ptr_array_find_with_equal_func(r->problems, sentence, g_str_equal, NULL))
        g_ptr_array_add(r->problems, g_strdup(sentence));
}
