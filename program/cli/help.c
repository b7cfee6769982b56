/* help.c - see help.h. */
#include "cli/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 100, COLUMN = 24 /* of the text behind an option */ };

/* ------------------------------------------------------------------ the text of a row */

static void append(char *text, size_t size, const char *piece)
{
    size_t n = strlen(text);
    snprintf(text + n, size - n, "%s", piece);
}

/* "--top K", "--device cpu|cuda" */
static void head_of(char text[160], const struct option_row *row)
{
    char word[32];
    snprintf(text, 160, "--%s", row->name);
    for (int i = 0; option_word(word, row, i); i++) {
        append(text, 160, i == 0 ? " " : "|");
        append(text, 160, word);
    }
    if (option_word(word, row, 0) || row->argument == NULL) return;
    append(text, 160, " ");
    append(text, 160, row->argument);
    if (row->more) append(text, 160, "...");
}

/* The help, and in brackets the range, where it is worth telling, and the default. */
static void text_of(char text[600], const struct option_row *row)
{
    bool whole = row->type == OPTION_INT || row->type == OPTION_LONG;
    bool ranged = (whole || row->type == OPTION_FLOAT || row->type == OPTION_DOUBLE) && row->high < 1e6;
    char range[80] = "";
    if (ranged) snprintf(range, sizeof range, "%.15g to %.15g", row->low, row->high);
    snprintf(text, 600, "%s", row->help);
    if (!ranged && row->standard == NULL) return;
    append(text, 600, " (");
    append(text, 600, range);
    if (ranged && row->standard) append(text, 600, "; ");
    if (row->standard) append(text, 600, "default: ");
    if (row->standard) append(text, 600, row->standard);
    append(text, 600, ")");
}

/* ------------------------------------------------------------------ --help */

/* Words from column `at` on, of which `used` are taken; further lines begin there too. */
static void wrap(const char *text, int at, int used)
{
    while (*text) {
        int n = (int)strcspn(text, " ");
        bool begins = used <= at;
        if (!begins && used + 1 + n > WIDTH) {
            printf("\n");
            used = 0;
            begins = true;
        }
        used += printf("%*s%.*s", begins ? at - used : 1, "", n, text);
        text += n;
        text += strspn(text, " ");
    }
    printf("\n");
}

static void print_entry(const char *head, const char *text)
{
    int used = printf("  %s", head);
    if (used >= COLUMN) {
        printf("\n");
        used = 0;
    }
    wrap(text, COLUMN, used);
}

/* One line of a text of several, without its end; NULL behind the last. To be freed. */
static char *next_line(const char **text)
{
    if (*text == NULL || **text == '\0') return NULL;
    size_t n = strcspn(*text, "\n");
    char *line = strndup(*text, n);
    *text += n + ((*text)[n] == '\n');
    return line;
}

static void print_paragraphs(const char *text)
{
    for (char *line; (line = next_line(&text)) != NULL; free(line)) {
        char *tab = strchr(line, '\t');
        if (tab) *tab = '\0';
        if (tab)
            print_entry(line, tab + 1);
        else
            wrap(line, 0, 0);
    }
}

static void print_usage(const struct command *command)
{
    const char *usage = command->usage, *begin = "usage:";
    for (char *line; (line = next_line(&usage)) != NULL; free(line), begin = "      ")
        printf("%s geoviewmatch %s%s%s\n", begin, command->name, *line ? " " : "", line);
}

void print_help(const struct command *command)
{
    print_usage(command);
    printf("\n");
    print_paragraphs(command->about);
    printf("\n");
    int table = 0;
    bool first = true, titled = false;
    for (struct option_cursor c = {.command = command}; option_next(&c);) {
        char head[160], text[600];
        bool title = c.row->type == OPTION_TITLE;
        if (!first && (title || (titled && c.table > 1 && table < 2))) printf("\n");
        first = false;
        titled |= title;
        table = c.table;
        if (title) {
            printf("%s\n", c.row->help);
            continue;
        }
        head_of(head, c.row);
        text_of(text, c.row);
        print_entry(head, text);
    }
    if (command->notes) printf("\n");
    if (command->notes) print_paragraphs(command->notes);
    printf("\nFor example:\n%s", command->examples);
}

/* ------------------------------------------------------------------ the manual page */

/* What roff takes as it is meant: a hyphen that is typed, no request. */
static void roff(const char *text)
{
    if (*text == '.' || *text == '\'') printf("\\&");
    for (; *text; text++) {
        if (*text == '-' || *text == '\\') putchar('\\');
        putchar(*text == '\\' ? 'e' : *text);
    }
    putchar('\n');
}

static void roff_entry(const char *head, const char *text)
{
    printf(".TP\n.B ");
    roff(head);
    roff(text);
}

static void roff_paragraphs(const char *text)
{
    for (char *line; (line = next_line(&text)) != NULL; free(line)) {
        char *tab = strchr(line, '\t');
        if (tab) *tab = '\0';
        if (tab) {
            roff_entry(line, tab + 1);
        } else if (*line) {
            printf(".PP\n");
            roff(line);
        }
    }
}

static void roff_rows(const struct command *command, int first, int last)
{
    for (struct option_cursor c = {.command = command}; option_next(&c);) {
        char head[160], text[600];
        if (c.table < first || c.table > last) continue;
        if (c.row->type == OPTION_TITLE) {
            printf(".PP\n");
            roff(c.row->help);
            continue;
        }
        head_of(head, c.row);
        text_of(text, c.row);
        roff_entry(head, text);
    }
}

static void roff_command(const struct command *command)
{
    const char *lines = command->usage;
    printf(".SS %s\n.nf\n", command->name);
    for (char *line; (line = next_line(&lines)) != NULL; free(line)) {
        printf("geoviewmatch %s ", command->name);
        roff(line);
    }
    printf(".fi\n");
    roff_paragraphs(command->about);
    roff_rows(command, 0, 1);
    if (command->notes) roff_paragraphs(command->notes);
    printf(".PP\n.nf\n.RS\n");
    lines = command->examples;
    for (char *line; (line = next_line(&lines)) != NULL; free(line)) roff(line + strspn(line, " "));
    printf(".RE\n.fi\n");
}

void print_manual(const struct command *const *commands)
{
    const struct command *with_device = *commands;
    printf(".SH COMMANDS\n");
    for (int i = 0; commands[i]; i++) {
        roff_entry(commands[i]->name, commands[i]->summary);
        if (commands[i]->device) with_device = commands[i];
    }
    printf(".SH OPTIONS OF EVERY COMMAND\n.PP\n");
    printf("\\-\\-device and \\-\\-precision are those of the commands that run a network:");
    const char *comma = " ";
    for (int i = 0; commands[i]; i++)
        if (commands[i]->device) {
            printf("%s%s", comma, commands[i]->name);
            comma = ", ";
        }
    printf(".\n");
    roff_rows(with_device, 2, 3);
    printf(".SH OPTIONS OF EACH COMMAND\n");
    for (int i = 0; commands[i]; i++) roff_command(commands[i]);
}
