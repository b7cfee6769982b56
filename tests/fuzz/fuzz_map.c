/* fuzz_map.c - any bytes as lines KEY=VALUE of a map's table of facts, and what is done with its jobs: rows stay within
 * those that there are. */
#include "map/map_table.c" /* take_fact */

#include <stdint.h>

#include "imagery/imagery_parts.h"
#include "map/map.h"
#include "map/map_job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

gvm_status __wrap_map_file_count(size_t *count, const struct map_file *f, size_t from, size_t end, gvm_error *err);
gvm_status __wrap_map_file_commit(struct map_file *f, const struct place *places, size_t n, gvm_error *err);
gvm_status __wrap_map_file_replace(struct map_file *f, size_t from, size_t end, gvm_error *err);
int __wrap_access(const char *path, int mode);

gvm_status __wrap_map_file_count(size_t *count, const struct map_file *f, size_t from, size_t end, gvm_error *err)
{
    (void)err;
    if (from > end || end > f->rows) abort();
    *count = (end - from) / 2; /* half of them are removed */
    return GVM_OK;
}

gvm_status __wrap_map_file_commit(struct map_file *f, const struct place *places, size_t n, gvm_error *err)
{
    (void)places, (void)err;
    if (n > 0 || !json_is_array(f->jobs)) abort();
    return GVM_OK;
}

gvm_status __wrap_map_file_replace(struct map_file *f, size_t from, size_t end, gvm_error *err)
{
    (void)err;
    if (from > end || end > f->rows) abort();
    return GVM_OK;
}

int __wrap_access(const char *path, int mode)
{
    (void)mode;
    return strlen(path) % 2 == 0 ? 0 : -1;
}

/* The same again, and one of whose files something else became. */
static void look_for(struct map_file *f, const json_t *job)
{
    gvm_error err = {""};
    for (int changed = 0; changed < 2; changed++) {
        json_t *wanted = json_deep_copy(job), *found;
        if (changed) json_object_set_new(json_object_get(wanted, "imagery"), "stamp", json_string("another"));
        gvm_status status = job_find(&found, f, wanted, changed, &err);
        if (status == GVM_OK ? found == NULL : err.text[0] == '\0') abort();
        json_decref(wanted);
    }
}

static void use_jobs(struct map_file *f)
{
    static char path[] = "/maps/town.gpkg";
    const gvm_map map = {.path = path, .jobs = f->jobs};
    struct gvm_map_progress progress;
    gvm_error err = {""};
    const json_t *source;
    size_t k;
    is_of_cells(f);
    for (size_t i = 0, n = json_array_size(f->jobs); i < n; i++) {
        json_t *job = json_array_get(f->jobs, i), *imagery = json_object_get(job, "imagery");
        job_read(&progress, job, 100);
        if (job_count(&progress, f, job, &err) != GVM_OK || job_replace(f, job, &err) != GVM_OK) abort();
        json_array_foreach(json_object_get(imagery, "sources"), k, source) hints_of_job(imagery, source);
    }
    free(map_find_source(&map, "/maps/a.tif"));
    free(map_find_source(&map, "tiles/3/2/1.jpg"));
    if (json_is_object(json_array_get(f->jobs, 0))) look_for(f, json_array_get(f->jobs, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct map_file f = {.where = "map", .features = -1};
    double version = 0;
    bool good = true, enough = true;
    char *text = calloc(size + 1, 1), *rest = text;
    if (text == NULL) abort();
    if (size > 0) memcpy(text, data, size);
    for (char *line; good && (line = strsep(&rest, "\n")) != NULL;) {
        char *equals = strchr(line, '=');
        if (equals == NULL) continue;
        *equals = '\0';
        good = take_fact(&f, line, equals + 1, &version, &enough);
    }
    if (good) {
        if (!(f.ground_m == 0 || (f.ground_m >= 1e-3 && f.ground_m <= 1e6)) || f.id.width < 0) abort();
        if (strlen(f.id.id) > MAP_ID || strlen(f.fingerprint) > 16 || !(f.temperature >= 0)) abort();
        if (f.jobs != NULL) use_jobs(&f);
    }
    json_decref(f.jobs);
    free(text);
    return 0;
}
