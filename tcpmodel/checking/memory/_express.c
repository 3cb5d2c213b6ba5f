/* The express lane: takes packets of the commonest forms for connections of which everything is known by memory.
 *
 * Owns: which packets of a block are taken, and the object that Python has of it (see express.py). It runs over them what
 * was learned in Python, as lists of numbers. Whatever is of no common form, not known, or not certain is left to Python,
 * before anything has been changed.
 * Must never hold: what a packet, a flag or a number means; that is learned from the spec.
 *
 * Everything here has a twin in Python that says what is right: transport.tcp and link.packet_in (the packet),
 * forms.Form (its numbers), memo.Memo.observe and watchmemo.WatchMemo.recall (its judgement), doubles.Doubles.take
 * (copies), texts.Texts.take (texts), and table.Table.packet (the rest). tests/checking/test_express.py holds both beside each other.
 */
#include "express_parts/copies.h"
#include "express_parts/giving.h"
#include "express_parts/texts.h"

PyDoc_STRVAR(run_doc,
"run(buffer, at, size, number, last, big, blocks, unit, offset, limit)\n"
"    -> (at, number, last, with_id, cut, first_cut, padded, first_padded, recent, opened)\n\n"
"Take as many packets of the records from ``at`` on as are known; ``number`` and ``last`` (ns) are those of the packet\n"
"before. The records are big-endian or not, and blocks of pcapng or records of pcap; ``unit`` ns are a tick of their\n"
"clock, which is ``offset`` ns behind. ``recent``: at, end, number and time (64 bits each) of the last of them. ``opened``: (source,\n"
"form, number, fields) of those that began a connection and are of a form of which that matters.");

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
    PyObject *opened = PyList_New(0);
    if (opened == NULL)
        return NULL;
    while (record_at(buffer, at, size, &framing, &record)) {
        const uint8_t *frame = buffer + record.start;
        Found found;
        int64_t fields[SLOTS];
        int flags;
        if (!segment(frame, record.end - record.start, &found) || spoiled(frame, record.original, &found))
            break;
        self->pending_swapped = flow_of(&found, self->pending);
        self->pending_six = found.octets != 4;
        self->pending_number = number + 1;
        if (record.time < last)
            break;
        int variant = usual(&found, fields, &flags);
        if (variant < 0)
            break;
        Entry *entry = entry_find(self, self->pending, self->pending_six);
        if (entry == NULL && (self->waiting >= MOST_WAITING || self->owned + self->waiting >= MOST_OWNED ||
                              record.end - record.start > FRAME || is_elsewhere(self, self->pending)))
            break;
        if (entry != NULL && entry->state != WAITING && record.time - entry->last_time > QUIET)
            break;
        int form = form_of(self, variant, flags, fields, object, record.start, record.end, number + 1, record.time);
        if (form == -2)
            goto failed;
        if (form < 0)
            break;
        int side = 0, done = 1, text = fields[CHECKSUM_OK] && fields[LENGTH] > 1;
        Place place = {0, 0, (uint32_t)fields[SEQ], found.ttl};
        int64_t since;
        if (entry == NULL) {
            entry = first_seen(self, form, frame, record.end - record.start, flags, number + 1, record.time);
            if (entry == NULL)
                goto failed;
            if (found.ip_id > 0 && seen_find(self, entry->source[0], found.ip_id) != NULL) {
                entry_removed(self, entry);
                self->begun--;
                break;
            }
            place.source = entry->source[0];
            place.destination = entry->source[1];
            if (text && text_told(self, place, fields[LENGTH], (uint32_t)fields[PAYLOAD_SUM], record.time, 0, &since)) {
                entry_removed(self, entry);
                self->begun--;
                break;
            }
            if (self->forms[form]->opens && !tell_opened(self, opened, entry, form, fields))
                goto failed;
        }
        else {
            side = self->pending_swapped ? 1 - entry->low : entry->low;
            if (found.ip_id > 0 && seen_find(self, entry->source[side], found.ip_id) != NULL)
                break;
            place.source = entry->source[side];
            place.destination = entry->source[1 - side];
            if (text && text_told(self, place, fields[LENGTH], (uint32_t)fields[PAYLOAD_SUM], record.time, 0, &since))
                break;
            if (entry->state == PACKED && (!entry_unpack(self, entry) || !set_awake(self, entry))) {
                PyErr_NoMemory();
                goto failed;
            }
            if (entry->state == WAITING)
                done = begin(self, entry, side, form, fields, flags, number + 1, record.time);
            else
                done = take(self, entry, side, form, fields, flags, number + 1, record.time);
        }
        if (done < 0)
            goto failed;
        if (!done)
            break;
        if (found.ip_id > 0) {
            seen_put(self, entry->source[side], found.ip_id, fields[SEQ], flags, found.ttl, record.time, 1);
            with_id++;
        }
        if (text)
            text_told(self, place, fields[LENGTH], (uint32_t)fields[PAYLOAD_SUM], record.time, 1, &since);
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
    Py_ssize_t last_ones = taken < RECENT ? (Py_ssize_t)taken : RECENT, oldest = taken < RECENT ? 0 : taken % RECENT;
    PyObject *recent = PyBytes_FromStringAndSize(NULL, last_ones * (Py_ssize_t)sizeof(Raw));
    if (recent == NULL)
        goto failed;
    memcpy(PyBytes_AS_STRING(recent), self->recent + oldest, (last_ones - oldest) * sizeof(Raw));
    memcpy(PyBytes_AS_STRING(recent) + (last_ones - oldest) * sizeof(Raw), self->recent, oldest * sizeof(Raw));
    return Py_BuildValue("(nLLLLLLLNN)", at, number, last, with_id, cut, first_cut, padded, first_padded, recent,
                         opened);
failed:
    Py_DECREF(opened);
    return NULL;
}

