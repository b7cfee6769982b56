/* run_options.c - the options of a training run, one row each; see run.h. */
#include <assert.h>
#include <glib.h>

#include "base/error.h"
#include "train/run.h"

#define AT(field) offsetof(struct run_options, field)

const struct option_row run_option_rows[] = {
    {.type = OPTION_TITLE, .help = "The data set:"},
    {"data", OPTION_COPY, AT(data), "D", .takes = "data set's path",
     .help = "CVUSA, CVACT, VIGOR, or a folder with pairs.csv or photos.csv"},
    {"format", OPTION_COPY, AT(format), "NAME", .takes = "format",
     .help = "which one it is (default: told by what lies in it)"},
    {"test", OPTION_COPY, AT(test), "NAME", .takes = "test split",
     .help = "test split, by the format's own name (default: its first)"},
    {"imagery", OPTION_COPY, AT(imagery), "PATH", .takes = "imagery's path",
     .help = "photos: a raster, or a folder of them (default: imagery/ in D, else D itself)"},
    {"elevation", OPTION_PAIR, AT(elevation), "LOW,HIGH", -90, 90,
     .takes = "two rising degrees from -90 to 90, as -45,45",
     .help = "band of the panoramas that is used, degrees (default: the format's)"},
    {"ground-metres", OPTION_DOUBLE, AT(ground_m), "M", 1e-3, 1e5, "0", .takes = "metres", .or_zero = true,
     .help = "side of the aerial pictures on the ground; 0: the format's"},
    {"cache", OPTION_COPY, AT(cache), "FILE", .takes = "cache's path",
     .help = "keep all picture files decoded in this file"},
    {"on-bad", OPTION_CHOICE, AT(on_bad), "stop|skip", .standard = "stop",
     .help = "what to do about a picture that cannot be read"},
    {"pairs", OPTION_LONG, AT(pairs), NULL, -INFINITY, INFINITY, "0", .saved = true},

    {.type = OPTION_TITLE, .help = "Batches:"},
    {"epochs", OPTION_INT, AT(epochs), "N", 1, 1e6, "200", .help = "times that the pairs are learned from"},
    {"batch", OPTION_INT, AT(batch), "N", 2, 4096, "32", .help = "pairs in a batch"},
    {"seed", OPTION_LONG, AT(seed), "S", 0, INFINITY, "1", .help = "which random numbers are drawn"},
    {"shuffle", OPTION_YES, AT(shuffle), "yes|no", .standard = "yes", .help = "an order of its own for each epoch"},
    {"cluster", OPTION_DOUBLE, AT(cluster_m), "M", 1, 1e6, "0", .takes = "metres", .or_zero = true,
     .help = "batches of neighbourhoods of M metres, which are harder to tell apart; 0: none"},
    {"hard", OPTION_INT, AT(hard), "G", 0, 4096, "0",
     .help = "batches of groups of G pairs that the network, as an epoch begins, takes for each other; 0: none"},
    {"neighbours", OPTION_INT, AT(neighbours), "E", 0, 1e6, "0",
     .help = "batches of neighbours: by place in the first E epochs, then by what the network takes for each other, "
             "which it is asked every E epochs; 0: none"},
    {"clusters", OPTION_INT, AT(clusters), "N", 0, 1e6, "0",
     .help = "batches that the network, as an epoch begins, takes for each other as a whole, out of pools of so many "
             "batches: 1 in the first epoch, then twice as many in each until N; 0: none"},
    {"eval-every", OPTION_INT, AT(eval_every), "N", 0, 1e6, "10", .help = "epochs between evaluations; 0: never"},

    {.type = OPTION_TITLE, .help = "Optimisation:"},
    {"rate", OPTION_FLOAT, AT(rates.backbone), "R", 0, 10, "1e-4",
     .help = "learning rate of the backbones; 0: they stay as they are, and take no backward pass"},
    {"rate-new", OPTION_FLOAT, AT(rates.other), "R", 0, 10, "2e-4", .help = "learning rate of masks and head"},
    {"decay", OPTION_FLOAT, AT(rates.decay), "D", 0, 10, "0.03", .help = "weight decay"},
    {"beta1", OPTION_FLOAT, AT(rates.beta1), NULL, 0, 10, "0.9", .saved = true},
    {"beta2", OPTION_FLOAT, AT(rates.beta2), NULL, 0, 10, "0.999", .saved = true},
    {"epsilon", OPTION_FLOAT, AT(rates.epsilon), NULL, 0, 10, "1e-8", .saved = true},
    {"rho", OPTION_FLOAT, AT(rho), "R", 0, 100, "2.5", .help = "radius of ASAM; 0: AdamW alone"},
    {"drop-path", OPTION_FLOAT, AT(drop_path), "P", 0, 0.9, "0.2", .help = "stochastic depth of the last block"},
    {"clip", OPTION_FLOAT, AT(rates.clip), "C", 0, 1e6, "0", .help = "most of a gradient's value; 0: any"},
    {"clip-length", OPTION_FLOAT, AT(rates.clip_length), "C", 0, 1e6, "0",
     .help = "most of the whole gradient's length; 0: any"},
    {"schedule", OPTION_CHOICE, AT(schedule.by_step), "epoch|step", .standard = "epoch",
     .help = "when the learning rates move on along half a cosine"},
    {"warm-up", OPTION_FLOAT, AT(schedule.warm_up), "E", 0, 1e4, "0",
     .help = "epochs, or a part of one, in which they rise first, with --schedule step"},
    {"warm-steps", OPTION_INT, AT(schedule.warm_steps), "N", 0, 1e9, "0",
     .help = "steps in which they rise instead; 0: the epochs of --warm-up"},
    {"floor", OPTION_FLOAT, AT(schedule.floor), "F", 0, 1, "0",
     .help = "part of the learning rates that the last step has, with --schedule step"},
    {"smoothing", OPTION_FLOAT, AT(losses.smoothing), "S", 0, 1, "0", .help = "of labels, in InfoNCE"},
    {"loss-contrast", OPTION_FLOAT, AT(losses.contrast), NULL, 0, 1e3, "0.5", .saved = true},
    {"loss-strong", OPTION_FLOAT, AT(losses.strong), NULL, 0, 1e3, "0.25", .saved = true},
    {"loss-weak", OPTION_FLOAT, AT(losses.weak), NULL, 0, 1e3, "0.25", .saved = true},
    {"loss-alpha", OPTION_FLOAT, AT(losses.alpha), NULL, 0, 1e3, "10", .saved = true},

    {.type = OPTION_TITLE, .help = "Augmentation:"},
    {"turn", OPTION_YES, AT(amounts.turn), "yes|no", .standard = "yes", .help = "both turned by quarters"},
    {"jitter", OPTION_FLOAT, AT(amounts.jitter), "A", 0, 1, "0.3",
     .help =
         "brightness, contrast and saturation of the strongly varied aerial pictures, by factors of 1 - A to 1 + A"},
    {"grey", OPTION_FLOAT, AT(amounts.grey), "P", 0, 1, "0.2", .help = "how likely they lose their colours"},
    {"blur", OPTION_FLOAT, AT(amounts.blur), "P", 0, 1, "0.5", .help = "how likely they are blurred"},
    {"sigma-low", OPTION_FLOAT, AT(amounts.sigma[0]), NULL, 1e-3, 10, "0.1", .or_zero = true, .saved = true},
    {"sigma-high", OPTION_FLOAT, AT(amounts.sigma[1]), NULL, 1e-3, 10, "5", .or_zero = true, .saved = true},
    {"mirror", OPTION_FLOAT, AT(amounts.mirror), "P", 0, 1, "0",
     .help = "how likely east and west change places in both pictures of a pair"},
    {"street-jitter", OPTION_FLOAT, AT(amounts.street), "A", 0, 1, "0",
     .help = "colours of the street pictures varied, as --jitter does those of the aerial ones"},
    {"jpeg", OPTION_FLOAT, AT(amounts.jpeg), "P", 0, 1, "0", .help = "how likely a picture is written as JPEG first"},
    {"quality-low", OPTION_INT, AT(amounts.quality[0]), NULL, 1, 100, "90", .or_zero = true, .saved = true},
    {"quality-high", OPTION_INT, AT(amounts.quality[1]), NULL, 1, 100, "100", .or_zero = true, .saved = true},
    {"colour", OPTION_FLOAT, AT(amounts.colour), "P", 0, 1, "0", .help = "how likely its colours change, by --shift"},
    {"shift", OPTION_FLOAT, AT(amounts.shift), "A", 0, 0.5, "0.15",
     .help = "by how much brightness, contrast and saturation do"},
    {"hue", OPTION_FLOAT, AT(amounts.hue), "A", 0, 0.5, "0.15", .help = "by what part of a turn the hue does"},
    {"focus", OPTION_FLOAT, AT(amounts.focus), "P", 0, 1, "0", .help = "how likely it is blurred or sharpened"},
    {"holes", OPTION_FLOAT, AT(amounts.holes), "P", 0, 1, "0", .help = "how likely it has black holes"},
    {"grid-street", OPTION_FLOAT, AT(amounts.grid[0]), NULL, 0, 1, "0.5", .saved = true},
    {"grid-aerial", OPTION_FLOAT, AT(amounts.grid[1]), NULL, 0, 1, "0.4", .saved = true},
    {"spin", OPTION_FLOAT, AT(amounts.spin), "P", 0, 1, "0",
     .help = "how likely both turn by 90, 180 or 270 degrees, after the rest"},
    {"around", OPTION_FLOAT, AT(amounts.around), "M", 0, 1000, "20", .takes = "metres",
     .help = "photos: the aerial pictures are of a place drawn from a square of M metres around the photo, at any "
             "bearing; 0: of its cell, as on a map"},
    {0},
};

