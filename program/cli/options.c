/* options.c - parses the command line by a command's rows, see command.h. */
#include "cli/command.h"

#include <assert.h>
#include <glib.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/similar.h"

#define AT(field) offsetof(struct common, field)

static const struct option_row device_rows[] = {
    {"device", OPTION_CHOICE, AT(device), "cpu|cuda", .standard = "cpu", .help = "where to compute"},
    {"precision", OPTION_CHOICE, AT(precision), "bf16|tf32|fp32", .standard = "bf16", .help = "with --device cuda"},
    {0}}; /* in the order of gvm_precision */

static const struct option_row plain_rows[] = {
    {"threads", OPTION_INT, AT(threads), "N", 1, 1024, .help = "number of threads, by default one per core"},
    {"quiet", OPTION_FLAG, AT(quiet), .help = "no progress on stderr"},
    {"help", OPTION_FLAG, AT(quiet), .help = "print this help"},
    {0}};

bool option_next(struct option_cursor *c)
{
    const struct command *command = c->command;
    const struct option_row *tables[] = {command->rows, command->more, command->device ? device_rows : NULL,
                                         plain_rows};
    if (c->row == NULL) c->table = c->number = -1;
    bool visible = false;
    while (!visible) {
        if (c->row) c->row++;
        while (c->row == NULL || c->row->type == OPTION_END) {
            if (++c->table > 3) return false;
            c->row = tables[c->table];
        }
        visible = !c->row->saved;
    }
    if (c->row->type != OPTION_TITLE) c->number++;
    assert(c->number < OPTIONS_MOST);
    c->base = c->table == 1 ? command->more_at : 0;
    return true;
}

/* ------------------------------------------------------------------ given options */

bool option_given(const struct common *common, const char *name)
{
    for (struct option_cursor c = {.command = common->command}; option_next(&c);)
        if (c.row->type != OPTION_TITLE && strcmp(c.row->name, name) == 0) return common->given[c.number];
    assert(!"an option of the command");
    return false;
}

const char *options_given(const struct common *common, const char *const *names)
{
    for (; *names; names++)
        if (option_given(common, *names)) return *names;
    return NULL;
}

const char *options_given_but(const struct common *common, const char *const *names)
{
    for (struct option_cursor c = {.command = common->command}; option_next(&c);)
        if (c.row->type != OPTION_TITLE && c.table < 2 && common->given[c.number] &&
            !g_strv_contains(names, c.row->name))
            return c.row->name;
    return NULL;
}

/* ------------------------------------------------------------------ finding an option */

static int refuse_unknown(const struct command *command, const char *typed, size_t length)
{
    const char *names[OPTIONS_MOST];
    size_t count = 0;
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)length, typed + 2);
    for (struct option_cursor c = {.command = command}; option_next(&c);)
        if (c.row->type != OPTION_TITLE) names[count++] = c.row->name;
    const char *meant = similar(name, names, count);
    if (meant) return usage_error(command->name, "unknown option '%s' (did you mean '--%s'?)", typed, meant);
    return usage_error(command->name, "unknown option '%s'", typed);
}

/* By its name or an unambiguous prefix: "--s" matches neither --seed nor --steps. */
static int find(struct option_cursor *found, const struct command *command, const char *typed)
{
    size_t length = strcspn(typed + 2, "=");
    const char *both[2] = {NULL, NULL};
    int count = 0;
    for (struct option_cursor c = {.command = command}; option_next(&c);) {
        if (c.row->type == OPTION_TITLE || strncmp(c.row->name, typed + 2, length) != 0) continue;
        bool whole = c.row->name[length] == '\0';
        if (whole || count == 0) *found = c;
        if (whole) return GO_ON;
        if (length > 0 && count < 2) both[count] = c.row->name;
        count++;
    }
    if (count == 1) return GO_ON;
    if (count == 0 || length == 0) return refuse_unknown(command, typed, length);
    return usage_error(command->name, "option '%.*s' is ambiguous: --%s, --%s%s", (int)length + 2, typed, both[0],
                       both[1], count > 2 ? " and others" : "");
}

/* ------------------------------------------------------------------ values */

static int refuse_value(const struct command *command, const struct option_row *row, const char *text)
{
    char words[16][32], takes[400];
    const char *names[16];
    size_t count = 0;
    for (; count < 16 && option_word(words[count], row, (int)count); count++) names[count] = words[count];
    const char *meant = count > 1 ? similar(text, names, count) : NULL;
    option_takes(takes, sizeof takes, row);
    return usage_error(command->name, "--%s takes %s, got '%s'%s%s%s", row->name, takes, text,
                       meant ? " (did you mean '" : "", meant ? meant : "", meant ? "'?)" : "");
}

