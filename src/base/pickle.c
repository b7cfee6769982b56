/* pickle.c - see pickle.h. A pickle is a program for a stack machine: one-byte opcodes (pickle.def), each followed by
 * its argument. Values are allocated in blocks that are freed together. The first failure ends the run. */
#include "base/pickle.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum {
    MAX_VALUES = 2 * 1000 * 1000, /* values and list items */
    MAX_KEPT = 1 << 20,           /* values on the stack, and in the memo */
    BLOCK = 64 * 1024,
    NAME_SHOWN = 60
};

typedef struct pickle_value value;

struct pickle_block {
    struct pickle_block *next;
    size_t used;
    _Alignas(16) unsigned char bytes[BLOCK];
};

/* Pointers to values; NULL is a mark. */
struct kept {
    const value **values; /* (room), NULL from count on */
    size_t count, room;
};

struct machine {
    struct pickle *pickle;
    const unsigned char *data;
    size_t size, at;   /* at: past the opcode and its argument */
    uint64_t argument; /* of the current opcode */
    int with;          /* parameter from its row in pickle.def */
    struct kept stack, memo;
    const struct pickle_name *names;
    const char *where;
    gvm_status status;
    gvm_error *err;
};

static void broken(struct machine *m, const char *what)
{
    if (m->status != GVM_OK) return;
    m->status = fail(m->err, GVM_FORMAT, "%s: corrupt pickle before byte %zu: %s", m->where, m->at, what);
}

/* ------------------------------------------------------------------ memory */

static void *no_room(struct machine *m)
{
    if (m->pickle->values >= MAX_VALUES)
        m->status = fail(m->err, GVM_FORMAT, "%s: its pickle has more than %d values", m->where, MAX_VALUES);
    else
        m->status = fail(m->err, GVM_MEMORY, "%s: out of memory for its pickle", m->where);
    return NULL;
}

/* Zeroed. */
static void *take(struct machine *m, size_t size)
{
    struct pickle *p = m->pickle;
    struct pickle_block *b = p->blocks;
    size = (size + 15) & ~(size_t)15;
    if (p->values >= MAX_VALUES) return no_room(m);
    if (b == NULL || b->used + size > BLOCK) {
        b = calloc(1, sizeof *b);
        if (b == NULL) return no_room(m);
        b->next = p->blocks;
        p->blocks = b;
    }
    p->values++;
    b->used += size;
    return b->bytes + b->used - size;
}

/* Make room for pointer i. */
static bool reach(struct machine *m, struct kept *k, uint64_t i)
{
    if (i < k->room) return true;
    if (i >= MAX_KEPT) broken(m, "too many values in the memo");
    if (m->status != GVM_OK) return false;
    size_t room = (size_t)i * 2 > 256 ? (size_t)i * 2 : 256;
    const value **more = realloc(k->values, room * sizeof *more);
    if (more == NULL) return no_room(m) != NULL;
    memset(more + k->room, 0, (room - k->room) * sizeof *more);
    k->values = more;
    k->room = room;
    return true;
}

static void push(struct machine *m, const value *v)
{
    if (reach(m, &m->stack, m->stack.count)) m->stack.values[m->stack.count++] = v;
}

static value *make(struct machine *m, enum pickle_kind kind)
{
    value *v = take(m, sizeof *v);
    if (v == NULL) return NULL;
    v->kind = kind;
    push(m, v);
    return m->status == GVM_OK ? v : NULL;
}

static void append(struct machine *m, value *list, const value *v)
{
    struct pickle_item *item = v ? take(m, sizeof *item) : NULL;
    if (item == NULL) return;
    item->value = v;
    if (list->last)
        list->last->next = item;
    else
        list->first = item;
    list->last = item;
    list->count++;
}

/* The top of the stack; fails and returns NULL if it is empty or a mark. */
static const value *top_of(struct machine *m)
{
    const value *v = m->stack.count > 0 ? m->stack.values[m->stack.count - 1] : NULL;
    if (v == NULL) broken(m, "stack underflow");
    return v;
}

static const value *pop(struct machine *m)
{
    const value *v = top_of(m);
    if (v != NULL) m->stack.count--;
    return v;
}