PyDoc_STRVAR(adopt_doc,
"adopt(connection, number, side, known, numbers, notes, noted, sources, last_time, whole) -> bool\n\n"
"Take over the connection of packet ``number``, the one at which ``run`` stopped, and which ``side`` sent. False if\n"
"that is not possible. ``whole``: all of the connection, which has no object then: (number among all connections,\n"
"first packet, packets, latest packet, last flags, an object to be given back with it), or None if it is lent.");

static PyObject *express_adopt(Express *self, PyObject *args)
{
    PyObject *connection, *known, *numbers, *notes, *noted, *a, *b, *whole;
    long long number, last_time, begun = 0, first = 0, packets = 0, latest = 0;
    int side, flags = 0;
    PyObject *rest_ = Py_None;
    if (!PyArg_ParseTuple(args, "OLiOOOO(OO)LO", &connection, &number, &side, &known, &numbers, &notes, &noted, &a, &b,
                          &last_time, &whole))
        return NULL;
    int own = whole != Py_None;
    if (own && !PyArg_ParseTuple(whole, "LLLLiO", &begun, &first, &packets, &latest, &flags, &rest_))
        return NULL;
    if (number != self->pending_number || number == 0 || side < 0 || side > 1)
        Py_RETURN_FALSE;
    Shape *shape = shape_of(self, known), *judged = shape == NULL ? NULL : shape_of(self, notes);
    if (judged == NULL)
        return NULL;
    if (shape->stale || entry_find(self, self->pending, self->pending_six) != NULL)
        Py_RETURN_FALSE;
    own = own && self->owned + self->waiting < MOST_OWNED;
    Entry *entry = entry_made(self, self->pending, self->pending_six, own ? OWN : LENT);
    if (entry == NULL)
        return PyErr_NoMemory();
    int count = numbers_in(numbers, &entry->numbers, &entry->room);
    int rest = count < 0 ? count : numbers_in(noted, &entry->noted, &entry->notes_room);
    if (rest == -1)
        goto failed;
    if (rest < 0 || shape->near[0] >= count || shape->near[1] >= count) {
        entry_removed(self, entry);
        Py_RETURN_FALSE;
    }
    entry->source[0] = PyObject_Hash(a);
    entry->source[1] = PyObject_Hash(b);
    if (!own && set_number(connection, s_lane, entry->index) < 0)
        goto failed;
    entry->count = count;
    entry->notes_count = rest;
    entry->shape = shape;
    entry->notes = judged;
    entry->last_time = last_time;
    entry->low = self->pending_swapped ? 1 - side : side;
    if (own) {
        entry->begun = begun;
        entry->first = first;
        entry->packets = packets;
        entry->latest = latest;
        entry->last_flags = flags;
        entry->rest = rest_ == Py_None ? NULL : Py_NewRef(rest_);
        if (!set_awake(self, entry)) {
            PyErr_NoMemory();
            goto failed;
        }
    }
    else
        entry->connection = Py_NewRef(connection);
    return PyBool_FromLong(1);
failed:
    entry_removed(self, entry);
    return NULL;
}

PyDoc_STRVAR(give_back_doc,
"give_back(connection) -> None\n\nWrite what became of a connection that was lent into its object.");

