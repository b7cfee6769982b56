/* config.c - see config.h. The limits keep a lying file from asking for terabytes; the paper's network stays
 * more than ten times below each total. */
#include "network/config.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/error.h"

enum {
    PATCH = 4,
    MAX_TEXT = 64 * 1024, /* bytes of JSON */
    MAX_DIM = 1024,
    MAX_DEPTH = 64,
    MAX_HEAD_DIM = 256,
    MAX_WINDOW = 32,
    MIN_SIDE = PATCH << (STAGES - 1),
    MAX_SIDE = 4096,
    MAX_MASKS = 256,
    MAX_HEAD = 65536
};

static const uint64_t max_parameters = 2000000000;
static const uint64_t max_activation = 1u << 28; /* float32 values of one intermediate of one picture */

const struct config config_paper = {
    .dim = 96,
    .depths = {2, 2, 6, 2},
    .heads = {3, 6, 12, 24},
    .window = 8,
    .street = {128, 640},
    .aerial = {256, 256},
    .stages = {false, false, true, true},
    .masks = 8,
    .head = 96,
    .ground_m = 64,
    .elevation = {-45, 45},
};

const struct config config_nano = {
    .dim = 24,
    .depths = {2, 2, 2, 2},
    .heads = {1, 2, 4, 8},
    .window = 4,
    .street = {64, 320},
    .aerial = {128, 128},
    .stages = {false, false, true, true},
    .masks = 8,
    .head = 96,
    .ground_m = 64,
    .elevation = {-45, 45},
};

static gvm_status read_int(int *out, const json_t *value, const char *key, const char *where, gvm_error *err)
{
    if (value == NULL) return fail(err, GVM_FORMAT, "%s: the configuration lacks \"%s\"", where, key);
    json_int_t x = json_integer_value(value);
    if (!json_is_integer(value) || x < INT_MIN || x > INT_MAX)
        return fail(err, GVM_FORMAT, "%s: the configuration's \"%s\" is not a whole number in range", where, key);
    *out = (int)x;
    return GVM_OK;
}

static gvm_status read_ints(int *out, int n, const json_t *list, const char *key, const char *where, gvm_error *err)
{
    if (list == NULL) return fail(err, GVM_FORMAT, "%s: the configuration lacks \"%s\"", where, key);
    if (json_array_size(list) != (size_t)n)
        return fail(err, GVM_FORMAT, "%s: the configuration's \"%s\" is not a list of %d numbers", where, key, n);
    for (int i = 0; i < n; i++) {
        gvm_status status = read_int(&out[i], json_array_get(list, (size_t)i), key, where, err);
        if (status != GVM_OK) return status;
    }
    return GVM_OK;
}

/* From the shallowest to the deepest, as the feature holds them. */
static gvm_status read_stages(bool stages[STAGES], const json_t *list, const char *where, gvm_error *err)
{
    if (list == NULL) return fail(err, GVM_FORMAT, "%s: the configuration lacks \"stages\"", where);
    if (json_array_size(list) == 0)
        return fail(err, GVM_FORMAT, "%s: the configuration's \"stages\" is not a list of stages", where);
    int last = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        int stage = 0;
        gvm_status status = read_int(&stage, json_array_get(list, i), "stages", where, err);
        if (status != GVM_OK) return status;
        if (stage < 1 || stage > STAGES)
            return fail(err, GVM_FORMAT,
                        "%s: the configuration's \"stages\" names stage %d, which is not one of 1 to 4", where, stage);
        if (stage <= last)
            return fail(err, GVM_FORMAT, "%s: the configuration's \"stages\" names stage %d after stage %d, not rising",
                        where, stage, last);
        last = stage;
        stages[stage - 1] = true;
    }
    return GVM_OK;
}

struct picture_shape config_shape(const struct config *c, gvm_view view)
{
    const int *size = view == GVM_STREET ? c->street : c->aerial;
    return (struct picture_shape){
        .height = size[0], .width = size[1], .elevation = {c->elevation[0], c->elevation[1]}, .resize = RESIZE_OWN};
}

