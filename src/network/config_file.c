/* config_file.c - see config_file.h. Limits keep a corrupt file from asking for terabytes; the paper's network is more
 * than ten times below each limit. */
#include "network/config_file.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_put.h"
#include "network/branch.h"
#include "network/registry.h"

enum { MAX_TEXT = 64 * 1024 /* bytes of JSON */, MIN_SIDE = 32, MAX_SIDE = 4096 };

static const uint64_t max_parameters = 2000000000;
static const uint64_t max_plans = 1u << 28;

static const struct view imagenet = {.mean = {0.485f, 0.456f, 0.406f}, .deviation = {0.229f, 0.224f, 0.225f}};
static const char *const orders[] = {"rgb", "bgr", NULL}, *const resizes[] = {"own", "opencv", "skimage", NULL},
                         *const projections[] = {"panorama", "nadir", "perspective", NULL};
static const char *const view_names[2] = {"street", "aerial"}, *const input_keys[2] = {"street_input", "aerial_input"};

static const struct config_field size_rows[] = {
    {"street", FIELD_INTS, offsetof(struct config, views[0].size), 2, MIN_SIDE, MAX_SIDE, NULL},
    {"aerial", FIELD_INTS, offsetof(struct config, views[1].size), 2, MIN_SIDE, MAX_SIDE, NULL},
};
static const struct field_list sizes = {size_rows, 2};

/* ------------------------------------------------------------------ reading */

static bool read_numbers(double *out, int n, const json_t *list)
{
    if (json_array_size(list) != (size_t)n) return false;
    for (int i = 0; i < n; i++) {
        const json_t *value = json_array_get(list, (size_t)i);
        if (!json_is_number(value)) return false;
        out[i] = json_number_value(value);
    }
    return true;
}

/* ground_m, cell_m and elevation; absent keys keep their value. */
static gvm_status read_ground(struct config *out, const json_t *root, const char *where, gvm_error *err)
{
    const json_t *ground = json_object_get(root, "ground_m"), *elevation = json_object_get(root, "elevation"),
                 *cell = json_object_get(root, "cell_m");
    if (cell != NULL && !json_is_number(cell))
        return fail(err, GVM_FORMAT, "%s: the configuration's \"cell_m\" is not a number", where);
    if (cell != NULL) out->cell_m = json_number_value(cell);
    if (ground != NULL && !json_is_number(ground))
        return fail(err, GVM_FORMAT, "%s: the configuration's \"ground_m\" is not a number", where);
    if (ground != NULL) out->ground_m = json_number_value(ground);
    if (elevation != NULL && !read_numbers(out->elevation, 2, elevation))
        return fail(err, GVM_FORMAT, "%s: the configuration's \"elevation\" is not a list of 2 numbers", where);
    return GVM_OK;
}

static bool read_flag(bool *out, const json_t *value)
{
    if (value != NULL) *out = json_is_true(value);
    return value == NULL || json_is_boolean(value);
}

/* visible, wrap, row_shift and heading_tolerance, of the street view; absent keys keep their value. */
static gvm_status read_canvas(struct config *out, const json_t *root, const char *where, gvm_error *err)
{
    const json_t *tolerance = json_object_get(root, "heading_tolerance");
    if (!read_flag(&out->views[GVM_STREET].visible, json_object_get(root, "visible")) ||
        !read_flag(&out->views[GVM_STREET].wrap, json_object_get(root, "wrap")) ||
        !read_flag(&out->views[GVM_STREET].row_shift, json_object_get(root, "row_shift")))
        return fail(err, GVM_FORMAT,
                    "%s: the configuration's \"visible\", \"wrap\" or \"row_shift\" is neither true nor false", where);
    if (tolerance == NULL) return GVM_OK;
    out->tolerance = json_number_value(tolerance);
    if (json_is_number(tolerance) && out->tolerance >= 1 && out->tolerance <= 180) return GVM_OK;
    return fail(err, GVM_FORMAT, "%s: the configuration's \"heading_tolerance\" is not a number from 1 to 180 degrees",
                where);
}