static PyObject *express_give_back(Express *self, PyObject *connection)
{
    PyObject *lane = PyObject_GetAttr(connection, s_lane);
    if (lane == NULL)
        return NULL;
    long index = PyLong_AsLong(lane);
    Py_DECREF(lane);
    if (index == -1 && PyErr_Occurred())
        return NULL;
    if (index >= 0 && index < self->entry_count && self->entries[index] != NULL &&
        self->entries[index]->connection == connection && entry_return(self, self->entries[index]) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(clear_doc, "clear() -> None\n\nGive all connections back that were lent.");

static PyObject *express_clear(Express *self, PyObject *unused)
{
    (void)unused;
    for (int index = 0; index < self->entry_count; index++)
        if (self->entries[index] != NULL && self->entries[index]->state == LENT &&
            entry_return(self, self->entries[index]) < 0)
            return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(count_doc, "count() -> None\n\nTell how often each way was taken.");

static PyObject *express_count(Express *self, PyObject *unused)
{
    (void)unused;
    for (int index = 0; index < self->shape_count; index++) {
        const Shape *shape = self->all[index];
        for (int place = 0; place < shape->places + shape->early_places; place++) {
            Program *program = place < shape->places ? shape->programs[place] : shape->early[place - shape->places];
            if (program != NULL && program_count(self, program, 0) < 0)
                return NULL;
        }
    }
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
    PyObject *form_of_, *plan_of, *fresh_of, *name_of, *standing_of_, *used;
    (void)keywords;
    int most;
    if (!PyArg_ParseTuple(args, "OOOOOOi", &form_of_, &plan_of, &fresh_of, &name_of, &standing_of_, &used, &most))
        return -1;
    self->most_awake = most < 8 ? 8 : most > MOST_AWAKE ? MOST_AWAKE : most;
    Py_XSETREF(self->form_of, Py_NewRef(form_of_));
    Py_XSETREF(self->plan_of, Py_NewRef(plan_of));
    Py_XSETREF(self->fresh_of, Py_NewRef(fresh_of));
    Py_XSETREF(self->name_of, Py_NewRef(name_of));
    Py_XSETREF(self->standing_of, Py_NewRef(standing_of_));
    Py_XSETREF(self->used, Py_NewRef(used));
    if (self->shapes == NULL) {
        self->shapes = PyDict_New();
        self->seen = PyMem_Calloc(SEEN_SIZE, sizeof(Seen));
        self->order = PyMem_Calloc(REMEMBERED, sizeof(Remembered));
        self->texts = PyMem_Calloc(TEXTS_SIZE, sizeof(Text));
        self->text_order = PyMem_Calloc(TEXTS, sizeof(Place));
        if (self->shapes == NULL || self->seen == NULL || self->order == NULL || self->texts == NULL ||
            self->text_order == NULL) {
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
    Py_VISIT(self->fresh_of);
    Py_VISIT(self->name_of);
    Py_VISIT(self->standing_of);
    Py_VISIT(self->used);
    Py_VISIT(self->shapes);
    for (int index = 0; index < self->entry_count; index++)
        if (self->entries[index] != NULL) {
            Py_VISIT(self->entries[index]->connection);
            Py_VISIT(self->entries[index]->rest);
        }
    for (int index = 0; index < self->shape_count; index++) {
        const Shape *shape = self->all[index];
        Py_VISIT(shape->known);
        for (int place = 0; place < shape->places + shape->early_places + 1; place++) {
            int early = place - shape->places;
            Program *program = early < 0                       ? shape->programs[place]
                               : early < shape->early_places ? shape->early[early]
                                                               : shape->standing;
            if (program != NULL) {
                Py_VISIT(program->kind);
                Py_VISIT(program->plan);
            }
        }
    }
    return 0;
}

static int express_drop(Express *self)
{
    Py_CLEAR(self->form_of);
    Py_CLEAR(self->plan_of);
    Py_CLEAR(self->fresh_of);
    Py_CLEAR(self->name_of);
    Py_CLEAR(self->standing_of);
    Py_CLEAR(self->used);
    Py_CLEAR(self->shapes);
    while (self->entry_count > 0)
        entry_free(self->entries[--self->entry_count]);
    self->table_count = self->vacant_count = self->awake_count = self->waiting = self->owned = 0;
    if (self->table_size)
        memset(self->table, 0xFF, self->table_size * sizeof(int32_t));
    self->fresh = self->fresh_notes = NULL;
    while (self->usual_count > 0) {
        self->usual_count--;
        PyMem_Free(self->usual[self->usual_count].like);
        PyMem_Free(self->usual[self->usual_count].step);
    }
    if (self->usual_table_size)
        memset(self->usual_table, 0xFF, self->usual_table_size * sizeof(int32_t));
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
    PyMem_Free(self->vacant);
    PyMem_Free(self->awake);
    PyMem_Free(self->elsewhere);
    PyMem_Free(self->fresh_numbers);
    PyMem_Free(self->fresh_noted);
    PyMem_Free(self->usual);
    PyMem_Free(self->usual_table);
    PyMem_Free(self->table);
    PyMem_Free(self->all);
    PyMem_Free(self->output);
    PyMem_Free(self->output_notes);
    PyMem_Free(self->seen);
    PyMem_Free(self->order);
    PyMem_Free(self->texts);
    PyMem_Free(self->text_order);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef express_methods[] = {
    {"run", (PyCFunction)express_run, METH_VARARGS, run_doc},
    {"adopt", (PyCFunction)express_adopt, METH_VARARGS, adopt_doc},
    {"give_back", (PyCFunction)express_give_back, METH_O, give_back_doc},
    {"clear", (PyCFunction)express_clear, METH_NOARGS, clear_doc},
    {"fetch", (PyCFunction)express_fetch, METH_VARARGS, fetch_doc},
    {"keep_off", (PyCFunction)express_keep_off, METH_VARARGS, keep_off_doc},
    {"forget", (PyCFunction)express_forget, METH_NOARGS, forget_doc},
    {"drain", (PyCFunction)express_drain, METH_VARARGS, drain_doc},
    {"firsts", (PyCFunction)express_firsts, METH_VARARGS, firsts_doc},
    {"counts", (PyCFunction)express_counts, METH_NOARGS, counts_doc},
    {"count", (PyCFunction)express_count, METH_NOARGS, count_doc},
    {"stale", (PyCFunction)express_stale, METH_O, stale_doc},
    {"copy", (PyCFunction)express_copy, METH_VARARGS, copy_doc},
    {"text", (PyCFunction)express_text, METH_VARARGS, text_doc},
    {"place", (PyCFunction)express_place, METH_VARARGS, place_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(express_doc, "Express(form_of, plan_of, fresh_of, name_of, standing_of, used, awake)\n\nThe packets of one input, for one spec; see express.py.");

static PyMemberDef express_members[] = {
    {"begun", T_LONGLONG, offsetof(Express, begun), 0, "The number of the latest connection."},
    {"pending", T_LONGLONG, offsetof(Express, pending_number), READONLY, "The packet at which ``run`` stopped."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot express_slots[] = {
    {Py_tp_doc, (void *)express_doc},       {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, express_init},             {Py_tp_dealloc, express_dealloc},
    {Py_tp_traverse, express_traverse},     {Py_tp_clear, express_drop},
    {Py_tp_methods, express_methods},       {Py_tp_members, express_members},
    {0, NULL},
};

static PyType_Spec express_spec = {
    .name = "tcpmodel.checking.memory._express.Express",
    .basicsize = sizeof(Express),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = express_slots,
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "tcpmodel.checking.memory._express", .m_size = -1,
    .m_doc = "Packets of the commonest form, taken by what was learned; see express.py.",
};

PyMODINIT_FUNC PyInit__express(void)
{
    struct {
        PyObject **name;
        const char *text;
    } names[] = {{&s_light, "light"},         {&s_observer, "observer"},   {&s_packets, "packets"},
                 {&s_latest, "latest"},       {&s_last_time, "last_time"}, {&s_last_flags, "last_flags"},
                 {&s_lane, "lane"},           {&s_plan, "plan"}};
    for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++)
        if ((*names[index].name = PyUnicode_InternFromString(names[index].text)) == NULL)
            return NULL;
    PyObject *made = PyModule_Create(&module);
    PyObject *type = made == NULL ? NULL : PyType_FromSpec(&express_spec);
    if (type == NULL || PyModule_AddIntConstant(made, "INTERFACE", INTERFACE) < 0 ||
        PyModule_AddIntConstant(made, "REMEMBERED", REMEMBERED) < 0 ||
        PyModule_AddIntConstant(made, "TEXTS", TEXTS) < 0 ||
        PyModule_AddIntConstant(made, "RECENT", RECENT) < 0 ||
        PyModule_AddObject(made, "QUIET", PyLong_FromLongLong(QUIET)) < 0 ||
        PyModule_AddObject(made, "Express", type) < 0) {
        Py_XDECREF(type);
        Py_XDECREF(made);
        return NULL;
    }
    return made;
}