/* ground_m and elevation: what is absent stays as it is. */
static gvm_status read_ground(struct config *out, const json_t *root, const char *where, gvm_error *err)
{
    const json_t *ground = json_object_get(root, "ground_m"), *elevation = json_object_get(root, "elevation");
    if (ground != NULL && !json_is_number(ground))
        return fail(err, GVM_FORMAT, "%s: the configuration's \"ground_m\" is not a number", where);
    if (ground != NULL) out->ground_m = json_number_value(ground);
    if (elevation == NULL) return GVM_OK;
    const json_t *low = json_array_get(elevation, 0), *high = json_array_get(elevation, 1);
    if (json_array_size(elevation) != 2 || !json_is_number(low) || !json_is_number(high))
        return fail(err, GVM_FORMAT, "%s: the configuration's \"elevation\" is not a list of 2 numbers", where);
    out->elevation[0] = json_number_value(low);
    out->elevation[1] = json_number_value(high);
    return GVM_OK;
}

static gvm_status read_config(struct config *out, const json_t *root, const char *where, gvm_error *err)
{
    const char *model = json_string_value(json_object_get(root, "model"));
    if (model == NULL || strcmp(model, "geoviewmatch") != 0)
        return fail(err, GVM_FORMAT, "%s: the configuration's \"model\" is not \"geoviewmatch\"", where);
    *out = (struct config){.ground_m = config_paper.ground_m,
                           .elevation = {config_paper.elevation[0], config_paper.elevation[1]}};
    const struct {
        const char *key;
        int *out;
    } numbers[] = {{"dim", &out->dim}, {"window", &out->window}, {"masks", &out->masks}, {"head", &out->head}};
    const struct {
        const char *key;
        int *out, n;
    } lists[] = {{"depths", out->depths, STAGES},
                 {"heads", out->heads, STAGES},
                 {"street", out->street, 2},
                 {"aerial", out->aerial, 2}};
    gvm_status status = GVM_OK;
    for (int i = 0; i < 4 && status == GVM_OK; i++)
        status = read_int(numbers[i].out, json_object_get(root, numbers[i].key), numbers[i].key, where, err);
    for (int i = 0; i < 4 && status == GVM_OK; i++)
        status = read_ints(lists[i].out, lists[i].n, json_object_get(root, lists[i].key), lists[i].key, where, err);
    if (status == GVM_OK) status = read_stages(out->stages, json_object_get(root, "stages"), where, err);
    if (status == GVM_OK) status = read_ground(out, root, where, err);
    return status;
}

gvm_status config_parse(struct config *out, const char *json, size_t length, const char *where, gvm_error *err)
{
    *out = (struct config){0};
    if (length > MAX_TEXT)
        return fail(err, GVM_FORMAT, "%s: the configuration has %zu bytes, more than %d", where, length, MAX_TEXT);
    json_error_t error;
    json_t *root = json_loadb(json, length, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL && json_error_code(&error) == json_error_out_of_memory)
        return fail(err, GVM_MEMORY, "%s: not enough memory for the configuration", where);
    if (root == NULL)
        return fail(err, GVM_FORMAT, "%s: the configuration is broken at byte %d: %s", where, error.position,
                    error.text);
    struct config read;
    gvm_status status = read_config(&read, root, where, err);
    json_decref(root);
    if (status == GVM_OK) status = config_check(&read, where, err);
    if (status == GVM_OK) *out = read;
    return status;
}

static gvm_status check_range(int value, int low, int high, const char *name, const char *where, gvm_error *err)
{
    if (value >= low && value <= high) return GVM_OK;
    return fail(err, GVM_FORMAT, "%s: the configuration's \"%s\" is %d, not %d to %d", where, name, value, low, high);
}

