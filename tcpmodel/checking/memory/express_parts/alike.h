/* Owns: connections that are reported like others: the line that is kept of each, and how many there are of a kind.
 * Must never hold: what is said of such connections. The line is that of reports.ConnectionReports.add_like; ends
 * within one host are those of partial.Partial.
 */
#include "owned.h"

typedef struct { /* of connections of one pattern with as many packets: how many, the lowest number, the first packet */
    int64_t pattern, packets, count, number, place;
    PyObject *line; /* of the one with that number */
} Likes;

typedef struct {
    PyObject *told, *known, *lines; /* told: gives the pattern of a kind; known: those that it gave */
    int origin, several, count, room;
    Likes *likes;
    int32_t *table;
    int table_size;
} Alike;

static int alike_begun(Alike *alike, Py_ssize_t most)
{
    alike->table_size = 64;
    while (alike->table_size < 2 * most)
        alike->table_size *= 2;
    alike->table = PyMem_Malloc(alike->table_size * sizeof(int32_t));
    alike->lines = PyList_New(0);
    if (alike->table == NULL || alike->lines == NULL)
        return 0;
    memset(alike->table, 0xFF, alike->table_size * sizeof(int32_t));
    return 1;
}

static void alike_ended(Alike *alike)
{
    while (alike->count > 0)
        Py_DECREF(alike->likes[--alike->count].line);
    PyMem_Free(alike->likes);
    PyMem_Free(alike->table);
    Py_XDECREF(alike->lines);
}

/* Are both ends within one host? */
static int is_local(const Entry *entry)
{
    static const uint8_t loopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    const uint8_t *one = entry->flow, *other = entry->flow + 16, *first = entry->low ? other : one;
    return !memcmp(one, other, 16) || (entry->six ? !memcmp(first, loopback, 16) : first[0] == 127);
}

/* The number of the pattern like which a connection is reported; -1 if there is none, -2 on an error. */
static long pattern_of(Alike *alike, const Entry *entry, long place, PyObject *a, PyObject *b)
{
    if (entry->last_flags < 0 || entry->last_flags > 0xFFFF)
        return -1;
    long long kind = (2 * (long long)place + (entry->packets >= alike->several)) << 16 | entry->last_flags;
    int text = entry->told == NULL ? NOTHING : entry->told->text;
    PyObject *key = PyLong_FromLongLong(kind << 20 | (text + 1)); /* of texts there are no more than of ways */
    if (key == NULL)
        return -2;
    PyObject *found = PyDict_GetItemWithError(alike->known, key);
    if (found == NULL && !PyErr_Occurred()) {
        found = PyObject_CallFunction(alike->told, "LLLiOOli", (long long)entry->begun, (long long)entry->first,
                                      (long long)entry->packets, entry->last_flags, a, b, place, text);
        if (found != NULL) {
            int failed = PyDict_SetItem(alike->known, key, found);
            Py_DECREF(found);
            if (failed < 0)
                found = NULL;
        }
    }
    Py_DECREF(key);
    long number = found == NULL ? -2 : PyLong_AsLong(found);
    return number == -1 && PyErr_Occurred() ? -2 : number;
}

/* Counts a connection, which is the line. */
static int likes_counted(Alike *alike, const Entry *entry, long pattern, PyObject *line)
{
    uint64_t mixed = ((uint64_t)pattern << 32 ^ (uint64_t)entry->packets) * 0x9E3779B97F4A7C15u;
    uint32_t at = (uint32_t)(mixed >> 32) & (uint32_t)(alike->table_size - 1);
    for (; alike->table[at] >= 0; at = (at + 1) & (uint32_t)(alike->table_size - 1)) {
        Likes *likes = &alike->likes[alike->table[at]];
        if (likes->pattern != pattern || likes->packets != entry->packets)
            continue;
        likes->count++;
        if (entry->begun < likes->number) {
            likes->number = entry->begun;
            Py_SETREF(likes->line, Py_NewRef(line));
        }
        if (entry->first < likes->place)
            likes->place = entry->first;
        return 1;
    }
    if (alike->count == alike->room) {
        int room = alike->room ? 2 * alike->room : 64;
        Likes *larger = PyMem_Realloc(alike->likes, room * sizeof(Likes));
        if (larger == NULL)
            return 0;
        alike->likes = larger;
        alike->room = room;
    }
    alike->table[at] = alike->count;
    alike->likes[alike->count++] =
        (Likes){pattern, entry->packets, 1, entry->begun, entry->first, Py_NewRef(line)};
    return 1;
}

/* A line with what is told of the connection: packet, time and numbers. */
static PyObject *line_told(PyObject *line, const Telling *told)
{
    char text[24 * (MOST_TOLD + 2)];
    int size = snprintf(text, sizeof text, " %lld %lld", (long long)told->number, (long long)told->time);
    for (int place = 0; place < told->count; place++)
        size += snprintf(text + size, sizeof text - size, " %lld", (long long)told->numbers[place]);
    return PyUnicode_FromFormat("%U%s", line, text);
}

/* Has a connection among the lines: 1; 0 if it is not like others, -1 on an error. */
static int alike_taken(Alike *alike, const Entry *entry, long place, PyObject *a, PyObject *b)
{
    if (place < 0 || entry->rest != NULL || is_local(entry))
        return 0;
    long pattern = pattern_of(alike, entry, place, a, b);
    if (pattern < 0)
        return pattern == -1 ? 0 : -1;
    PyObject *line = PyUnicode_FromFormat("%ld %lld %lld %d %U %U", pattern, (long long)entry->packets,
                                          (long long)entry->begun, alike->origin, a, b);
    if (line != NULL && entry->told != NULL)
        Py_SETREF(line, line_told(line, entry->told));
    if (line == NULL)
        return -1;
    int done = PyList_Append(alike->lines, line) == 0;
    if (done && !likes_counted(alike, entry, pattern, line)) {
        PyErr_NoMemory();
        done = 0;
    }
    Py_DECREF(line);
    return done ? 1 : -1;
}

/* All kinds of which there were some: (pattern, packets, count, lowest number, its line, first packet). */
static PyObject *alike_told(const Alike *alike)
{
    PyObject *list = PyList_New(alike->count);
    for (int place = 0; list != NULL && place < alike->count; place++) {
        const Likes *likes = &alike->likes[place];
        PyObject *item = Py_BuildValue("(LLLLOL)", (long long)likes->pattern, (long long)likes->packets,
                                       (long long)likes->count, (long long)likes->number, likes->line,
                                       (long long)likes->place);
        if (item == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, place, item);
    }
    return list;
}