static bool read_word(int *out, const json_t *value, const char *const *words)
{
    const char *word = json_string_value(value);
    if (value == NULL) return true;
    for (int i = 0; word && words[i]; i++)
        if (strcmp(word, words[i]) == 0) {
            *out = i;
            return true;
        }
    return false;
}

/* Zooms and bearing. */
static bool read_zooms(struct view *view, const json_t *input)
{
    const json_t *zooms = json_object_get(input, "zooms"), *bearing = json_object_get(input, "bearing");
    size_t count = json_array_size(zooms);
    if (bearing != NULL && !json_is_number(bearing)) return false;
    if (bearing != NULL) view->bearing = json_number_value(bearing);
    if (zooms == NULL) return true;
    if (count < 1 || count > MAX_ZOOMS || !read_numbers(view->zooms, (int)count, zooms)) return false;
    view->zoom_count = (int)count;
    return true;
}

/* Projection, resize rule, channel order, mean and deviation of a view; absent keys keep their value. */
static gvm_status read_input(struct view *view, const json_t *root, const char *key, const char *where, gvm_error *err)
{
    const json_t *input = json_object_get(root, key), *value;
    int order = view->bgr, resize = view->resize, projection = view->projection;
    if (input == NULL) return GVM_OK;
    if (!json_is_object(input))
        return fail(err, GVM_FORMAT, "%s: the configuration's \"%s\" is not an object", where, key);
    double mean[3], deviation[3];
    bool fine = read_word(&order, json_object_get(input, "order"), orders) &&
                read_word(&resize, json_object_get(input, "resize"), resizes) &&
                read_word(&projection, json_object_get(input, "projection"), projections) && read_zooms(view, input);
    view->bgr = order;
    view->resize = (enum resize)resize;
    view->projection = (enum projection)projection;
    if ((value = json_object_get(input, "mean")) != NULL && (fine = fine && read_numbers(mean, 3, value)))
        for (int i = 0; i < 3; i++) view->mean[i] = (float)mean[i];
    if ((value = json_object_get(input, "deviation")) != NULL && (fine = fine && read_numbers(deviation, 3, value)))
        for (int i = 0; i < 3; i++) view->deviation[i] = (float)deviation[i];
    if (fine) return GVM_OK;
    return fail(err, GVM_FORMAT,
                "%s: the configuration's \"%s\" has an unsupported \"projection\", \"order\", \"resize\", \"mean\", "
                "\"deviation\", \"zooms\" or \"bearing\"",
                where, key);
}

static gvm_status read_config(struct config *out, const json_t *root, const char *where, gvm_error *err)
{
    const char *model = json_string_value(json_object_get(root, "model"));
    const struct method *m = model ? method_find(model) : NULL;
    *out = (struct config){.method = m, .views = {imagenet, imagenet}, .ground_m = 64, .elevation = {-45, 45}};
    out->views[GVM_AERIAL].projection = PROJECTION_NADIR;
    if (m == NULL)
        return fail(err, GVM_FORMAT, "%s: the configuration has an unsupported \"model\"; expected one such as \"%s\"",
                    where, method_at(0)->name);
    gvm_status status = fields_read(out->backbone.bytes, &m->backbone->fields, root, where, err);
    if (status == GVM_OK) status = fields_read(out, &sizes, root, where, err);
    if (status == GVM_OK) status = fields_read(out->head.bytes, &m->head->fields, root, where, err);
    if (status == GVM_OK) status = fields_read(out->own.bytes, &m->fields, root, where, err);
    if (status == GVM_OK) status = read_ground(out, root, where, err);
    if (status == GVM_OK) status = read_canvas(out, root, where, err);
    for (int v = 0; v < 2 && status == GVM_OK; v++)
        status = read_input(&out->views[v], root, input_keys[v], where, err);
    const struct view *aerial = &out->views[GVM_AERIAL];
    if (aerial->zoom_count > 0) out->ground_m = aerial->zooms[0] * aerial->size[1];
    return status;
}