static gvm_status check_ranges(const struct config *c, const char *where, gvm_error *err)
{
    const struct {
        const char *name;
        int value, low, high;
    } ranges[] = {
        {"dim", c->dim, 1, MAX_DIM},
        {"window", c->window, 1, MAX_WINDOW},
        {"masks", c->masks, 1, MAX_MASKS},
        {"head", c->head, 1, MAX_HEAD},
        {"street", c->street[0], MIN_SIDE, MAX_SIDE},
        {"street", c->street[1], MIN_SIDE, MAX_SIDE},
        {"aerial", c->aerial[0], MIN_SIDE, MAX_SIDE},
        {"aerial", c->aerial[1], MIN_SIDE, MAX_SIDE},
    };
    gvm_status status = GVM_OK;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0] && status == GVM_OK; i++)
        status = check_range(ranges[i].value, ranges[i].low, ranges[i].high, ranges[i].name, where, err);
    for (int i = 0; i < STAGES && status == GVM_OK; i++)
        status = check_range(c->depths[i], 1, MAX_DEPTH, "depths", where, err);
    if (status == GVM_OK && !(c->ground_m > 0 && c->ground_m <= 1e5))
        return fail(err, GVM_FORMAT, "%s: the configuration's \"ground_m\" is %g, not above 0 and up to 100000 metres",
                    where, c->ground_m);
    if (status == GVM_OK && !(c->elevation[0] >= -90 && c->elevation[0] < c->elevation[1] && c->elevation[1] <= 90))
        return fail(err, GVM_FORMAT,
                    "%s: the configuration's \"elevation\" is %g to %g degrees, not a rise within -90 to 90", where,
                    c->elevation[0], c->elevation[1]);
    return status;
}

static gvm_status check_heads(const struct config *c, const char *where, gvm_error *err)
{
    for (int i = 0; i < STAGES; i++) {
        int channels = c->dim << i, heads = c->heads[i];
        if (heads < 1 || channels % heads != 0)
            return fail(err, GVM_FORMAT, "%s: stage %d has %d channels, which %d heads do not divide", where, i + 1,
                        channels, heads);
        if (channels / heads > MAX_HEAD_DIM)
            return fail(err, GVM_FORMAT, "%s: stage %d has %d channels a head, more than %d", where, i + 1,
                        channels / heads, MAX_HEAD_DIM);
    }
    if (!c->stages[STAGES - 1])
        return fail(err, GVM_FORMAT, "%s: the configuration's \"stages\" lacks stage 4, which the rest builds upon",
                    where);
    return GVM_OK;
}

/* The largest intermediate of stage i (from 0), in values: the attention's weights or the MLP's hidden layer. */
static uint64_t activation(const struct config *c, int i, int H, int W, int window)
{
    uint64_t tokens = (uint64_t)H * (uint64_t)W, scores = (uint64_t)c->heads[i] * (uint64_t)(window * window);
    uint64_t hidden = 4 * ((uint64_t)c->dim << i);
    return tokens * (scores > hidden ? scores : hidden);
}

/* Stage i (from 0) of one view, whose map is H x W. */
static gvm_status check_map(const struct config *c, int i, int H, int W, const char *view, const char *where,
                            gvm_error *err)
{
    int shorter = H < W ? H : W, window = c->window < shorter ? c->window : shorter;
    if (H % window != 0 || W % window != 0)
        return fail(err, GVM_FORMAT, "%s: stage %d of the %s view is %d x %d, which its window of %d does not divide",
                    where, i + 1, view, H, W, window);
    if (i + 1 < STAGES && (H % 2 != 0 || W % 2 != 0))
        return fail(err, GVM_FORMAT, "%s: stage %d of the %s view is %d x %d, which does not halve", where, i + 1, view,
                    H, W);
    if (c->stages[i] && H * W < 2)
        return fail(err, GVM_FORMAT, "%s: stage %d of the %s view has a single position, too few for masks", where,
                    i + 1, view);
    uint64_t values = activation(c, i, H, W, window);
    if (values > max_activation)
        return fail(err, GVM_FORMAT, "%s: stage %d of the %s view needs %llu values a picture at once, more than %llu",
                    where, i + 1, view, (unsigned long long)values, (unsigned long long)max_activation);
    return GVM_OK;
}

static gvm_status check_view(const struct config *c, const int size[2], const char *view, const char *where,
                             gvm_error *err)
{
    if (size[0] % PATCH != 0 || size[1] % PATCH != 0)
        return fail(err, GVM_FORMAT, "%s: the %s view is %d x %d pixels, which patches of %d do not divide", where,
                    view, size[0], size[1], PATCH);
    gvm_status status = GVM_OK;
    for (int i = 0; i < STAGES && status == GVM_OK; i++)
        status = check_map(c, i, size[0] / PATCH >> i, size[1] / PATCH >> i, view, where, err);
    return status;
}

