/* The express lane: takes packets of the commonest forms for connections of which everything is known by memory.
 *
 * Owns: which packets of a block are taken, and the object that Python has of it (see express.py). It runs over them what
 * was learned in Python, as lists of numbers. Whatever is of no common form, not known, or not certain is left to Python,
 * before anything has been changed.
 * Must never hold: what a packet, a flag or a number means; that is learned from the spec.
 *
 * Everything here has a twin in Python that says what is right: transport.tcp and link.packet_in (the packet),
 * forms.Form (its numbers), memo.Memo.observe and watchmemo.WatchMemo.recall (its judgement), doubles.Doubles.take
 * (copies), and table.Table.packet (the rest). tests/checking/test_express.py holds both beside each other.
 */
#include "express_parts/copies.h"
#include "express_parts/connections.h"
#include "express_parts/frames.h"

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
        int64_t most = program->code[at + 3] > judged->code[judged_at + 3] ? program->code[at + 3]
                                                                          : judged->code[judged_at + 3];
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
        if (!room_for(&entry->numbers, &entry->room, program->code[at + 2]) ||
            !room_for(&entry->noted, &entry->notes_room, judged->code[judged_at + 2])) {
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
        if (!segment(frame, record.end - record.start, &found) || spoiled(frame, record.original, &found))
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
    if (set_number(connection, s_lane, entry->index) < 0)
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
"give_back(connection) -> None\n\nWrite what became of a connection into its object.");

static PyObject *express_give_back(Express *self, PyObject *connection)
{
    PyObject *lane = PyObject_GetAttr(connection, s_lane);
    if (lane == NULL)
        return NULL;
    long index = PyLong_AsLong(lane);
    Py_DECREF(lane);
    if (index == -1 && PyErr_Occurred())
        return NULL;
    if (index >= 0 && index < self->entry_count && self->entries[index]->connection == connection &&
        entry_return(self->entries[index]) < 0)
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
    {"give_back", (PyCFunction)express_give_back, METH_O, give_back_doc},
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
        PyModule_AddIntConstant(made, "REMEMBERED", REMEMBERED) < 0 ||
        PyModule_AddIntConstant(made, "RECENT", RECENT) < 0 ||
        PyModule_AddObject(made, "QUIET", PyLong_FromLongLong(QUIET)) < 0 ||
        PyModule_AddObject(made, "Express", type) < 0) {
        Py_XDECREF(type);
        Py_XDECREF(made);
        return NULL;
    }
    return made;
}
