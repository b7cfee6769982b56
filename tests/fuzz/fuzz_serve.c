/* fuzz_serve.c - any bytes as input from a client of the service: the first letter selects the kind, the rest is the
 * text. Accepted values must be in range. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/address.h"
#include "server/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"maps.example", NULL};

static void host(const char *text)
{
    bool ours = host_is_ours(text, "127.0.0.1", names);
    if (ours && strstr(text, "evil") != NULL) abort();
    if (origin_is_ours(text, "localhost:8080", names) && strstr(text, "://") == NULL) abort();
}

static void numbers(const char *text)
{
    long zoom, x, y;
    size_t number;
    double box[4];
    if (read_square(&zoom, &x, &y, text) && (zoom < 0 || x < 0 || y < 0 || zoom > 999999999)) abort();
    if (read_index(&number, text, ".jpg", 7) && number >= 7) abort();
    if (!read_box(box, text)) return;
    if (!(box[0] <= box[2] && box[1] <= box[3] && box[1] >= -90 && box[3] <= 90)) abort();
    if (!boxes_touch(box, box)) abort();
}

/* In place, never longer; a zero must not truncate it. */
static void unescape(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL) abort();
    size_t length = framing_unescape(NULL, NULL, copy);
    if (length > strlen(text) || length != strlen(copy)) abort();
    free(copy);
}

/* The value of one parameter, together with a valid `near`. */
static void value(enum parameter which, const char *text)
{
    struct serve_options options = {.min_margin = 0.05};
    struct service service = {.options = &options, .views[GVM_STREET].masked = 1};
    struct field fields[PARAMETERS] = {0};
    struct request request = {.service = &service, .fields = fields};
    struct question question;
    snprintf(fields[NEAR].text, PARAMETER_TEXT, "1,2");
    fields[NEAR].size = 3;
    snprintf(fields[which].text, PARAMETER_TEXT, "%s", text);
    fields[which].size = strlen(fields[which].text);
    if (read_question(&question, &request) == (request.refused != 0)) abort();
    if (request.refused != 0) return;
    const gvm_question *q = &question.asked;
    const gvm_camera_options *c = q->camera;
    if (question.top < 1 || question.top > SERVE_TOP || fabs(q->lat) > 90) abort();
    if (!(question.min_margin >= 0 && question.min_margin <= 2)) abort();
    if (q->panorama < 0 || q->panorama > GVM_AS_PHOTO) abort();
    if (isfinite(q->heading) && fabs(q->heading) > 360) abort();
    if (!(c->fov >= 0 && c->fov <= 360) || !(c->focal_35mm >= 0 && c->focal_35mm <= 5000)) abort();
    if ((c->pitch != NULL && !(fabs(*c->pitch) <= 90)) || (c->roll != NULL && !(fabs(*c->roll) <= 180))) abort();
    for (int i = 0; i < 2 && c->distortion != NULL; i++)
        if (!(fabs(c->distortion[i]) <= 2)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return -1;
    char *text = calloc(size, 1); /* of the exact size: reads beyond it are detected */
    if (text == NULL) abort();
    memcpy(text, data + 1, size - 1);
    if (data[0] == 'h')
        host(text);
    else if (data[0] == 'n')
        numbers(text);
    else if (data[0] == 'u')
        unescape(text);
    else if (data[0] >= '0' && data[0] < '0' + PARAMETERS)
        value((enum parameter)(data[0] - '0'), text);
    free(text);
    return 0;
}
