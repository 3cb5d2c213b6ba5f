/* Owns: keeping connections that are quiet in little room: only those numbers of each that do not follow from others as
 * they usually do (stowed.py says how).
 * Must never hold: when a connection is over, or what its numbers are.
 */
#include "taking.h"

#define MOST_USUAL 8192

static Usual *usual_find(const Express *self, const Entry *entry, uint32_t *place)
{
    uint64_t mixed = (uint64_t)entry->shape->number << 32 | (uint32_t)entry->notes->number;
    *place = (uint32_t)((mixed * 0x9E3779B97F4A7C15u) >> 32) & (uint32_t)(self->usual_table_size - 1);
    for (; self->usual_table[*place] >= 0; *place = (*place + 1) & (uint32_t)(self->usual_table_size - 1)) {
        Usual *usual = &self->usual[self->usual_table[*place]];
        if (usual->shape == entry->shape && usual->notes == entry->notes)
            return usual;
    }
    return NULL;
}

/* How each number follows from one before it, or from the 0 behind all of them, learned of one connection. */
static int usual_learned(Usual *usual, const Entry *entry)
{
    int all = entry->count + entry->notes_count;
    *usual = (Usual){entry->shape, entry->notes, entry->count, all, NULL, NULL};
    usual->like = PyMem_Malloc((all + 1) * sizeof(int));
    usual->step = PyMem_Malloc((all + 1) * sizeof(int64_t));
    if (usual->like == NULL || usual->step == NULL) {
        PyMem_Free(usual->like);
        PyMem_Free(usual->step);
        return 0;
    }
    for (int place = 0; place < all; place++) {
        int64_t worth = place < entry->count ? entry->numbers[place] : entry->noted[place - entry->count];
        int64_t best = worth < 0 ? -worth : worth;
        usual->like[place] = -1;
        usual->step[place] = worth;
        for (int other = 0; other < place && best; other++) {
            int64_t near = other < entry->count ? entry->numbers[other] : entry->noted[other - entry->count];
            int64_t apart = worth - near;
            if ((apart < 0 ? -apart : apart) < best) {
                best = apart < 0 ? -apart : apart;
                usual->like[place] = other;
                usual->step[place] = apart;
            }
        }
    }
    return 1;
}

/* The index of what is usual for the shapes of a connection; -1 if there is no room for it. */
static int usual_of(Express *self, const Entry *entry)
{
    uint32_t place;
    if (2 * (self->usual_count + 1) > self->usual_table_size) {
        int size = self->usual_table_size ? 2 * self->usual_table_size : 1024;
        int32_t *table = PyMem_Malloc(size * sizeof(int32_t));
        if (table == NULL)
            return -1;
        PyMem_Free(self->usual_table);
        self->usual_table = table;
        self->usual_table_size = size;
        memset(table, 0xFF, size * sizeof(int32_t));
        for (int index = 0; index < self->usual_count; index++) {
            Entry like = {.shape = self->usual[index].shape, .notes = self->usual[index].notes};
            usual_find(self, &like, &place);
            table[place] = index;
        }
    }
    Usual *found = usual_find(self, entry, &place);
    if (found != NULL)
        return found->own == entry->count && found->all == entry->count + entry->notes_count
                   ? (int)(found - self->usual)
                   : -1;
    if (self->usual_count == MOST_USUAL)
        return -1;
    if (self->usual_count == self->usual_room) {
        int room = self->usual_room ? 2 * self->usual_room : 256;
        Usual *usual = PyMem_Realloc(self->usual, room * sizeof(Usual));
        if (usual == NULL)
            return -1;
        self->usual = usual;
        self->usual_room = room;
    }
    if (!usual_learned(&self->usual[self->usual_count], entry))
        return -1;
    self->usual_table[place] = self->usual_count;
    return self->usual_count++;
}

/* Packed: two counts of 16 bits, the places and steps (64 bits) of so many numbers, and those of so many (16 bits). */
enum { LONG = 10, SHORT = 4 };