gvm_status run_options_check(const struct run_options *o, gvm_error *err)
{
    for (const struct option_row *row = run_option_rows; row->type != OPTION_END; row++) {
        const char *text = row->type == OPTION_COPY ? *(char *const *)((const char *)o + row->at) : NULL;
        if (text && !g_utf8_validate(text, -1, NULL))
            return fail(err, GVM_ARGUMENT, "%s: the %s is not UTF-8, so that no run could go on with it; rename it",
                        text, row->takes);
    }
    if (o->data == NULL) return fail(err, GVM_ARGUMENT, "the run names no data set");
    if (o->amounts.blur > 0 && !(o->amounts.sigma[0] > 0 && o->amounts.sigma[0] <= o->amounts.sigma[1]))
        return fail(err, GVM_ARGUMENT, "the run blurs by deviations from %g to %g pixels, which is no range above 0",
                    (double)o->amounts.sigma[0], (double)o->amounts.sigma[1]);
    if (o->amounts.jpeg > 0 && !(o->amounts.quality[0] > 0 && o->amounts.quality[0] <= o->amounts.quality[1]))
        return fail(err, GVM_ARGUMENT, "the run writes JPEG of qualities %d to %d, which is no range above 0",
                    o->amounts.quality[0], o->amounts.quality[1]);
    return GVM_OK;
}

void run_options_recipe(struct run_options *o, const struct method *method)
{
    *o = (struct run_options){0};
    options_default(run_option_rows, o);
    for (const struct setting *s = method->recipe; s->name; s++)
        if (option_read(option_find(run_option_rows, s->name), o, s->value) != GVM_OK)
            assert(!"a recipe fits the rows");
}

void run_options_free(struct run_options *options)
{
    options_free(run_option_rows, options);
    *options = (struct run_options){0};
}
