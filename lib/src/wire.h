/* wire.h - the layout of a message: header <-> bytes.
 * SPDX-License-Identifier: MIT
 *
 * A message is header, meta, body. The header has a fixed size; the meta
 * describes what the header has no room for:
 *
 *     [call]  [shape]  [part count, part lengths]  [extra]
 *
 * each there only if the header says so, and each a multiple of eight bytes
 * long but for the last. Meta and body follow the header at once, or come
 * apart on the body communicator. Numbers are little-endian.
 */
#ifndef PAR_SRC_WIRE_H
#define PAR_SRC_WIRE_H

#include "par.h"

enum {
    WIRE_VERSION = 0xA1, /* of all that stands here; goes ahead of each message */
    WIRE_HEADER_BYTES = 32,
    WIRE_CALL_BYTES = 16,
    WIRE_MAX_DIMS = 64,
};

/* Who the message is for: their tags never meet. */
typedef enum wire_context {
    WIRE_P2P = 1,
    WIRE_COLLECTIVE = 2,
    WIRE_WORD = 3, /* what ranks that wait ask each other */
} wire_context;

typedef struct wire_header {
    uint8_t context;
    uint8_t kind; /* a par_kind */
    uint8_t type;
    uint8_t variant;
    uint8_t dims;
    bool parted;     /* the meta lists the parts of the body */
    bool meta_apart; /* the meta comes on the body communicator, and so the body */
    bool body_apart;
    int32_t tag;
    uint32_t meta_bytes;
    uint32_t body_tag; /* of what comes apart */
    uint64_t bytes;    /* of the body */
} wire_header;

/* A collective call, for comparison with that of the receiver. */
typedef struct wire_call {
    uint8_t function;
    uint8_t op;
    int32_t root;
    uint64_t count;
} wire_call;

/* Where the pieces of a meta begin; NULL for what it doesn't have. */
typedef struct wire_meta {
    const uint64_t *shape;
    const uint64_t *part_bytes;
    size_t part_count; /* 1 where the meta lists none */
    const void *extra;
    size_t extra_bytes;
} wire_meta;

/* Write HEADER to the WIRE_HEADER_BYTES at TO. */
void wire_put(unsigned char *to, const wire_header *header);

/* Read the header of a message of BYTES at FROM; false where it is truncated,
 * damaged, or contradicts itself or BYTES. */
bool wire_get(const unsigned char *from, size_t bytes, wire_header *header);

/* Bytes of the meta that CONTENT needs with PART_COUNT parts, a call before it
 * if HAS_CALL. */
size_t wire_meta_bytes(const par_content *content, size_t part_count, bool has_call);

/* Write that meta to TO. */
void wire_put_meta(unsigned char *to, const par_content *content, const par_part *parts,
                   size_t part_count, const wire_call *call);

/* Find the pieces of the meta at FROM, HEADER->meta_bytes long and aligned to
 * eight; false where it contradicts HEADER or itself. */
bool wire_get_meta(const unsigned char *from, const wire_header *header, wire_meta *meta);

/* Write CALL to TO, as a meta begins with; gives the end. */
unsigned char *wire_put_call(unsigned char *to, const wire_call *call);

/* Read the call at the beginning of a collective message's meta. */
void wire_get_call(const unsigned char *from, wire_call *call);

#endif