gvm_status config_parse(struct config *out, const char *json, size_t length, const char *where, gvm_error *err)
{
    *out = (struct config){0};
    if (length > MAX_TEXT)
        return fail(err, GVM_FORMAT, "%s: the configuration has %zu bytes, expected at most %d", where, length,
                    MAX_TEXT);
    json_error_t error;
    json_t *root = json_loadb(json, length, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL && json_is_short(&error))
        return fail(err, GVM_MEMORY, "%s: out of memory for the configuration", where);
    if (root == NULL)
        return fail(err, GVM_FORMAT, "%s: invalid JSON in the configuration at byte %d: %s", where, error.position,
                    error.text);
    struct config read;
    gvm_status status = read_config(&read, root, where, err);
    json_decref(root);
    if (status == GVM_OK) status = config_check(&read, where, err);
    if (status == GVM_OK) *out = read;
    return status;
}

gvm_status config_preset(struct config *out, const char *name, gvm_error *err)
{
    const char *json = preset_find(name);
    if (json != NULL) return config_parse(out, json, strlen(json), name, err);
    return fail(err, GVM_ARGUMENT, "unknown preset '%s'", name);
}

gvm_status config_set_stages(struct config *config, const char *key, const char *text, gvm_error *err)
{
    const char *value = text;
    const struct config_field *row = fields_find(&config->method->head->fields, key);
    if (row == NULL || row->type != FIELD_STAGES)
        return fail(err, GVM_ARGUMENT, "%s does not apply to %s", key, config->method->title);
    bool *flags = (bool *)(config->head.bytes + row->offset), read[MAX_MAPS] = {false};
    for (;; value += 2) {
        int s = value[0] - '1';
        if (s < 0 || s >= row->count || read[s] || (value[1] != '\0' && value[1] != ','))
            return fail(err, GVM_ARGUMENT, "%s takes distinct numbers from 1 to %d, for example 4,3; got '%s'", key,
                        row->count, text);
        read[s] = true;
        if (value[1] == '\0') break;
    }
    memcpy(flags, read, (size_t)row->count * sizeof *flags);
    return GVM_OK;
}

/* ------------------------------------------------------------------ checking */

static gvm_status check_ground(const struct config *c, const char *where, gvm_error *err)
{
    if (!(c->ground_m > 0 && c->ground_m <= 1e5))
        return fail(err, GVM_FORMAT,
                    "%s: the configuration's \"ground_m\" is %g, expected above 0 and up to 100000 metres", where,
                    c->ground_m);
    if (!(c->elevation[0] >= -90 && c->elevation[0] < c->elevation[1] && c->elevation[1] <= 90))
        return fail(
            err, GVM_FORMAT,
            "%s: the configuration's \"elevation\" is %g to %g degrees, expected rising values within -90 to 90", where,
            c->elevation[0], c->elevation[1]);
    for (int v = 0; v < 2; v++)
        for (int i = 0; i < 3; i++)
            if (!(c->views[v].deviation[i] > 0 && c->views[v].deviation[i] < 1e6f) ||
                !(c->views[v].mean[i] > -1e6f && c->views[v].mean[i] < 1e6f))
                return fail(err, GVM_FORMAT, "%s: the configuration's \"%s\" has a mean or deviation out of range",
                            where, input_keys[v]);
    return GVM_OK;
}

/* Check that the network supports what the street view asks for. */
static gvm_status check_canvas(const struct config *c, const char *where, gvm_error *err)
{
    const struct view *street = &c->views[GVM_STREET];
    const struct method *m = c->method;
    const char *key = street->visible && !(m->backbone->masked && m->head->masked) ? "visible"
                      : street->wrap && !m->backbone->wraps                        ? "wrap"
                                                                                   : NULL;
    if (key != NULL)
        return fail(err, GVM_FORMAT, "%s: %s does not support the configuration's \"%s\"", where, m->title, key);
    if (street->row_shift && !street->wrap)
        return fail(err, GVM_FORMAT, "%s: the configuration's \"row_shift\" requires \"wrap\"", where);
    if (street->projection == PROJECTION_PANORAMA || !(street->visible || street->wrap || c->tolerance > 0))
        return GVM_OK;
    return fail(err, GVM_FORMAT,
                "%s: the configuration's \"visible\", \"wrap\" and \"heading_tolerance\" need street views that are "
                "panoramas",
                where);
}

