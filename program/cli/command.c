/* command.c - see command.h. */
#include "cli/command.h"

#include <assert.h>

#define AT(field) offsetof(struct common, field)

const struct option_row command_device_rows[] = {
    {"device", OPTION_CHOICE, AT(device), "cpu|cuda", .standard = "cpu", .help = "where to compute"},
    {"precision", OPTION_CHOICE, AT(precision), "bf16|tf32|fp32", .standard = "bf16", .help = "with --device cuda"},
    {0}}; /* in the order of gvm_precision */

static const struct option_row plain_rows[] = {
    {"threads", OPTION_INT, AT(threads), "N", 1, 1024, .help = "threads to compute with, if not given one a core"},
    {"quiet", OPTION_FLAG, AT(quiet), .help = "no progress on stderr"},
    {"help", OPTION_FLAG, AT(quiet), .help = "this text"},
    {0}};

bool option_next(struct option_cursor *c)
{
    const struct command *command = c->command;
    const struct option_row *tables[] = {command->rows, command->more, command->device ? command_device_rows : NULL,
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