/* Index just above the topmost mark; fails and returns 0 if there is none. */
static size_t find_mark(struct machine *m)
{
    size_t i = m->stack.count;
    while (i > 0 && m->stack.values[i - 1] != NULL) i--;
    if (i == 0) broken(m, "no mark on the stack");
    return i;
}

/* ------------------------------------------------------------------ plain values */

/* PROTO and FRAME carry no information that the other opcodes need. */
static void op_nothing(struct machine *m)
{
    (void)m;
}

static void op_make(struct machine *m)
{
    make(m, (enum pickle_kind)m->with);
}

static void op_bool(struct machine *m)
{
    value *v = make(m, PICKLE_BOOL);
    if (v) v->number = m->with;
}

/* with: signed, 32 bits */
static void op_int(struct machine *m)
{
    value *v = make(m, PICKLE_INT);
    if (v) v->number = m->with ? (int32_t)(uint32_t)m->argument : (int64_t)m->argument;
}

static void op_float(struct machine *m)
{
    value *v = make(m, PICKLE_FLOAT);
    uint64_t bits = __builtin_bswap64(m->argument);
    if (v) memcpy(&v->real, &bits, sizeof v->real);
}

/* Consume the `argument` bytes that follow; fails and returns NULL if there are fewer. */
static const unsigned char *follow(struct machine *m)
{
    if (m->argument > m->size - m->at) {
        broken(m, "truncated");
        return NULL;
    }
    m->at += m->argument;
    return m->data + m->at - m->argument;
}

/* In two's complement. */
static void op_long(struct machine *m)
{
    const unsigned char *bytes = follow(m);
    size_t n = (size_t)m->argument;
    value *v = bytes ? make(m, n > 8 ? PICKLE_LONG : PICKLE_INT) : NULL;
    if (v == NULL || n == 0 || n > 8) return;
    uint64_t number = bytes[n - 1] & 0x80 ? ~(uint64_t)0 : 0;
    while (n-- > 0) number = number << 8 | bytes[n];
    v->number = (int64_t)number;
}

static void op_text(struct machine *m)
{
    const unsigned char *bytes = follow(m);
    value *v = bytes ? make(m, (enum pickle_kind)m->with) : NULL;
    if (v == NULL) return;
    v->text = (const char *)bytes;
    v->length = m->argument;
}

/* ------------------------------------------------------------------ the stack */

static void op_mark(struct machine *m)
{
    push(m, NULL);
}

static void op_pop(struct machine *m)
{
    if (m->stack.count == 0) broken(m, "stack underflow");
    m->stack.count -= m->status == GVM_OK;
}

static void op_pop_mark(struct machine *m)
{
    size_t first = find_mark(m);
    if (first > 0) m->stack.count = first - 1;
}

static void op_again(struct machine *m)
{
    const value *v = top_of(m);
    if (v) push(m, v);
}

/* with: store under the next free number */
static void op_put(struct machine *m)
{
    const value *v = top_of(m);
    uint64_t i = m->with ? m->memo.count : m->argument;
    if (v == NULL || !reach(m, &m->memo, i)) return;
    m->memo.count += m->memo.values[i] == NULL;
    m->memo.values[i] = v;
}

static void op_get(struct machine *m)
{
    if (m->argument < m->memo.room && m->memo.values[m->argument] != NULL)
        push(m, m->memo.values[m->argument]);
    else
        broken(m, "no such value in the memo");
}

/* ------------------------------------------------------------------ containers */

/* Move all values from index `first` up from the stack into a list, tuple or dictionary. */
static void gather(struct machine *m, value *into, size_t first)
{
    if (into->kind == PICKLE_DICT && (m->stack.count - first) % 2 != 0) broken(m, "a key without a value");
    for (size_t i = first; i < m->stack.count && m->status == GVM_OK; i++) {
        if (m->stack.values[i] == NULL) broken(m, "unexpected mark on the stack");
        append(m, into, m->stack.values[i]);
    }
    m->stack.count = first;
}

/* A container of all values above the mark. */
static void op_gather(struct machine *m)
{
    size_t first = find_mark(m);
    value *list = first > 0 ? take(m, sizeof *list) : NULL;
    if (list == NULL) return;
    list->kind = (enum pickle_kind)m->with;
    gather(m, list, first);
    m->stack.values[m->stack.count - 1] = list;
}