/* One view. A block: qkv 3CC, projection CC, MLP 8CC; q, v, projection and second MLP bias C each, hidden bias 4C,
 * two norms 2C each; a scale a head; the bias MLP, 2 to 512 to heads. */
static uint64_t count_view(const struct config *c, const int size[2])
{
    uint64_t dim = (uint64_t)c->dim, total = 3 * PATCH * PATCH * dim + dim + 2 * dim; /* embedding and its norm */
    for (int i = 0; i < STAGES; i++) {
        uint64_t C = dim << i, heads = (uint64_t)c->heads[i];
        total += (uint64_t)c->depths[i] * (12 * C * C + 12 * C + heads + 2 * 512 + 512 + 512 * heads);
        if (i + 1 < STAGES) total += 8 * C * C + 4 * C; /* merging 4C to 2C and its norm */
        uint64_t L = (uint64_t)(size[0] / PATCH >> i) * (uint64_t)(size[1] / PATCH >> i), half = L / 2;
        if (c->stages[i]) total += (uint64_t)c->masks * (2 * L * half + half + L);
    }
    return total + 2 * (dim << (STAGES - 1)); /* last norm */
}

uint64_t config_parameters(const struct config *c)
{
    uint64_t features = 0, head = (uint64_t)c->head;
    for (int i = 0; i < STAGES; i++)
        if (c->stages[i]) features += (uint64_t)c->masks * ((uint64_t)c->dim << i);
    return count_view(c, c->street) + count_view(c, c->aerial) + features * head + head + head * head + head;
}

/* Position biases and shift masks of all layers, in values: what a network keeps beside its parameters. */
static uint64_t plans(const struct config *c, const int size[2])
{
    uint64_t total = 0;
    for (int i = 0; i < STAGES; i++) {
        int H = size[0] / PATCH >> i, W = size[1] / PATCH >> i, shorter = H < W ? H : W;
        uint64_t n = (uint64_t)(c->window < shorter ? c->window : shorter), padded = (n * n + 15) / 16 * 16;
        total += (uint64_t)c->depths[i] * n * n * padded * ((uint64_t)c->heads[i] + 3);
    }
    return total;
}

gvm_status config_check(const struct config *config, const char *where, gvm_error *err)
{
    gvm_status status = check_ranges(config, where, err);
    if (status == GVM_OK) status = check_heads(config, where, err);
    if (status == GVM_OK) status = check_view(config, config->street, "street", where, err);
    if (status == GVM_OK) status = check_view(config, config->aerial, "aerial", where, err);
    if (status != GVM_OK) return status;
    uint64_t parameters = config_parameters(config);
    if (parameters > max_parameters)
        return fail(err, GVM_FORMAT, "%s: the configuration has %llu parameters, more than %llu", where,
                    (unsigned long long)parameters, (unsigned long long)max_parameters);
    uint64_t values = plans(config, config->street) + plans(config, config->aerial);
    if (values > max_activation)
        return fail(err, GVM_FORMAT, "%s: the configuration's windows need %llu position biases, more than %llu", where,
                    (unsigned long long)values, (unsigned long long)max_activation);
    return GVM_OK;
}

char *config_json(const struct config *config)
{
    const int *d = config->depths, *h = config->heads;
    json_t *stages = json_array();
    for (int i = 0; i < STAGES; i++)
        if (config->stages[i]) json_array_append_new(stages, json_integer(i + 1));
    json_t *root =
        json_pack("{s:s, s:i, s:[i,i,i,i], s:[i,i,i,i], s:i, s:[i,i], s:[i,i], s:o, s:i, s:i, s:f, s:[f,f]}", "model",
                  "geoviewmatch", "dim", config->dim, "depths", d[0], d[1], d[2], d[3], "heads", h[0], h[1], h[2], h[3],
                  "window", config->window, "street", config->street[0], config->street[1], "aerial", config->aerial[0],
                  config->aerial[1], "stages", stages, "masks", config->masks, "head", config->head, "ground_m",
                  config->ground_m, "elevation", config->elevation[0], config->elevation[1]);
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}
