/* eval_fov.c - `eval --fov`: recalls with limited fields of view by DSM's protocol. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/eval.h"
#include "train/evaluate_fov.h"

enum { KNOWN, UNKNOWN, BOTH, FOVS_MOST = 16, WAYS = 3, WIDEST = 360 };

bool eval_show_pictures(void *progress, size_t done, size_t total)
{
    progress_show(progress, "eval", "pictures", done, total);
    return true;
}

/* Returns the number of fields of view in the list, or 0 if it is invalid. */
static int read_list(double fovs[FOVS_MOST], const char *list)
{
    char text[32];
    int count = 0;
    for (const char *at = list; at != NULL; at = *at == ',' ? at + 1 : NULL) {
        size_t n = strcspn(at, ",");
        if (count == FOVS_MOST || n == 0 || n >= sizeof text) return 0;
        memcpy(text, at, n);
        text[n] = '\0';
        if (!read_double(&fovs[count], text, 1, WIDEST)) return 0;
        count++;
        at += n;
    }
    return count;
}

int eval_fov_check(const struct arguments *a)
{
    static const char *const others[] = {"reverse", "matches", "gallery-picture", "gallery-rows", NULL};
    double fovs[FOVS_MOST];
    const char *other = options_given(&a->common, others);
    if (other) return usage_error(a->common.name, "--%s cannot be combined with --fov", other);
    if (read_list(fovs, a->fov) > 0) return GO_ON;
    return usage_error(a->common.name, "--fov %s: expected up to %d degrees from 1 to %d, for example 360,180,90,70",
                       a->fov, FOVS_MOST, WIDEST);
}

static int list_tasks(struct fov_task tasks[FOVS_MOST * WAYS], const struct arguments *a)
{
    double fovs[FOVS_MOST];
    int fov_count = read_list(fovs, a->fov), count = 0;
    for (int i = 0; i < fov_count; i++) {
        if (a->heading != UNKNOWN) tasks[count++] = (struct fov_task){fovs[i], FOV_KNOWN};
        if (a->heading == KNOWN) continue;
        tasks[count++] = (struct fov_task){fovs[i], FOV_ONE_LOOK};
        tasks[count++] = (struct fov_task){fovs[i], FOV_TRIALS};
    }
    return count;
}

/* "known", "unknown, 1 look", "unknown, 16 trials" */
static void name_heading(char name[32], const struct fov_task *task, int trials)
{
    if (task->heading == FOV_TRIALS)
        snprintf(name, 32, "unknown, %d trials", trials);
    else
        snprintf(name, 32, "%s", task->heading == FOV_KNOWN ? "known" : "unknown, 1 look");
}

static void print_tasks(const struct evaluation *e, const struct fov_task *tasks, int count, const struct eval_job *j,
                        const struct arguments *a)
{
    const int trials = network_headings(j->network);
    printf("%s, street to aerial, strips of panoramas (DSM's protocol, seed %ld): %d queries, gallery of %d\n\n",
           j->data->format, a->seed, e->queries, e->gallery);
    printf("  %7s  %-20s %8s %8s %8s %8s", "degrees", "heading", "R@1", "R@5", "R@10", "R@1%");
    printf(e->has_metres ? " %8s\n" : "\n", "in 25 m");
    for (int i = 0; i < count; i++) {
        char heading[32];
        name_heading(heading, &tasks[i], trials);
        printf("  %7g  %-20s", tasks[i].fov, heading);
        for (int k = 0; k < AT_COUNT; k++) printf(" %8.2f", e[i].recall[k]);
        if (e->has_metres) printf(" %8.2f", e[i].within_25m);
        printf("\n");
    }
    printf("\n  percent; R@K: share of queries with the right tile among the best K; 1%% of this gallery is K = %d\n",
           e->at[3]);
    if (e->has_metres) printf("  in 25 m: the best tile is the right one, or nearer than 25 m to it\n");
    if (a->heading != KNOWN)
        printf("  1 look: the strip as if its centre faced north; trials: the best of %d headings\n", trials);
}

static int print_tasks_json(const struct evaluation *e, const struct fov_task *tasks, int count,
                            const struct eval_job *j, const struct arguments *a)
{
    static const char *const at[AT_COUNT] = {"R@1", "R@5", "R@10", "R@1%"};
    json_t *rows = json_array();
    for (int i = 0; i < count; i++) {
        int looks = tasks[i].heading == FOV_TRIALS ? network_headings(j->network) : 1;
        json_t *row = json_pack("{s:f, s:s, s:i}", "fov", tasks[i].fov, "heading",
                                tasks[i].heading == FOV_KNOWN ? "known" : "unknown", "looks", looks);
        for (int k = 0; k < AT_COUNT; k++) json_put(&row, at[k], json_real(e[i].recall[k]));
        if (e->has_metres) json_put(&row, "within_25_m_percent", json_real(e[i].within_25m));
        json_push(&rows, row);
    }
    json_t *root = json_pack("{s:s, s:i, s:i, s:I}", "format", j->data->format, "queries", e->queries, "gallery",
                             e->gallery, "seed", (json_int_t)a->seed);
    json_put(&root, "strips", rows);
    return json_print(root);
}

gvm_status eval_fov(int *end, struct eval_job *j, const struct arguments *a, gvm_error *err)
{
    struct fov_task tasks[FOVS_MOST * WAYS];
    struct evaluation figures[FOVS_MOST * WAYS];
    int count = list_tasks(tasks, a);
    gvm_status status = evaluate_fov(figures, tasks, count, (uint32_t)a->seed, j->network, &j->pictures, &j->data->test,
                                     eval_show_pictures, &j->progress, err);
    progress_end(&j->progress);
    *end = DONE;
    if (status == GVM_OK && a->json)
        *end = print_tasks_json(figures, tasks, count, j, a);
    else if (status == GVM_OK)
        print_tasks(figures, tasks, count, j, a);
    return status;
}
