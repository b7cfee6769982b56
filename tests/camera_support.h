/* camera_support.h - pictures with the metadata of a camera */
#ifndef GVM_TESTS_CAMERA_SUPPORT_H
#define GVM_TESTS_CAMERA_SUPPORT_H

#include "exif_support.h"
#include "image/camera_read.h"

/* Tags: numbers as fractions, a number, a text. */
#define R(tag, type, ...)                                                                            \
    {                                                                                                \
        tag, type, sizeof((long long[]){__VA_ARGS__}) / sizeof(long long) / 2, {__VA_ARGS__}, {0}, 0 \
    }
#define N(tag, n)                 \
    {                             \
        tag, LONG, 1, {n}, {0}, 0 \
    }
#define T(tag, text)                            \
    {                                           \
        tag, TEXT, sizeof(text), {0}, {0}, text \
    }

enum { /* tags */
       MAKE = 0x10f,
       MODEL = 0x110,
       ORIENTATION = 0x112,
       FOCAL = 0x920a,
       FILM = 0xa405,
       WIDTH = 0xa002,
       HEIGHT = 0xa003,
       PLANE = 0xa20e,
       UNIT = 0xa210,
       NOTE = 0x927c,
       LENS = 0xa434,
       TAKEN = 0x9003,
       SWEEP = 0xa401
};

#define BIT(doubt) (1u << (doubt))
#define OPTIONS(...)                                    \
    {                                                   \
        .size = sizeof(gvm_camera_options), __VA_ARGS__ \
    }

/* XMP GPano: properties as attributes, and the six sizes among them. */
#define PANO(properties) \
    "<x xmlns:GPano='http://ns.google.com/photos/1.0/panorama/'><rdf:Description " properties "/></x>"
#define SIZES(fw, fh, l, t, w, h)                                                                               \
    "GPano:FullPanoWidthPixels='" #fw "' GPano:FullPanoHeightPixels='" #fh "' GPano:CroppedAreaLeftPixels='" #l \
    "' GPano:CroppedAreaTopPixels='" #t "' GPano:CroppedAreaImageWidthPixels='" #w                              \
    "' GPano:CroppedAreaImageHeightPixels='" #h "' "

/* A picture without pixels. */
struct image picture_of(int width, int height, const struct said *picture, const struct said *exif,
                        const struct said *gps, const char *xmp);

/* camera_read, which must succeed with a camera that camera_check accepts. user: NULL for nothing */
struct camera_facts read_camera(const struct image *image, const gvm_camera_options *user);

#endif
