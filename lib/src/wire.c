/* wire.c - the layout of a message: header <-> bytes.
 * SPDX-License-Identifier: MIT
 *
 *     0  version     8  bytes of the body   24  variant
 *     1  context    16  bytes of the meta   25  dims
 *     2  kind       20  tag of what comes   26  flags
 *     3  type           apart               27  zero
 *     4  tag                                28  check of bytes 0 to 27
 */
#include "wire.h"

#include <assert.h>
#include <string.h>

#include "type.h"

enum {
    FLAG_PARTED = 1,
    FLAG_META_APART = 2,
    FLAG_BODY_APART = 4,
    FLAGS = FLAG_PARTED | FLAG_META_APART | FLAG_BODY_APART,
};

/* Shapes and part lengths are read where they lie. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the layout is little-endian");

static void put32(unsigned char *to, uint32_t value)
{
    memcpy(to, &value, sizeof value);
}

static void put64(unsigned char *to, uint64_t value)
{
    memcpy(to, &value, sizeof value);
}

static uint32_t get32(const unsigned char *from)
{
    uint32_t value;

    memcpy(&value, from, sizeof value);
    return value;
}

static uint64_t get64(const unsigned char *from)
{
    uint64_t value;

    memcpy(&value, from, sizeof value);
    return value;
}

/* Every step is a bijection of the lane, so damage within one 32-bit word
 * always changes the result; two lanes halve the latency. */
static uint32_t check(const unsigned char *header)
{
    const uint32_t odd_a = 0x9E3779B1u, odd_b = 0x85EBCA77u;
    uint32_t a = odd_b, b = odd_a;

    a = (a ^ get32(header)) * odd_a;
    b = (b ^ get32(header + 4)) * odd_b;
    a = (a ^ get32(header + 8)) * odd_a;
    b = (b ^ get32(header + 12)) * odd_b;
    a = (a ^ get32(header + 16)) * odd_a;
    b = (b ^ get32(header + 20)) * odd_b;
    a = (a ^ get32(header + 24)) * odd_a;
    return a ^ (b << 15 | b >> 17);
}

void wire_put(unsigned char *to, const wire_header *header)
{
    to[0] = WIRE_VERSION;
    to[1] = header->context;
    to[2] = header->kind;
    to[3] = header->type;
    put32(to + 4, (uint32_t)header->tag);
    put64(to + 8, header->bytes);
    put32(to + 16, header->meta_bytes);
    put32(to + 20, header->body_tag);
    to[24] = header->variant;
    to[25] = header->dims;
    to[26] = (unsigned char)((header->parted ? FLAG_PARTED : 0) |
                             (header->meta_apart ? FLAG_META_APART : 0) |
                             (header->body_apart ? FLAG_BODY_APART : 0));
    to[27] = 0;
    put32(to + 28, check(to));
}

static size_t shape_bytes(uint8_t kind, uint8_t dims)
{
    return kind == PAR_ARRAY && dims != 1 ? dims * sizeof(uint64_t) : 0;
}

/* What the meta has besides part list and extra. */
static size_t fixed_meta_bytes(const wire_header *h)
{
    return (h->context == WIRE_COLLECTIVE ? WIRE_CALL_BYTES : 0) +
           shape_bytes(h->kind, h->dims) + (h->parted ? sizeof(uint64_t) : 0);
}

static bool is_plain_array(const wire_header *h)
{
    return h->kind == PAR_ARRAY && h->type != PAR_OPAQUE;
}

/* The fields against each other. */
static bool consistent(const wire_header *h)
{
    if (h->context < WIRE_P2P || h->context > WIRE_WORD)
        return false;
    if (h->kind != PAR_ARRAY && h->kind != PAR_OBJECT)
        return false;
    if (h->tag < 0 || h->dims > WIRE_MAX_DIMS || h->meta_bytes < fixed_meta_bytes(h))
        return false;
    if (h->meta_apart && (!h->meta_bytes || (h->bytes && !h->body_apart)))
        return false;
    if (h->body_apart && !h->bytes)
        return false;
    if (h->body_tag && !h->meta_apart && !h->body_apart)
        return false;
    if (h->kind == PAR_ARRAY && h->type >= TYPE_COUNT)
        return false;
    if (is_plain_array(h)) {
        uint64_t size = UINT64_C(1) << type_shift((par_type)h->type);

        if (h->parted || h->meta_apart || h->meta_bytes != fixed_meta_bytes(h))
            return false;
        if ((h->bytes & (size - 1)) || (h->dims == 0 && h->bytes != size))
            return false;
    }
    return true;
}

