/* Owns: taking a packet for a connection: its numbers, what was learned of such packets, and what comes of it.
 * Must never hold: how a packet is read, or where connections are kept.
 */
#include "connections.h"

/* A number of 32 bits, next to one of the same numbering. */
static int64_t near_to(int64_t number, int64_t near)
{
    int64_t apart = (int64_t)(((uint64_t)number - (uint64_t)near + 0x80000000u) & 0xFFFFFFFFu) - 0x80000000;
    return near + apart;
}

/* A number of a connection as it is after a packet. */
static int64_t number_after(const Program *program, Py_ssize_t at, const int64_t *numbers, const int64_t *output,
                            int place)
{
    const int64_t *here = program->code + at + 4;
    for (int64_t left = program->code[at + 3]; left > 0; left--) {
        if (here[0] == place)
            return *output;
        output++;
        here += 3 + 2 * here[2];
    }
    return numbers[place];
}

/* What is told of a packet, of which ``given`` numbers stand behind those of the notes, with room for two more: 1 and
 * ``told``, 0 if Python has to tell it, -1 without memory. ``firsts``: the first numbers of both ends. */
static int told_of(const Entry *entry, const Program *judged, int64_t way, const int64_t *firsts, int given,
                   int64_t number, int64_t time, Telling **told)
{
    Program *telling = judged->telling[way];
    int from = entry->notes_count + given;
    if (telling == NULL || telling->given != from + 2 || telling->own || entry->told != NULL || entry->rest != NULL ||
        entry->state != OWN)
        return 0;
    entry->noted[from] = firsts[0];
    entry->noted[from + 1] = firsts[1];
    Py_ssize_t at = program_run(telling, entry->noted);
    if (!at || telling->code[at + 3] > MOST_TOLD || telling->code[at + 3] != telling->code[at + 2])
        return 0;
    int count = (int)telling->code[at + 3];
    Telling *made = PyMem_Malloc(sizeof(Telling) + count * sizeof(int64_t));
    if (made == NULL)
        return -1;
    *made = (Telling){number, time, judged->text[way], count};
    if (!results(telling, at, entry->noted, made->numbers)) {
        PyMem_Free(made);
        return 0;
    }
    *told = made;
    return 1;
}

/* Takes the packet if all of it is known: 1; 0 if Python has to, -1 on an error of Python. */
static int take(Express *self, Entry *entry, int side, int form_index, const int64_t *fields, int flags,
                int64_t number, int64_t time)
{
    const Form *form = self->forms[form_index];
    Shape *shape = entry->shape, *notes = entry->notes;
    if (shape->stale || time > LATEST)
        return 0;
    int own_near = shape->near[side], other_near = shape->near[1 - side];
    int judging = 1 + (own_near < 0 ? 2 : 0) + (other_near < 0 ? 4 : 0);
    int given = form->sequences + form->taken, inputs = given + form->timed + (own_near >= 0) + (other_near >= 0);
    for (int tries = 0; tries < 2; tries++) {
        Program *program, *judged;
        if (program_of(self, shape, form_index, side, 0, &program) < 0)
            return -1;
        if (program == NULL)
            return 0;
        if (program_of(self, notes, form_index, side, judging, &judged) < 0)
            return -1;
        if (judged == NULL)
            return 0;
        if (program->own != entry->count || program->given != given || judged->own != entry->notes_count ||
            judged->given != inputs || own_near >= entry->count || other_near >= entry->count)
            return 0;
        if (!room_for(&entry->numbers, &entry->room, (int64_t)entry->count + given) ||
            !room_for(&entry->noted, &entry->notes_room, (int64_t)entry->notes_count + inputs + 2)) {
            PyErr_NoMemory();
            return -1;
        }
        int64_t *numbers = entry->numbers, *noted = entry->noted;
        int64_t mine = own_near < 0 ? 0 : numbers[own_near], theirs = other_near < 0 ? 0 : numbers[other_near];
        int64_t *input = numbers + entry->count;
        for (int place = 0; place < form->sequences; place++) {
            int64_t found = fields[form->sequence[place]];
            if (form->own[place])
                *input++ = own_near < 0 ? found : near_to(found, mine);
            else
                *input++ = other_near < 0 ? found : near_to(found, theirs);
        }
        for (int place = 0; place < form->taken; place++)
            *input++ = fields[form->take[place]];
        memcpy(noted + entry->notes_count, numbers + entry->count, given * sizeof(int64_t));
        input = noted + entry->notes_count + given;
        if (form->timed)
            *input++ = time / 1000;
        if (own_near >= 0)
            *input++ = mine;
        if (other_near >= 0)
            *input = theirs;
        Py_ssize_t at = program_run(program, numbers), judged_at = at ? program_run(judged, noted) : 0;
        if (!at || !judged_at) {
            int renewed = program_renewed(self, at ? program_place(notes, form_index, side, judging)
                                             : program_place(shape, form_index, side, 0));
            if (renewed <= 0)
                return renewed;
            continue;
        }
        Shape *target = program->target[program->code[at + 1]];
        Shape *notes_target = judged->target[judged->code[judged_at + 1]];
        if (target->stale) {
            *program_place(shape, form_index, side, 0) = NULL;
            int failed = program_count(self, program, 0);
            program_free(program);
            if (failed < 0)
                return -1;
            if (tries)
                return 0;
            continue;
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
        int64_t way = judged->code[judged_at + 1];
        Telling *told = NULL;
        if (judged->text != NULL && judged->text[way] != NOTHING) {
            if (target->first[0] < 0 || target->first[1] < 0 || target->first[0] >= program->code[at + 2] ||
                target->first[1] >= program->code[at + 2] || target->first[0] >= program->own ||
                target->first[1] >= program->own)
                return 0;
            int64_t firsts[2];
            for (int end = 0; end < 2; end++)
                firsts[end] = number_after(program, at, numbers, self->output, target->first[end]);
            int known = told_of(entry, judged, way, firsts, inputs, number, time, &told);
            if (known <= 0) {
                if (known < 0)
                    PyErr_NoMemory();
                return known;
            }
        }
        if (!room_for(&entry->numbers, &entry->room, program->code[at + 2]) ||
            !room_for(&entry->noted, &entry->notes_room, judged->code[judged_at + 2])) {
            PyMem_Free(told);
            PyErr_NoMemory();
            return -1;
        }
        if (told != NULL)
            entry->told = told;
        entry->count = settle(program, at, entry->numbers, self->output);
        entry->notes_count = settle(judged, judged_at, entry->noted, self->output_notes);
        entry->shape = target;
        entry->notes = notes_target;
        entry->packets++;
        entry->latest = number;
        entry->last_time = time;
        entry->last_flags = flags;
        if (program_taken(self, program_place(shape, form_index, side, 0), at) < 0 ||
            program_taken(self, program_place(notes, form_index, side, judging), judged_at) < 0)
            return -1;
        return 1;
    }
    return 0;
}
