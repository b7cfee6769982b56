/* fuzz_schema.c - any bytes as an object of a map's schema: its type, its name and its SQL, a line each. What the check
 * lets through SQLite must take for the same thing: of this type and name, and virtual only for an R-tree. */
#include "map/map_table.c" /* is_written_so, reaches_out */

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What SQLite is about to make; empty: nothing. */
static struct {
    const char *type;
    char name[256];
    bool virtual;
} made;

static int note(void *user, int action, const char *name, const char *module, const char *base, const char *by)
{
    static const struct {
        int action;
        const char *type;
    } actions[] = {{SQLITE_CREATE_TABLE, "table"},
                   {SQLITE_CREATE_VTABLE, "table"},
                   {SQLITE_CREATE_INDEX, "index"},
                   {SQLITE_CREATE_TRIGGER, "trigger"},
                   {SQLITE_CREATE_VIEW, "view"}};
    (void)user, (void)base, (void)by;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (action != actions[i].action || made.type != NULL) continue;
        made.type = actions[i].type;
        made.virtual = action == SQLITE_CREATE_VTABLE;
        snprintf(made.name, sizeof made.name, "%s", name);
        if (made.virtual && strcasecmp(module, "rtree") != 0) abort();
    }
    return SQLITE_OK;
}

static sqlite3 *start(void)
{
    sqlite3 *base;
    if (sqlite3_open(":memory:", &base) != SQLITE_OK) abort();
    if (sqlite3_exec(base, "CREATE TABLE tiles(fid, geom, row, cell)", NULL, NULL, NULL) != SQLITE_OK) abort();
    sqlite3_set_authorizer(base, note, NULL);
    return base;
}

/* The statement is prepared and never run. "main.a" is no name in a schema: SQLite calls such a file corrupt. */
static void compare(const char *type, const char *name, const char *sql, bool virtual)
{
    static sqlite3 *base;
    sqlite3_stmt *statement = NULL;
    if (base == NULL) base = start();
    made.type = NULL;
    made.virtual = false;
    sqlite3_prepare_v2(base, sql, -1, &statement, NULL);
    sqlite3_finalize(statement);
    if (made.type == NULL || strcmp(name, "main") == 0 || strcmp(name, "temp") == 0) return;
    if (strcmp(made.type, type) != 0 || strcmp(made.name, name) != 0 || made.virtual != virtual) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool virtual;
    char *text = calloc(size + 1, 1), *rest = text;
    if (text == NULL) abort();
    if (size > 0) memcpy(text, data, size);
    const char *type = strsep(&rest, "\n"), *name = rest != NULL ? strsep(&rest, "\n") : NULL;
    if (rest != NULL && is_written_so(rest, type, name, &virtual) && !reaches_out(rest))
        compare(type, name, rest, virtual);
    free(text);
    return 0;
}