bool wire_get(const unsigned char *from, size_t bytes, wire_header *header)
{
    wire_header h;
    uint64_t follows;

    if (bytes < WIRE_HEADER_BYTES || from[0] != WIRE_VERSION ||
        get32(from + 28) != check(from))
        return false;
    if ((from[26] & ~FLAGS) || from[27])
        return false;

    h.context = from[1];
    h.kind = from[2];
    h.type = from[3];
    h.tag = (int32_t)get32(from + 4);
    h.bytes = get64(from + 8);
    h.meta_bytes = get32(from + 16);
    h.body_tag = get32(from + 20);
    h.variant = from[24];
    h.dims = from[25];
    h.parted = from[26] & FLAG_PARTED;
    h.meta_apart = from[26] & FLAG_META_APART;
    h.body_apart = from[26] & FLAG_BODY_APART;
    if (!consistent(&h))
        return false;

    follows = bytes - WIRE_HEADER_BYTES;
    if (!h.meta_apart) {
        if (follows < h.meta_bytes)
            return false;
        follows -= h.meta_bytes;
    }
    if (follows != (h.body_apart ? 0 : h.bytes))
        return false;
    *header = h;
    return true;
}

size_t wire_meta_bytes(const par_content *content, size_t part_count, bool has_call)
{
    return (has_call ? WIRE_CALL_BYTES : 0) +
           shape_bytes((uint8_t)content->kind, content->dims) +
           (part_count > 1 ? (part_count + 1) * sizeof(uint64_t) : 0) +
           content->extra_bytes;
}

unsigned char *wire_put_call(unsigned char *to, const wire_call *call)
{
    to[0] = call->function;
    to[1] = call->op;
    to[2] = to[3] = 0;
    put32(to + 4, (uint32_t)call->root);
    put64(to + 8, call->count);
    return to + WIRE_CALL_BYTES;
}

void wire_put_meta(unsigned char *to, const par_content *content, const par_part *parts,
                   size_t part_count, const wire_call *call)
{
    if (call)
        to = wire_put_call(to, call);
    if (content->kind == PAR_ARRAY && content->dims > 1)
        for (unsigned d = 0; d < content->dims; d++, to += sizeof(uint64_t))
            put64(to, content->shape[d]);
    if (part_count > 1) {
        put64(to, part_count);
        to += sizeof(uint64_t);
        for (size_t i = 0; i < part_count; i++, to += sizeof(uint64_t))
            put64(to, parts[i].bytes);
    }
    if (content->extra_bytes)
        memcpy(to, content->extra, content->extra_bytes);
}

/* Whether SHAPE has as many elements of a plain type as the body has. */
static bool shape_fits(const uint64_t *shape, const wire_header *header)
{
    uint64_t elements = header->bytes >> type_shift((par_type)header->type);
    uint64_t product = 1;
    bool empty = false;

    for (unsigned d = 0; d < header->dims; d++)
        empty |= shape[d] == 0;
    if (empty)
        return elements == 0;
    for (unsigned d = 0; d < header->dims; d++)
        if (__builtin_mul_overflow(product, shape[d], &product))
            return false;
    return product == elements;
}

static bool parts_fit(const uint64_t *part_bytes, size_t part_count, uint64_t bytes)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < part_count; i++)
        if (__builtin_add_overflow(sum, part_bytes[i], &sum))
            return false;
    return sum == bytes;
}

bool wire_get_meta(const unsigned char *from, const wire_header *header, wire_meta *meta)
{
    const unsigned char *end = from + header->meta_bytes;
    size_t shape = shape_bytes(header->kind, header->dims);

    assert((uintptr_t)from % sizeof(uint64_t) == 0 || !header->meta_bytes);
    *meta = (wire_meta){.part_count = 1};
    if (header->context == WIRE_COLLECTIVE)
        from += WIRE_CALL_BYTES;
    if (shape) {
        meta->shape = (const uint64_t *)(const void *)from;
        from += shape;
        if (is_plain_array(header) && !shape_fits(meta->shape, header))
            return false;
    }
    if (header->parted) {
        uint64_t count = get64(from);

        from += sizeof(uint64_t);
        if (count < 2 || count > (uint64_t)(end - from) / sizeof(uint64_t))
            return false;
        meta->part_bytes = (const uint64_t *)(const void *)from;
        meta->part_count = (size_t)count;
        if (!parts_fit(meta->part_bytes, meta->part_count, header->bytes))
            return false;
        from += count * sizeof(uint64_t);
    }
    meta->extra = from;
    meta->extra_bytes = (size_t)(end - from);
    return true;
}

void wire_get_call(const unsigned char *from, wire_call *call)
{
    call->function = from[0];
    call->op = from[1];
    call->root = (int32_t)get32(from + 4);
    call->count = get64(from + 8);
}