static int take_value(struct common *common, const struct option_cursor *at, const char *text)
{
    gvm_status status = option_read(at->row, (char *)common + at->base, text);
    if (status == GVM_OK) return GO_ON;
    if (status == GVM_ARGUMENT) return refuse_value(common->command, at->row, text);
    return failed(&(gvm_error){"out of memory for the options"});
}

/* Reads the option argv[*i] and the values after it; *i then is the last one read. */
static int take_option(struct common *common, char **argv, int argc, int *i)
{
    const char *typed = argv[*i], *name = common->name;
    struct option_cursor at = {0};
    if (typed[1] != '-') return usage_error(name, "unknown option '-%c'", typed[1]);
    int end = find(&at, common->command, typed);
    if (end != GO_ON) return end;
    assert(at.row != NULL);
    const char *equals = strchr(typed, '=');
    common->given[at.number] = true;
    if (at.row->type == OPTION_FLAG && equals) return usage_error(name, "option '%s' takes no value", typed);
    if (strcmp(at.row->name, "help") == 0) {
        print_help(common->command);
        return DONE;
    }
    if (at.row->type == OPTION_FLAG) return take_value(common, &at, NULL);
    if (equals == NULL && *i + 1 >= argc) return usage_error(name, "option '%s' needs a value", typed);
    end = take_value(common, &at, equals ? equals + 1 : argv[++*i]);
    while (end == GO_ON && at.row->more && *i + 1 < argc && argv[*i + 1][0] != '-')
        end = take_value(common, &at, argv[++*i]);
    return end;
}

/* ------------------------------------------------------------------ the command line */

static int choose_machine(struct common *common)
{
    gvm_error err;
    common->cuda = common->device == 1;
    if (common->threads > 0 && gvm_set_threads(common->threads, &err) != GVM_OK) return failed(&err);
    bool asked = common->command->device && options_given(common, (const char *const[]){"device", "precision", NULL});
    if (asked && gvm_set_device(common->cuda ? GVM_CUDA : GVM_CPU, (gvm_precision)common->precision, &err) != GVM_OK)
        return failed(&err);
    return GO_ON;
}

static int check_given(const struct common *common)
{
    const struct command *command = common->command;
    for (struct option_cursor c = {.command = command}; option_next(&c);) {
        if (c.row->type == OPTION_TITLE) continue;
        bool given = common->given[c.number];
        if (c.row->needed && !given) return usage_error(command->name, "--%s is required", c.row->name);
        if (c.row->with && given && !option_given(common, c.row->with))
            return usage_error(command->name, "--%s requires --%s", c.row->name, c.row->with);
    }
    return GO_ON;
}

static int check_operands(const struct common *common)
{
    const struct command *command = common->command;
    int most = command->operand == NULL ? 0 : command->most > 0 ? command->most : INT_MAX;
    if (common->operand_count > most)
        return usage_error(command->name, "unexpected argument '%s'", common->operands[most]);
    if (common->operand_count < command->least) return usage_error(command->name, "no %s given", command->operand);
    return GO_ON;
}

static int read_line(struct common *common, const struct command *command, int argc, char **argv)
{
    bool over = false; /* after "--", only operands follow */
    int status = GO_ON;
    *common = (struct common){.command = command, .name = command->name, .operands = argv + 1};
    if (command->more) options_default(command->more, (char *)common + command->more_at);
    options_default(command->rows, common);
    options_default(device_rows, common);
    for (int i = 1; i < argc && status == GO_ON; i++) {
        if (over || argv[i][0] != '-' || argv[i][1] == '\0')
            common->operands[common->operand_count++] = argv[i]; /* never beyond the argument being read */
        else if (strcmp(argv[i], "--") == 0)
            over = true;
        else
            status = take_option(common, argv, argc, &i);
    }
    if (status == GO_ON) status = choose_machine(common);
    if (status == GO_ON) status = check_given(common);
    return status == GO_ON ? check_operands(common) : status;
}

int command_run(const struct command *command, int argc, char **argv)
{
    void *arguments = g_malloc0(command->size + (size_t)argc * sizeof(char *));
    int status = read_line(arguments, command, argc, argv);
    if (status == GO_ON) status = command->run(arguments);
    if (command->more) options_free(command->more, (char *)arguments + command->more_at);
    g_free(arguments);
    return status;
}
