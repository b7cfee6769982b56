/* handle.h - libmicrohttpd's callbacks; their `user` is the service. */
#ifndef GVM_SERVER_HANDLE_H
#define GVM_SERVER_HANDLE_H

#include <microhttpd.h>

void handle_connection(void *user, struct MHD_Connection *connection, void **context,
                       enum MHD_ConnectionNotificationCode code);
enum MHD_Result handle_request(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **request);
void handle_completed(void *user, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode code);

#endif
