/* Owns: plans as plans.py writes them: taking them over, making sure that they are sound, and running them.
 * Must never hold: what a number stands for.
 */
#include "shared.h"

static void program_free(Program *program)
{
    if (program == NULL)
        return;
    Py_XDECREF(program->kind);
    Py_XDECREF(program->plan);
    Py_XDECREF(program->words);
    for (int number = 0; program->telling != NULL && number < program->targets; number++)
        program_free(program->telling[number]);
    PyMem_Free(program->telling);
    PyMem_Free(program->text);
    PyMem_Free(program->target);
    PyMem_Free(program->taken);
    PyMem_Free(program);
}

static void shape_free(Shape *shape)
{
    for (int place = 0; place < shape->places; place++)
        program_free(shape->programs[place]);
    for (int place = 0; place < shape->early_places; place++)
        program_free(shape->early[place]);
    program_free(shape->standing);
    PyMem_Free(shape->programs);
    PyMem_Free(shape->early);
    Py_XDECREF(shape->known);
    PyMem_Free(shape);
}

/* The places of two numbers, one of each end, as far as there are any; notes have none. -1 on an error. */
static int places_in(PyObject *known, const char *name, int *places)
{
    PyObject *two = PyObject_GetAttrString(known, name);
    if (two == NULL) {
        PyErr_Clear();
        return 0;
    }
    for (Py_ssize_t side = 0; side < 2; side++) {
        PyObject *place = PySequence_GetItem(two, side);
        if (place != NULL && PyLong_Check(place))
            places[side] = (int)PyLong_AsLong(place);
        Py_XDECREF(place);
    }
    Py_DECREF(two);
    return PyErr_Occurred() ? -1 : 0;
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
    made->near[0] = made->near[1] = made->first[0] = made->first[1] = -1;
    if (places_in(known, "near", made->near) < 0 || places_in(known, "first", made->first) < 0) {
        PyMem_Free(made);
        return NULL;
    }
    index = PyLong_FromLong(self->shape_count);
    if (index == NULL || PyDict_SetItem(self->shapes, known, index) < 0) {
        Py_XDECREF(index);
        PyMem_Free(made);
        return NULL;
    }
    Py_DECREF(index);
    made->known = Py_NewRef(known);
    made->number = self->shape_count;
    self->all[self->shape_count++] = made;
    return made;
}

