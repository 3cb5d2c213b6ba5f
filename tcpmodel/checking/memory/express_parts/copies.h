/* Owns: which packets were seen lately, by their sender and identification, as doubles.Doubles has them.
 * Must never hold: what follows from a copy.
 */
#include "shared.h"

static uint32_t seen_place(Py_hash_t source, int ip_id)
{
    uint64_t mixed = ((uint64_t)source ^ ((uint64_t)ip_id * 0x9E3779B97F4A7C15u)) * 0xD6E8FEB86659FD93u;
    return (uint32_t)(mixed >> 32) & (SEEN_SIZE - 1);
}

static Seen *seen_find(Express *self, Py_hash_t source, int ip_id)
{
    uint32_t place = seen_place(source, ip_id);
    while (self->seen[place].used) {
        if (self->seen[place].source == source && self->seen[place].ip_id == ip_id)
            return &self->seen[place];
        place = (place + 1) & (SEEN_SIZE - 1);
    }
    return NULL;
}

static void seen_drop(Express *self, Py_hash_t source, int ip_id)
{
    Seen *found = seen_find(self, source, ip_id);
    if (found == NULL)
        return;
    uint32_t hole = (uint32_t)(found - self->seen), next = hole;
    for (;;) { /* move back what would not be found behind the hole */
        next = (next + 1) & (SEEN_SIZE - 1);
        if (!self->seen[next].used)
            break;
        uint32_t home = seen_place(self->seen[next].source, self->seen[next].ip_id);
        if (((next - home) & (SEEN_SIZE - 1)) >= ((next - hole) & (SEEN_SIZE - 1))) {
            self->seen[hole] = self->seen[next];
            hole = next;
        }
    }
    self->seen[hole].used = 0;
}

static void seen_put(Express *self, Py_hash_t source, int ip_id, int64_t number, int flags, int ttl, int64_t time,
                     int timed)
{
    if (self->order_count == REMEMBERED) {
        Remembered oldest = self->order[self->order_first];
        self->order_first = (self->order_first + 1) % REMEMBERED;
        self->order_count--;
        seen_drop(self, oldest.source, oldest.ip_id);
    }
    self->order[(self->order_first + self->order_count) % REMEMBERED] = (Remembered){source, ip_id};
    self->order_count++;
    uint32_t place = seen_place(source, ip_id);
    while (self->seen[place].used)
        place = (place + 1) & (SEEN_SIZE - 1);
    self->seen[place] = (Seen){source, number, time, ip_id, flags, ttl, timed, 1};
}
