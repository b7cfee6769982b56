/* assets.h - the page's files, embedded in the program. CMake generates the table (cmake/assets.cmake). */
#ifndef GVM_SERVER_ASSETS_H
#define GVM_SERVER_ASSETS_H

#include <stddef.h>

struct asset {
    const char *path; /* URL path, such as "/app/main.js" */
    const unsigned char *data, *end;
};

extern const struct asset assets[];
extern const size_t asset_count;

#endif
