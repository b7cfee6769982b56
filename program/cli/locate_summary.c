/* locate_summary.c - what was found of a photo, how right the answers are as a whole, and how many of them are weak. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/top.h"
#include "cli/locate.h"

struct located located_photo(const struct answers *a, size_t photo)
{
    return (struct located){.status = a->statuses[photo],
                            .sentence = a->errors[photo].text,
                            .hits = a->hits + photo * (size_t)a->top,
                            .found = &a->found[photo],
                            .lat = a->known[photo].lat,
                            .lon = a->known[photo].lon,
                            .min_margin = a->min_margin};
}

struct summary locate_summary(const struct answers *a)
{
    struct summary s = {.photos = a->photos.count, .median_m = NAN};
    double *off = malloc((a->photos.count + 1) * sizeof *off);
    for (size_t i = 0; i < a->photos.count; i++) {
        struct located l = located_photo(a, i);
        if (l.status != GVM_OK || l.found->count == 0) continue;
        bool weak = located_weakness(l.found, l.min_margin) == WEAK, among = false;
        s.located++;
        s.weak += weak;
        if (isnan(l.lat)) continue;
        double error = located_error(&l, l.hits);
        bool near = error <= NEAR_M;
        if (off != NULL) off[s.known] = error;
        s.known++;
        s.near += near;
        s.weak_known += weak;
        s.other_near += near && !weak;
        for (int k = 0; k < l.found->count && k < AMONG; k++) among = among || located_error(&l, &l.hits[k]) <= NEAR_M;
        s.among += among;
    }
    if (off != NULL) s.median_m = median(off, s.known);
    free(off);
    return s;
}

static double percent(size_t part, size_t whole)
{
    return 100.0 * (double)part / (double)whole;
}

void locate_print_summary(const struct answers *a)
{
    struct summary s = locate_summary(a);
    if (s.known > 1) {
        printf("\n%zu photos whose place is known: median error %.1f m; within %d m %.1f%% at rank 1, %.1f%% among the "
               "first %d\n",
               s.known, s.median_m, NEAR_M, percent(s.near, s.known), percent(s.among, s.known),
               a->top < AMONG ? a->top : AMONG);
        printf("%zu of them weak (margin below %g)", s.weak_known, a->min_margin);
        if (s.weak_known < s.known)
            printf(": of the other %zu, %.1f%% within %d m", s.known - s.weak_known,
                   percent(s.other_near, s.known - s.weak_known), NEAR_M);
        if (s.located < s.photos) printf("; %zu of %zu photos were not located", s.photos - s.located, s.photos);
        putchar('\n');
    } else if (s.photos > 1) {
        printf(s.located < s.photos ? "\n%zu of %zu photos located" : "\n%zu photos located", s.located, s.photos);
        if (s.located > 0) printf(", %zu of them weak (margin below %g)", s.weak, a->min_margin);
        putchar('\n');
    }
}
