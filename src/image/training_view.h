/* training_view.h - views of a panorama for training: what the panorama's canvas shows of a strip or of a photo, if
 * what is believed of the camera is a little wrong
 *
 * A fifth of the views are full circles. At first the others are strips; from 0.3 of the training on half of all views
 * are photos. A strip's narrowest field of view falls from 360 to 50 degrees in the first 0.6 of the training. */
#ifndef GVM_IMAGE_TRAINING_VIEW_H
#define GVM_IMAGE_TRAINING_VIEW_H

#include "image/camera.h"
#include "image/panorama.h"

enum view_kind { VIEW_CIRCLE, VIEW_STRIP, VIEW_PHOTO };

struct training_view {
    enum view_kind kind;
    struct camera taken;    /* as the picture was taken */
    struct camera believed; /* as it is put on the canvas */
};

/* What a draw depends on, besides its index. */
struct training_draws {
    double tolerance; /* largest error of a heading, degrees, 0..180 */
    uint64_t seed, epoch;
    int epochs; /* of the whole training, >= 1 */
};

/* Draw the view of a pair. */
struct training_view training_view_draw(const struct training_draws *draws, uint64_t index);

/* Draw the error of the heading of the pair's whole panorama, degrees: 0 for half of them. */
double training_view_turn(const struct training_draws *draws, uint64_t index);

/* Vary the colours of a view's panorama (H, W, 3) in place, by `amount` as struct augmentation's `street`. */
void training_view_colours(uint8_t *pixels, const struct training_draws *draws, uint64_t index, float amount,
                           const struct picture_shape *shape);

/* Put a view on the canvas.
 *
 *   out       picture_bytes: unseen pixels have the shape's colour; with visibility, a patch is seen if half of its
 * pixels are panorama  picture_bytes, with north at its centre; must not overlap out. What it does not show is unseen
 * in the view too; its first and last rows are repeated shape     of both */
void training_view_render(uint8_t *out, const uint8_t *panorama, const struct training_view *view,
                          const struct picture_shape *shape);

#endif
