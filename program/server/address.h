/* address.h - whom and what a request names: Host and Origin, a tile, a box. Any text a client sends comes through
 * here first, so that tests/fuzz/fuzz_serve.c reaches it without a connection. */
#ifndef GVM_SERVER_ADDRESS_H
#define GVM_SERVER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a Host field is ours: localhost, an IP literal, `bind`, or one of `names` (NULL behind the last), each with
 * any port. A name of a foreign site that was turned to this machine's address (DNS rebinding) is none of them. */
bool host_is_ours(const char *host, const char *bind, const char *const *names);

/* Whether an Origin field is a page's of the same host and port, or of one of `names`. */
bool origin_is_ours(const char *origin, const char *host, const char *const *names);

/* Whether a text, up to its end or a comma, is a decimal number as it is written in a request: nothing that strtod
 * reads besides, such as white space, hexadecimal digits, or inf. */
bool is_plain_number(const char *text);

/* "ZOOM/X/Y.jpg", each of at most nine digits. */
bool read_square(long *zoom, long *x, long *y, const char *text);

/* A number below `count`, and then `end`. */
bool read_index(size_t *number, const char *text, const char *end, size_t count);

/* "WEST,SOUTH,EAST,NORTH" in degrees. A box across the antimeridian has west > east (RFC 7946, section 5.2); here its
 * east is then 360 more. */
bool read_box(double box[4], const char *text);

/* Whether two boxes touch, whatever turns lie between their longitudes. */
bool boxes_touch(const double a[4], const double b[4]);

#endif
