/* Owns: connections that are here alone: their beginning, and what Python gets of them.
 * Must never hold: what a first packet is, or what is reported of a connection.
 */
#include "frames.h"
#include "packing.h"

/* Address and port of an end as text. */
static PyObject *end_text(Express *self, const Entry *entry, int side)
{
    const uint8_t *address = entry->flow + (side == entry->low ? 0 : 16);
    int port = (int)big16(entry->flow + (side == entry->low ? 32 : 34));
    if (entry->six)
        return PyObject_CallFunction(self->name_of, "y#i", (const char *)address, (Py_ssize_t)16, port);
    char text[32];
    int length = 0;
    for (int place = 0; place < 5; place++) {
        int number = place < 4 ? address[place] : port, power = 10000;
        while (power > 1 && power > number)
            power /= 10;
        for (; power; power /= 10)
            text[length++] = (char)('0' + number / power % 10);
        if (place < 4)
            text[length++] = place < 3 ? '.' : ':';
    }
    return PyUnicode_FromStringAndSize(text, length);
}

/* The marks of both ends, under which copies are remembered; 0 on an error. */
static int sources_set(Express *self, Entry *entry)
{
    for (int side = 0; side < 2; side++) {
        PyObject *text = end_text(self, entry, side);
        if (text == NULL)
            return 0;
        entry->source[side] = PyObject_Hash(text);
        Py_DECREF(text);
    }
    return 1;
}

/* What is known of a connection without packets: 1 if it is here, -1 on an error. */
static int fresh_known(Express *self)
{
    if (self->fresh != NULL && !self->fresh->stale)
        return 1;
    PyObject *known, *numbers, *notes, *noted, *fresh = PyObject_CallNoArgs(self->fresh_of);
    if (fresh == NULL)
        return -1;
    int result = 0;
    if (fresh != Py_None) {
        self->fresh = NULL;
        if (!PyArg_ParseTuple(fresh, "OOOO", &known, &numbers, &notes, &noted)) {
            Py_DECREF(fresh);
            return -1;
        }
        int count = numbers_in(numbers, &self->fresh_numbers, &self->fresh_room);
        int rest = count < 0 ? count : numbers_in(noted, &self->fresh_noted, &self->fresh_notes_room);
        Shape *shape = rest < 0 ? NULL : shape_of(self, known), *judged = shape == NULL ? NULL : shape_of(self, notes);
        if (judged != NULL) {
            self->fresh = shape;
            self->fresh_notes = judged;
            self->fresh_count = count;
            self->fresh_notes_count = rest;
            result = !shape->stale;
        }
        else if (rest != -2)
            result = -1;
    }
    Py_DECREF(fresh);
    return result;
}

