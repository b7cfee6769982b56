/* json_text.h - text of any bytes as JSON. */
#ifndef GVM_BASE_JSON_TEXT_H
#define GVM_BASE_JSON_TEXT_H

#include <jansson.h>

/* What is not UTF-8 becomes U+FFFD: a path need not be. NULL without memory. */
json_t *json_text(const char *text);

#endif
