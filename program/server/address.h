/* address.h - parses what a request names: Host and Origin, a tile, a box. All text from clients is parsed here, so
 * that tests/fuzz/fuzz_serve.c reaches it without a connection. */
#ifndef GVM_SERVER_ADDRESS_H
#define GVM_SERVER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a Host field names this service: localhost, an IP literal, `bind`, or one of `names` (NULL after the last),
 * each with any port. A foreign site's name that resolves to this machine (DNS rebinding) does not. */
bool host_is_ours(const char *host, const char *bind, const char *const *names);

/* Whether an Origin field has the same host and port, or one of `names`. */
bool origin_is_ours(const char *origin, const char *host, const char *const *names);

/* Whether a text, up to its end or a comma, is a decimal number, without what strtod also accepts: white space,
 * hexadecimal digits, inf. */
bool is_plain_number(const char *text);

/* "ZOOM/X/Y.jpg", each of at most nine digits. */
bool read_square(long *zoom, long *x, long *y, const char *text);

/* A number below `count`, followed by `end`. */
bool read_index(size_t *number, const char *text, const char *end, size_t count);

/* "WEST,SOUTH,EAST,NORTH" in degrees. A box across the antimeridian has west > east (RFC 7946, section 5.2); 360 is
 * then added to its east. */
bool read_box(double box[4], const char *text);

/* Whether two boxes touch, with longitudes modulo 360. */
bool boxes_touch(const double a[4], const double b[4]);

#endif
