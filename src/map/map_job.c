/* map_job.c - see map_job.h */
#include "map/map_job.h"

#include <glib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "map/map_parts.h"

enum { HOLES_MOST = 100 };

json_t *job_new(const struct imagery *imagery, const char *map, int batch)
{
    json_t *all = imagery_describe(imagery), *source;
    size_t i;
    bool enough = all != NULL && source_put(all, "source", map);
    json_array_foreach(json_object_get(all, "sources"), i, source) enough = source_put(source, "path", map) && enough;
    if (!enough) {
        json_decref(all);
        return NULL;
    }
    return json_pack("{so,si,si,si,si,si,sb,s{}}", "imagery", all, "batch", batch, "done", 0, "tiles", 0, "empty", 0,
                     "failed", 0, "complete", 0, "holes");
}

static size_t job_number(const json_t *job, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(job, key));
    return value > 0 ? (size_t)value : 0;
}

bool job_is_complete(const json_t *job)
{
    return json_is_true(json_object_get(job, "complete"));
}

void job_read(struct gvm_map_progress *p, const json_t *job, size_t places)
{
    *p = (struct gvm_map_progress){.places = places};
    p->done = p->resumed = job_number(job, "done");
    p->tiles = job_number(job, "tiles");
    p->empty = job_number(job, "empty");
    p->failed = job_number(job, "failed");
    p->partly = job_number(job, "partly");
}

bool job_write(json_t *job, const struct gvm_map_progress *p, bool complete)
{
    return json_object_set_new(job, "done", json_integer((json_int_t)p->done)) == 0 &&
           json_object_set_new(job, "tiles", json_integer((json_int_t)p->tiles)) == 0 &&
           json_object_set_new(job, "empty", json_integer((json_int_t)p->empty)) == 0 &&
           json_object_set_new(job, "failed", json_integer((json_int_t)p->failed)) == 0 &&
           (p->partly == 0 || json_object_set_new(job, "partly", json_integer((json_int_t)p->partly)) == 0) &&
           json_object_set_new(job, "complete", json_boolean(complete)) == 0;
}

/* A path need not be UTF-8, as JSON must be. */
bool job_hole(json_t *holes, const char *source)
{
    bool enough = holes != NULL;
    gchar *valid = g_utf8_make_valid(source, -1);
    const json_t *count = json_object_get(holes, valid);
    if (count != NULL || json_object_size(holes) < HOLES_MOST)
        enough = json_object_set_new(holes, valid, json_integer(json_integer_value(count) + 1)) == 0;
    g_free(valid);
    return enough;
}

/* ------------------------------------------------------------------ which one */

static bool same_key(const json_t *a, const json_t *b, const char *key)
{
    const json_t *p = json_object_get(a, key), *q = json_object_get(b, key);
    return p == q || (p != NULL && q != NULL && json_equal(p, q));
}

/* Returns true if both jobs have the same source names and settings; the files may have changed. */
static bool same_job(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"kind",  "tile_m",  "stride_m", "crs",  "alpha", "tms",
                                       "zooms", "bearing", "levels",   "near", "share"};
    const json_t *p = json_object_get(a, "imagery"), *q = json_object_get(b, "imagery");
    const json_t *own = json_object_get(p, "sources"), *others = json_object_get(q, "sources");
    bool same = same_key(a, b, "batch") && json_array_size(own) == json_array_size(others);
    for (size_t i = 0; i < sizeof keys / sizeof *keys && same; i++) same = same_key(p, q, keys[i]);
    for (size_t i = 0; i < json_array_size(own) && same; i++)
        same = source_is(json_array_get(own, i), json_array_get(others, i), "path");
    return same &&
           (json_object_get(p, "source") == NULL ? json_object_get(q, "source") == NULL : source_is(p, q, "source"));
}

/* Returns true if a source's files are unchanged and are read with the same hints. */
static bool same_files(const json_t *a, const json_t *b)
{
    return same_key(a, b, "bytes") && same_key(a, b, "stamp") && same_key(a, b, "alpha") && same_key(a, b, "gaps");
}

/* The name of a source that changed between two versions of a job, or NULL. */
static const char *changed_source(const json_t *then, const json_t *now)
{
    const json_t *a = json_object_get(then, "imagery"), *b = json_object_get(now, "imagery");
    const json_t *sources = json_object_get(b, "sources");
    for (size_t i = 0; i < json_array_size(sources); i++) {
        const json_t *source = json_array_get(sources, i);
        if (!same_files(source, json_array_get(json_object_get(a, "sources"), i)))
            return json_string_value(json_object_get(source, "path"));
    }
    if (same_files(a, b) && same_key(a, b, "places")) return NULL;
    const char *source = json_string_value(json_object_get(b, "source"));
    return source != NULL ? source : "the imagery";
}

