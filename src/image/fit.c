/* fit.c - see fit.h */
#include "image/fit.h"

#include <math.h>

#include "base/error.h"

gvm_status fit_box(uint8_t *out, int H, int W, enum resize rule, const struct image *image, const double box[4],
                   const char *where, gvm_error *err)
{
    gvm_status (*const rules[])(uint8_t *, int, int, const uint8_t *, int, int, const double *) = {
        [RESIZE_OWN] = image_resize, [RESIZE_OPENCV] = image_resize_opencv, [RESIZE_SKIMAGE] = image_resize_skimage};
    gvm_status status = rules[rule](out, H, W, image->pixels, image->height, image->width, box);
    if (status == GVM_OK) return status;
    return fail(err, status, "%s: cannot resize it from %d x %d pixels to %d x %d: out of memory", where, image->width,
                image->height, W, H);
}

/* A covered lens, or a blank picture: the network would locate it confidently. Streets have a standard deviation of
 * more than 30 levels, in fog of 10. */
gvm_status fit_content(const uint8_t *pixels, size_t n, const char *where, gvm_error *err)
{
    const double least = 4;
    double sum[3] = {0}, squares[3] = {0}, most = 0;
    for (size_t i = 0; i < 3 * n; i++) {
        sum[i % 3] += pixels[i];
        squares[i % 3] += (double)pixels[i] * pixels[i];
    }
    for (int c = 0; c < 3; c++) most = fmax(most, squares[c] / (double)n - sum[c] / (double)n * (sum[c] / (double)n));
    if (most >= least * least) return GVM_OK;
    return fail(err, GVM_IMAGE, "%s: this picture has no content: it is of one colour, or nearly so", where);
}
