/* Owns: the connections that are with the lane, by addresses and ports, and their numbers; the forms of packets.
 * Must never hold: how a packet is read or judged.
 */
#include "plans.h"

/* A mark of addresses and ports, never 0. */
static uint64_t flow_mark(const uint8_t *flow)
{
    uint64_t mixed = 0, part;
    uint32_t ports;
    for (int at = 0; at < FLOW - 4; at += 8) {
        memcpy(&part, flow + at, 8);
        mixed = (mixed ^ part) * 0xD6E8FEB86659FD93u;
        mixed ^= mixed >> 29;
    }
    memcpy(&ports, flow + FLOW - 4, 4);
    mixed = (mixed ^ ports) * 0x9E3779B97F4A7C15u;
    return mixed ? mixed : 1;
}

static uint32_t mark_place(uint64_t mark, int size)
{
    return (uint32_t)(mark >> 32) & (uint32_t)(size - 1);
}

static Entry *entry_find(const Express *self, const uint8_t *flow, int six)
{
    if (self->table_size == 0)
        return NULL;
    uint32_t place = mark_place(flow_mark(flow), self->table_size);
    while (self->table[place] >= 0) {
        Entry *entry = self->entries[self->table[place]];
        if (memcmp(entry->flow, flow, FLOW) == 0 && entry->six == six)
            return entry;
        place = (place + 1) & (uint32_t)(self->table_size - 1);
    }
    return NULL;
}

static void table_put(Express *self, int index)
{
    uint32_t place = mark_place(flow_mark(self->entries[index]->flow), self->table_size);
    while (self->table[place] >= 0)
        place = (place + 1) & (uint32_t)(self->table_size - 1);
    self->table[place] = index;
}

static Entry *entry_made(Express *self, const uint8_t *flow, int six, int state)
{
    if (!self->vacant_count && self->entry_count == self->entry_room) {
        int room = self->entry_room ? 2 * self->entry_room : 256;
        Entry **entries = PyMem_Realloc(self->entries, room * sizeof(Entry *));
        if (entries == NULL)
            return NULL;
        self->entries = entries;
        int *vacant = PyMem_Realloc(self->vacant, room * sizeof(int));
        if (vacant == NULL)
            return NULL;
        self->vacant = vacant;
        self->entry_room = room;
    }
    if (2 * (self->table_count + 1) > self->table_size) {
        int size = self->table_size ? 2 * self->table_size : 1024;
        int32_t *table = PyMem_Malloc(size * sizeof(int32_t));
        if (table == NULL)
            return NULL;
        PyMem_Free(self->table);
        self->table = table;
        self->table_size = size;
        memset(table, 0xFF, size * sizeof(int32_t));
        for (int index = 0; index < self->entry_count; index++)
            if (self->entries[index] != NULL)
                table_put(self, index);
    }
    Entry *made = PyMem_Calloc(1, sizeof(Entry));
    if (made == NULL)
        return NULL;
    memcpy(made->flow, flow, FLOW);
    made->six = six;
    made->state = state;
    made->index = self->vacant_count ? self->vacant[--self->vacant_count] : self->entry_count++;
    self->entries[made->index] = made;
    table_put(self, made->index);
    self->table_count++;
    self->waiting += state == WAITING;
    self->owned += state == OWN;
    return made;
}

static void entry_free(Entry *entry)
{
    if (entry == NULL)
        return;
    Py_XDECREF(entry->connection);
    Py_XDECREF(entry->rest);
    PyMem_Free(entry->numbers);
    PyMem_Free(entry->noted);
    PyMem_Free(entry->kept);
    PyMem_Free(entry->told);
    PyMem_Free(entry);
}

