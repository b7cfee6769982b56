/* info_run.c - what a training run holds: how far it is, by what, on which data set. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/info.h"
#include "train/run.h"

/* ------------------------------------------------------------------ its state */

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_text(text) : json_null();
}

static int print_state(const char *path, const struct run_options *o, const struct run_position *p, bool json)
{
    if (json)
        return json_print(json_pack("{so,ss,sI,si,si,sf,sb,si,so,so,so}", "file", json_text(path), "kind", "run",
                                    "steps", (json_int_t)p->step, "epoch", p->epoch, "epochs", o->epochs,
                                    "best_recall_1", p->best, "evaluated", p->best >= 0, "batch", o->batch, "data",
                                    text_or_null(o->data), "format", text_or_null(o->format), "cache",
                                    text_or_null(o->cache)));
    print_text(path);
    printf(": the state of a training run\n  steps          %ld\n  epoch          %d of %d\n", p->step, p->epoch,
           o->epochs);
    if (p->best >= 0)
        printf("  best R@1       %.2f\n", p->best);
    else
        printf("  best R@1       not evaluated yet\n");
    printf("  data set       ");
    print_text(o->data);
    printf("\n  batch          %d pairs\n", o->batch);
    if (o->cache != NULL) {
        printf("  cache          ");
        print_text(o->cache);
        printf("\n");
    }
    return DONE;
}

static int describe_state(const char *run, const char *shown, bool json)
{
    struct run_options options;
    struct run_position position = {0};
    struct config config;
    gvm_error err;
    gvm_status status = run_about(run, &options, &position, &config, &err);
    int end = status == GVM_OK ? print_state(shown, &options, &position, json) : failed(&err);
    run_options_free(&options);
    return end;
}

int info_state(const char *path, bool json)
{
    const char *slash = strrchr(path, '/');
    char *run = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    int end = FAILED;
    gvm_error err;
    bool named = strcmp(slash != NULL ? slash + 1 : path, "state.safetensors") == 0;
    if (run == NULL || !named) {
        fail(&err, named ? GVM_MEMORY : GVM_FORMAT, "%s: %s", path_tail(path),
             named ? "there is not enough memory to read it"
                   : "it is the state of a training run, which is read under the name state.safetensors");
        failed(&err);
    } else {
        end = describe_state(run, path, json);
    }
    free(run);
    return end;
}

bool info_is_run(const char *folder)
{
    char *state = path_join(folder, "state.safetensors");
    bool there = state != NULL && access(state, F_OK) == 0;
    free(state);
    return there;
}

int info_run(const char *folder, bool json)
{
    int end = describe_state(folder, folder, json);
    static const char *const files[] = {"best.safetensors", "last.safetensors"};
    for (int i = 0; i < 2 && end == DONE && !json; i++) {
        char *path = path_join(folder, files[i]);
        if (path != NULL && access(path, F_OK) == 0) printf("  network        %s\n", files[i]);
        free(path);
    }
    return end;
}

/* ------------------------------------------------------------------ its log */

struct log_facts {
    long lines, step;
    int evaluations;
    double loss, recall, best;
};

static gvm_status read_log(struct log_facts *f, const char *path, gvm_error *err)
{
    char line[1024];
    FILE *file = fopen(path, "r");
    if (file == NULL) return fail_errno(err, "open", path_tail(path));
    gvm_status status = GVM_OK;
    *f = (struct log_facts){.best = -1};
    while (status == GVM_OK && fgets(line, sizeof line, file) != NULL && strchr(line, '\n') != NULL) {
        json_t *root = json_loads(line, 0, NULL);
        const json_t *recall = json_object_get(root, "R@1"), *step = json_object_get(root, "step");
        if (!json_is_integer(step))
            status =
                fail(err, GVM_FORMAT, "%s: line %ld is not one that training writes", path_tail(path), f->lines + 1);
        f->lines++;
        f->step = (long)json_integer_value(step);
        if (json_is_number(recall)) {
            f->recall = json_number_value(recall);
            f->evaluations++;
            if (f->recall > f->best) f->best = f->recall;
        } else {
            f->loss = json_number_value(json_object_get(root, "loss"));
        }
        json_decref(root);
    }
    fclose(file);
    return status;
}

int info_log(const char *path, bool json)
{
    struct log_facts f = {0};
    gvm_error err;
    if (read_log(&f, path, &err) != GVM_OK) return failed(&err);
    if (json) {
        json_t *root = json_pack("{so,ss,sI,sf,si}", "file", json_text(path), "kind", "log", "steps",
                                 (json_int_t)f.step, "loss", f.loss, "evaluations", f.evaluations);
        if (f.evaluations > 0) json_object_set_new(root, "best_recall_1", json_real(f.best));
        return json_print(root);
    }
    print_text(path);
    printf(": the log of a training run\n  steps          %ld\n  last loss      %.4f\n  evaluations    %d\n", f.step,
           f.loss, f.evaluations);
    if (f.evaluations > 0) printf("  R@1            %.2f last, %.2f at best\n", f.recall, f.best);
    printf("  (tools/plot draws it)\n");
    return DONE;
}