/* The rows of one of the file's jobs, clipped to the rows in the file, which may be corrupt. */
static void job_rows(size_t rows[2], const struct map_file *f, const json_t *job)
{
    const json_t *other;
    rows[0] = rows[1] = 0;
    for (size_t i = 0; (other = json_array_get(f->jobs, i)) != NULL; i++) {
        size_t tiles = job_number(other, "tiles"), left = f->rows - rows[0];
        rows[1] = rows[0] + (tiles < left ? tiles : left);
        if (other == job) return;
        rows[0] = rows[1];
    }
}

gvm_status job_count(struct gvm_map_progress *p, const struct map_file *f, const json_t *job, gvm_error *err)
{
    size_t rows[2], count;
    job_rows(rows, f, job);
    gvm_status status = map_file_count(&count, f, rows[0], rows[1], err);
    p->removed = status == GVM_OK && count < rows[1] - rows[0] ? rows[1] - rows[0] - count : 0;
    p->tiles -= p->removed < p->tiles ? p->removed : p->tiles;
    return status;
}

gvm_status job_replace(struct map_file *f, const json_t *job, gvm_error *err)
{
    gvm_status status = GVM_OK;
    const json_t *other;
    for (size_t i = 0; status == GVM_OK && (other = json_array_get(f->jobs, i)) != job; i++) {
        size_t rows[2];
        if (!same_job(other, job)) continue;
        job_rows(rows, f, other);
        status = map_file_replace(f, rows[0], rows[1], err);
    }
    return status;
}

static gvm_status add_job(json_t **job, struct map_file *f, json_t *wanted, gvm_error *err)
{
    if (json_array_append(f->jobs, wanted) != 0)
        return fail(err, GVM_MEMORY, "%s: cannot add to it: out of memory", f->where);
    *job = wanted;
    return map_file_commit(f, NULL, 0, err);
}

/* Cells of both lattices would overlap. */
static bool is_shared(const json_t *job)
{
    return json_is_true(json_object_get(json_object_get(job, "imagery"), "share"));
}

gvm_status job_find(json_t **job, struct map_file *f, json_t *wanted, bool add, gvm_error *err)
{
    size_t n = json_array_size(f->jobs);
    const json_t *last = json_array_get(f->jobs, n - 1);
    struct gvm_map_progress now = {.tiles = 0};
    *job = NULL;
    for (size_t i = n; i-- > 0 && *job == NULL;)
        if (same_job(json_array_get(f->jobs, i), wanted)) *job = json_array_get(f->jobs, i);
    gvm_status status = *job != NULL ? job_count(&now, f, *job, err) : GVM_OK;
    if (status != GVM_OK) return status;
    const char *changed = *job != NULL ? changed_source(*job, wanted) : NULL;
    bool lacks = now.removed > 0 || job_number(*job, "failed") > 0, complete = job_is_complete(*job);
    if (changed != NULL && !complete && job_number(*job, "tiles") == 0) { /* the map has no tile of the old source */
        if (json_object_update(*job, wanted) != 0)
            return fail(err, GVM_MEMORY, "%s: out of memory for its jobs", f->where);
        return map_file_commit(f, NULL, 0, err);
    }
    if (changed != NULL && !(lacks && add))
        return fail(err, GVM_ARGUMENT,
                    "%s: %s has changed since the map was built; choose another name, or remove the old tiles "
                    "(--remove) and add the new ones (--add)",
                    f->where, path_tail(changed));
    if (*job != NULL && changed == NULL && !(lacks && add && complete)) return GVM_OK;
    if (last != NULL && last != *job && !job_is_complete(last))
        return fail(err, GVM_ARGUMENT,
                    "%s: building it from other sources or with other options was interrupted; finish that command "
                    "first (geoviewmatch info shows which)",
                    f->where);
    if (!add)
        return fail(
            err, GVM_ARGUMENT,
            "%s: the map exists, from other sources or with other options; add to it (--add), or choose another name",
            f->where);
    if (last != NULL && is_shared(last) != is_shared(wanted))
        return fail(err, GVM_ARGUMENT,
                    "%s: a map cannot mix cells that share pictures with cells that do not; choose another name",
                    f->where);
    return add_job(job, f, wanted, err);
}