/* A tuple of the top 1 to 3 values. */
static void op_tuple(struct machine *m)
{
    const value *items[3] = {NULL};
    for (int i = m->with; i-- > 0;) items[i] = pop(m);
    value *tuple = m->status == GVM_OK ? make(m, PICKLE_TUPLE) : NULL;
    for (int i = 0; i < m->with && tuple != NULL; i++) append(m, tuple, items[i]);
}

/* Add the values from index `first` up to the container at index `into`. */
static void add(struct machine *m, size_t into, size_t first)
{
    value *list = (value *)m->stack.values[into];
    if (list == NULL || list->kind != (enum pickle_kind)m->with)
        broken(m, "items appended to neither a list nor a dictionary");
    else
        gather(m, list, first);
    m->stack.count = into + 1;
}

static void op_add(struct machine *m)
{
    size_t each = m->with == PICKLE_DICT ? 2 : 1;
    if (m->stack.count > each)
        add(m, m->stack.count - each - 1, m->stack.count - each);
    else
        broken(m, "stack underflow");
}

static void op_add_all(struct machine *m)
{
    size_t first = find_mark(m);
    if (first > 1)
        add(m, first - 2, first);
    else
        broken(m, "stack underflow");
}

/* ------------------------------------------------------------------ names and calls */

static bool is_name(const char *name, const char *module, size_t m, const char *rest, size_t n)
{
    return strlen(name) == m + 1 + n && memcmp(name, module, m) == 0 && name[m] == '.' &&
           memcmp(name + m + 1, rest, n) == 0;
}

static void push_name(struct machine *m, const char *module, size_t module_length, const char *name, size_t length)
{
    const struct pickle_name *known = m->names;
    while (known->name && !is_name(known->name, module, module_length, name, length)) known++;
    if (known->name == NULL) {
        m->status = fail(m->err, GVM_FORMAT, "%s: its pickle calls %.*s.%.*s; only tensors are read, no code is run",
                         m->where, (int)(module_length < NAME_SHOWN ? module_length : NAME_SHOWN), module,
                         (int)(length < NAME_SHOWN ? length : NAME_SHOWN), name);
        return;
    }
    value *v = make(m, PICKLE_NAME);
    if (v == NULL) return;
    v->text = known->name;
    v->length = strlen(known->name);
    v->number = known->dictionary;
}

/* The rest of the line, without its line break, which is consumed; NULL if there is none. */
static const char *read_line(size_t *length, struct machine *m)
{
    const unsigned char *start = m->data + m->at, *end = memchr(start, '\n', m->size - m->at);
    if (end == NULL) return NULL;
    *length = (size_t)(end - start);
    m->at += *length + 1;
    return (const char *)start;
}

/* with: the name is also called */
static void op_name(struct machine *m)
{
    size_t module_length = 0, length = 0;
    const char *module = read_line(&module_length, m), *name = module ? read_line(&length, m) : NULL;
    if (name != NULL)
        push_name(m, module, module_length, name, length);
    else
        broken(m, "truncated");
    if (m->with) broken(m, "unsupported protocol");
}

static void op_stack_name(struct machine *m)
{
    const value *name = pop(m), *module = name ? pop(m) : NULL;
    if (module == NULL) return;
    if (module->kind == PICKLE_TEXT && name->kind == PICKLE_TEXT)
        push_name(m, module->text, module->length, name->text, name->length);
    else
        broken(m, "a global's name is not a string");
}

/* From a list of pairs; empty if there is no list. */
static void fill_dictionary(struct machine *m, value *dictionary, const value *list)
{
    if (list == NULL || list->kind == PICKLE_NAME || list->kind == PICKLE_NONE) return;
    if (list->kind != PICKLE_LIST) broken(m, "a dictionary is built from something other than a list");
    for (const struct pickle_item *i = list->first; i && m->status == GVM_OK; i = i->next) {
        if ((i->value->kind != PICKLE_TUPLE && i->value->kind != PICKLE_LIST) || i->value->count != 2) {
            broken(m, "a dictionary is built from a list of something other than pairs");
            return;
        }
        append(m, dictionary, pickle_at(i->value, 0));
        append(m, dictionary, pickle_at(i->value, 1));
    }
}

