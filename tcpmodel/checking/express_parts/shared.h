/* Owns: what the parts of the express lane share: limits, and what is kept of shapes, forms and connections.
 * Must never hold: what is done with them.
 */
#ifndef EXPRESS_SHARED_H
#define EXPRESS_SHARED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef __SIZEOF_INT128__
#error "sums of numbers with factors need 128 bits"
#endif
typedef __int128 wide;

/* Grows with every change of what Python calls here; express.py uses no other. */
#define INTERFACE 3

#define LARGEST ((int64_t)1 << 56)
#define LATEST ((int64_t)1 << 62)
#define QUIET ((int64_t)300 * 1000000000)
#define RECENT 256
#define REMEMBERED 4096
#define SLOTS 20
#define FLOW 36
#define MOST_KEYS 16
#define MOST_FORMS 512
#define MOST_OF_A_FORM 32

enum { NONE, TEST, APART, ALONE, TAKE };
enum { SEQ, ACK, WINDOW, LENGTH, URGENT, OFFSET, IP_PAYLOAD, SOURCE_PORT, DESTINATION_PORT, TTL, IP_VERSION, CHECKSUM,
       IP_ID, PAYLOAD_SUM, CHECKSUM_OK, TSVAL, TSECR, OPTION_OCTETS, SACK_BLOCKS, SACK_HIGH };
/* Packets of one variant have the same fields. */
enum { CUT_TEXT, WITH_TEXT, WITHOUT_TEXT, SACKED = 3, STAMPED = 6, SIX = 12, VARIANTS = 24 };

typedef struct Shape Shape;

typedef struct {
    PyObject *kind, *merged;
    int64_t *code;
    Py_ssize_t length;
    int own, given, targets;
    Shape **target;
} Program;

struct Shape {
    PyObject *known;
    int stale;
    int near[2];
    int places; /* programs that there is room for */
    Program **programs; /* by form and side */
};

typedef struct {
    int flags, variant, keys, sequences, taken, timed;
    int64_t key[MOST_KEYS];
    int sequence[MOST_OF_A_FORM], own[MOST_OF_A_FORM], take[MOST_OF_A_FORM];
} Form;

typedef struct {
    uint8_t flow[FLOW]; /* addresses and ports, the lower first */
    int index, active, low; /* index: among the entries; low: the side whose address and port come first in flow */
    PyObject *connection;
    Shape *shape, *notes;
    int64_t *numbers, *noted;
    int count, room, notes_count, notes_room;
    int64_t packets, latest, last_time;
    int last_flags;
    Py_hash_t source[2];
} Entry;

typedef struct {
    Py_hash_t source;
    int64_t number, time;
    int ip_id, flags, ttl, timed, used;
} Seen;

typedef struct { /* what a packet was remembered under; beside the table, since entries move within it */
    Py_hash_t source;
    int ip_id;
} Remembered;

typedef struct {
    Py_ssize_t at, end;
    int64_t number, time;
} Raw;

typedef struct {
    PyObject_HEAD
    PyObject *form_of, *plan_of, *shapes; /* shapes: known -> index in all */
    Shape **all;
    int shape_count, shape_room;
    Form *forms[MOST_FORMS];
    int form_count;
    int keys[VARIANTS], key_slot[VARIANTS][MOST_KEYS], variant_known[VARIANTS];
    Entry **entries;
    int entry_count, entry_room;
    int32_t *table;
    int table_size;
    uint8_t pending[FLOW];
    int64_t pending_number;
    int pending_swapped;
    int64_t *output, *output_notes;
    int output_room;
    Seen *seen;          /* open addressing, twice as large as needed */
    Remembered *order;
    int order_first, order_count;
    Raw recent[RECENT];
} Express;

#define SEEN_SIZE (REMEMBERED * 4)

static PyObject *s_light, *s_observer, *s_packets, *s_latest, *s_last_time, *s_last_flags, *s_lane, *s_merged;

#endif
