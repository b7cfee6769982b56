/* augment.h - a training pair varied: turned about, and its aerial picture once more in other colours (the paper's
 * section 3.3). On 8-bit sRGB of the network's input size. */
#ifndef GVM_IMAGE_AUGMENT_H
#define GVM_IMAGE_AUGMENT_H

#include "geoviewmatch.h"

#include <stdbool.h>
#include <stdint.h>

/* Amounts. A zero turns its part off. */
struct augmentation {
    bool turn;    /* by 0, 90, 180 or 270 degrees, each as likely; an aerial picture that is not square by 0 or 180 */
    float jitter; /* brightness, contrast and saturation, in any order, by factors in [1 - jitter, 1 + jitter]; <= 1 */
    float grey;   /* how likely the colours go, 0..1 */
    float blur;   /* how likely it is blurred, 0..1, */
    float sigma[2]; /* by a Gaussian of a deviation in this range, pixels; above 0, up to 10 */
    /* Beyond the paper, for few pairs: */
    float mirror; /* how likely east and west change places, in both pictures: the pair of a town that is mirrored */
    float street; /* jitter of the street picture, as above */
    /* Sample4Geo's, drawn for the street picture and the strong aerial one each, in this order: */
    float jpeg;     /* how likely it is written as JPEG and read again, 0..1, */
    int quality[2]; /* of a quality in this range, 1..100 */
    float colour;   /* how likely its colours change, 0..1: */
    float shift;    /* brightness, contrast and saturation by up to this factor, <= 0.5, */
    float hue;      /* hue by up to this part of a turn, <= 0.5 */
    float focus;    /* how likely it is blurred or sharpened, one as likely as the other, 0..1 */
    float holes;    /* how likely it has black holes, in a grid or anywhere, one as likely as the other, 0..1 */
    float grid[2];  /* the street and the aerial picture's grid: a hole's side in that of a unit, 0..1 */
    float spin;     /* how likely, at the end, both turn by 90, 180 or 270 degrees, 0..1 */
    /* Of photos and places of several pictures, statewide's: */
    float around; /* the place is drawn from a square of so many metres around the photo, at any bearing; 0: its cell */
};

extern const struct augmentation augmentation_paper; /* the design's amounts */
extern const struct augmentation augmentation_none;  /* pictures as they are */

/* Vary one pair. The aerial picture turns clockwise, and the panorama's columns roll to the right by the same part of
 * the circle, so that north is what it was for both: weak = turned, strong = turned in other colours; mirrored first,
 * if at all. Everything drawn is a function of (seed, epoch, index) alone.
 *
 *   street_out    (Hs, Ws, 3)
 *   strong, weak  (Ha, Wa, 3); weak NULL: it is not wanted
 *   street        (Hs, Ws, 3), aerial (Ha, Wa, 3); none may overlap what goes out
 *   sizes         Hs, Ws, Ha, Wa
 *
 * Returns GVM_OK or GVM_MEMORY (about six bytes a pixel); the caller has the names for the sentence. */
gvm_status augment_pair(uint8_t *street_out, uint8_t *strong, uint8_t *weak, const uint8_t *street,
                        const uint8_t *aerial, const int sizes[4], const struct augmentation *amounts, uint64_t seed,
                        uint64_t epoch, uint64_t index);

/* Vary a photo and the pictures of its place, in place: jpeg, colour, focus and holes alone, drawn once for the photo
 * and once for the place, whose pictures are changed alike. The black around a photo stays black and counts for
 * nothing: its rows, or its columns, from the edges on that are all black. Everything drawn is a function of (seed,
 * epoch, index).
 *
 *   photo   (Hs, Ws, 3)
 *   aerial  (pictures, Ha, Wa, 3)
 *   sizes   Hs, Ws, Ha, Wa
 *
 * Returns GVM_OK or GVM_MEMORY. */
gvm_status augment_place(uint8_t *photo, uint8_t *aerial, const int sizes[4], int pictures,
                         const struct augmentation *amounts, uint64_t seed, uint64_t epoch, uint64_t index);

/* The parts, for a picture of (H, W, 3). */

/* Clockwise by so many quarters (0..3); an odd number wants H == W. */
void augment_turn(uint8_t *out, const uint8_t *in, int H, int W, int quarters);
/* Columns to the right by so many quarters of the width, to the nearest column. */
void augment_roll(uint8_t *out, const uint8_t *in, int H, int W, int quarters);

/* Left and right change places, in place. */
void augment_mirror(uint8_t *pixels, int H, int W);

/* In place and as Pillow's ImageEnhance, to the bit: brightness away from black, contrast from the mean grey,
 * saturation from each pixel's own grey. A factor of 1 changes nothing, 0 leaves what it goes away from. */
void augment_brightness(uint8_t *pixels, int H, int W, float factor);
void augment_contrast(uint8_t *pixels, int H, int W, float factor);
void augment_saturation(uint8_t *pixels, int H, int W, float factor);

/* The hue by this part of a turn, -0.5..0.5, from red towards green; value and saturation stay, to within rounding. */
void augment_hue(uint8_t *pixels, int H, int W, float turn);

/* Each pixel to its grey, 0.299 R + 0.587 G + 0.114 B. */
void augment_grey(uint8_t *pixels, int H, int W);

/* A Gaussian, cut at three deviations, over the picture mirrored at its edges (the edge itself once), to within one
 * level. 0 < sigma <= 10. GVM_OK or GVM_MEMORY, the picture then as it was. */
gvm_status augment_blur(uint8_t *pixels, int H, int W, double sigma);

/* Each value is the sum of those around it, weighted by the kernel (side, side), over the picture mirrored as above.
 * side: odd. GVM_OK or GVM_MEMORY, the picture then as it was. */
gvm_status augment_filter(uint8_t *pixels, int H, int W, const float *kernel, int side);

/* Kernels of it. A generalised Gaussian, its middle 1: deviations along its axes, which are turned by `angle` radians,
 * and its shape, 1 as a Gaussian, less pointed, more flat. And one that sharpens: strength 0..1; a picture's
 * brightness is times 1 - strength (1 - lightness). */
void augment_bell(float *kernel, int side, const double sigma[2], double angle, double shape);
void augment_sharp(float kernel[9], float strength, float lightness);

/* Black: the box left, top, right, bottom, what of it lies within; and holes in a grid of units of a tenth of the
 * width, each with this part of the unit's side, at its upper left. */
void augment_hole(uint8_t *pixels, int H, int W, const int box[4]);
void augment_grid(uint8_t *pixels, int H, int W, float ratio);

#endif
