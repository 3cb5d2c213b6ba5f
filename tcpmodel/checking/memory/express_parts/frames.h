/* Owns: records of pcap and blocks of pcapng, and the fields of the commonest segments in Ethernet frames, as
 * transport.tcp has them.
 * Must never hold: what a field means to the protocol.
 */
#include "shared.h"

static uint32_t big32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t big16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t little32(const uint8_t *at)
{
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

/* The sum of 16-bit words, not folded; an odd octet at the end is the high half of a word. */
static uint64_t words(const uint8_t *at, Py_ssize_t length)
{
    uint64_t sum = 0;
    for (; length > 1; length -= 2, at += 2)
        sum += big16(at);
    return length ? sum + ((uint64_t)at[0] << 8) : sum;
}

typedef struct {
    const uint8_t *source, *destination, *tcp; /* addresses and header */
    int octets;                                /* of an address */
    Py_ssize_t payload, there;                 /* octets that IP carried, and how many of them were captured */
    int ttl, ip_id, padded;
} Found;

/* May the packet be damaged? It is longer than its frame was, and the checksum of its header does not fit. */
static int spoiled(const uint8_t *frame, int64_t original, const Found *found)
{
    return found->octets == 4 && found->payload + 34 > original && words(frame + 14, 20) % 0xFFFF;
}

/* The segment in an Ethernet frame; 0 if there is none, or it is not plainly there. */
static int segment(const uint8_t *frame, Py_ssize_t size, Found *found)
{
    if (size < 54)
        return 0;
    const uint8_t *ip = frame + 14;
    if (big16(frame + 12) == 0x0800) {
        Py_ssize_t total = (Py_ssize_t)big16(ip + 2);
        if (ip[0] != 0x45 || ip[9] != 6 || (big16(ip + 6) & 0x3FFF) || total < 40)
            return 0;
        *found = (Found){ip + 12, ip + 16, ip + 20, 4, total - 20, size - 34, ip[8], (int)big16(ip + 4), 0};
        if (found->source[0] >> 4 == 14 || found->destination[0] >> 4 == 14 || big32(found->source) == 0xFFFFFFFFu ||
            big32(found->destination) == 0xFFFFFFFFu)
            return 0;
    }
    else if (big16(frame + 12) == 0x86DD && size >= 74) {
        Py_ssize_t carried = (Py_ssize_t)big16(ip + 4);
        if (ip[0] >> 4 != 6 || ip[6] != 6 || carried < 20)
            return 0;
        *found = (Found){ip + 8, ip + 24, ip + 40, 16, carried, size - 54, ip[7], -1, 0};
        if (found->source[0] == 0xFF || found->destination[0] == 0xFF)
            return 0;
    }
    else
        return 0;
    if (found->there > found->payload) {
        found->there = found->payload;
        found->padded = 1;
    }
    return found->there >= 20;
}

/* Known options into the fields, as transport._options has them, of which those before ``there`` were captured; the
 * part of the variant, or -1 if one is unusual. */
static int options(const uint8_t *at, const uint8_t *end, const uint8_t *there, int64_t *fields)
{
    int found = 0;
    while (at < end) {
        if (at >= there) {
            found |= 32;
            break;
        }
        if (*at == 1) {
            at++;
            continue;
        }
        if (*at == 0) {
            if (there < end) {
                found |= 32;
                break;
            }
            while (at < end)
                if (*at++)
                    return -1;
            break;
        }
        if (end - at < 2)
            return -1;
        if (there - at < 2) {
            found |= 32;
            break;
        }
        if (at[1] < 2 || at[1] > end - at)
            return -1;
        if (at[1] > there - at) {
            found |= 32;
            break;
        }
        if (at[0] == 8 && at[1] == 10 && !(found & 1)) {
            found |= 1;
            fields[TSVAL] = big32(at + 2);
            fields[TSECR] = big32(at + 6);
        }
        else if (at[0] == 5 && at[1] > 2 && !((at[1] - 2) & 7) && !(found & 2)) {
            found |= 2;
            fields[SACK_BLOCKS] = (at[1] - 2) >> 3;
            for (const uint8_t *block = at + 2; block < at + at[1]; block += 8) {
                uint32_t left = big32(block), right = big32(block + 4);
                if (right == left || right - left >= 0x80000000u)
                    return -1;
                uint32_t beyond = right - (uint32_t)fields[SACK_HIGH];
                if (block == at + 2 || (beyond && beyond < 0x80000000u))
                    fields[SACK_HIGH] = right;
            }
        }
        else if (at[0] == 2 && at[1] == 4 && !(found & 4)) {
            found |= 4;
            fields[MSS] = big16(at + 2);
        }
        else if (at[0] == 3 && at[1] == 3 && !(found & 8)) {
            found |= 8;
            fields[WSCALE] = at[2];
        }
        else if (at[0] == 4 && at[1] == 2 && !(found & 16)) {
            found |= 16;
            fields[SACKOK] = 1;
        }
        else
            return -1;
        at += at[1];
    }
    return (found & 1 ? STAMPED : 0) + (found & 2 ? SACKED : 0) + (found & 4 ? SIZED : 0) + (found & 8 ? SCALED : 0) +
           (found & 16 ? PERMITTED : 0) + (found & 32 ? OPTIONS_CUT : 0);
}

/* Fields of a segment, as transport.tcp has them; the variant, or -1 if it is unusual or its checksum is wrong. */
static int usual(const Found *found, int64_t *fields, int *flags)
{
    const uint8_t *tcp = found->tcp;
    Py_ssize_t header = (tcp[12] >> 4) << 2;
    if (tcp[12] & 0x0F || header < 20 || header > found->payload ||
        (memcmp(found->source, found->destination, found->octets) == 0 && memcmp(tcp, tcp + 2, 2) == 0))
        return -1;
    fields[SEQ] = big32(tcp + 4);
    fields[ACK] = big32(tcp + 8);
    fields[WINDOW] = big16(tcp + 14);
    fields[LENGTH] = found->payload - header;
    fields[URGENT] = big16(tcp + 18);
    fields[OFFSET] = header;
    fields[IP_PAYLOAD] = found->payload;
    fields[SOURCE_PORT] = big16(tcp);
    fields[DESTINATION_PORT] = big16(tcp + 2);
    fields[TTL] = found->ttl;
    fields[IP_VERSION] = found->octets == 4 ? 4 : 6;
    fields[CHECKSUM] = big16(tcp + 16);
    fields[IP_ID] = found->ip_id;
    fields[PAYLOAD_SUM] = fields[CHECKSUM_OK] = fields[TSVAL] = fields[TSECR] = 0;
    fields[SACK_BLOCKS] = fields[SACK_HIGH] = fields[MSS] = fields[WSCALE] = fields[SACKOK] = 0;
    fields[OPTION_OCTETS] = header - 20;
    *flags = tcp[13];
    const uint8_t *there = tcp + (header < found->there ? header : found->there);
    int variant = options(tcp + 20, tcp + header, there, fields);
    if (variant < 0)
        return -1;
    variant += found->octets == 4 ? 0 : SIX;
    if (found->there < found->payload)
        return variant + CUT_TEXT;
    uint64_t text = words(tcp + header, found->payload - header), head = words(tcp, header);
    uint64_t pseudo = words(found->source, 2 * found->octets) + 6 + (uint64_t)found->payload;
    if ((pseudo + head + text) % 0xFFFF != 0)
        return -1;
    fields[PAYLOAD_SUM] = (int64_t)(text % 0xFFFF);
    fields[CHECKSUM_OK] = 1;
    return variant + (found->payload > header ? WITH_TEXT : WITHOUT_TEXT);
}

/* Puts addresses and ports into ``flow``, the lower first; whether the destination is the lower. */
static int flow_of(const Found *found, uint8_t *flow)
{
    int swapped = memcmp(found->source, found->destination, found->octets);
    if (swapped == 0)
        swapped = memcmp(found->tcp, found->tcp + 2, 2);
    swapped = swapped > 0;
    memset(flow, 0, FLOW);
    memcpy(flow, swapped ? found->destination : found->source, found->octets);
    memcpy(flow + 16, swapped ? found->source : found->destination, found->octets);
    memcpy(flow + 32, found->tcp + (swapped ? 2 : 0), 2);
    memcpy(flow + 34, found->tcp + (swapped ? 0 : 2), 2);
    return swapped;
}

typedef struct {
    Py_ssize_t start, end, next; /* of the frame, and the record after it */
    int64_t time, original;
} Record;

typedef struct {
    int big, blocks; /* byte order, and whether records are blocks of pcapng */
    int64_t unit, offset, limit;
} Framing;

static int64_t word_at(const uint8_t *at, int big)
{
    return big ? big32(at) : little32(at);
}

/* The record at that place, if all of it is there and it is like most. */
static int record_at(const uint8_t *buffer, Py_ssize_t at, Py_ssize_t size, const Framing *framing, Record *record)
{
    const uint8_t *here = buffer + at;
    int big = framing->big;
    if (!framing->blocks) {
        if (size - at < 16)
            return 0;
        int64_t captured = word_at(here + 8, big);
        if (captured > framing->limit || captured > size - at - 16)
            return 0;
        record->time = word_at(here, big) * 1000000000 + word_at(here + 4, big) * framing->unit;
        record->original = word_at(here + 12, big);
        record->start = at + 16;
        record->end = record->next = record->start + (Py_ssize_t)captured;
        return 1;
    }
    if (size - at < 32 || word_at(here, big) != 6)
        return 0;
    int64_t length = word_at(here + 4, big), captured = word_at(here + 20, big), high = word_at(here + 12, big);
    if (length < 32 || length & 3 || length > framing->limit || length > size - at || word_at(here + 8, big) != 0)
        return 0;
    /* With options behind the packet, Python looks at them. */
    if (captured > length || 28 + ((captured + 3) & ~(int64_t)3) + 4 != length ||
        word_at(here + length - 4, big) != length || high >= (int64_t)1 << 30)
        return 0;
    int64_t ticks = high << 32 | word_at(here + 16, big);
    if (ticks > (LATEST - 1) / framing->unit)
        return 0;
    record->time = ticks * framing->unit + framing->offset;
    record->original = word_at(here + 24, big);
    record->start = at + 28;
    record->end = record->start + (Py_ssize_t)captured;
    record->next = at + (Py_ssize_t)length;
    return 1;
}
