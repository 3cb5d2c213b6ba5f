/* Owns: the sums of text up to the last places between texts, as texts.Texts has them.
 * Must never hold: what follows from other text under the same numbers.
 */
#include "shared.h"

static uint32_t text_home(const Place *key)
{
    uint64_t mixed = (uint64_t)key->source * 0x9E3779B97F4A7C15u ^ (uint64_t)key->destination;
    mixed = (mixed ^ ((uint64_t)key->number << 8 | (uint64_t)(key->ttl & 255))) * 0xD6E8FEB86659FD93u;
    return (uint32_t)(mixed >> 32) & (TEXTS_SIZE - 1);
}

static int text_same(const Place *one, const Place *other)
{
    return one->number == other->number && one->source == other->source && one->destination == other->destination &&
           one->ttl == other->ttl;
}

static Text *text_find(Express *self, const Place *key)
{
    uint32_t place = text_home(key);
    while (self->texts[place].run) {
        if (text_same(&self->texts[place].key, key))
            return &self->texts[place];
        place = (place + 1) & (TEXTS_SIZE - 1);
    }
    return NULL;
}

static void text_drop(Express *self, const Place *key)
{
    Text *found = text_find(self, key);
    if (found == NULL)
        return;
    uint32_t hole = (uint32_t)(found - self->texts), next = hole;
    for (;;) { /* move back what would not be found behind the hole */
        next = (next + 1) & (TEXTS_SIZE - 1);
        if (!self->texts[next].run)
            break;
        uint32_t home = text_home(&self->texts[next].key);
        if (((next - home) & (TEXTS_SIZE - 1)) >= ((next - hole) & (TEXTS_SIZE - 1))) {
            self->texts[hole] = self->texts[next];
            hole = next;
        }
    }
    self->texts[hole].run = 0;
}

static void text_put(Express *self, const Place *key, int64_t run, int64_t since, uint32_t sum)
{
    Text *found = text_find(self, key);
    if (found == NULL) {
        if (self->text_count == TEXTS) {
            Place oldest = self->text_order[self->text_first];
            self->text_first = (self->text_first + 1) % TEXTS;
            self->text_count--;
            text_drop(self, &oldest);
        }
        self->text_order[(self->text_first + self->text_count) % TEXTS] = *key;
        self->text_count++;
        uint32_t place = text_home(key);
        while (self->texts[place].run)
            place = (place + 1) & (TEXTS_SIZE - 1);
        found = &self->texts[place];
    }
    *found = (Text){*key, run, since, sum};
}

/* Whether the same numbers bore other text; ``since`` is then the time when that run of texts began. With ``keep`` the
 * text is remembered. */
static int text_told(Express *self, Place first, int64_t length, uint32_t sum, int64_t time, int keep, int64_t *since)
{
    Place behind = first;
    behind.number = (uint32_t)(first.number + length);
    sum = (first.number & 1 ? sum << 8 : sum) % 0xFFFF;
    const Text *one = text_find(self, &first), *other = text_find(self, &behind);
    int found = one != NULL && other != NULL && one->run == other->run && (one->sum + sum) % 0xFFFF != other->sum;
    if (found)
        *since = one->since;
    if (found || !keep)
        return found;
    if (one != NULL)
        text_put(self, &behind, one->run, one->since, (one->sum + sum) % 0xFFFF);
    else if (other != NULL)
        text_put(self, &first, other->run, other->since, (other->sum + 0xFFFF - sum) % 0xFFFF);
    else {
        self->text_runs++;
        text_put(self, &first, self->text_runs, time, 0);
        text_put(self, &behind, self->text_runs, time, sum);
    }
    return 0;
}

PyDoc_STRVAR(text_doc,
"text(source, destination, ttl, number, length, sum, time) -> int | None\n\n"
"Remember a text; the time when the run of texts began in which its numbers bore another one.");

static PyObject *express_text(Express *self, PyObject *args)
{
    PyObject *source, *destination;
    unsigned int number, sum;
    int ttl;
    long long length, time;
    if (!PyArg_ParseTuple(args, "OOiILIL", &source, &destination, &ttl, &number, &length, &sum, &time))
        return NULL;
    Place first = {PyObject_Hash(source), PyObject_Hash(destination), number, ttl};
    if (PyErr_Occurred())
        return NULL;
    int64_t since;
    if (text_told(self, first, length, sum, time, 1, &since))
        return PyLong_FromLongLong(since);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(place_doc,
"place(source, destination, ttl, number, run, since, sum) -> None\n\n"
"Remember a place between texts: the run of texts, the time when it began, and its sum up to there.");

static PyObject *express_place(Express *self, PyObject *args)
{
    PyObject *source, *destination;
    unsigned int number, sum;
    int ttl;
    long long run, since;
    if (!PyArg_ParseTuple(args, "OOiILLI", &source, &destination, &ttl, &number, &run, &since, &sum))
        return NULL;
    Place key = {PyObject_Hash(source), PyObject_Hash(destination), number, ttl};
    if (PyErr_Occurred())
        return NULL;
    text_put(self, &key, run, since, sum);
    if (self->text_runs < run)
        self->text_runs = run;
    Py_RETURN_NONE;
}
