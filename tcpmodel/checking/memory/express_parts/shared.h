/* Owns: what the parts of the express lane share: limits, and what is kept of shapes, forms and connections.
 * Must never hold: what is done with them.
 */
#ifndef EXPRESS_SHARED_H
#define EXPRESS_SHARED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef __SIZEOF_INT128__
#error "sums of numbers with factors need 128 bits"
#endif
typedef __int128 wide;

/* Grows with every change of what Python calls here; express.py uses no other. */
#define INTERFACE 9

#define LARGEST ((int64_t)1 << 56)
#define LATEST ((int64_t)1 << 62)
#define QUIET ((int64_t)300 * 1000000000)
#define RECENT 256
#define REMEMBERED 4096
#define TEXTS 8192 /* places between texts */
#define SLOTS 23
#define FLOW 36
#define MOST_KEYS 16
#define MOST_TOLD 16    /* numbers in the text of a finding */
#define MOST_FORMS 512
#define MOST_OF_A_FORM 32
#define PATIENCE 20000  /* ways tried in vain before a program is made anew */
#define FRAME 128       /* a first packet is kept if it has no more octets */
#define MOST_WAITING (1 << 15)
#define MOST_OWNED (1 << 18)
#define MOST_AWAKE 4096 /* connections that are not packed */

enum { NONE, TEST, APART, ALONE, TAKE };
enum { SEQ, ACK, WINDOW, LENGTH, URGENT, OFFSET, IP_PAYLOAD, SOURCE_PORT, DESTINATION_PORT, TTL, IP_VERSION, CHECKSUM,
       IP_ID, PAYLOAD_SUM, CHECKSUM_OK, TSVAL, TSECR, OPTION_OCTETS, SACK_BLOCKS, SACK_HIGH, MSS, WSCALE, SACKOK };
/* Packets of one variant have the same fields. */
enum { CUT_TEXT, WITH_TEXT, WITHOUT_TEXT, SACKED = 3, STAMPED = 6, SIX = 12, SIZED = 24, SCALED = 48, PERMITTED = 96,
       OPTIONS_CUT = 192, VARIANTS = 384 };
/* What is here of a connection: its first packet, all of it, all of it packed, or what Python lent. */
enum { WAITING, OWN, PACKED, LENT };

typedef struct Shape Shape;

typedef struct Program {
    PyObject *kind, *plan;
    PyObject *words; /* that hold the code */
    const int64_t *code;
    Py_ssize_t length, rest; /* rest: where its second part begins, in which one way after the other is tried */
    int own, given, targets, sorted; /* sorted: so many ways are in the first part */
    int64_t tried; /* so many ways were tried in vain */
    Shape **target;
    uint32_t *taken; /* how often each way was taken */
    int *text;       /* of each way: the text that is told of its packets, NOTHING, or UNKNOWN */
    struct Program **telling; /* which gives the numbers in it */
} Program;

enum { NOTHING = -1, UNKNOWN = -2 };

typedef struct { /* a finding: its text, packet, and the numbers in the text */
    int64_t number, time;
    int text, count;
    int64_t numbers[];
} Telling;

struct Shape {
    PyObject *known;
    int stale;
    int near[2], first[2];
    int number, places, early_places; /* programs that there is room for */
    Program **programs; /* by form and side */
    Program **early; /* the same for notes, where ends have sent nothing yet */
    Program *standing;
};

typedef struct {
    int flags, variant, keys, sequences, taken, timed, opens; /* opens: so many fields matter where it begins a connection */
    int64_t key[MOST_KEYS];
    int sequence[MOST_OF_A_FORM], own[MOST_OF_A_FORM], take[MOST_OF_A_FORM], open[MOST_OF_A_FORM];
} Form;

typedef struct {
    uint8_t flow[FLOW]; /* addresses and ports, the lower first */
    int index, state, six, low; /* index: among the entries; low: the side whose address and port come first in flow */
    PyObject *connection; /* that lent it */
    PyObject *rest;       /* what Python wants back with one that is here alone, or NULL */
    Shape *shape, *notes;
    int64_t *numbers, *noted;
    int count, room, notes_count, notes_room;
    int64_t packets, latest, last_time; /* packets: of one that was lent, those since */
    int last_flags, form;
    Py_hash_t source[2];
    int64_t begun, first; /* its number among all connections, and its first packet */
    uint8_t *kept;        /* the frame of that packet, or the numbers packed */
    Py_ssize_t kept_size;
    int usual; /* the usual numbers that it was packed by */
    Telling *told; /* what is told of it, beside what is in rest, or NULL */
} Entry;

typedef struct { /* how numbers of two shapes follow from one another, as stowed.Kind has it */
    Shape *shape, *notes;
    int own, all;
    int *like;
    int64_t *step;
} Usual;

typedef struct {
    Py_hash_t source;
    int64_t number, time;
    int ip_id, flags, ttl, timed, used;
} Seen;

typedef struct { /* what a packet was remembered under; beside the table, since entries move within it */
    Py_hash_t source;
    int ip_id;
} Remembered;

typedef struct { /* between two texts: before this number */
    Py_hash_t source, destination;
    uint32_t number;
    int ttl;
} Place;

typedef struct { /* the sum of a run of texts up to that place; run: 0 if there is nothing */
    Place key;
    int64_t run, since;
    uint32_t sum;
} Text;

typedef struct {
    int64_t at, end, number, time;
} Raw;

typedef struct {
    PyObject_HEAD
    PyObject *form_of, *plan_of, *shapes; /* shapes: known -> index in all */
    Shape **all;
    int shape_count, shape_room;
    Form *forms[MOST_FORMS];
    int form_count;
    int keys[VARIANTS], key_slot[VARIANTS][MOST_KEYS], variant_known[VARIANTS];
    Entry **entries; /* some NULL: those are vacant */
    int entry_count, entry_room, *vacant, vacant_count;
    int waiting, owned, *awake, awake_count, most_awake;
    int32_t *table;
    int table_size, table_count;
    uint64_t *elsewhere; /* of the connections that Python has: marks of their addresses, open addressing */
    int elsewhere_size, elsewhere_count;
    int64_t begun; /* the number of the latest connection */
    PyObject *fresh_of, *name_of, *standing_of, *used;
    Shape *fresh, *fresh_notes;
    int64_t *fresh_numbers, *fresh_noted;
    int fresh_count, fresh_room, fresh_notes_count, fresh_notes_room;
    Usual *usual;
    int usual_count, usual_room;
    int32_t *usual_table;
    int usual_table_size;
    uint8_t pending[FLOW];
    int64_t pending_number;
    int pending_swapped, pending_six;
    int64_t *output, *output_notes;
    int output_room;
    Seen *seen;          /* open addressing, twice as large as needed */
    Remembered *order;
    int order_first, order_count;
    Text *texts; /* open addressing */
    Place *text_order;
    int text_first, text_count;
    int64_t text_runs;
    Raw recent[RECENT];
} Express;

#define SEEN_SIZE (REMEMBERED * 4)
#define TEXTS_SIZE (TEXTS * 2)

static PyObject *s_light, *s_observer, *s_packets, *s_latest, *s_last_time, *s_last_flags, *s_lane, *s_plan;

#endif
