/* Takes packets of the commonest form for connections of which everything is known by memory.
 *
 * Owns: finding such packets in a block of a pcap file, their connection, and running over them what was learned in
 * Python, as lists of numbers (see plans.py). Whatever is not of the commonest form, not known, or not certain is left
 * to Python, before anything has been changed.
 * Must never hold: what a packet, a flag or a number means; that is learned from the spec.
 *
 * Everything here has a twin in Python that says what is right: transport.usual_tcp (the packet), forms.Form (its
 * numbers), memo.Memo.observe and watchmemo.WatchMemo.recall (its judgement), doubles.Doubles.take (copies), and
 * table.Table.packet (the rest). tests/checking/test_express.py holds both beside each other.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef __SIZEOF_INT128__
#error "sums of numbers with factors need 128 bits"
#endif
typedef __int128 wide;

/* Grows with every change of what Python calls here; express.py uses no other. */
#define INTERFACE 2

#define LARGEST ((int64_t)1 << 56)
#define LATEST ((int64_t)1 << 62)
#define QUIET ((int64_t)300 * 1000000000)
#define RECENT 256
#define REMEMBERED 4096
#define SLOTS 20
#define FLOW 36
#define MOST_KEYS 16
#define MOST_FORMS 512
#define MOST_OF_A_FORM 32

enum { NONE, TEST, APART, ALONE, TAKE };
enum { SEQ, ACK, WINDOW, LENGTH, URGENT, OFFSET, IP_PAYLOAD, SOURCE_PORT, DESTINATION_PORT, TTL, IP_VERSION, CHECKSUM,
       IP_ID, PAYLOAD_SUM, CHECKSUM_OK, TSVAL, TSECR, OPTION_OCTETS, SACK_BLOCKS, SACK_HIGH };
/* Packets of one variant have the same fields. */
enum { CUT_TEXT, WITH_TEXT, WITHOUT_TEXT, SACKED = 3, STAMPED = 6, SIX = 12, VARIANTS = 24 };

typedef struct Shape Shape;

typedef struct {
    PyObject *kind, *merged;
    int64_t *code;
    Py_ssize_t length;
    int own, given, targets;
    Shape **target;
} Program;

struct Shape {
    PyObject *known;
    int stale;
    int near[2];
    int places; /* programs that there is room for */
    Program **programs; /* by form and side */
};

typedef struct {
    int flags, variant, keys, sequences, taken, timed;
    int64_t key[MOST_KEYS];
    int sequence[MOST_OF_A_FORM], own[MOST_OF_A_FORM], take[MOST_OF_A_FORM];
} Form;

typedef struct {
    uint8_t flow[FLOW]; /* addresses and ports, the lower first */
    int active, low; /* low: the side whose address and port come first in flow */
    PyObject *connection;
    Shape *shape, *notes;
    int64_t *numbers, *noted;
    int count, room, notes_count, notes_room;
    int64_t packets, latest, last_time;
    int last_flags;
    Py_hash_t source[2];
} Entry;

typedef struct {
    Py_hash_t source;
    int64_t number, time;
    int ip_id, flags, ttl, timed, used;
} Seen;

typedef struct { /* what a packet was remembered under; beside the table, since entries move within it */
    Py_hash_t source;
    int ip_id;
} Remembered;

typedef struct {
    Py_ssize_t at, end;
    int64_t number, time;
} Raw;

typedef struct {
    PyObject_HEAD
    PyObject *form_of, *plan_of, *shapes; /* shapes: known -> index in all */
    Shape **all;
    int shape_count, shape_room;
    Form *forms[MOST_FORMS];
    int form_count;
    int keys[VARIANTS], key_slot[VARIANTS][MOST_KEYS], variant_known[VARIANTS];
    Entry **entries;
    int entry_count, entry_room;
    int32_t *table;
    int table_size;
    uint8_t pending[FLOW];
    int64_t pending_number;
    int pending_swapped;
    int64_t *output, *output_notes;
    int output_room;
    Seen *seen;          /* open addressing, twice as large as needed */
    Remembered *order;
    int order_first, order_count;
    Raw recent[RECENT];
} Express;

#define SEEN_SIZE (REMEMBERED * 4)

static PyObject *s_light, *s_observer, *s_packets, *s_latest, *s_last_time, *s_last_flags, *s_lane, *s_merged;

/* ------------------------------------------------------------------------------------------------ copies of packets */

static uint32_t seen_place(Py_hash_t source, int ip_id)
{
    uint64_t mixed = ((uint64_t)source ^ ((uint64_t)ip_id * 0x9E3779B97F4A7C15u)) * 0xD6E8FEB86659FD93u;
    return (uint32_t)(mixed >> 32) & (SEEN_SIZE - 1);
}

static Seen *seen_find(Express *self, Py_hash_t source, int ip_id)
{
    uint32_t place = seen_place(source, ip_id);
    while (self->seen[place].used) {
        if (self->seen[place].source == source && self->seen[place].ip_id == ip_id)
            return &self->seen[place];
        place = (place + 1) & (SEEN_SIZE - 1);
    }
    return NULL;
}

static void seen_drop(Express *self, Py_hash_t source, int ip_id)
{
    Seen *found = seen_find(self, source, ip_id);
    if (found == NULL)
        return;
    uint32_t hole = (uint32_t)(found - self->seen), next = hole;
    for (;;) { /* move back what would not be found behind the hole */
        next = (next + 1) & (SEEN_SIZE - 1);
        if (!self->seen[next].used)
            break;
        uint32_t home = seen_place(self->seen[next].source, self->seen[next].ip_id);
        if (((next - home) & (SEEN_SIZE - 1)) >= ((next - hole) & (SEEN_SIZE - 1))) {
            self->seen[hole] = self->seen[next];
            hole = next;
        }
    }
    self->seen[hole].used = 0;
}

static void seen_put(Express *self, Py_hash_t source, int ip_id, int64_t number, int flags, int ttl, int64_t time,
                     int timed)
{
    if (self->order_count == REMEMBERED) {
        Remembered oldest = self->order[self->order_first];
        self->order_first = (self->order_first + 1) % REMEMBERED;
        self->order_count--;
        seen_drop(self, oldest.source, oldest.ip_id);
    }
    self->order[(self->order_first + self->order_count) % REMEMBERED] = (Remembered){source, ip_id};
    self->order_count++;
    uint32_t place = seen_place(source, ip_id);
    while (self->seen[place].used)
        place = (place + 1) & (SEEN_SIZE - 1);
    self->seen[place] = (Seen){source, number, time, ip_id, flags, ttl, timed, 1};
}

