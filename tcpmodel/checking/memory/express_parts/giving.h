/* Owns: the calls by which Python gets connections that are here alone, and says which are not.
 * Must never hold: what is reported of a connection.
 */
#include "alike.h"

/* Which connection is asked for: that of a packet at which ``run`` stopped, or else of these addresses. */
typedef struct {
    long long number;
    const char *flow;
    Py_ssize_t size;
} Asked;

static int asked(PyObject *args, Asked *of)
{
    return PyArg_ParseTuple(args, "Ly#", &of->number, &of->flow, &of->size);
}

PyDoc_STRVAR(fetch_doc,
"fetch(number, flow) -> tuple | None\n\n"
"The connection of packet ``number``, at which ``run`` stopped, or else of the addresses ``flow`` (source and\n"
"destination of 16 octets each, both ports, and 1 if they are of IPv6): which end the source is, number among all\n"
"connections, first packet; then, if that is all of it, its time and frame; else number of packets, latest packet,\n"
"last time, last flags, shape, numbers, shape and numbers of notes, its object, and (text, packet, time, numbers) of its finding or None. Python has it from now on. None if it is not here.");

static PyObject *express_fetch(Express *self, PyObject *args)
{
    Asked of;
    int side;
    if (!asked(args, &of))
        return NULL;
    Entry *entry = entry_of(self, of.number, of.flow, of.size, &side);
    if (entry == NULL || entry->state == LENT)
        Py_RETURN_NONE;
    PyObject *told = entry_told(self, entry, side);
    if (told == NULL)
        return NULL;
    int kept = set_elsewhere(self, entry->flow);
    entry_removed(self, entry);
    if (!kept) {
        Py_DECREF(told);
        return PyErr_NoMemory();
    }
    return told;
}

PyDoc_STRVAR(keep_off_doc,
"keep_off(number, flow) -> None\n\nPython has the connection of these addresses (as for ``fetch``): none begins here.");

static PyObject *express_keep_off(Express *self, PyObject *args)
{
    Asked of;
    int side;
    if (!asked(args, &of))
        return NULL;
    if ((of.number == self->pending_number && of.number > 0) || of.size == FLOW + 1) {
        entry_of(self, of.number, of.flow, of.size, &side);
        if (!set_elsewhere(self, self->pending))
            return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(forget_doc, "forget() -> None\n\nForget of which addresses Python has the connections.");

static PyObject *express_forget(Express *self, PyObject *unused)
{
    (void)unused;
    if (self->elsewhere_size)
        memset(self->elsewhere, 0, self->elsewhere_size * sizeof(uint64_t));
    self->elsewhere_count = 0;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(drain_doc,
"drain(start, most, few, before, origin, several, told, known) -> (next, list, lines, kinds)\n\n"
"Give away connections of more than one packet, from a place on until there are ``most`` lines or ``few`` others. With\n"
"``before`` >= 0 only those whose last packet came before that time and which may be left, as far as that is known.\n\n"
"Those like others are lines: (pattern, packets, number among all connections, ``origin``, both ends). ``told`` gives\n"
"the pattern of (number, first packet, packets, last flags, both ends, standing, text or -1), or -1; one with as many packets or,\n"
"from ``several`` on, as few, standing and flags has the same, which is put into ``known``. kinds: (pattern, packets,\n"
"how many, the lowest number, its line, the first packet of all).\n\n"
"Of others the list has: number, first packet, packets, last flags, both ends, standing, its object, its finding, what ``fetch``\n"
"says if the standing is not known: then that is -1.");

/* Of a connection that is not like others. */
static PyObject *drained(Express *self, Entry *entry, long place, PyObject *a, PyObject *b)
{
    PyObject *told = place < 0 ? entry_told(self, entry, 0) : Py_NewRef(Py_None);
    PyObject *found = told == NULL ? NULL : telling_out(entry);
    if (found == NULL) {
        Py_XDECREF(told);
        return NULL;
    }
    return Py_BuildValue("(LLLiOOlONN)", (long long)entry->begun, (long long)entry->first, (long long)entry->packets,
                         entry->last_flags, a, b, place, entry->rest ? entry->rest : Py_None, found, told);
}

static PyObject *express_drain(Express *self, PyObject *args)
{
    int start, most, few;
    long long before;
    Alike alike = {0};
    if (!PyArg_ParseTuple(args, "iiiLiiOO!", &start, &most, &few, &before, &alike.origin, &alike.several, &alike.told,
                          &PyDict_Type, &alike.known))
        return NULL;
    PyObject *list = PyList_New(0), *result = NULL;
    int begun = alike_begun(&alike, most);
    if (list == NULL || !begun || start < 0) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        goto done;
    }
    for (; start < self->entry_count && PyList_GET_SIZE(alike.lines) < most && PyList_GET_SIZE(list) < few; start++) {
        Entry *entry = self->entries[start];
        if (entry == NULL || (entry->state != OWN && entry->state != PACKED))
            continue;
        if (before >= 0 && entry->last_time >= before)
            continue;
        int packed = entry->state == PACKED;
        long standing = standing_of(self, entry);
        if (standing == -2)
            goto done;
        if (before >= 0 && (standing < 0 || standing & 1)) {
            if (packed && entry->state == OWN)
                entry_pack(self, entry);
            continue;
        }
        long place = standing < 0 ? -1L : standing >> 1;
        PyObject *a = end_text(self, entry, 0), *b = a == NULL ? NULL : end_text(self, entry, 1);
        int taken = b == NULL ? -1 : alike_taken(&alike, entry, place, a, b);
        PyObject *item = taken == 0 ? drained(self, entry, place, a, b) : NULL;
        Py_XDECREF(a);
        Py_XDECREF(b);
        int failed = taken < 0 || (taken == 0 && (item == NULL || PyList_Append(list, item) < 0));
        Py_XDECREF(item);
        if (failed)
            goto done;
        entry_removed(self, entry);
    }
    PyObject *kinds = alike_told(&alike);
    if (kinds != NULL)
        result = Py_BuildValue("(iOON)", start, list, alike.lines, kinds);
done:
    Py_XDECREF(list);
    alike_ended(&alike);
    return result;
}

PyDoc_STRVAR(firsts_doc,
"firsts(most) -> list\n\nGive away all connections of one packet if there are ``most``, as ``fetch`` says.");

static PyObject *express_firsts(Express *self, PyObject *args)
{
    int most;
    if (!PyArg_ParseTuple(args, "i", &most))
        return NULL;
    PyObject *list = PyList_New(0);
    for (int index = 0; list != NULL && self->waiting >= most && index < self->entry_count; index++) {
        Entry *entry = self->entries[index];
        if (entry == NULL || entry->state != WAITING)
            continue;
        PyObject *told = entry_told(self, entry, 0);
        if (told == NULL || PyList_Append(list, told) < 0 || !set_elsewhere(self, entry->flow)) {
            Py_XDECREF(told);
            Py_DECREF(list);
            return PyErr_Occurred() ? NULL : PyErr_NoMemory();
        }
        Py_DECREF(told);
        most = 0;
        entry_removed(self, entry);
    }
    return list;
}

PyDoc_STRVAR(counts_doc, "counts() -> (waiting, owned, elsewhere)\n\nHow many connections are here, and with Python.");

static PyObject *express_counts(Express *self, PyObject *unused)
{
    (void)unused;
    return Py_BuildValue("(iii)", self->waiting, self->owned, self->elsewhere_count);
}