/* Packs the numbers of a connection, if that is possible. */
static void entry_pack(Express *self, Entry *entry)
{
    if (entry->count + entry->notes_count > UINT16_MAX)
        return;
    int index = usual_of(self, entry);
    if (index < 0)
        return;
    const Usual *usual = &self->usual[index];
    uint16_t counts[2] = {0, 0};
    for (int turn = 0; turn < 2; turn++) {
        uint8_t *longs = NULL, *shorts = NULL;
        if (turn) {
            entry->kept_size = 4 + LONG * (Py_ssize_t)counts[0] + SHORT * (Py_ssize_t)counts[1];
            entry->kept = PyMem_Malloc(entry->kept_size);
            if (entry->kept == NULL)
                return;
            memcpy(entry->kept, counts, 4);
            longs = entry->kept + 4;
            shorts = longs + LONG * (Py_ssize_t)counts[0];
        }
        for (int place = 0; place < usual->all; place++) {
            int like = usual->like[place];
            int64_t worth = place < usual->own ? entry->numbers[place] : entry->noted[place - usual->own];
            int64_t near = like < 0 ? 0 : like < usual->own ? entry->numbers[like] : entry->noted[like - usual->own];
            int64_t odd = worth - near - usual->step[place];
            if (!odd)
                continue;
            uint16_t at = (uint16_t)place;
            int16_t few = (int16_t)odd;
            if (!turn)
                counts[few == odd]++;
            else if (few == odd) {
                memcpy(shorts, &at, 2);
                memcpy(shorts + 2, &few, 2);
                shorts += SHORT;
            }
            else {
                memcpy(longs, &at, 2);
                memcpy(longs + 2, &odd, 8);
                longs += LONG;
            }
        }
    }
    PyMem_Free(entry->numbers);
    PyMem_Free(entry->noted);
    entry->numbers = entry->noted = NULL;
    entry->room = entry->notes_room = 0;
    entry->usual = index;
    entry->state = PACKED;
}

static int by_worth(const void *one, const void *other)
{
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a > b) - (a < b);
}

/* Has a connection among those that are not packed; if there are many, those that were quiet longest are packed. */
static int set_awake(Express *self, Entry *entry)
{
    if (self->awake == NULL && (self->awake = PyMem_Malloc(MOST_AWAKE * sizeof(int))) == NULL)
        return 0;
    if (self->awake_count >= self->most_awake) {
        static int64_t latest[MOST_AWAKE];
        int count = 0, left = 0;
        for (int place = 0; place < self->awake_count; place++) {
            const Entry *one = self->entries[self->awake[place]];
            if (one != NULL && one->state == OWN)
                latest[count++] = one->latest;
        }
        qsort(latest, count, sizeof(int64_t), by_worth);
        int64_t limit = count ? latest[3 * count / 4] : 0;
        for (int place = 0; place < self->awake_count; place++) {
            Entry *one = self->entries[self->awake[place]];
            if (one == NULL || one->state != OWN || one == entry)
                continue;
            if (one->latest > limit)
                self->awake[left++] = one->index;
            else
                entry_pack(self, one);
        }
        self->awake_count = left;
    }
    if (self->awake_count < self->most_awake)
        self->awake[self->awake_count++] = entry->index;
    return 1;
}

/* Makes the numbers of a connection that is packed again; 0 without memory. */
static int entry_unpack(Express *self, Entry *entry)
{
    const Usual *usual = &self->usual[entry->usual];
    int own = usual->own, rest = usual->all - own;
    if (!room_for(&entry->numbers, &entry->room, own) || !room_for(&entry->noted, &entry->notes_room, rest))
        return 0;
    uint16_t counts[2], at;
    memcpy(counts, entry->kept, 4);
    const uint8_t *longs = entry->kept + 4, *shorts = longs + LONG * (Py_ssize_t)counts[0];
    for (int place = 0; place < usual->all; place++) {
        int like = usual->like[place];
        int64_t worth = usual->step[place];
        if (like >= 0)
            worth += like < own ? entry->numbers[like] : entry->noted[like - own];
        if (counts[0] && (memcpy(&at, longs, 2), at == place)) {
            int64_t odd;
            memcpy(&odd, longs + 2, 8);
            worth += odd;
            longs += LONG;
            counts[0]--;
        }
        else if (counts[1] && (memcpy(&at, shorts, 2), at == place)) {
            int16_t odd;
            memcpy(&odd, shorts + 2, 2);
            worth += odd;
            shorts += SHORT;
            counts[1]--;
        }
        *(place < own ? &entry->numbers[place] : &entry->noted[place - own]) = worth;
    }
    PyMem_Free(entry->kept);
    entry->kept = NULL;
    entry->kept_size = 0;
    entry->count = own;
    entry->notes_count = rest;
    entry->state = OWN;
    return 1;
}