/* Check that the views' projections and resize rules are supported. */
static gvm_status check_views(const struct config *c, const char *where, gvm_error *err)
{
    for (int v = 0; v < 2; v++) {
        const struct view *view = &c->views[v];
        bool photo = view->projection == PROJECTION_PERSPECTIVE;
        if (v == GVM_AERIAL ? view->projection != PROJECTION_NADIR : view->zoom_count > 0)
            return fail(err, GVM_FORMAT,
                        "%s: the configuration's \"%s\" has a projection that this view does not support", where,
                        input_keys[v]);
        if (photo != (view->resize == RESIZE_SKIMAGE))
            return fail(err, GVM_FORMAT,
                        "%s: the configuration's \"%s\" has the \"resize\" \"%s\", which \"%s\" does not support",
                        where, input_keys[v], resizes[view->resize], projections[view->projection]);
        for (int i = 0; i < view->zoom_count; i++)
            if (!(view->zooms[i] >= 0.01 && view->zooms[i] <= 100) || (i > 0 && view->zooms[i] <= view->zooms[i - 1]))
                return fail(err, GVM_FORMAT,
                            "%s: the configuration's \"zooms\" are not rising numbers from 0.01 to 100 metres a pixel",
                            where);
    }
    const struct view *aerial = &c->views[GVM_AERIAL];
    if (aerial->zoom_count > 0 && !c->method->head->places)
        return fail(err, GVM_FORMAT, "%s: %s does not support \"zooms\"", where, c->method->title);
    if (aerial->zoom_count > 0 ? !(c->cell_m >= 1 && c->cell_m <= 1e5) : c->cell_m != 0)
        return fail(err, GVM_FORMAT, "%s: the configuration's \"cell_m\" is %g, expected 1 to 100000 metres %s", where,
                    c->cell_m, "with \"zooms\", and absent without");
    if (!(aerial->bearing > -360 && aerial->bearing < 360))
        return fail(err, GVM_FORMAT, "%s: the configuration's \"bearing\" is %g, expected within 360 degrees", where,
                    aerial->bearing);
    return GVM_OK;
}

/* Check each part, and the totals of a dry run. */
static gvm_status check_totals(const struct config *c, const char *where, gvm_error *err)
{
    struct branch branches[2] = {{0}};
    uint64_t parameters = 0, plans = 0;
    gvm_status status = GVM_OK;
    for (int v = 0; v < 2 && status == GVM_OK; v++) {
        if (!branch_open(&branches[v], c, v))
            status = fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", where);
        else
            status = c->method->head->check(c->head.bytes, &branches[v].maps, view_names[v], where, err);
        plans += status == GVM_OK ? branch_plans(&branches[v], NULL, false) : 0;
    }
    if (status == GVM_OK) {
        struct lister lister = {0};
        if (!branches_list(&lister, branches, NULL, c))
            status = fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", where);
        parameters = lister.numbers;
    }
    if (status == GVM_OK && branches[0].features != branches[1].features) {
        status = fail(err, GVM_FORMAT,
                      "%s: the street view's features have %d numbers, the aerial view's %d; expected the same", where,
                      branches[0].features, branches[1].features);
    }
    for (int v = 0; v < 2; v++) branch_close(&branches[v]);
    if (status == GVM_OK && parameters > max_parameters)
        return fail(err, GVM_FORMAT, "%s: the configuration has %llu parameters, expected at most %llu", where,
                    (unsigned long long)parameters, (unsigned long long)max_parameters);
    if (status == GVM_OK && plans > max_plans)
        return fail(err, GVM_FORMAT, "%s: the configuration's windows need %llu position biases, expected at most %llu",
                    where, (unsigned long long)plans, (unsigned long long)max_plans);
    return status;
}

