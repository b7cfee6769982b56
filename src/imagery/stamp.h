/* stamp.h - whether files are still what they were: a hash of their sizes and times, and of some bytes. */
#ifndef GVM_IMAGERY_STAMP_H
#define GVM_IMAGERY_STAMP_H

#include <stddef.h>

enum { STAMP = 32 /* hexadecimal digits */ };

struct stamp {
    void *sum;
};

void stamp_start(struct stamp *stamp);
void stamp_bytes(struct stamp *stamp, const void *bytes, size_t size);

/* Size and time of change; also that it is not there. Returns the size, 0 for no file. */
long long stamp_file(struct stamp *stamp, const char *path);

void stamp_end(char text[STAMP + 1], struct stamp *stamp);

#endif
