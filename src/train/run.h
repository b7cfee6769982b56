/* run.h - a training run: its options, its position, and its files.
 *
 *   RUN/log.jsonl            a line for each step and each evaluation
 *   RUN/last.safetensors     the network of the last save
 *   RUN/best.safetensors     the network with the highest R@1 (struct run_position's best) on the test split
 *   RUN/state.safetensors    the state for --resume: weights, moments, position
 *
 * Files are replaced atomically. All random numbers are functions of the seed and the position, so the state contains
 * no generator. */
#ifndef GVM_TRAIN_RUN_H
#define GVM_TRAIN_RUN_H

#include "base/option.h"
#include "image/augment.h"
#include "network/network.h"
#include "optim/optimizer.h"

enum { BAD_STOP, BAD_SKIP };

/* The options of a run; saved in its state, so --resume needs no others. Strings are owned. */
struct run_options {
    char *data, *format, *test;    /* format, test NULL: the data set's default */
    char *imagery;                 /* dataset.h; NULL: in the data set's folder */
    char *cache;                   /* NULL: none */
    uint64_t pairs;                /* the data set's fingerprint (dataset.h); 0: unknown */
    double elevation[2], ground_m; /* elevation both 0, ground_m 0: the data set's */
    int epochs, batch, eval_every; /* eval_every 0: never */
    uint64_t seed;
    bool shuffle;
    int on_bad;       /* for an unreadable picture: BAD_STOP or BAD_SKIP */
    double cluster_m; /* sampler.h */
    int hard;         /* batch_plan.h: group size; 0: none */
    struct augmentation amounts;
    struct loss_options losses;
    struct rates rates;
    float rho, drop_path;
    int neighbours; /* batch_plan.h: epochs from one mining to the next; 0: none. Not with `hard` */
    int clusters;   /* batch_plan.h: largest pool, batches; 0: none. Not with `hard` or `neighbours` */
    struct schedule schedule;
    double inner;     /* side of the part of the aerial picture files that is used, as a fraction */
    double tolerance; /* of views (training_view.h): largest error of a heading, degrees; 0: the network's, else 9 */
};

/* One row for each option, that is, each field of struct run_options. The command line, the help, the manual page and
 * the saved run are generated from these rows. Defaults are the paper's. */
extern const struct option_row run_option_rows[];

/* The position of a run: the next batch to train on. */
struct run_position {
    long step; /* number of updates done */
    int epoch, batch;
    bool evaluate; /* an evaluation is due first, since an epoch has just ended */
    double best;   /* highest R@1 so far, percent; with views: highest mean of R@1 of panoramas and of strips of 90
                      degrees. -1 before the first evaluation */
    /* With a batch plan: the order of the epoch, and each query's nearest tiles if later epochs use them too; freed
     * with run_position_free. Without one: NULL and 0. */
    int *sequence, *nearest;
    size_t sequence_count, nearest_count;
};

void run_position_free(struct run_position *position);

/* Check that the options are consistent and can be saved: the state is JSON, so paths and names must be UTF-8. Fails
 * with GVM_ARGUMENT. */
gvm_status run_options_check(const struct run_options *options, gvm_error *err);

/* A method's recipe: each option's default, overridden by the method's settings. Freed with run_options_free. */
void run_options_recipe(struct run_options *options, const struct method *method);

/* The losses of a run with a network: with views if the network has visibility and a method that learns from views. */
struct loss_options run_options_losses(const struct run_options *options, const struct config *config);

void run_options_free(struct run_options *options);

/* Lock the folder of a run for this process until the descriptor is closed; -1 if the file system has no locks. Fails
 * with GVM_FILE if there is no such folder or another process holds the lock. */
gvm_status run_lock(int *lock, const char *run, gvm_error *err);

/* Write RUN/state.safetensors; the options must have passed run_options_check. */
gvm_status run_save(const char *run, const struct run_options *options, const struct run_position *position,
                    const struct network *network, const struct optimizer *optimizer, gvm_error *err);

/* Read everything except the network and the optimiser's state; options are freed with run_options_free. */
gvm_status run_about(const char *run, struct run_options *options, struct run_position *position, struct config *config,
                     gvm_error *err);

/* Read options, position, network and optimiser. The caller frees all of them; on failure there is nothing to free. */
gvm_status run_load(const char *run, struct run_options *options, struct run_position *position,
                    struct network **network, struct optimizer **optimizer, gvm_error *err);

#endif