/* ------------------------------------------------------------------------------------------------------- programs */

static void program_free(Program *program)
{
    if (program == NULL)
        return;
    Py_XDECREF(program->kind);
    Py_XDECREF(program->merged);
    PyMem_Free(program->code);
    PyMem_Free(program->target);
    PyMem_Free(program);
}

static void shape_free(Shape *shape)
{
    for (int place = 0; place < shape->places; place++)
        program_free(shape->programs[place]);
    PyMem_Free(shape->programs);
    Py_XDECREF(shape->known);
    PyMem_Free(shape);
}

static Shape *shape_of(Express *self, PyObject *known)
{
    PyObject *index = PyDict_GetItemWithError(self->shapes, known);
    if (index != NULL)
        return self->all[PyLong_AsLong(index)];
    if (PyErr_Occurred())
        return NULL;
    if (self->shape_count == self->shape_room) {
        int room = self->shape_room ? 2 * self->shape_room : 64;
        Shape **all = PyMem_Realloc(self->all, room * sizeof(Shape *));
        if (all == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        self->all = all;
        self->shape_room = room;
    }
    Shape *made = PyMem_Calloc(1, sizeof(Shape));
    if (made == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    made->near[0] = made->near[1] = -1;
    PyObject *near = PyObject_GetAttrString(known, "near");
    if (near == NULL)
        PyErr_Clear(); /* notes have none */
    else {
        for (int side = 0; side < 2 && PyTuple_Check(near) && PyTuple_GET_SIZE(near) == 2; side++)
            if (PyLong_Check(PyTuple_GET_ITEM(near, side)))
                made->near[side] = (int)PyLong_AsLong(PyTuple_GET_ITEM(near, side));
        Py_DECREF(near);
    }
    index = PyLong_FromLong(self->shape_count);
    if (index == NULL || PyDict_SetItem(self->shapes, known, index) < 0) {
        Py_XDECREF(index);
        PyMem_Free(made);
        return NULL;
    }
    Py_DECREF(index);
    made->known = Py_NewRef(known);
    self->all[self->shape_count++] = made;
    return made;
}

/* Does every step of a program stay within the numbers that there are, and does every jump lead forwards? */
static int program_sound(const Program *program)
{
    const int64_t *code = program->code;
    Py_ssize_t length = program->length, at = 0;
    int64_t most = program->own + program->given;
    while (at < length) {
        Py_ssize_t end;
        switch (code[at]) {
        case NONE:
            at += 1;
            continue;
        case TEST:
            if (at + 5 > length || code[at + 4] < 0 || code[at + 4] > length)
                return 0;
            end = at + 5 + 2 * code[at + 4];
            if (end > length)
                return 0;
            for (Py_ssize_t place = at + 5; place < end; place += 2)
                if (code[place] < 0 || code[place] >= most || code[place + 1] < -LARGEST || code[place + 1] > LARGEST)
                    return 0;
            break;
        case APART:
            end = at + 6;
            if (end > length || code[at + 4] < 0 || code[at + 4] >= most || code[at + 5] < 0 || code[at + 5] >= most)
                return 0;
            break;
        case ALONE:
            end = at + 5;
            if (end > length || code[at + 4] < 0 || code[at + 4] >= most)
                return 0;
            break;
        case TAKE: /* target, in place, how many numbers after it, how many results, results */
            if (at + 5 > length || code[at + 1] < 0 || code[at + 1] >= program->targets || code[at + 3] < 0)
                return 0;
            if (code[at + 3] > 100000 || code[at + 4] < 0 || code[at + 4] > length)
                return 0;
            end = at + 5;
            for (int64_t result = 0; result < code[at + 4]; result++) {
                if (end + 3 > length || code[end] < 0 || code[end] >= code[at + 3] || code[end + 2] < 0)
                    return 0;
                if (code[end + 2] > length || end + 3 + 2 * code[end + 2] > length)
                    return 0;
                for (Py_ssize_t place = end + 3; place < end + 3 + 2 * code[end + 2]; place += 2)
                    if (code[place] < 0 || code[place] >= most || code[place + 1] < -LARGEST ||
                        code[place + 1] > LARGEST)
                        return 0;
                end += 3 + 2 * code[end + 2];
            }
            at = end;
            continue;
        default:
            return 0;
        }
        if (code[at + 1] <= at || code[at + 1] >= length)
            return 0;
        at = end;
    }
    return at == length && length > 0 && code[length - 1] == NONE;
}

/* The program of packets of one form and side, or NULL if there is none yet; -1 on an error of Python. */
static int program_of(Express *self, Shape *shape, int form, int side, int notes, Program **result)
{
    int place = 2 * form + side;
    *result = NULL;
    if (place < shape->places && shape->programs[place] != NULL) {
        *result = shape->programs[place];
        return 0;
    }
    PyObject *plan = PyObject_CallFunction(self->plan_of, "Oiii", shape->known, form, side, notes);
    if (plan == NULL)
        return -1;
    if (plan == Py_None) {
        Py_DECREF(plan);
        return 0;
    }
    PyObject *kind, *merged, *targets;
    const char *code;
    Py_ssize_t size;
    int own, given;
    if (!PyArg_ParseTuple(plan, "OOy#iiO!", &kind, &merged, &code, &size, &own, &given, &PyTuple_Type, &targets)) {
        Py_DECREF(plan);
        return -1;
    }
    Program *made = PyMem_Calloc(1, sizeof(Program));
    if (made == NULL)
        goto memory;
    made->own = own;
    made->given = given;
    made->length = size / (Py_ssize_t)sizeof(int64_t);
    made->targets = (int)PyTuple_GET_SIZE(targets);
    made->code = PyMem_Malloc(size ? size : 1);
    made->target = PyMem_Calloc(made->targets ? made->targets : 1, sizeof(Shape *));
    if (made->code == NULL || made->target == NULL)
        goto memory;
    memcpy(made->code, code, made->length * sizeof(int64_t));
    made->kind = Py_NewRef(kind);
    made->merged = Py_NewRef(merged);
    for (int number = 0; number < made->targets; number++) {
        made->target[number] = shape_of(self, PyTuple_GET_ITEM(targets, number));
        if (made->target[number] == NULL) {
            program_free(made);
            Py_DECREF(plan);
            return -1;
        }
    }
    Py_DECREF(plan);
    if (!program_sound(made)) {
        program_free(made);
        PyErr_SetString(PyExc_ValueError, "a plan that cannot be run");
        return -1;
    }
    if (place >= shape->places) {
        int places = 2 * (form + 8);
        Program **programs = PyMem_Realloc(shape->programs, places * sizeof(Program *));
        if (programs == NULL) {
            program_free(made);
            PyErr_NoMemory();
            return -1;
        }
        memset(programs + shape->places, 0, (places - shape->places) * sizeof(Program *));
        shape->programs = programs;
        shape->places = places;
    }
    *result = shape->programs[place] = made;
    return 0;
memory:
    program_free(made);
    Py_DECREF(plan);
    PyErr_NoMemory();
    return -1;
}

/* Was the function of these packets made anew since? Then the old program goes. */
static int program_renewed(Shape *shape, int form, int side)
{
    int place = 2 * form + side;
    Program *program = shape->programs[place];
    PyObject *merged = PyObject_GetAttr(program->kind, s_merged);
    if (merged == NULL)
        return -1;
    int renewed = merged != program->merged;
    Py_DECREF(merged);
    if (renewed) {
        shape->programs[place] = NULL;
        program_free(program);
    }
    return renewed;
}

static wide sum_of(const int64_t *pair, int64_t count, const int64_t *numbers)
{
    wide sum = 0;
    for (; count > 0; count--, pair += 2)
        sum += (wide)numbers[pair[0]] * pair[1];
    return sum;
}

/* Runs a program; the place of the results in it, or 0 where nothing is sure to fit. */
static Py_ssize_t program_run(const Program *program, const int64_t *numbers)
{
    const int64_t *code = program->code;
    Py_ssize_t at = 0;
    for (;;) {
        const int64_t *here = code + at;
        int64_t apart;
        switch (here[0]) {
        case APART:
            apart = numbers[here[4]] - numbers[here[5]];
            at = here[2] <= apart && apart <= here[3] ? at + 6 : here[1];
            break;
        case ALONE:
            apart = numbers[here[4]];
            at = here[2] <= apart && apart <= here[3] ? at + 5 : here[1];
            break;
        case TEST: {
            wide sum = sum_of(here + 5, here[4], numbers);
            at = here[2] <= sum && sum <= here[3] ? at + 5 + 2 * here[4] : here[1];
            break;
        }
        case TAKE:
            return at;
        default:
            return 0;
        }
    }
}

/* The results at that place of a program, in the order of their places, into ``output``; 0 if one is too large. */
static int results(const Program *program, Py_ssize_t at, const int64_t *numbers, int64_t *output)
{
    const int64_t *here = program->code + at + 5;
    for (int64_t left = program->code[at + 4]; left > 0; left--) {
        wide sum = here[1] + sum_of(here + 3, here[2], numbers);
        if (sum > LARGEST || sum < -LARGEST)
            return 0;
        *output++ = (int64_t)sum;
        here += 3 + 2 * here[2];
    }
    return 1;
}

/* Puts the results where they belong; the others stay what they were. Returns how many numbers there are now. */
static int settle(const Program *program, Py_ssize_t at, int64_t *numbers, const int64_t *output)
{
    const int64_t *here = program->code + at + 5;
    for (int64_t left = program->code[at + 4]; left > 0; left--) {
        numbers[here[0]] = *output++;
        here += 3 + 2 * here[2];
    }
    return (int)program->code[at + 3];
}

/* -------------------------------------------------------------------------------------------- connections and forms */

static uint32_t flow_place(const Express *self, const uint8_t *flow)
{
    uint64_t mixed = 0, part;
    uint32_t ports;
    for (int at = 0; at < FLOW - 4; at += 8) {
        memcpy(&part, flow + at, 8);
        mixed = (mixed ^ part) * 0xD6E8FEB86659FD93u;
        mixed ^= mixed >> 29;
    }
    memcpy(&ports, flow + FLOW - 4, 4);
    mixed ^= ports;
    return (uint32_t)((mixed * 0x9E3779B97F4A7C15u) >> 32) & (uint32_t)(self->table_size - 1);
}

static Entry *entry_find(const Express *self, const uint8_t *flow)
{
    if (self->table_size == 0)
        return NULL;
    uint32_t place = flow_place(self, flow);
    while (self->table[place] >= 0) {
        Entry *entry = self->entries[self->table[place]];
        if (memcmp(entry->flow, flow, FLOW) == 0)
            return entry;
        place = (place + 1) & (uint32_t)(self->table_size - 1);
    }
    return NULL;
}

static void table_put(Express *self, int index)
{
    uint32_t place = flow_place(self, self->entries[index]->flow);
    while (self->table[place] >= 0)
        place = (place + 1) & (uint32_t)(self->table_size - 1);
    self->table[place] = index;
}

static Entry *entry_made(Express *self, const uint8_t *flow)
{
    if (self->entry_count == self->entry_room) {
        int room = self->entry_room ? 2 * self->entry_room : 256;
        Entry **entries = PyMem_Realloc(self->entries, room * sizeof(Entry *));
        if (entries == NULL)
            return NULL;
        self->entries = entries;
        self->entry_room = room;
    }
    if (2 * (self->entry_count + 1) > self->table_size) {
        int size = self->table_size ? 2 * self->table_size : 1024;
        int32_t *table = PyMem_Malloc(size * sizeof(int32_t));
        if (table == NULL)
            return NULL;
        PyMem_Free(self->table);
        self->table = table;
        self->table_size = size;
        memset(table, 0xFF, size * sizeof(int32_t));
        for (int index = 0; index < self->entry_count; index++)
            table_put(self, index);
    }
    Entry *made = PyMem_Calloc(1, sizeof(Entry));
    if (made == NULL)
        return NULL;
    memcpy(made->flow, flow, FLOW);
    self->entries[self->entry_count] = made;
    table_put(self, self->entry_count++);
    return made;
}

static void entry_clear(Entry *entry)
{
    entry->active = 0;
    entry->count = entry->notes_count = 0;
    Py_CLEAR(entry->connection);
}

static void entry_free(Entry *entry)
{
    Py_XDECREF(entry->connection);
    PyMem_Free(entry->numbers);
    PyMem_Free(entry->noted);
    PyMem_Free(entry);
}

/* Numbers out of a list, with room for what a packet adds; how many, or -1 on an error, -2 if one is too large. */
static int numbers_in(PyObject *list, int64_t **numbers, int *room)
{
    PyObject *fast = PySequence_Fast(list, "numbers are a sequence");
    if (fast == NULL)
        return -1;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(fast);
    if (count > 100000) {
        Py_DECREF(fast);
        return -2;
    }
    if (*room < count) {
        int64_t *larger = PyMem_Realloc(*numbers, (count + 16) * sizeof(int64_t));
        if (larger == NULL) {
            Py_DECREF(fast);
            PyErr_NoMemory();
            return -1;
        }
        *numbers = larger;
        *room = (int)count + 16;
    }
    for (Py_ssize_t place = 0; place < count; place++) {
        int overflow = 0;
        PyObject *item = PySequence_Fast_GET_ITEM(fast, place);
        if (!PyLong_Check(item)) {
            Py_DECREF(fast);
            return -2;
        }
        long long number = PyLong_AsLongLongAndOverflow(item, &overflow);
        if (overflow || number > LARGEST || number < -LARGEST) {
            Py_DECREF(fast);
            return -2;
        }
        (*numbers)[place] = number;
    }
    Py_DECREF(fast);
    return (int)count;
}

static PyObject *numbers_out(const int64_t *numbers, int count)
{
    PyObject *list = PyList_New(count);
    if (list == NULL)
        return NULL;
    for (int place = 0; place < count; place++) {
        PyObject *number = PyLong_FromLongLong(numbers[place]);
        if (number == NULL) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, place, number);
    }
    return list;
}

static int set_light(PyObject *to, PyObject *known, const int64_t *numbers, int count)
{
    PyObject *list = numbers_out(numbers, count);
    if (list == NULL)
        return -1;
    PyObject *light = PyTuple_Pack(2, known, list);
    Py_DECREF(list);
    if (light == NULL)
        return -1;
    int failed = PyObject_SetAttr(to, s_light, light);
    Py_DECREF(light);
    return failed;
}

static int set_number(PyObject *to, PyObject *name, long long value)
{
    PyObject *number = PyLong_FromLongLong(value);
    if (number == NULL)
        return -1;
    int failed = PyObject_SetAttr(to, name, number);
    Py_DECREF(number);
    return failed;
}

/* Writes what became of a connection into its object, which is then with Python alone. */
static int entry_return(Entry *entry)
{
    PyObject *connection = entry->connection;
    if (!entry->active)
        return 0;
    entry->active = 0;
    if (set_number(connection, s_lane, -1) < 0)
        return -1;
    PyObject *observer = PyObject_GetAttr(connection, s_observer);
    if (observer == NULL)
        return -1;
    int failed = set_light(observer, entry->notes->known, entry->noted, entry->notes_count);
    Py_DECREF(observer);
    if (failed < 0 || set_light(connection, entry->shape->known, entry->numbers, entry->count) < 0)
        return -1;
    if (entry->packets) {
        PyObject *before = PyObject_GetAttr(connection, s_packets);
        if (before == NULL)
            return -1;
        long long packets = PyLong_AsLongLong(before);
        Py_DECREF(before);
        if (packets == -1 && PyErr_Occurred())
            return -1;
        if (set_number(connection, s_packets, packets + entry->packets) < 0 ||
            set_number(connection, s_latest, entry->latest) < 0 ||
            set_number(connection, s_last_time, entry->last_time) < 0 ||
            set_number(connection, s_last_flags, entry->last_flags) < 0)
            return -1;
    }
    entry_clear(entry);
    return 0;
}

static int room_for(int64_t **numbers, int *room, int64_t wanted)
{
    if (*room >= wanted)
        return 1;
    int64_t *larger = PyMem_Realloc(*numbers, (wanted + 16) * sizeof(int64_t));
    if (larger == NULL)
        return 0;
    *numbers = larger;
    *room = (int)wanted + 16;
    return 1;
}

/* The index of the form of a packet with these fields; -1 if there is none, -2 on an error of Python. */
static int form_of(Express *self, int variant, int flags, const int64_t *fields, PyObject *buffer, Py_ssize_t at,
                   Py_ssize_t end, int64_t number, int64_t time)
{
    if (self->variant_known[variant]) {
        int keys = self->keys[variant];
        for (int index = self->form_count - 1; index >= 0; index--) {
            Form *form = self->forms[index];
            if (form->flags != flags || form->variant != variant)
                continue;
            int same = 1;
            for (int key = 0; key < keys && same; key++)
                same = form->key[key] == fields[self->key_slot[variant][key]];
            if (same)
                return index;
        }
    }
    if (self->form_count == MOST_FORMS)
        return -1;
    PyObject *told = PyObject_CallFunction(self->form_of, "OnnLL", buffer, at, end, (long long)number, (long long)time);
    if (told == NULL)
        return -2;
    PyObject *keys, *sequences, *taken;
    int timed, result = -2;
    Form *made = PyMem_Calloc(1, sizeof(Form));
    if (made == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    if (!PyArg_ParseTuple(told, "O!O!O!p", &PyTuple_Type, &keys, &PyTuple_Type, &sequences, &PyTuple_Type, &taken,
                          &timed))
        goto done;
    made->flags = flags;
    made->variant = variant;
    made->timed = timed;
    made->keys = (int)PyTuple_GET_SIZE(keys);
    made->sequences = (int)PyTuple_GET_SIZE(sequences);
    made->taken = (int)PyTuple_GET_SIZE(taken);
    if (made->keys > MOST_KEYS || made->sequences > MOST_OF_A_FORM || made->taken > MOST_OF_A_FORM) {
        PyErr_SetString(PyExc_ValueError, "a form of too many fields");
        goto done;
    }
    for (int key = 0; key < made->keys; key++) {
        long slot = PyLong_AsLong(PyTuple_GET_ITEM(keys, key));
        if (slot < 0 || slot >= SLOTS)
            goto range;
        self->key_slot[variant][key] = (int)slot;
        made->key[key] = fields[slot];
    }
    self->keys[variant] = made->keys;
    self->variant_known[variant] = 1;
    for (int place = 0; place < made->sequences; place++) {
        int slot, own;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(sequences, place), "ip", &slot, &own))
            goto done;
        if (slot < 0 || slot >= SLOTS)
            goto range;
        made->sequence[place] = slot;
        made->own[place] = own;
    }
    for (int place = 0; place < made->taken; place++) {
        long slot = PyLong_AsLong(PyTuple_GET_ITEM(taken, place));
        if (slot < 0 || slot >= SLOTS)
            goto range;
        made->take[place] = (int)slot;
    }
    result = self->form_count;
    self->forms[self->form_count++] = made;
    made = NULL;
    goto done;
range:
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "no such field");
done:
    PyMem_Free(made);
    Py_DECREF(told);
    return result;
}

