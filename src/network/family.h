/* family.h - networks that others have published, as their files name and store them: a row each of `families`. */
#ifndef GVM_NETWORK_FAMILY_H
#define GVM_NETWORK_FAMILY_H

#include <stdbool.h>
#include <stddef.h>

/* How a tensor's dimensions lie in the file. */
enum tensor_order {
    ORDER_SAME,
    ORDER_LINEAR, /* inputs, outputs; ours are outputs, inputs */
    ORDER_CONV    /* height, width, inputs, outputs; ours are outputs, inputs, height, width */
};

enum { FAMILY_NAME = 256 /* bytes of a tensor's name, with its NUL */ };

/* A number of the configuration that shapes tell: the first side (of ours) of these tensors, NULL beyond the last. */
enum { SHAPE_WITNESSES = 3 };

struct shape_row {
    const char *key, *ours[SHAPE_WITNESSES];
};

struct family {
    const char *title;
    const char *const *presets; /* what its tensors cannot tell: pictures, sizes on the ground; NULL-terminated */
    const char *mark;           /* how most of its names begin */
    const char *view;           /* what our names of one view begin with, before "backbone." */
    /* Without what differs between files of the same network. out: FAMILY_NAME bytes */
    void (*plain)(char *out, const char *theirs);
    /* Their plain name for a parameter of ours, and how it lies there; false if they have none. */
    bool (*name)(char *theirs, enum tensor_order *order, const char *ours);
    const struct shape_row *shapes; /* beside dims and depths; ends with {NULL} */
};

/* Ends with {NULL}. */
extern const struct family families[];

/* A preset that belongs to one of them, by its number from 0; NULL beyond the last. */
const char *family_preset(int i);

#endif