static void entry_removed(Express *self, Entry *entry)
{
    uint32_t last = (uint32_t)(self->table_size - 1), hole = mark_place(flow_mark(entry->flow), self->table_size);
    while (self->table[hole] != entry->index)
        hole = (hole + 1) & last;
    for (uint32_t next = hole;;) { /* move back what would not be found behind the hole */
        next = (next + 1) & last;
        if (self->table[next] < 0)
            break;
        uint32_t home = mark_place(flow_mark(self->entries[self->table[next]]->flow), self->table_size);
        if (((next - home) & last) >= ((next - hole) & last)) {
            self->table[hole] = self->table[next];
            hole = next;
        }
    }
    self->table[hole] = -1;
    self->table_count--;
    self->waiting -= entry->state == WAITING;
    self->owned -= entry->state == OWN || entry->state == PACKED;
    self->entries[entry->index] = NULL;
    self->vacant[self->vacant_count++] = entry->index;
    entry_free(entry);
}

/* Does Python have the connection of these addresses? Of different ones with one mark it is said, too. */
static int is_elsewhere(const Express *self, const uint8_t *flow)
{
    if (!self->elsewhere_count)
        return 0;
    uint64_t mark = flow_mark(flow);
    for (uint32_t place = mark_place(mark, self->elsewhere_size); self->elsewhere[place];
         place = (place + 1) & (uint32_t)(self->elsewhere_size - 1))
        if (self->elsewhere[place] == mark)
            return 1;
    return 0;
}

static void elsewhere_put(uint64_t *marks, int size, uint64_t mark)
{
    uint32_t place = mark_place(mark, size);
    while (marks[place])
        place = (place + 1) & (uint32_t)(size - 1);
    marks[place] = mark;
}

/* Python has the connection of these addresses from now on; 0 without memory. */
static int set_elsewhere(Express *self, const uint8_t *flow)
{
    if (is_elsewhere(self, flow))
        return 1;
    if (2 * (self->elsewhere_count + 1) > self->elsewhere_size) {
        int size = self->elsewhere_size ? 2 * self->elsewhere_size : 1024;
        uint64_t *marks = PyMem_Calloc(size, sizeof(uint64_t));
        if (marks == NULL)
            return 0;
        for (int place = 0; place < self->elsewhere_size; place++)
            if (self->elsewhere[place])
                elsewhere_put(marks, size, self->elsewhere[place]);
        PyMem_Free(self->elsewhere);
        self->elsewhere = marks;
        self->elsewhere_size = size;
    }
    elsewhere_put(self->elsewhere, self->elsewhere_size, flow_mark(flow));
    self->elsewhere_count++;
    return 1;
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

/* Writes what became of a connection that was lent into its object, which is then with Python alone. */
static int entry_return(Express *self, Entry *entry)
{
    PyObject *connection = entry->connection;
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
    if (!set_elsewhere(self, entry->flow)) {
        PyErr_NoMemory();
        return -1;
    }
    entry_removed(self, entry);
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
    PyObject *keys, *sequences, *taken, *opens;
    int timed, result = -2;
    Form *made = PyMem_Calloc(1, sizeof(Form));
    if (made == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    if (!PyArg_ParseTuple(told, "O!O!O!pO!", &PyTuple_Type, &keys, &PyTuple_Type, &sequences, &PyTuple_Type, &taken,
                          &timed, &PyTuple_Type, &opens))
        goto done;
    made->flags = flags;
    made->variant = variant;
    made->timed = timed;
    made->opens = (int)PyTuple_GET_SIZE(opens);
    made->keys = (int)PyTuple_GET_SIZE(keys);
    made->sequences = (int)PyTuple_GET_SIZE(sequences);
    made->taken = (int)PyTuple_GET_SIZE(taken);
    if (made->keys > MOST_KEYS || made->sequences > MOST_OF_A_FORM || made->taken > MOST_OF_A_FORM ||
        made->opens > MOST_OF_A_FORM) {
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
    for (int place = 0; place < made->opens; place++) {
        long slot = PyLong_AsLong(PyTuple_GET_ITEM(opens, place));
        if (slot < 0 || slot >= SLOTS)
            goto range;
        made->open[place] = (int)slot;
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
