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
     .help = "data set format (default: detected from its contents)"},
    {"test", OPTION_COPY, AT(test), "NAME", .takes = "test split",
     .help = "test split, by the format's own name (default: its first)"},
    {"imagery", OPTION_COPY, AT(imagery), "PATH", .takes = "imagery's path",
     .help = "photos: a raster, or a folder of rasters (default: imagery/ in D, else D itself)"},
    {"elevation", OPTION_PAIR, AT(elevation), "LOW,HIGH", -90, 90,
     .takes = "two rising degrees from -90 to 90, for example -45,45",
     .help = "elevation range used of the panoramas, degrees (default: the format's)"},
    {"ground-metres", OPTION_DOUBLE, AT(ground_m), "M", 1e-3, 1e5, "0", .takes = "metres", .or_zero = true,
     .help = "ground size of the aerial pictures; 0: the format's"},
    {"inner", OPTION_DOUBLE, AT(inner), "F", 0.5, 1, "1",
     .help = "use a part of each aerial picture, F of its side and moved at random in training, so that the network "
             "learns cameras off the centre from pictures centred on them; the ground size becomes F times as large"},
    {"cache", OPTION_COPY, AT(cache), "FILE", .takes = "cache's path",
     .help = "cache all decoded picture files in this file"},
    {"on-bad", OPTION_CHOICE, AT(on_bad), "stop|skip", .standard = "stop",
     .help = "if a picture cannot be read: stop, or skip its pair"},
    {"pairs", OPTION_LONG, AT(pairs), NULL, -INFINITY, INFINITY, "0", .saved = true},

    {.type = OPTION_TITLE, .help = "Batches:"},
    {"epochs", OPTION_INT, AT(epochs), "N", 1, 1e6, "200", .help = "passes over the training pairs"},
    {"batch", OPTION_INT, AT(batch), "N", 2, 4096, "32", .help = "batch size in pairs"},
    {"seed", OPTION_LONG, AT(seed), "S", 0, INFINITY, "1", .help = "seed of all random numbers"},
    {"shuffle", OPTION_YES, AT(shuffle), "yes|no", .standard = "yes", .help = "shuffle the pairs in each epoch"},
    {"cluster", OPTION_DOUBLE, AT(cluster_m), "M", 1, 1e6, "0", .takes = "metres", .or_zero = true,
     .help = "geographically clustered batches: neighbourhoods of M metres, which are harder to distinguish; 0: off"},
    {"hard", OPTION_INT, AT(hard), "G", 0, 4096, "0",
     .help = "hard negative mining: batches of groups of G pairs that the network confuses at the start of the epoch; "
             "0: off"},
    {"neighbours", OPTION_INT, AT(neighbours), "E", 0, 1e6, "0",
     .help = "batches of neighbours: by position in the first E epochs, then by similarity of features, updated every "
             "E epochs; 0: off"},
    {"clusters", OPTION_INT, AT(clusters), "N", 0, 1e6, "0",
     .help = "hard clusters: batches of pairs that the network confuses at the start of the epoch, chosen from pools "
             "of 1 batch in the first epoch, doubling each epoch up to N; 0: off"},
    {"eval-every", OPTION_INT, AT(eval_every), "N", 0, 1e6, "10", .help = "epochs between evaluations; 0: never"},

    {.type = OPTION_TITLE, .help = "Optimisation:"},
    {"rate", OPTION_FLOAT, AT(rates.backbone), "R", 0, 10, "1e-4",
     .help = "learning rate of the backbones; 0: frozen, without a backward pass"},
    {"rate-new", OPTION_FLOAT, AT(rates.other), "R", 0, 10, "2e-4", .help = "learning rate of masks and head"},
    {"decay", OPTION_FLOAT, AT(rates.decay), "D", 0, 10, "0.03", .help = "weight decay"},
    {"beta1", OPTION_FLOAT, AT(rates.beta1), NULL, 0, 10, "0.9", .saved = true},
    {"beta2", OPTION_FLOAT, AT(rates.beta2), NULL, 0, 10, "0.999", .saved = true},
    {"epsilon", OPTION_FLOAT, AT(rates.epsilon), NULL, 0, 10, "1e-8", .saved = true},
    {"rho", OPTION_FLOAT, AT(rho), "R", 0, 100, "2.5", .help = "radius of ASAM; 0: AdamW alone"},
    {"drop-path", OPTION_FLOAT, AT(drop_path), "P", 0, 0.9, "0.2", .help = "stochastic depth of the last block"},
    {"clip", OPTION_FLOAT, AT(rates.clip), "C", 0, 1e6, "0", .help = "clip each gradient value to C; 0: off"},
    {"clip-length", OPTION_FLOAT, AT(rates.clip_length), "C", 0, 1e6, "0",
     .help = "clip the norm of the whole gradient to C; 0: off"},
    {"schedule", OPTION_CHOICE, AT(schedule.by_step), "epoch|step", .standard = "epoch",
     .help = "update the cosine schedule of the learning rates once per epoch or per step"},
    {"warm-up", OPTION_FLOAT, AT(schedule.warm_up), "E", 0, 1e4, "0",
     .help = "warm-up in epochs, possibly a fraction, with --schedule step"},
    {"warm-steps", OPTION_INT, AT(schedule.warm_steps), "N", 0, 1e9, "0",
     .help = "warm-up in steps instead; 0: use --warm-up"},
    {"floor", OPTION_FLOAT, AT(schedule.floor), "F", 0, 1, "0",
     .help = "final learning rates as a fraction of the initial ones, with --schedule step"},
    {"smoothing", OPTION_FLOAT, AT(losses.smoothing), "S", 0, 1, "0", .help = "label smoothing in InfoNCE"},
    {"loss-contrast", OPTION_FLOAT, AT(losses.contrast), NULL, 0, 1e3, "0.5", .saved = true},
    {"loss-strong", OPTION_FLOAT, AT(losses.strong), NULL, 0, 1e3, "0.25", .saved = true},
    {"loss-weak", OPTION_FLOAT, AT(losses.weak), NULL, 0, 1e3, "0.25", .saved = true},
    {"loss-alpha", OPTION_FLOAT, AT(losses.alpha), NULL, 0, 1e3, "10", .saved = true},

    {.type = OPTION_TITLE, .help = "Photos (networks with \"visible\", which also learn a view of each panorama):"},
    {"panorama-weight", OPTION_FLOAT, AT(losses.panorama), "W", 0, 1e3, "1",
     .help = "weight of the panoramas' losses; the weights of all losses are divided by their sum"},
    {"view-weight", OPTION_FLOAT, AT(losses.view), "W", 0, 1e3, "0.5", .help = "weight of the views' losses"},
    {"agreement-weight", OPTION_FLOAT, AT(losses.agreement), "W", 0, 1e3, "0.5",
     .help = "weight of the loss between panoramas and their views"},
    {"contrast-weight", OPTION_FLOAT, AT(losses.variants), "W", 0, 1e3, "0.5",
     .help = "weight of the loss between the two variants of an aerial picture"},
    {"tolerance", OPTION_DOUBLE, AT(tolerance), "DEG", 1, 180, "0", .takes = "degrees", .or_zero = true,
     .help = "largest error of a heading that is learned; `locate` then tries 180 / DEG headings if a heading is "
             "unknown. 0: as in the weights of --init, else 9"},

    {.type = OPTION_TITLE, .help = "Augmentation:"},
    {"turn", OPTION_YES, AT(amounts.turn), "yes|no", .standard = "yes",
     .help = "rotate the aerial pictures, and shift the panoramas with them, by multiples of 90 degrees"},
    {"jitter", OPTION_FLOAT, AT(amounts.jitter), "A", 0, 1, "0.3",
     .help =
         "brightness, contrast and saturation of the strongly augmented aerial pictures, by factors of 1 - A to 1 + A"},
    {"grey", OPTION_FLOAT, AT(amounts.grey), "P", 0, 1, "0.2", .help = "probability that they become greyscale"},
    {"blur", OPTION_FLOAT, AT(amounts.blur), "P", 0, 1, "0.5", .help = "probability that they are blurred"},
    {"sigma-low", OPTION_FLOAT, AT(amounts.sigma[0]), NULL, 1e-3, 10, "0.1", .or_zero = true, .saved = true},
    {"sigma-high", OPTION_FLOAT, AT(amounts.sigma[1]), NULL, 1e-3, 10, "5", .or_zero = true, .saved = true},
    {"mirror", OPTION_FLOAT, AT(amounts.mirror), "P", 0, 1, "0",
     .help = "probability that both pictures of a pair are mirrored east to west"},
    {"street-jitter", OPTION_FLOAT, AT(amounts.street), "A", 0, 1, "0",
     .help = "colour jitter of the street pictures, as --jitter for the aerial ones"},
    {"jpeg", OPTION_FLOAT, AT(amounts.jpeg), "P", 0, 1, "0",
     .help = "probability that a picture is compressed as JPEG first"},
    {"quality-low", OPTION_INT, AT(amounts.quality[0]), NULL, 1, 100, "90", .or_zero = true, .saved = true},
    {"quality-high", OPTION_INT, AT(amounts.quality[1]), NULL, 1, 100, "100", .or_zero = true, .saved = true},
    {"colour", OPTION_FLOAT, AT(amounts.colour), "P", 0, 1, "0",
     .help = "probability that its colours change, by --shift and --hue"},
    {"shift", OPTION_FLOAT, AT(amounts.shift), "A", 0, 0.5, "0.15",
     .help = "change of brightness, contrast and saturation"},
    {"hue", OPTION_FLOAT, AT(amounts.hue), "A", 0, 0.5, "0.15",
     .help = "change of hue, as a fraction of the colour circle"},
    {"focus", OPTION_FLOAT, AT(amounts.focus), "P", 0, 1, "0", .help = "probability that it is blurred or sharpened"},
    {"holes", OPTION_FLOAT, AT(amounts.holes), "P", 0, 1, "0", .help = "probability that black rectangles are cut out"},
    {"grid-street", OPTION_FLOAT, AT(amounts.grid[0]), NULL, 0, 1, "0.5", .saved = true},
    {"grid-aerial", OPTION_FLOAT, AT(amounts.grid[1]), NULL, 0, 1, "0.4", .saved = true},
    {"spin", OPTION_FLOAT, AT(amounts.spin), "P", 0, 1, "0",
     .help = "probability that both are rotated by 90, 180 or 270 degrees, after the rest"},
    {"around", OPTION_FLOAT, AT(amounts.around), "M", 0, 1000, "20", .takes = "metres",
     .help = "photos: the aerial pictures show a random place in a square of M metres around the photo, at a random "
             "bearing; 0: its cell, as on a map"},
    {0},
};

