/* augment.h - augmentation of training pairs: rotation, and a second aerial picture with other colours (section 3.3 of
 * the paper). Works on 8-bit sRGB pictures of the network's input size. */
#ifndef GVM_IMAGE_AUGMENT_H
#define GVM_IMAGE_AUGMENT_H

#include "geoviewmatch.h"

#include <stdbool.h>
#include <stdint.h>

/* Probabilities and strengths. 0 disables a part. */
struct augmentation {
    bool turn;      /* by 0, 90, 180 or 270 degrees, uniform; a non-square aerial picture by 0 or 180 */
    float jitter;   /* factors of brightness, contrast, saturation in [1 - jitter, 1 + jitter], random order; <= 1 */
    float grey;     /* probability of conversion to grey, 0..1 */
    float blur;     /* probability of a blur, 0..1, */
    float sigma[2]; /* Gaussian with a standard deviation in this range, pixels; > 0, <= 10 */
    /* Not in the paper, for small data sets: */
    float mirror; /* probability that both pictures are mirrored east-west */
    float street; /* jitter of the street picture, as above */
    /* From Sample4Geo, drawn separately for the street picture and the strong aerial one, in this order: */
    float jpeg;     /* probability of JPEG compression, 0..1, */
    int quality[2]; /* with a quality in this range, 1..100 */
    float colour;   /* probability of a colour change, 0..1: */
    float shift;    /* brightness, contrast and saturation by up to this factor, <= 0.5, */
    float hue;      /* hue by up to this part of a turn, <= 0.5 */
    float focus;    /* probability of a blur or a sharpening, equally likely, 0..1 */
    float holes;    /* probability of black holes, in a grid or at random, equally likely, 0..1 */
    float grid[2];  /* grid of the street and of the aerial picture: a hole's side over its cell's, 0..1 */
    float spin;     /* probability of a final turn of both by 90, 180 or 270 degrees, 0..1 */
    /* For photos whose place has several pictures (statewide): */
    float around; /* the place is drawn from a square of this side around the photo, metres, any bearing; 0: its cell */
};

extern const struct augmentation augmentation_paper; /* the paper's values */
extern const struct augmentation augmentation_none;  /* no augmentation */

/* Augment one pair. The aerial picture turns clockwise and the panorama's columns roll to the right by the same angle,
 * so that both keep the same north. weak = turned; strong = turned, with other colours. Mirroring, if drawn, comes
 * first. All draws are functions of (seed, epoch, index).
 *
 *   street_out    (Hs, Ws, 3)
 *   strong, weak  (Ha, Wa, 3); weak may be NULL
 *   street        (Hs, Ws, 3), aerial (Ha, Wa, 3); must not overlap the outputs
 *   sizes         Hs, Ws, Ha, Wa
 *
 * Returns GVM_OK or GVM_MEMORY (it needs about six bytes per pixel), without an error message: the caller knows the
 * file names. */
gvm_status augment_pair(uint8_t *street_out, uint8_t *strong, uint8_t *weak, const uint8_t *street,
                        const uint8_t *aerial, const int sizes[4], const struct augmentation *amounts, uint64_t seed,
                        uint64_t epoch, uint64_t index);

/* The visibility (Hs / 4, Ws / 4) of augment_pair's street picture, with the same draws: seen_out from that before.
 * They must not overlap. */
void augment_seen(uint8_t *seen_out, const uint8_t *seen, const int sizes[4], const struct augmentation *amounts,
                  uint64_t seed, uint64_t epoch, uint64_t index);

/* Augment a photo and the pictures of its place, in place, with jpeg, colour, focus and holes only. Drawn once for the
 * photo and once for the place, whose pictures all change alike. Black borders of a photo (rows or columns that are
 * entirely black) are left out. All draws are functions of (seed, epoch, index).
 *
 *   photo   (Hs, Ws, 3)
 *   aerial  (pictures, Ha, Wa, 3)
 *   sizes   Hs, Ws, Ha, Wa
 *
 * Returns GVM_OK or GVM_MEMORY. */
gvm_status augment_place(uint8_t *photo, uint8_t *aerial, const int sizes[4], int pictures,
                         const struct augmentation *amounts, uint64_t seed, uint64_t epoch, uint64_t index);

/* The single steps, for a picture (H, W, 3). */

/* Rotate clockwise by 0..3 quarter turns; an odd number requires H == W. */
void augment_turn(uint8_t *out, const uint8_t *in, int H, int W, int quarters);
/* Roll the columns to the right by 0..3 quarters of the width, rounded to whole columns. */
void augment_roll(uint8_t *out, const uint8_t *in, int H, int W, int quarters);

/* Mirror left and right, in place. */
void augment_mirror(uint8_t *pixels, int H, int W);

/* In place, bit-identical to Pillow's ImageEnhance: brightness relative to black, contrast to the mean grey, saturation
 * to each pixel's grey. Factor 1 changes nothing, factor 0 gives the reference. */
void augment_brightness(uint8_t *pixels, int H, int W, float factor);
void augment_contrast(uint8_t *pixels, int H, int W, float factor);
void augment_saturation(uint8_t *pixels, int H, int W, float factor);

/* Shift the hue by part of a turn, -0.5..0.5, from red towards green. Value and saturation are kept, up to rounding. */
void augment_hue(uint8_t *pixels, int H, int W, float turn);

/* Convert to grey: 0.299 R + 0.587 G + 0.114 B. */
void augment_grey(uint8_t *pixels, int H, int W);

/* Gaussian blur, truncated at three standard deviations, with edges mirrored (the edge pixel not repeated); accurate to
 * one level. 0 < sigma <= 10. Returns GVM_OK, or GVM_MEMORY with the picture unchanged. */
gvm_status augment_blur(uint8_t *pixels, int H, int W, double sigma);

/* Correlate with a kernel (side, side), with edges mirrored as above. side: odd. Returns GVM_OK, or GVM_MEMORY with the
 * picture unchanged. */
gvm_status augment_filter(uint8_t *pixels, int H, int W, const float *kernel, int side);

/* Kernels for augment_filter. augment_bell: a generalised Gaussian, 1 at the centre, with standard deviations along its
 * axes, which are rotated by `angle` radians; shape 1 is a Gaussian, less is more peaked, more is flatter.
 * augment_sharp: strength 0..1; it multiplies the brightness by 1 - strength (1 - lightness). */
void augment_bell(float *kernel, int side, const double sigma[2], double angle, double shape);
void augment_sharp(float kernel[9], float strength, float lightness);

/* Fill with black. augment_hole: the box left, top, right, bottom, clipped to the picture. augment_grid: a hole at the
 * upper left of each cell of a grid; a cell's side is a tenth of the width, a hole's side `ratio` of that. */
void augment_hole(uint8_t *pixels, int H, int W, const int box[4]);
void augment_grid(uint8_t *pixels, int H, int W, float ratio);

#endif