/* ---------------------------------------------------------------------------------------------------- the packets */

static uint32_t big32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t big16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t little32(const uint8_t *at)
{
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

/* The sum of 16-bit words, not folded; an odd octet at the end is the high half of a word. */
static uint64_t words(const uint8_t *at, Py_ssize_t length)
{
    uint64_t sum = 0;
    for (; length > 1; length -= 2, at += 2)
        sum += big16(at);
    return length ? sum + ((uint64_t)at[0] << 8) : sum;
}

typedef struct {
    const uint8_t *source, *destination, *tcp; /* addresses and header */
    int octets;                                /* of an address */
    Py_ssize_t payload, there;                 /* octets that IP carried, and how many of them were captured */
    int ttl, ip_id, padded;
} Found;

/* The segment in an Ethernet frame; 0 if there is none, or it is not plainly there. */
static int segment(const uint8_t *frame, Py_ssize_t size, Found *found)
{
    if (size < 54)
        return 0;
    const uint8_t *ip = frame + 14;
    if (big16(frame + 12) == 0x0800) {
        Py_ssize_t total = (Py_ssize_t)big16(ip + 2);
        if (ip[0] != 0x45 || ip[9] != 6 || (big16(ip + 6) & 0x3FFF) || total < 40)
            return 0;
        *found = (Found){ip + 12, ip + 16, ip + 20, 4, total - 20, size - 34, ip[8], (int)big16(ip + 4), 0};
        if (found->source[0] >> 4 == 14 || found->destination[0] >> 4 == 14 || big32(found->source) == 0xFFFFFFFFu ||
            big32(found->destination) == 0xFFFFFFFFu)
            return 0;
    }
    else if (big16(frame + 12) == 0x86DD && size >= 74) {
        Py_ssize_t carried = (Py_ssize_t)big16(ip + 4);
        if (ip[0] >> 4 != 6 || ip[6] != 6 || carried < 20)
            return 0;
        *found = (Found){ip + 8, ip + 24, ip + 40, 16, carried, size - 54, ip[7], -1, 0};
        if (found->source[0] == 0xFF || found->destination[0] == 0xFF)
            return 0;
    }
    else
        return 0;
    if (found->there > found->payload) {
        found->there = found->payload;
        found->padded = 1;
    }
    return found->there >= 20;
}

/* Known options into the fields, as transport._options has them; the part of the variant, or -1 if one is unusual. */
static int options(const uint8_t *at, const uint8_t *end, int64_t *fields)
{
    int found = 0;
    while (at < end) {
        if (*at == 1) {
            at++;
            continue;
        }
        if (end - at < 2 || at[1] < 2 || at[1] > end - at)
            return -1;
        if (at[0] == 8 && at[1] == 10 && !(found & 1)) {
            found |= 1;
            fields[TSVAL] = big32(at + 2);
            fields[TSECR] = big32(at + 6);
        }
        else if (at[0] == 5 && at[1] > 2 && !((at[1] - 2) & 7) && !(found & 2)) {
            found |= 2;
            fields[SACK_BLOCKS] = (at[1] - 2) >> 3;
            for (const uint8_t *block = at + 2; block < at + at[1]; block += 8) {
                uint32_t left = big32(block), right = big32(block + 4);
                if (right == left || right - left >= 0x80000000u)
                    return -1;
                uint32_t beyond = right - (uint32_t)fields[SACK_HIGH];
                if (block == at + 2 || (beyond && beyond < 0x80000000u))
                    fields[SACK_HIGH] = right;
            }
        }
        else
            return -1;
        at += at[1];
    }
    return (found & 1 ? STAMPED : 0) + (found & 2 ? SACKED : 0);
}

/* Fields of a segment, as transport.tcp has them; the variant, or -1 if it is unusual or its checksum is wrong. */
static int usual(const Found *found, int64_t *fields, int *flags)
{
    const uint8_t *tcp = found->tcp;
    Py_ssize_t header = (tcp[12] >> 4) << 2;
    if (tcp[12] & 0x0F || header < 20 || header > found->there ||
        (memcmp(found->source, found->destination, found->octets) == 0 && memcmp(tcp, tcp + 2, 2) == 0))
        return -1;
    fields[SEQ] = big32(tcp + 4);
    fields[ACK] = big32(tcp + 8);
    fields[WINDOW] = big16(tcp + 14);
    fields[LENGTH] = found->payload - header;
    fields[URGENT] = big16(tcp + 18);
    fields[OFFSET] = header;
    fields[IP_PAYLOAD] = found->payload;
    fields[SOURCE_PORT] = big16(tcp);
    fields[DESTINATION_PORT] = big16(tcp + 2);
    fields[TTL] = found->ttl;
    fields[IP_VERSION] = found->octets == 4 ? 4 : 6;
    fields[CHECKSUM] = big16(tcp + 16);
    fields[IP_ID] = found->ip_id;
    fields[PAYLOAD_SUM] = fields[CHECKSUM_OK] = fields[TSVAL] = fields[TSECR] = 0;
    fields[SACK_BLOCKS] = fields[SACK_HIGH] = 0;
    fields[OPTION_OCTETS] = header - 20;
    *flags = tcp[13];
    int variant = options(tcp + 20, tcp + header, fields);
    if (variant < 0)
        return -1;
    variant += found->octets == 4 ? 0 : SIX;
    if (found->there < found->payload)
        return variant + CUT_TEXT;
    uint64_t text = words(tcp + header, found->payload - header), head = words(tcp, header);
    uint64_t pseudo = words(found->source, 2 * found->octets) + 6 + (uint64_t)found->payload;
    if ((pseudo + head + text) % 0xFFFF != 0)
        return -1;
    fields[PAYLOAD_SUM] = (int64_t)(text % 0xFFFF);
    fields[CHECKSUM_OK] = 1;
    return variant + (found->payload > header ? WITH_TEXT : WITHOUT_TEXT);
}

/* Puts addresses and ports into ``flow``, the lower first; whether the destination is the lower. */
static int flow_of(const Found *found, uint8_t *flow)
{
    int swapped = memcmp(found->source, found->destination, found->octets);
    if (swapped == 0)
        swapped = memcmp(found->tcp, found->tcp + 2, 2);
    swapped = swapped > 0;
    memset(flow, 0, FLOW);
    memcpy(flow, swapped ? found->destination : found->source, found->octets);
    memcpy(flow + 16, swapped ? found->source : found->destination, found->octets);
    memcpy(flow + 32, found->tcp + (swapped ? 2 : 0), 2);
    memcpy(flow + 34, found->tcp + (swapped ? 0 : 2), 2);
    return swapped;
}

typedef struct {
    Py_ssize_t start, end, next; /* of the frame, and the record after it */
    int64_t time, original;
} Record;

typedef struct {
    int big, blocks; /* byte order, and whether records are blocks of pcapng */
    int64_t unit, offset, limit;
} Framing;

static int64_t word_at(const uint8_t *at, int big)
{
    return big ? big32(at) : little32(at);
}

/* The record at that place, if all of it is there and it is like most. */
static int record_at(const uint8_t *buffer, Py_ssize_t at, Py_ssize_t size, const Framing *framing, Record *record)
{
    const uint8_t *here = buffer + at;
    int big = framing->big;
    if (!framing->blocks) {
        if (size - at < 16)
            return 0;
        int64_t captured = word_at(here + 8, big);
        if (captured > framing->limit || captured > size - at - 16)
            return 0;
        record->time = word_at(here, big) * 1000000000 + word_at(here + 4, big) * framing->unit;
        record->original = word_at(here + 12, big);
        record->start = at + 16;
        record->end = record->next = record->start + (Py_ssize_t)captured;
        return 1;
    }
    if (size - at < 32 || word_at(here, big) != 6)
        return 0;
    int64_t length = word_at(here + 4, big), captured = word_at(here + 20, big), high = word_at(here + 12, big);
    if (length < 32 || length & 3 || length > framing->limit || length > size - at || word_at(here + 8, big) != 0)
        return 0;
    /* With options behind the packet, Python looks at them. */
    if (captured > length || 28 + ((captured + 3) & ~(int64_t)3) + 4 != length ||
        word_at(here + length - 4, big) != length || high >= (int64_t)1 << 30)
        return 0;
    int64_t ticks = high << 32 | word_at(here + 16, big);
    if (ticks > (LATEST - 1) / framing->unit)
        return 0;
    record->time = ticks * framing->unit + framing->offset;
    record->original = word_at(here + 24, big);
    record->start = at + 28;
    record->end = record->start + (Py_ssize_t)captured;
    record->next = at + (Py_ssize_t)length;
    return 1;
}

/* A number of 32 bits, next to one of the same numbering. */
static int64_t near_to(int64_t number, int64_t near)
{
    int64_t apart = (int64_t)(((uint64_t)number - (uint64_t)near + 0x80000000u) & 0xFFFFFFFFu) - 0x80000000;
    return near + apart;
}

/* Takes the packet if all of it is known: 1; 0 if Python has to, -1 on an error of Python. */
static int take(Express *self, Entry *entry, int side, int form_index, const int64_t *fields, int flags,
                int64_t number, int64_t time)
{
    const Form *form = self->forms[form_index];
    Shape *shape = entry->shape, *notes = entry->notes;
    if (shape->stale || shape->near[0] < 0 || shape->near[1] < 0 || time > LATEST)
        return 0;
    int given = form->sequences + form->taken, inputs = given + form->timed + 2;
    for (int tries = 0; tries < 2; tries++) {
        Program *program, *judged;
        if (program_of(self, shape, form_index, side, 0, &program) < 0)
            return -1;
        if (program == NULL)
            return 0;
        if (program_of(self, notes, form_index, side, 1, &judged) < 0)
            return -1;
        if (judged == NULL)
            return 0;
        if (program->own != entry->count || program->given != given || judged->own != entry->notes_count ||
            judged->given != inputs)
            return 0;
        if (!room_for(&entry->numbers, &entry->room, (int64_t)entry->count + given) ||
            !room_for(&entry->noted, &entry->notes_room, (int64_t)entry->notes_count + inputs)) {
            PyErr_NoMemory();
            return -1;
        }
        int64_t *numbers = entry->numbers, *noted = entry->noted;
        int64_t mine = numbers[shape->near[side]], theirs = numbers[shape->near[1 - side]];
        int64_t *input = numbers + entry->count;
        for (int place = 0; place < form->sequences; place++)
            *input++ = near_to(fields[form->sequence[place]], form->own[place] ? mine : theirs);
        for (int place = 0; place < form->taken; place++)
            *input++ = fields[form->take[place]];
        memcpy(noted + entry->notes_count, numbers + entry->count, given * sizeof(int64_t));
        input = noted + entry->notes_count + given;
        if (form->timed)
            *input++ = time / 1000;
        *input++ = mine;
        *input = theirs;
        Py_ssize_t at = program_run(program, numbers), judged_at = at ? program_run(judged, noted) : 0;
        if (!at || !judged_at) {
            int renewed = program_renewed(at ? notes : shape, form_index, side);
            if (renewed <= 0)
                return renewed;
            continue;
        }
        Shape *target = program->target[program->code[at + 1]];
        Shape *notes_target = judged->target[judged->code[judged_at + 1]];
        if (target->stale) {
            program_free(program);
            shape->programs[2 * form_index + side] = NULL;
            return 0;
        }
        int64_t most = program->code[at + 4] > judged->code[judged_at + 4] ? program->code[at + 4]
                                                                          : judged->code[judged_at + 4];
        if (most > self->output_room) {
            int64_t *output = PyMem_Realloc(self->output, (most + 64) * sizeof(int64_t));
            if (output == NULL) {
                PyErr_NoMemory();
                return -1;
            }
            self->output = output;
            output = PyMem_Realloc(self->output_notes, (most + 64) * sizeof(int64_t));
            if (output == NULL) {
                PyErr_NoMemory();
                return -1;
            }
            self->output_notes = output;
            self->output_room = (int)most + 64;
        }
        if (!results(program, at, numbers, self->output) || !results(judged, judged_at, noted, self->output_notes))
            return 0;
        if (!room_for(&entry->numbers, &entry->room, program->code[at + 3]) ||
            !room_for(&entry->noted, &entry->notes_room, judged->code[judged_at + 3])) {
            PyErr_NoMemory();
            return -1;
        }
        entry->count = settle(program, at, entry->numbers, self->output);
        entry->notes_count = settle(judged, judged_at, entry->noted, self->output_notes);
        entry->shape = target;
        entry->notes = notes_target;
        entry->packets++;
        entry->latest = number;
        entry->last_time = time;
        entry->last_flags = flags;
        return 1;
    }
    return 0;
}

PyDoc_STRVAR(run_doc,
"run(buffer, at, size, number, last, big, blocks, unit, offset, limit)\n"
"    -> (at, number, last, with_id, cut, first_cut, padded, first_padded, recent)\n\n"
"Take as many packets of the records from ``at`` on as are known; ``number`` and ``last`` (ns) are those of the packet\n"
"before. The records are big-endian or not, and blocks of pcapng or records of pcap; ``unit`` ns are a tick of their\n"
"clock, which is ``offset`` ns behind. ``recent``: (at, end, number, time) of the last of them.");

static PyObject *express_run(Express *self, PyObject *args)
{
    PyObject *object;
    Py_ssize_t at, size;
    long long number, last, unit, offset, limit;
    Framing framing;
    if (!PyArg_ParseTuple(args, "SnnLLppLLL", &object, &at, &size, &number, &last, &framing.big, &framing.blocks,
                          &unit, &offset, &limit))
        return NULL;
    if (at < 0 || size > PyBytes_GET_SIZE(object) || unit < 1 || offset > LATEST || offset < -LATEST) {
        PyErr_SetString(PyExc_ValueError, "no such records");
        return NULL;
    }
    framing.unit = unit;
    framing.offset = offset;
    framing.limit = limit;
    const uint8_t *buffer = (const uint8_t *)PyBytes_AS_STRING(object);
    long long taken = 0, with_id = 0, cut = 0, first_cut = 0, padded = 0, first_padded = 0;
    self->pending_number = 0;
    Record record;
    while (record_at(buffer, at, size, &framing, &record)) {
        const uint8_t *frame = buffer + record.start;
        Found found;
        int64_t fields[SLOTS];
        int flags;
        if (!segment(frame, record.end - record.start, &found))
            break;
        self->pending_swapped = flow_of(&found, self->pending);
        self->pending_number = number + 1;
        if (record.time < last)
            break;
        int variant = usual(&found, fields, &flags);
        if (variant < 0)
            break;
        Entry *entry = entry_find(self, self->pending);
        if (entry == NULL || !entry->active || record.time - entry->last_time > QUIET)
            break;
        int side = self->pending_swapped ? 1 - entry->low : entry->low;
        if (found.ip_id > 0 && seen_find(self, entry->source[side], found.ip_id) != NULL)
            break;
        int form = form_of(self, variant, flags, fields, object, record.start, record.end, number + 1, record.time);
        if (form == -2)
            return NULL;
        if (form < 0)
            break;
        int done = take(self, entry, side, form, fields, flags, number + 1, record.time);
        if (done < 0)
            return NULL;
        if (!done)
            break;
        if (found.ip_id > 0) {
            seen_put(self, entry->source[side], found.ip_id, fields[SEQ], flags, found.ttl, record.time, 1);
            with_id++;
        }
        number++;
        last = record.time;
        if (record.original > record.end - record.start) {
            first_cut = first_cut ? first_cut : number;
            cut++;
        }
        /* transport.usual_tcp does not look behind the packet. */
        if (found.padded && (variant < STAMPED || variant >= SIX || fields[OPTION_OCTETS] != 12)) {
            first_padded = first_padded ? first_padded : number;
            padded++;
        }
        self->recent[taken % RECENT] = (Raw){record.start, record.end, number, record.time};
        taken++;
        at = record.next;
    }
    PyObject *recent = PyList_New(taken < RECENT ? taken : RECENT);
    if (recent == NULL)
        return NULL;
    for (Py_ssize_t place = 0, first = taken < RECENT ? 0 : taken; place < PyList_GET_SIZE(recent); place++) {
        const Raw *raw = &self->recent[(first + place) % RECENT];
        PyObject *item = Py_BuildValue("(nnLL)", raw->at, raw->end, (long long)raw->number, (long long)raw->time);
        if (item == NULL) {
            Py_DECREF(recent);
            return NULL;
        }
        PyList_SET_ITEM(recent, place, item);
    }
    return Py_BuildValue("(nLLLLLLLN)", at, number, last, with_id, cut, first_cut, padded, first_padded, recent);
}

PyDoc_STRVAR(adopt_doc,
"adopt(connection, number, side, known, numbers, notes, noted, sources, last_time) -> bool\n\n"
"Take over the connection of packet ``number``, the one at which ``run`` stopped, and which ``side`` sent. False if\n"
"that is not possible.");

static PyObject *express_adopt(Express *self, PyObject *args)
{
    PyObject *connection, *known, *numbers, *notes, *noted, *a, *b;
    long long number, last_time;
    int side;
    if (!PyArg_ParseTuple(args, "OLiOOOO(OO)L", &connection, &number, &side, &known, &numbers, &notes, &noted, &a, &b,
                          &last_time))
        return NULL;
    if (number != self->pending_number || number == 0 || side < 0 || side > 1)
        Py_RETURN_FALSE;
    Shape *shape = shape_of(self, known), *judged = shape == NULL ? NULL : shape_of(self, notes);
    if (judged == NULL)
        return NULL;
    if (shape->stale)
        Py_RETURN_FALSE;
    Entry *entry = entry_find(self, self->pending);
    if (entry == NULL && (entry = entry_made(self, self->pending)) == NULL)
        return PyErr_NoMemory();
    if (entry->active && entry_return(entry) < 0)
        return NULL;
    entry_clear(entry);
    int count = numbers_in(numbers, &entry->numbers, &entry->room);
    int notes_count = count < 0 ? count : numbers_in(noted, &entry->noted, &entry->notes_room);
    if (notes_count == -1)
        return NULL;
    if (notes_count < 0)
        Py_RETURN_FALSE;
    for (int each = 0; each < 2; each++)
        if (shape->near[each] >= count)
            Py_RETURN_FALSE;
    entry->source[0] = PyObject_Hash(a);
    entry->source[1] = PyObject_Hash(b);
    if (set_number(connection, s_lane, (long long)1) < 0)
        return NULL;
    entry->count = count;
    entry->notes_count = notes_count;
    entry->shape = shape;
    entry->notes = judged;
    entry->packets = 0;
    entry->last_time = last_time;
    entry->low = self->pending_swapped ? 1 - side : side;
    entry->connection = Py_NewRef(connection);
    entry->active = 1;
    Py_RETURN_TRUE;
}

PyDoc_STRVAR(give_back_doc,
"give_back(connection, number) -> None\n\n"
"Write what became of the connection of packet ``number``, at which ``run`` stopped, into its object.");

static PyObject *express_give_back(Express *self, PyObject *args)
{
    PyObject *connection;
    long long number;
    if (!PyArg_ParseTuple(args, "OL", &connection, &number))
        return NULL;
    Entry *found = number && number == self->pending_number ? entry_find(self, self->pending) : NULL;
    if (found != NULL && found->connection == connection) {
        if (entry_return(found) < 0)
            return NULL;
        Py_RETURN_NONE;
    }
    for (int index = 0; index < self->entry_count; index++)
        if (self->entries[index]->connection == connection && entry_return(self->entries[index]) < 0)
            return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(clear_doc, "clear() -> None\n\nGive all connections back, and forget where they were.");

static PyObject *express_clear(Express *self, PyObject *unused)
{
    (void)unused;
    for (int index = 0; index < self->entry_count; index++)
        if (entry_return(self->entries[index]) < 0)
            return NULL;
    for (int index = 0; index < self->entry_count; index++)
        entry_free(self->entries[index]);
    self->entry_count = 0;
    memset(self->table, 0xFF, self->table_size * sizeof(int32_t));
    Py_RETURN_NONE;
}

PyDoc_STRVAR(stale_doc, "stale(known) -> None\n\nThis shape was told apart: nothing leads to it or from it any more.");

static PyObject *express_stale(Express *self, PyObject *known)
{
    PyObject *index = PyDict_GetItemWithError(self->shapes, known);
    if (index != NULL)
        self->all[PyLong_AsLong(index)]->stale = 1;
    else if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(copy_doc,
"copy(source, ip_id, number, flags, ttl, time) -> tuple | None\n\n"
"Remember a packet; (number, flags, ttl, time) of the one with the same identification that was remembered.");

static PyObject *express_copy(Express *self, PyObject *args)
{
    PyObject *source, *flags, *moment;
    int ip_id, ttl;
    long long number;
    if (!PyArg_ParseTuple(args, "OiLOiO", &source, &ip_id, &number, &flags, &ttl, &moment))
        return NULL;
    Py_hash_t hash = PyObject_Hash(source);
    int bits = flags == Py_None ? -1 : (int)PyLong_AsLong(flags), timed = moment != Py_None;
    long long time = timed ? PyLong_AsLongLong(moment) : 0;
    if (PyErr_Occurred())
        return NULL;
    Seen *found = seen_find(self, hash, ip_id);
    if (found == NULL) {
        seen_put(self, hash, ip_id, number, bits, ttl, time, timed);
        Py_RETURN_NONE;
    }
    PyObject *before = found->timed ? PyLong_FromLongLong(found->time) : Py_NewRef(Py_None);
    PyObject *shown = found->flags < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(found->flags);
    if (before == NULL || shown == NULL) {
        Py_XDECREF(before);
        Py_XDECREF(shown);
        return NULL;
    }
    PyObject *result = Py_BuildValue("(LNiN)", (long long)found->number, shown, found->ttl, before);
    found->number = number;
    found->flags = bits;
    found->ttl = ttl;
    found->time = time;
    found->timed = timed;
    return result;
}

/* ------------------------------------------------------------------------------------------------------ the object */

static int express_init(Express *self, PyObject *args, PyObject *keywords)
{
    PyObject *form_of_, *plan_of;
    (void)keywords;
    if (!PyArg_ParseTuple(args, "OO", &form_of_, &plan_of))
        return -1;
    Py_XSETREF(self->form_of, Py_NewRef(form_of_));
    Py_XSETREF(self->plan_of, Py_NewRef(plan_of));
    if (self->shapes == NULL) {
        self->shapes = PyDict_New();
        self->seen = PyMem_Calloc(SEEN_SIZE, sizeof(Seen));
        self->order = PyMem_Calloc(REMEMBERED, sizeof(Remembered));
        if (self->shapes == NULL || self->seen == NULL || self->order == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    return 0;
}

static int express_traverse(Express *self, visitproc visit, void *arg)
{
    Py_VISIT(self->form_of);
    Py_VISIT(self->plan_of);
    Py_VISIT(self->shapes);
    for (int index = 0; index < self->entry_count; index++)
        Py_VISIT(self->entries[index]->connection);
    for (int index = 0; index < self->shape_count; index++) {
        Py_VISIT(self->all[index]->known);
        for (int place = 0; place < self->all[index]->places; place++)
            if (self->all[index]->programs[place] != NULL) {
                Py_VISIT(self->all[index]->programs[place]->kind);
                Py_VISIT(self->all[index]->programs[place]->merged);
            }
    }
    return 0;
}

static int express_drop(Express *self)
{
    Py_CLEAR(self->form_of);
    Py_CLEAR(self->plan_of);
    Py_CLEAR(self->shapes);
    while (self->entry_count > 0)
        entry_free(self->entries[--self->entry_count]);
    while (self->shape_count > 0)
        shape_free(self->all[--self->shape_count]);
    return 0;
}

static void express_dealloc(Express *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    express_drop(self);
    for (int index = 0; index < self->form_count; index++)
        PyMem_Free(self->forms[index]);
    PyMem_Free(self->entries);
    PyMem_Free(self->table);
    PyMem_Free(self->all);
    PyMem_Free(self->output);
    PyMem_Free(self->output_notes);
    PyMem_Free(self->seen);
    PyMem_Free(self->order);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef express_methods[] = {
    {"run", (PyCFunction)express_run, METH_VARARGS, run_doc},
    {"adopt", (PyCFunction)express_adopt, METH_VARARGS, adopt_doc},
    {"give_back", (PyCFunction)express_give_back, METH_VARARGS, give_back_doc},
    {"clear", (PyCFunction)express_clear, METH_NOARGS, clear_doc},
    {"stale", (PyCFunction)express_stale, METH_O, stale_doc},
    {"copy", (PyCFunction)express_copy, METH_VARARGS, copy_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(express_doc, "Express(form_of, plan_of)\n\nThe packets of one input, for one spec; see express.py.");

static PyType_Slot express_slots[] = {
    {Py_tp_doc, (void *)express_doc},       {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, express_init},             {Py_tp_dealloc, express_dealloc},
    {Py_tp_traverse, express_traverse},     {Py_tp_clear, express_drop},
    {Py_tp_methods, express_methods},       {0, NULL},
};

static PyType_Spec express_spec = {
    .name = "tcpmodel.checking._express.Express",
    .basicsize = sizeof(Express),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = express_slots,
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "tcpmodel.checking._express", .m_size = -1,
    .m_doc = "Packets of the commonest form, taken by what was learned; see express.py.",
};

PyMODINIT_FUNC PyInit__express(void)
{
    struct {
        PyObject **name;
        const char *text;
    } names[] = {{&s_light, "light"},         {&s_observer, "observer"},   {&s_packets, "packets"},
                 {&s_latest, "latest"},       {&s_last_time, "last_time"}, {&s_last_flags, "last_flags"},
                 {&s_lane, "lane"},           {&s_merged, "merged"}};
    for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++)
        if ((*names[index].name = PyUnicode_InternFromString(names[index].text)) == NULL)
            return NULL;
    PyObject *made = PyModule_Create(&module);
    PyObject *type = made == NULL ? NULL : PyType_FromSpec(&express_spec);
    if (type == NULL || PyModule_AddIntConstant(made, "INTERFACE", INTERFACE) < 0 ||
        PyModule_AddObject(made, "Express", type) < 0) {
        Py_XDECREF(type);
        Py_XDECREF(made);
        return NULL;
    }
    return made;
}