/* A connection that begins with the packet that is looked at; NULL on an error. */
static Entry *first_seen(Express *self, int form, const uint8_t *frame, Py_ssize_t size, int flags, int64_t number,
                         int64_t time)
{
    Entry *made = entry_made(self, self->pending, self->pending_six, WAITING);
    uint8_t *kept = made == NULL ? NULL : PyMem_Malloc(size);
    if (kept == NULL) {
        if (made != NULL)
            entry_removed(self, made);
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(kept, frame, size);
    made->kept = kept;
    made->kept_size = size;
    made->form = form;
    made->low = self->pending_swapped ? 1 : 0;
    made->begun = ++self->begun;
    made->first = made->latest = number;
    made->packets = 1;
    made->last_time = time;
    made->last_flags = flags;
    if (sources_set(self, made))
        return made;
    entry_removed(self, made);
    return NULL;
}

/* Tells of a connection that begins, as far as its form makes that of interest; 0 on an error. */
static int tell_opened(Express *self, PyObject *opened, const Entry *entry, int form, const int64_t *fields)
{
    PyObject *text = end_text(self, entry, 0), *values = PyTuple_New(self->forms[form]->opens);
    PyObject *item = NULL;
    for (int place = 0; text != NULL && values != NULL && place < self->forms[form]->opens; place++) {
        PyObject *value = PyLong_FromLongLong(fields[self->forms[form]->open[place]]);
        if (value == NULL)
            goto done;
        PyTuple_SET_ITEM(values, place, value);
    }
    if (text != NULL && values != NULL)
        item = Py_BuildValue("(OiLO)", text, form, (long long)entry->first, values);
done:
    Py_XDECREF(text);
    Py_XDECREF(values);
    int told = item != NULL && PyList_Append(opened, item) == 0;
    Py_XDECREF(item);
    return told;
}

/* The connection has its first packet only, again. */
static void set_waiting(Entry *entry, int64_t time, int flags)
{
    entry->shape = entry->notes = NULL;
    entry->count = entry->notes_count = 0;
    entry->packets = 1;
    entry->latest = entry->first;
    entry->last_time = time;
    entry->last_flags = flags;
}

/* Takes the first packet of a connection, and then the second: 1; 0 if Python has to, -1 on an error. */
static int begin(Express *self, Entry *entry, int side, int form, const int64_t *fields, int flags, int64_t number,
                 int64_t time)
{
    int known = fresh_known(self);
    if (known <= 0)
        return known;
    Found found;
    int64_t first[SLOTS], first_time = entry->last_time;
    int first_flags;
    if (!segment(entry->kept, entry->kept_size, &found) || usual(&found, first, &first_flags) < 0)
        return 0;
    if (!room_for(&entry->numbers, &entry->room, self->fresh_count) ||
        !room_for(&entry->noted, &entry->notes_room, self->fresh_notes_count)) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(entry->numbers, self->fresh_numbers, self->fresh_count * sizeof(int64_t));
    memcpy(entry->noted, self->fresh_noted, self->fresh_notes_count * sizeof(int64_t));
    entry->count = self->fresh_count;
    entry->notes_count = self->fresh_notes_count;
    entry->shape = self->fresh;
    entry->notes = self->fresh_notes;
    entry->packets = 0;
    int done = take(self, entry, 0, entry->form, first, first_flags, entry->first, first_time);
    if (done > 0)
        done = take(self, entry, side, form, fields, flags, number, time);
    if (done > 0) {
        PyMem_Free(entry->kept);
        entry->kept = NULL;
        entry->kept_size = 0;
        entry->state = OWN;
        self->waiting--;
        self->owned++;
        if (!set_awake(self, entry)) {
            PyErr_NoMemory();
            return -1;
        }
    }
    else
        set_waiting(entry, first_time, first_flags);
    return done;
}

/* The addresses of a packet that ``run`` found, or of ``flow`` (source first); which end of the entry sent it. */
static Entry *entry_of(Express *self, int64_t number, const char *flow, Py_ssize_t size, int *side)
{
    if (number != self->pending_number || number <= 0) {
        if (size != FLOW + 1)
            return NULL;
        self->pending_six = flow[FLOW] != 0;
        self->pending_swapped = memcmp(flow, flow + 16, 16);
        if (self->pending_swapped == 0)
            self->pending_swapped = memcmp(flow + 32, flow + 34, 2);
        int swapped = self->pending_swapped = self->pending_swapped > 0;
        memcpy(self->pending, flow + (swapped ? 16 : 0), 16);
        memcpy(self->pending + 16, flow + (swapped ? 0 : 16), 16);
        memcpy(self->pending + 32, flow + (swapped ? 34 : 32), 2);
        memcpy(self->pending + 34, flow + (swapped ? 32 : 34), 2);
        self->pending_number = number > 0 ? number : 0;
    }
    Entry *entry = entry_find(self, self->pending, self->pending_six);
    if (entry != NULL)
        *side = self->pending_swapped ? 1 - entry->low : entry->low;
    return entry;
}

/* What is told of a connection: (text, packet, time, numbers), or None. */
static PyObject *telling_out(const Entry *entry)
{
    if (entry->told == NULL)
        Py_RETURN_NONE;
    const Telling *told = entry->told;
    PyObject *numbers = numbers_out(told->numbers, told->count);
    if (numbers == NULL)
        return NULL;
    return Py_BuildValue("(iLLN)", told->text, (long long)told->number, (long long)told->time, numbers);
}

/* All that Python has to know of a connection. */
static PyObject *entry_told(Express *self, Entry *entry, int side)
{
    if (entry->state == WAITING)
        return Py_BuildValue("(iLLLy#)", side, (long long)entry->begun, (long long)entry->first,
                             (long long)entry->last_time, (const char *)entry->kept, entry->kept_size);
    if (entry->state == PACKED && !entry_unpack(self, entry))
        return PyErr_NoMemory();
    PyObject *numbers = numbers_out(entry->numbers, entry->count);
    PyObject *noted = numbers == NULL ? NULL : numbers_out(entry->noted, entry->notes_count);
    if (noted == NULL) {
        Py_XDECREF(numbers);
        return NULL;
    }
    PyObject *told = telling_out(entry);
    if (told == NULL) {
        Py_DECREF(numbers);
        Py_DECREF(noted);
        return NULL;
    }
    return Py_BuildValue("(iLLLLLiONONON)", side, (long long)entry->begun, (long long)entry->first,
                         (long long)entry->packets, (long long)entry->latest, (long long)entry->last_time,
                         entry->last_flags, entry->shape->known, numbers, entry->notes->known, noted,
                         entry->rest ? entry->rest : Py_None, told);
}

/* Twice the number of where both ends stand, and 1 more if they may not be left yet; -1 if that is not known by
 * memory, -2 on an error. */
static long standing_of(Express *self, Entry *entry)
{
    Shape *shape = entry->shape;
    if (entry->state == PACKED && !entry_unpack(self, entry)) {
        PyErr_NoMemory();
        return -2;
    }
    if (shape->stale)
        return -1;
    if (shape->standing == NULL) {
        PyObject *plan = PyObject_CallFunction(self->standing_of, "O", shape->known);
        if (plan == NULL)
            return -2;
        if (plan == Py_None) {
            Py_DECREF(plan);
            return -1;
        }
        shape->standing = program_made(self, plan, 0);
        Py_DECREF(plan);
        if (shape->standing == NULL)
            return -2;
    }
    Program *program = shape->standing;
    Py_ssize_t at = program->own == entry->count && !program->given ? program_run(program, entry->numbers) : 0;
    if (!at) { /* another way may be known by the next time */
        program_free(program);
        shape->standing = NULL;
        return -1;
    }
    PyObject *numbers = program->plan;
    if (!PyTuple_Check(numbers) || program->code[at + 1] >= PyTuple_GET_SIZE(numbers))
        return -1;
    long number = PyLong_AsLong(PyTuple_GET_ITEM(numbers, program->code[at + 1]));
    return number == -1 && PyErr_Occurred() ? -2 : number;
}
