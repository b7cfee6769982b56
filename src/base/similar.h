/* similar.h - what was meant by a word that is none of those that may stand there. */
#ifndef GVM_BASE_SIMILAR_H
#define GVM_BASE_SIMILAR_H

#include <stddef.h>

/* Letters to change, leave out, put in, or exchange with their neighbour, to come from one word to the other
 * (Damerau's and Levenshtein's distance, each letter moved once). A great number for words that are too long. */
size_t word_distance(const char *a, const char *b);

/* The nearest of the names: one letter wrong, missing, too much or two exchanged, two of them in a longer word; or the
 * only one that begins so. NULL where none is near, or two are alike. */
const char *similar(const char *typed, const char *const *names, size_t count);

#endif
