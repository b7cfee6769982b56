/* help.c - see command.h. */
#include "cli/command.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 100, COLUMN = 24 /* of the text after an option */ };

/* ------------------------------------------------------------------ the text of a row */

/* Whether an option's values are too long for its line and follow its help. */
static bool many_words(const struct option_row *row)
{
    char word[32];
    size_t length = 0;
    for (int i = 0; option_word(word, row, i); i++) length += strlen(word) + 1;
    return length > 90;
}

/* "--top K", "--device cpu|cuda" */
static void head_of(char text[160], const struct option_row *row)
{
    char word[32];
    bool many = many_words(row);
    snprintf(text, 160, "--%s", row->name);
    for (int i = 0; !many && option_word(word, row, i); i++) {
        g_strlcat(text, i == 0 ? " " : "|", 160);
        g_strlcat(text, word, 160);
    }
    if ((!many && option_word(word, row, 0)) || row->argument == NULL) return;
    g_strlcat(text, " ", 160);
    g_strlcat(text, row->argument, 160);
    if (row->more) g_strlcat(text, "...", 160);
}

/* The help, and in brackets the range, if informative, and the default. */
static void text_of(char text[600], const struct option_row *row)
{
    bool whole = row->type == OPTION_INT || row->type == OPTION_LONG;
    bool ranged = (whole || row->type == OPTION_FLOAT || row->type == OPTION_DOUBLE) && isfinite(row->high);
    char range[80] = "";
    if (ranged) snprintf(range, sizeof range, "%.15g to %.15g", row->low, row->high);
    snprintf(text, 600, "%s", row->help);
    char word[32];
    for (int i = 0; many_words(row) && option_word(word, row, i); i++) {
        g_strlcat(text, i == 0 ? "; one of " : ", ", 600);
        g_strlcat(text, word, 600);
    }
    if (!ranged && row->standard == NULL) return;
    const char *standard = row->standard ? row->standard : "";
    snprintf(text, 600, "%s (%s%s%s%s)", row->help, range, ranged && row->standard ? "; " : "",
             row->standard ? "default: " : "", standard);
}

/* ------------------------------------------------------------------ lines */

/* Escape text for roff: typed hyphens, no requests. */
static void print_roff(const char *text)
{
    if (*text == '.' || *text == '\'') printf("\\&");
    for (; *text; text++) {
        if (*text == '-' || *text == '\\') putchar('\\');
        putchar(*text == '\\' ? 'e' : *text);
    }
    putchar('\n');
}

/* Wrap words from column `at` on, after `used` columns; further lines start there too. */
static void print_wrapped(const char *text, int at, int used)
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

/* An option or a term, and its text. */
static void print_entry(bool roff, const char *head, const char *text)
{
    if (roff) {
        printf(".TP\n.B ");
        print_roff(head);
        print_roff(text);
        return;
    }
    int used = printf("  %s", head);
    if (used >= COLUMN) used = printf("\n") - 1;
    print_wrapped(text, COLUMN, used);
}

/* The next of several lines, without its end, to be freed; NULL after the last. */
static char *next_line(const char **text)
{
    if (*text == NULL || **text == '\0') return NULL;
    size_t n = strcspn(*text, "\n");
    char *line = strndup(*text, n);
    *text += n + ((*text)[n] == '\n');
    return line;
}

static void print_paragraphs(bool roff, const char *text)
{
    for (char *line; (line = next_line(&text)) != NULL; free(line)) {
        char *tab = strchr(line, '\t');
        if (tab) *tab = '\0';
        if (tab) {
            print_entry(roff, line, tab + 1);
        } else if (!roff) {
            print_wrapped(line, 0, 0);
        } else if (*line) {
            printf(".PP\n");
            print_roff(line);
        }
    }
}

/* The options of the command's tables first..last. Titles are set apart by a blank line. */
static void print_rows(bool roff, const struct command *command, int first, int last)
{
    int table = first;
    bool begun = false, titled = false;
    for (struct option_cursor c = {.command = command}; option_next(&c);) {
        char head[160], text[600];
        if (c.table < first || c.table > last) continue;
        bool title = c.row->type == OPTION_TITLE;
        if (!roff && begun && (title || (titled && c.table > 1 && table < 2))) printf("\n");
        table = c.table;
        begun = true;
        titled |= title;
        if (title) {
            print_paragraphs(roff, c.row->help);
            continue;
        }
        head_of(head, c.row);
        text_of(text, c.row);
        print_entry(roff, head, text);
    }
}

/* ------------------------------------------------------------------ --help */

void print_help(const struct command *command)
{
    const char *usage = command->usage, *begin = "usage:";
    for (char *line; (line = next_line(&usage)) != NULL; free(line), begin = "      ")
        printf("%s geoviewmatch %s %s\n", begin, command->name, line);
    printf("\n");
    print_paragraphs(false, command->about);
    printf("\n");
    print_rows(false, command, 0, 3);
    if (command->notes) printf("\n");
    print_paragraphs(false, command->notes);
    printf("\nFor example:\n%s", command->examples);
}

/* ------------------------------------------------------------------ the manual page */

static void print_section(const struct command *command)
{
    const char *lines = command->usage;
    printf(".SS %s\n.nf\n", command->name);
    for (char *line; (line = next_line(&lines)) != NULL; free(line)) {
        printf("geoviewmatch %s ", command->name);
        print_roff(line);
    }
    printf(".fi\n");
    print_paragraphs(true, command->about);
    print_rows(true, command, 0, 1);
    print_paragraphs(true, command->notes);
    printf(".PP\n.nf\n.RS\n");
    lines = command->examples;
    for (char *line; (line = next_line(&lines)) != NULL; free(line)) print_roff(line + strspn(line, " "));
    printf(".RE\n.fi\n");
}

void print_manual(const struct command *const *commands)
{
    const struct command *with_device = NULL;
    printf(".SH COMMANDS\n");
    for (int i = 0; commands[i]; i++) print_entry(true, commands[i]->name, commands[i]->summary);
    printf(".SH OPTIONS OF EVERY COMMAND\n.PP\n\\-\\-device and \\-\\-precision are those of ");
    for (int i = 0; commands[i]; i++) {
        if (!commands[i]->device) continue;
        printf("%s%s", with_device ? ", " : "", commands[i]->name);
        with_device = commands[i];
    }
    printf(", which run a network.\n");
    print_rows(true, with_device, 2, 3);
    printf(".SH OPTIONS OF EACH COMMAND\n");
    for (int i = 0; commands[i]; i++) print_section(commands[i]);
}
