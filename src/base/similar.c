/* similar.c - see similar.h. */
#include "base/similar.h"

#include <string.h>

enum { LONGEST = 31 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t word_distance(const char *a, const char *b)
{
    size_t d[LONGEST + 1][LONGEST + 1], n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST) return (size_t)2 * LONGEST;
    for (size_t i = 0; i <= n; i++) d[i][0] = i;
    for (size_t k = 0; k <= m; k++) d[0][k] = k;
    for (size_t i = 1; i <= n; i++)
        for (size_t k = 1; k <= m; k++) {
            d[i][k] = least(least(d[i - 1][k], d[i][k - 1]) + 1, d[i - 1][k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                d[i][k] = least(d[i][k], d[i - 2][k - 2] + 1);
        }
    return d[n][m];
}

const char *similar(const char *typed, const char *const *names, size_t count)
{
    size_t length = strlen(typed), allowed = length < 3 ? 0 : length < 6 ? 1 : 2, best = allowed + 1, begin = 0;
    const char *found = NULL, *longer = NULL;
    for (size_t i = 0; i < count; i++) {
        const char *name = names[i];
        if (length > 0 && strncmp(name, typed, length) == 0 && begin++ == 0) longer = name;
        size_t d = word_distance(typed, name);
        if (d == best && d <= allowed) found = NULL;
        if (d >= best) continue;
        best = d;
        found = name;
    }
    return found != NULL ? found : begin == 1 ? longer : NULL;
}