gvm_status config_check(const struct config *c, const char *where, gvm_error *err)
{
    const struct method *m = c->method;
    gvm_status status = fields_check(c->backbone.bytes, &m->backbone->fields, where, err);
    if (status == GVM_OK) status = fields_check(c->head.bytes, &m->head->fields, where, err);
    if (status == GVM_OK) status = fields_check(c->own.bytes, &m->fields, where, err);
    if (status == GVM_OK) status = fields_check(c, &sizes, where, err);
    if (status == GVM_OK) status = check_ground(c, where, err);
    if (status == GVM_OK) status = check_views(c, where, err);
    if (status == GVM_OK) status = check_canvas(c, where, err);
    for (int v = 0; v < 2 && status == GVM_OK; v++)
        status = m->backbone->check(c->backbone.bytes, c->views[v].size, view_names[v], where, err);
    return status == GVM_OK ? check_totals(c, where, err) : status;
}

/* ------------------------------------------------------------------ writing */

/* The shortest decimal that reads back as the same float32. */
static json_t *write_float(float x)
{
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)x);
        if (strtof(text, NULL) == x) break;
    }
    return json_real(strtod(text, NULL));
}

static bool write_zooms(json_t *input, const struct view *view)
{
    json_t *zooms = json_array();
    for (int i = 0; i < view->zoom_count; i++)
        if (json_array_append_new(zooms, json_real(view->zooms[i])) != 0) {
            json_decref(zooms);
            return false;
        }
    return json_object_set_new(input, "zooms", zooms) == 0 &&
           json_object_set_new(input, "bearing", json_real(view->bearing)) == 0;
}

static bool same_colour(const float a[3], const float b[3])
{
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
}

static bool write_input(json_t *root, const struct view *view, const char *key, enum projection projection)
{
    bool usual = !view->bgr && view->resize == 0 && view->projection == projection && view->zoom_count == 0 &&
                 same_colour(view->mean, imagenet.mean) && same_colour(view->deviation, imagenet.deviation);
    if (usual) return true;
    const float *m = view->mean, *d = view->deviation;
    json_t *input =
        json_pack("{s:s, s:s, s:s, s:[o,o,o], s:[o,o,o]}", "projection", projections[view->projection], "order",
                  orders[view->bgr], "resize", resizes[view->resize], "mean", write_float(m[0]), write_float(m[1]),
                  write_float(m[2]), "deviation", write_float(d[0]), write_float(d[1]), write_float(d[2]));
    if (view->zoom_count > 0 && !write_zooms(input, view)) {
        json_decref(input);
        return false;
    }
    return json_object_set_new(root, key, input) == 0;
}

static bool write_canvas(json_t *root, const struct config *c)
{
    const struct view *street = &c->views[GVM_STREET];
    return (!street->visible || json_object_set_new(root, "visible", json_true()) == 0) &&
           (!street->wrap || json_object_set_new(root, "wrap", json_true()) == 0) &&
           (!street->row_shift || json_object_set_new(root, "row_shift", json_true()) == 0) &&
           (c->tolerance <= 0 || json_object_set_new(root, "heading_tolerance", json_real(c->tolerance)) == 0);
}

char *config_json(const struct config *c)
{
    const struct method *m = c->method;
    json_t *root = json_pack("{s:s}", "model", m->name);
    bool ok = root && fields_write(root, &m->backbone->fields, c->backbone.bytes) && fields_write(root, &sizes, c) &&
              fields_write(root, &m->head->fields, c->head.bytes) && fields_write(root, &m->fields, c->own.bytes);
    ok = ok && json_object_set_new(root, "ground_m", json_real(c->ground_m)) == 0 &&
         json_object_set_new(root, "elevation", json_pack("[f,f]", c->elevation[0], c->elevation[1])) == 0;
    if (ok && c->cell_m > 0) ok = json_object_set_new(root, "cell_m", json_real(c->cell_m)) == 0;
    ok = ok && write_canvas(root, c) && write_input(root, &c->views[0], input_keys[0], PROJECTION_PANORAMA) &&
         write_input(root, &c->views[1], input_keys[1], PROJECTION_NADIR);
    char *text = ok ? json_write(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return text;
}