static void op_call(struct machine *m)
{
    const value *arguments = pop(m), *function = arguments ? pop(m) : NULL;
    if (function == NULL) return;
    if (function->kind != PICKLE_NAME || arguments->kind != PICKLE_TUPLE) {
        broken(m, "a called object is not a function");
        return;
    }
    value *call = make(m, function->number ? PICKLE_DICT : PICKLE_CALL);
    if (call == NULL) return;
    if (function->number) {
        fill_dictionary(m, call, pickle_at(arguments, 0));
        return;
    }
    call->text = function->text;
    call->length = function->length;
    for (const struct pickle_item *i = arguments->first; i && m->status == GVM_OK; i = i->next)
        append(m, call, i->value);
}

/* State of an object besides its items, such as the layer versions of a state dictionary, is dropped. */
static void op_state(struct machine *m)
{
    if (pop(m) != NULL) top_of(m);
}

static void op_persistent(struct machine *m)
{
    const value *id = pop(m);
    if (id == NULL) return;
    if (id->kind != PICKLE_TUPLE) broken(m, "a persistent id is not a tuple");
    value *v = m->status == GVM_OK ? make(m, PICKLE_PERSISTENT) : NULL;
    if (v == NULL) return;
    v->first = id->first; /* items can be shared: a tuple is immutable */
    v->last = id->last;
    v->count = id->count;
    v->persistent = m->pickle->persistent;
    m->pickle->persistent = v;
}

/* ------------------------------------------------------------------ reading */

static const struct opcode {
    unsigned char width;
    void (*run)(struct machine *m);
    int with;
} opcodes[256] = {
#define OPCODE(code, width, run, with) [code] = {width, run, with},
#include "base/pickle.def"
#undef OPCODE
};

static void run(struct machine *m)
{
    while (m->status == GVM_OK && m->at < m->size) {
        unsigned char code = m->data[m->at++];
        if (code == '.') return;
        const struct opcode *op = &opcodes[code];
        if (op->run == NULL)
            m->status = fail(m->err, GVM_FORMAT, "%s: unsupported pickle opcode 0x%02x", m->where, code);
        if (op->run == NULL || op->width > m->size - m->at) break;
        m->argument = 0;
        m->with = op->with;
        for (int i = op->width; i-- > 0;) m->argument = m->argument << 8 | m->data[m->at + (size_t)i];
        m->at += op->width;
        op->run(m);
    }
    broken(m, "truncated");
}

gvm_status pickle_read(const struct pickle_value **top, size_t *used, struct pickle *pickle, const void *data,
                       size_t size, const struct pickle_name *names, const char *where, gvm_error *err)
{
    struct machine m = {.pickle = pickle, .data = data, .size = size, .names = names, .where = where, .err = err};
    run(&m);
    *top = m.status == GVM_OK ? pop(&m) : NULL;
    if (m.stack.count != 0) broken(&m, "values left on the stack");
    *used = m.at;
    free(m.stack.values);
    free(m.memo.values);
    return m.status;
}

void pickle_free(struct pickle *pickle)
{
    for (struct pickle_block *b = pickle->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *pickle = (struct pickle){0};
}

const struct pickle_value *pickle_at(const struct pickle_value *v, size_t i)
{
    const struct pickle_item *item = v->first;
    while (item && i-- > 0) item = item->next;
    return item ? item->value : NULL;
}

const struct pickle_value *pickle_get(const struct pickle_value *dictionary, const char *key)
{
    const struct pickle_value *found = NULL;
    if (dictionary->kind != PICKLE_DICT) return NULL;
    for (const struct pickle_item *i = dictionary->first; i && i->next; i = i->next->next)
        if (pickle_is(i->value, key)) found = i->next->value;
    return found;
}

bool pickle_is(const struct pickle_value *v, const char *text)
{
    return (v->kind == PICKLE_TEXT || v->kind == PICKLE_NAME) && v->length == strlen(text) &&
           memcmp(v->text, text, v->length) == 0;
}