/* Does every step of a program stay within the numbers that there are, and does every jump lead forwards? */
static int program_sound(const Program *program)
{
    const int64_t *code = program->code;
    Py_ssize_t length = program->length, at = 0;
    int rest = !program->rest;
    int64_t most = program->own + program->given;
    while (at < length) {
        Py_ssize_t end;
        rest = rest || at == program->rest;
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
        case TAKE: /* target, how many numbers after it, how many results, results */
            if (at + 4 > length || code[at + 1] < 0 || code[at + 1] >= program->targets || code[at + 2] < 0)
                return 0;
            if (code[at + 2] > 100000 || code[at + 3] < 0 || code[at + 3] > length)
                return 0;
            end = at + 4;
            for (int64_t result = 0; result < code[at + 3]; result++) {
                if (end + 3 > length || code[end] < 0 || code[end] >= code[at + 2] || code[end + 2] < 0)
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
    return at == length && length > 0 && code[length - 1] == NONE && rest;
}

static Program *program_made(Express *self, PyObject *plan, int shapes);

/* What is told of packets of each way: None, False if that is not known, or the text and the plan of its numbers. */
static int tellings_made(Express *self, Program *program, PyObject *told)
{
    if (!PyTuple_Check(told) || PyTuple_GET_SIZE(told) != program->targets) {
        PyErr_SetString(PyExc_ValueError, "each way is told or not");
        return 0;
    }
    program->text = PyMem_Calloc(program->targets ? program->targets : 1, sizeof(int));
    program->telling = PyMem_Calloc(program->targets ? program->targets : 1, sizeof(Program *));
    if (program->text == NULL || program->telling == NULL) {
        PyErr_NoMemory();
        return 0;
    }
    for (int number = 0; number < program->targets; number++) {
        PyObject *one = PyTuple_GET_ITEM(told, number), *plan;
        program->text[number] = one == Py_None ? NOTHING : UNKNOWN;
        if (!PyTuple_Check(one))
            continue;
        if (!PyArg_ParseTuple(one, "iO!", &program->text[number], &PyTuple_Type, &plan))
            return 0;
        program->telling[number] = program_made(self, plan, 0);
        if (program->telling[number] == NULL)
            return 0;
    }
    return 1;
}

/* A program out of what Python says of it; NULL on an error. ``shapes``: its targets are shapes. */
static Program *program_made(Express *self, PyObject *plan, int shapes)
{
    PyObject *kind, *origin, *words, *targets, *told = Py_None;
    Py_ssize_t rest;
    int sorted, own, given;
    if (!PyArg_ParseTuple(plan, "OOSniiiO!|O", &kind, &origin, &words, &rest, &sorted, &own, &given, &PyTuple_Type,
                          &targets, &told))
        return NULL;
    Program *made = PyMem_Calloc(1, sizeof(Program));
    if (made == NULL)
        goto memory;
    made->kind = Py_NewRef(kind);
    made->plan = Py_NewRef(origin);
    made->words = Py_NewRef(words);
    made->rest = rest;
    made->sorted = sorted;
    made->own = own;
    made->given = given;
    made->code = (const int64_t *)PyBytes_AS_STRING(words);
    made->length = PyBytes_GET_SIZE(words) / (Py_ssize_t)sizeof(int64_t);
    made->targets = (int)PyTuple_GET_SIZE(targets);
    made->target = PyMem_Calloc(made->targets ? made->targets : 1, sizeof(Shape *));
    made->taken = PyMem_Calloc(made->targets ? made->targets : 1, sizeof(uint32_t));
    if (made->target == NULL || made->taken == NULL)
        goto memory;
    for (int number = 0; shapes && number < made->targets; number++) {
        made->target[number] = shape_of(self, PyTuple_GET_ITEM(targets, number));
        if (made->target[number] == NULL) {
            program_free(made);
            return NULL;
        }
    }
    if (!program_sound(made)) {
        program_free(made);
        PyErr_SetString(PyExc_ValueError, "a plan that cannot be run");
        return NULL;
    }
    if (told != Py_None && !tellings_made(self, made, told)) {
        program_free(made);
        return NULL;
    }
    return made;
memory:
    program_free(made);
    PyErr_NoMemory();
    return NULL;
}

/* Where the program of packets of one form and side is, or NULL if there is none yet. ``notes``: 0, or 1 and more if
 * it is that of notes: 2 more if the sender, 4 more if the receiver has sent nothing yet. */
static Program **program_place(Shape *shape, int form, int side, int notes)
{
    if (notes > 1) {
        int place = (2 * form + side) * 3 + (notes >> 1) - 1;
        return place < shape->early_places ? &shape->early[place] : NULL;
    }
    int place = 2 * form + side;
    return place < shape->places ? &shape->programs[place] : NULL;
}

static int program_room(Program ***programs, int *places, int wanted)
{
    Program **larger = PyMem_Realloc(*programs, wanted * sizeof(Program *));
    if (larger == NULL)
        return 0;
    memset(larger + *places, 0, (wanted - *places) * sizeof(Program *));
    *programs = larger;
    *places = wanted;
    return 1;
}

/* That program, or NULL if there is none yet; -1 on an error of Python. */
static int program_of(Express *self, Shape *shape, int form, int side, int notes, Program **result)
{
    Program **place = program_place(shape, form, side, notes);
    *result = NULL;
    if (place != NULL && *place != NULL) {
        *result = *place;
        return 0;
    }
    PyObject *plan = PyObject_CallFunction(self->plan_of, "Oiii", shape->known, form, side, notes);
    if (plan == NULL)
        return -1;
    Program *made = plan == Py_None ? NULL : program_made(self, plan, 1);
    int failed = made == NULL && plan != Py_None;
    Py_DECREF(plan);
    if (made == NULL)
        return failed ? -1 : 0;
    if (place == NULL && !(notes > 1 ? program_room(&shape->early, &shape->early_places, 6 * (form + 8))
                                     : program_room(&shape->programs, &shape->places, 2 * (form + 8)))) {
        program_free(made);
        PyErr_NoMemory();
        return -1;
    }
    *result = *program_place(shape, form, side, notes) = made;
    return 0;
}

/* Has Python count how often each way was taken, and learn whether most of them should be found sooner; -1 on an
 * error. */
static int program_count(Express *self, Program *program, int slow)
{
    int any = slow;
    for (int number = 0; number < program->targets && !any; number++)
        any = program->taken[number] != 0;
    if (!any)
        return 0;
    PyObject *counts = PyList_New(program->targets);
    for (int number = 0; counts != NULL && number < program->targets; number++) {
        PyObject *count = PyLong_FromUnsignedLong(program->taken[number]);
        if (count == NULL)
            Py_CLEAR(counts);
        else
            PyList_SET_ITEM(counts, number, count);
        program->taken[number] = 0;
    }
    if (counts == NULL)
        return -1;
    program->tried = 0;
    PyObject *done = PyObject_CallFunction(self->used, "OONi", program->kind, program->plan, counts, slow);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Was the plan of these packets made anew since? Then the old program goes. */
static int program_renewed(Express *self, Program **place)
{
    Program *program = *place;
    PyObject *plan = PyObject_GetAttr(program->kind, s_plan);
    if (plan == NULL)
        return -1;
    int renewed = plan != program->plan;
    Py_DECREF(plan);
    if (renewed) {
        *place = NULL;
        int failed = program_count(self, program, 0);
        program_free(program);
        if (failed < 0)
            return -1;
    }
    return renewed;
}

/* Notes that the way at this place was taken; -1 on an error. A program that is slow goes if there is a faster one. */
static int program_taken(Express *self, Program **place, Py_ssize_t at)
{
    Program *program = *place;
    int64_t way = program->code[at + 1];
    program->taken[way]++;
    if (way < program->sorted || (program->tried += way - program->sorted) < PATIENCE)
        return 0;
    return program_count(self, program, 1) < 0 || program_renewed(self, place) < 0 ? -1 : 0;
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
            if (at >= program->rest)
                return 0;
            at = program->rest;
        }
    }
}

/* The results at that place of a program, in the order of their places, into ``output``; 0 if one is too large. */
static int results(const Program *program, Py_ssize_t at, const int64_t *numbers, int64_t *output)
{
    const int64_t *here = program->code + at + 4;
    for (int64_t left = program->code[at + 3]; left > 0; left--) {
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
    const int64_t *here = program->code + at + 4;
    for (int64_t left = program->code[at + 3]; left > 0; left--) {
        numbers[here[0]] = *output++;
        here += 3 + 2 * here[2];
    }
    return (int)program->code[at + 2];
}
