/* family.h - families of published networks: how their files name and store tensors; each is a row of `families`. */
#ifndef GVM_NETWORK_FAMILY_H
#define GVM_NETWORK_FAMILY_H

#include <stdbool.h>
#include <stddef.h>

/* Order of a tensor's dimensions in the file. */
enum tensor_order {
    ORDER_SAME,
    ORDER_LINEAR, /* inputs, outputs; ours are outputs, inputs */
    ORDER_CONV    /* height, width, inputs, outputs; ours are outputs, inputs, height, width */
};

enum { FAMILY_NAME = 256 /* bytes of a tensor's name, with its NUL */ };

/* A number of the configuration that is read from shapes: the first side (in our order) of these tensors, NULL beyond
 * the last. */
enum { SHAPE_WITNESSES = 3 };

struct shape_row {
    const char *key, *ours[SHAPE_WITNESSES];
};

struct family {
    const char *title;
    const char *const *presets; /* for what shapes do not show, such as picture sizes; NULL-terminated */
    const char *mark;           /* the prefix of most of its names */
    const char *view;           /* the prefix of our names of one view, before "backbone." */
    /* Normalise a name: removes what differs between files of the same network. out: FAMILY_NAME bytes */
    void (*plain)(char *out, const char *theirs);
    /* Their normalised name for our parameter, and its order of dimensions; returns false if they have none. */
    bool (*name)(char *theirs, enum tensor_order *order, const char *ours);
    const struct shape_row *shapes; /* beside dims and depths; ends with {NULL} */
};

/* Ends with {NULL}. */
extern const struct family families[];

/* Preset i (from 0) of all families; NULL beyond the last. */
const char *family_preset(int i);

#endif
