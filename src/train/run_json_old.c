/* run_json_old.c - reads a run saved by GeoViewMatch 0.1: version 1, which has no "version" key. Amounts, losses and
 * rates are in lists. */
#include "train/run_json.h"

#include <string.h>

enum { WHOLE = -1 /* a single value, not an element of a list */ };

static const struct {
    const char *old;
    int at; /* index in the list */
    const char *name;
} keys[] = {
    {"data", WHOLE, "data"},
    {"format", WHOLE, "format"},
    {"test", WHOLE, "test"},
    {"cache", WHOLE, "cache"},
    {"ground_m", WHOLE, "ground-metres"},
    {"epochs", WHOLE, "epochs"},
    {"batch", WHOLE, "batch"},
    {"eval_every", WHOLE, "eval-every"},
    {"seed", WHOLE, "seed"},
    {"shuffle", WHOLE, "shuffle"},
    {"cluster_m", WHOLE, "cluster"},
    {"hard", WHOLE, "hard"},
    {"turn", WHOLE, "turn"},
    {"amounts", 0, "jitter"},
    {"amounts", 1, "grey"},
    {"amounts", 2, "blur"},
    {"amounts", 3, "sigma-low"},
    {"amounts", 4, "sigma-high"},
    {"amounts", 5, "mirror"},
    {"amounts", 6, "street-jitter"},
    {"losses", 0, "loss-contrast"},
    {"losses", 1, "loss-strong"},
    {"losses", 2, "loss-weak"},
    {"losses", 3, "loss-alpha"},
    {"rates", 0, "rate"},
    {"rates", 1, "rate-new"},
    {"rates", 2, "decay"},
    {"rates", 3, "beta1"},
    {"rates", 4, "beta2"},
    {"rates", 5, "epsilon"},
    {"rho", WHOLE, "rho"},
    {"drop_path", WHOLE, "drop-path"},
    {"step", WHOLE, "step"},
    {"epoch", WHOLE, "epoch"},
    {"next_batch", WHOLE, "next-batch"},
    {"evaluate", WHOLE, "evaluate"},
    {"best", WHOLE, "best"},
    {"has_elevation", WHOLE, NULL}, /* the next three are combined below */
    {"elevation", WHOLE, NULL},
    {"skip_bad", WHOLE, NULL},
};

json_t *run_json_from_1(const json_t *old, const char **missing)
{
    json_t *root = json_object();
    bool enough = root != NULL;
    *missing = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !*missing; i++) {
        json_t *value = json_object_get(old, keys[i].old);
        if (keys[i].at >= 0) value = json_array_get(value, (size_t)keys[i].at);
        if (value == NULL) *missing = keys[i].old;
        if (value && keys[i].name && json_object_set(root, keys[i].name, value) != 0) enough = false;
    }
    bool skip = json_is_true(json_object_get(old, "skip_bad"));
    json_t *pairs = json_object_get(old, "pairs"); /* missing in states of early builds of 0.1.0 */
    json_t *elevation = json_is_true(json_object_get(old, "has_elevation")) ? json_object_get(old, "elevation") : NULL;
    if (json_object_set_new(root, "on-bad", json_string(skip ? "skip" : "stop")) != 0 ||
        (pairs && json_object_set(root, "pairs", pairs) != 0) ||
        json_object_set_new(root, "elevation", elevation ? json_incref(elevation) : json_null()) != 0)
        enough = false;
    if (enough && !*missing) return root;
    json_decref(root);
    return NULL;
}