gvm_status run_options_check(const struct run_options *o, gvm_error *err)
{
    for (const struct option_row *row = run_option_rows; row->type != OPTION_END; row++) {
        const char *text = row->type == OPTION_COPY ? *(char *const *)((const char *)o + row->at) : NULL;
        if (text && !g_utf8_validate(text, -1, NULL))
            return fail(err, GVM_ARGUMENT, "%s: the %s is not UTF-8, which a saved run cannot store; rename it", text,
                        row->takes);
    }
    if (o->data == NULL) return fail(err, GVM_ARGUMENT, "the run has no data set");
    if (o->amounts.blur > 0 && !(o->amounts.sigma[0] > 0 && o->amounts.sigma[0] <= o->amounts.sigma[1]))
        return fail(err, GVM_ARGUMENT, "the run's blur range, %g to %g pixels, is invalid; expected a range above 0",
                    (double)o->amounts.sigma[0], (double)o->amounts.sigma[1]);
    if (o->amounts.jpeg > 0 && !(o->amounts.quality[0] > 0 && o->amounts.quality[0] <= o->amounts.quality[1]))
        return fail(err, GVM_ARGUMENT, "the run's JPEG quality range, %d to %d, is invalid; expected a range above 0",
                    o->amounts.quality[0], o->amounts.quality[1]);
    return GVM_OK;
}

struct loss_options run_options_losses(const struct run_options *o, const struct config *config)
{
    struct loss_options losses = o->losses;
    losses.views = config->views[GVM_STREET].visible && config->method->view_terms != NULL;
    return losses;
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
