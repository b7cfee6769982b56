/* import_backbone.c - imports backbones; see import.h */
#include "network/import.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/tensor_file.h"
#include "network/checkpoint.h"

typedef char name_text[sizeof((struct param *)0)->name];

/* The name in the file of our parameter, without the view and "backbone.". */
static bool foreign_name(name_text name, const struct network *n, const struct param *p, int dialect)
{
    const struct backbone *backbone = n->config.method->backbone;
    const char *rest = strstr(p->name, ".backbone.") + strlen(".backbone.");
    return backbone->foreign(name, sizeof(name_text), rest, dialect);
}

/* The dialect in which most of our names are found; the first one on a tie. */
static int find_dialect(const struct network *n, const struct tensor_file *f)
{
    int best = 0, most = -1;
    name_text name;
    for (int dialect = 0;; dialect++) {
        int found = 0;
        for (int i = 0; i < n->param_count; i++) {
            if (!n->params[i].backbone) continue;
            if (!foreign_name(name, n, &n->params[i], dialect)) return best;
            found += tensor_file_find(f, name) != NULL;
        }
        if (found > most) {
            most = found;
            best = dialect;
        }
    }
}

static bool is_skipped(const struct backbone *b, const char *name)
{
    for (const char *const *s = b->skipped_starts; s && *s; s++)
        if (strncmp(name, *s, strlen(*s)) == 0) return true;
    for (const char *const *s = b->skipped_parts; s && *s; s++)
        if (strstr(name, *s)) return true;
    return false;
}

static bool has_place(const struct network *n, const char *name, int dialect)
{
    name_text foreign;
    for (int i = 0; i < n->param_count; i++)
        if (n->params[i].backbone && foreign_name(foreign, n, &n->params[i], dialect) && strcmp(foreign, name) == 0)
            return true;
    return is_skipped(n->config.method->backbone, name);
}

static gvm_status read_param(const struct param *p, const struct tensor_file *f, const struct tensor_entry *t,
                             gvm_error *err)
{
    const int64_t wanted[4] = {p->shape[0], p->shape[1], p->shape[2], p->shape[3]};
    const char *where = tensor_file_where(f);
    gvm_status status = check_shape(where, t->name, t->rank, t->shape, p->rank, wanted, err);
    if (status == GVM_OK) status = tensor_file_read(p->data, f, t, err);
    return status == GVM_OK ? check_finite(where, t->name, p->data, p->count, err) : status;
}

static gvm_status read_backbone(struct network *n, const struct tensor_file *f, gvm_error *err)
{
    const char *where = tensor_file_where(f), *title = n->config.method->backbone->title;
    int dialect = find_dialect(n, f);
    name_text name;
    for (int i = 0; i < n->param_count; i++) {
        const struct param *p = &n->params[i];
        if (!p->backbone) continue;
        foreign_name(name, n, p, dialect);
        const struct tensor_entry *t = tensor_file_find(f, name);
        if (t == NULL && p->added) continue;
        if (t == NULL)
            return fail(err, GVM_FORMAT,
                        "%s: tensor '%s' is missing, so it is not a %s backbone of this network's configuration", where,
                        name, title);
        gvm_status status = read_param(p, f, t, err);
        if (status != GVM_OK) return status;
    }
    for (size_t i = 0; i < tensor_file_count(f); i++)
        if (!has_place(n, tensor_file_at(f, i)->name, dialect))
            return fail(err, GVM_FORMAT, "%s: unexpected tensor '%s'; this network's backbone has none such", where,
                        tensor_file_at(f, i)->name);
    return GVM_OK;
}

gvm_status backbone_load(struct network *network, const char *path, gvm_error *err)
{
    struct tensor_file *f;
    if (network->config.method->backbone->foreign == NULL)
        return fail(err, GVM_ARGUMENT, "a %s backbone cannot take imported weights",
                    network->config.method->backbone->title);
    gvm_status status = tensor_file_open(&f, path, err);
    if (status != GVM_OK) return status;
    status = read_backbone(network, f, err);
    tensor_file_close(f);
    return status;
}
