/* similar.h - what was meant by a word that is none of those that may stand there. */
#ifndef GVM_CLI_SIMILAR_H
#define GVM_CLI_SIMILAR_H

#include <stddef.h>

/* The nearest of the names, of which `each` gives the i-th of `count`: one letter wrong, missing, too much or two
 * exchanged, two of them in a longer word; or the only one that begins so. NULL where none is near, or two are
 * alike. */
const char *similar(const char *typed, const char *(*each)(const void *names, size_t i), const void *names,
                    size_t count);

#endif
