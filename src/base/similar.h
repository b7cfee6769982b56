/* similar.h - suggests the word that was meant by a misspelled one */
#ifndef GVM_BASE_SIMILAR_H
#define GVM_BASE_SIMILAR_H

#include <stddef.h>

/* Edit distance (Damerau-Levenshtein, optimal string alignment): insertions, deletions, substitutions and swaps of
 * adjacent letters. Returns 62 if a word has more than 31 letters. */
size_t word_distance(const char *a, const char *b);

/* The nearest name within one edit (two if the word has six letters or more, none if it has fewer than three);
 * otherwise the only name that starts with the word. Returns NULL if there is none, or if two names are equally near.
 */
const char *similar(const char *typed, const char *const *names, size_t count);

#endif
